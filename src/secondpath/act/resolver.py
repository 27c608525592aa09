"""What the office's resolver is told: dnsmasq's configuration, and whom it asks at present. Pure.

dnsmasq puts the addresses of applications' names into our sets before it answers, so that even the first packet finds
them there. It answers on the gateway's own addresses in the inside networks, of both families, as they come and go
(`bind-dynamic`); never on the loopback, where systemd-resolved may be at home, and never towards an uplink.

Whom it asks stands in a file of its own, which it reads again at SIGHUP, with its cache emptied: content networks
answer each provider differently. Each server is bound to the interface of the uplink for which it answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from secondpath.act.plane import TABLE
from secondpath.act.recognition import sets_of_names
from secondpath.model import OFFICE, Family, IPAddress, Line, ProbeKind, Site, Steering, family_of

CACHE = 4096
HEAD = "# Written by secondpath, and written anew whenever its configuration changes."


def resolver_text(site: Site, idents: Mapping[str, int], servers_file: str, user: str = "") -> str:
    """The configuration; "" where the office has no resolver of ours. `user`: whose it stays, if root begins it."""
    wanted = site.resolver
    if wanted is None:
        return ""
    lines = [HEAD, "port=53", "bind-dynamic", "except-interface=lo", *(f"user={user}",) * bool(user)]
    lines += [f"interface={network.interface}" for network in site.networks]
    lines += ["no-resolv", "no-hosts", "no-poll", f"servers-file={servers_file}", f"cache-size={CACHE}"]
    lines += ["domain-needed", "bogus-priv", "dns-loop-detect", "log-facility=-"]
    lines += ["filter-rr=HTTPS"] * wanted.hide_hints
    lines += [f"address=/{name}/" for name in wanted.canaries]
    for name, (ipv4, ipv6) in sorted(sets_of_names(site, idents).items()):
        lines.append(f"nftset=/{name}/4#inet#{TABLE}#{ipv4},6#inet#{TABLE}#{ipv6}")
    return "\n".join(lines) + "\n"


def servers_of(site: Site, uplink: str, family: Family) -> tuple[IPAddress, ...]:
    """Whom to ask over a line: the uplink's own, else the office's, else the resolvers that prove reachability."""
    named = site.resolver.servers if site.resolver else ()
    asked = tuple(t.address for t in site.targets if t.kind is ProbeKind.DNS)
    return tuple(a for a in site.uplink(uplink).resolvers or named or asked if family_of(a) is family)


def servers_text(site: Site, steering: Steering, mute: frozenset[tuple[Line, IPAddress]] = frozenset()) -> str:
    """Whom to ask now: by the uplinks that the office uses. Those that are mute are left out, unless all are."""
    found: list[tuple[Line, IPAddress]] = []
    for family in Family:
        uplink = steering.lane(OFFICE.name, family).uplink
        if uplink is not None:
            found += [(Line(uplink, family), address) for address in servers_of(site, uplink, family)]
    heard = [place for place in found if place not in mute] or found
    lines = [f"server={address}@{site.uplink(line.uplink).interface}" for line, address in heard]
    return "\n".join([HEAD, *lines]) + "\n"
