"""The sysctls a router with several uplinks needs. Pure: from what is set to what should be.

Traps, each met on a real kernel:
- Reverse-path filtering in mode 1 or 2 drops every reply that comes in on an uplink which table main would not use.
  The effective value is the larger of `all` and the interface's, and many distributions ship `all` = 2. So `all` must
  be 0, and every other interface gets the value that was in force for it before. Our table's own checks take over on
  the uplinks.
- The kernel counts what a flow moves only where nf_conntrack_acct is 1 when the flow begins, and it is 0 by default:
  without it nobody knows a call from a download.
- Forwarding switched on makes an interface ignore router advertisements unless its accept_ra is 2, and in that very
  moment purges the default routes that it learned from them. So accept_ra comes first, and the order of what is
  returned here is the order in which it is written.
- A forwarded IPv4 packet loses the priority that our table gave it, for one made of its TOS field, unless told not to
  (Linux 4.19). IPv6 never does that.
"""

from __future__ import annotations

from collections.abc import Mapping

V4, V6 = "net/ipv4/conf", "net/ipv6/conf"
ACCOUNT = "net/netfilter/nf_conntrack_acct"
PRIORITY4 = "net/ipv4/ip_forward_update_priority"
FORWARD4, FORWARD6 = "net/ipv4/ip_forward", f"{V6}/all/forwarding"


def wanted_settings(uplinks: frozenset[str], found: Mapping[str, str], shaped: bool = False) -> dict[str, str]:
    """The settings to hold, in the order to write them, given the uplinks' interfaces and what is found.

    Settings are paths below /proc/sys with their values. `shaped`: packets carry the class that they are queued in.
    """
    priority = {PRIORITY4: "0"} if shaped and PRIORITY4 in found else {}
    forwarding = {path: "1" for path in (FORWARD4, FORWARD6) if path in found}
    counted = {ACCOUNT: "1"} if ACCOUNT in found else {}
    return _advertisements(uplinks, found) | _reverse_path(uplinks, found) | counted | priority | forwarding


def _reverse_path(uplinks: frozenset[str], found: Mapping[str, str]) -> dict[str, str]:
    everywhere = f"{V4}/all/rp_filter"
    wanted = {everywhere: "0"}
    for path, value in found.items():
        interface = path.split("/")[-2]
        if not path.endswith("/rp_filter") or interface == "all":
            continue
        if interface in uplinks:
            wanted[path] = "0"
        elif int(found.get(everywhere, "0")) > int(value):
            wanted[path] = found[everywhere]
    return wanted


def _advertisements(uplinks: frozenset[str], found: Mapping[str, str]) -> dict[str, str]:
    paths = (f"{V6}/{interface}/accept_ra" for interface in uplinks)
    return {path: "2" for path in paths if found.get(path) in ("1", "2")}
