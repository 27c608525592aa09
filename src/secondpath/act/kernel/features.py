"""Which features this kernel has, each tried for real in a network namespace that is thrown away afterwards.

`python -m secondpath.act.kernel.features` tries them where it stands, so it is started by unshare(1): as root, or as
anybody with a user namespace of their own. Nothing of the box's own network is touched.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from socket import AF_INET

from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.diag import destroy_sockets
from secondpath.netlink.entries import UNREACHABLE, RouteEntry, RuleEntry
from secondpath.netlink.route import Route
from secondpath.netlink.wire import NetlinkError

LIMIT_S = 60.0


def _chain(hook: str, *rules: str) -> str:
    lines = "".join(f"{rule}\n" for rule in rules)
    return f"table inet probe {{\nchain c {{\ntype {hook};\n{lines}}}\n}}\n"


_PREROUTING = "filter hook prerouting priority mangle"
RULESETS: Mapping[str, str] = {
    "nf_tables": _chain("filter hook input priority 0"),
    "fib": _chain(_PREROUTING, "fib daddr type local accept", "fib daddr oif exists fib daddr oifname != lo accept"),
    "fib of sources": _chain("filter hook postrouting priority 300", "fib saddr . oif type local accept", "drop"),
    "reject": _chain("filter hook forward priority 0", "reject with icmpx admin-prohibited"),
    "prerouting reject": _chain(_PREROUTING, "meta l4proto tcp reject with tcp reset"),
    "inet nat": _chain("nat hook prerouting priority dstnat", "tcp dport 1 dnat ip to 192.0.2.1:1"),
    "masquerade": _chain("nat hook postrouting priority srcnat", "masquerade"),
    "connection marks": _chain(_PREROUTING, "ct mark set ct mark or 0x00008000", "meta mark set ct mark"),
    "verdict maps": "table inet probe {\nmap m { type mark : verdict; }\nmap w { type ifname : verdict; }\n"
    f"chain c {{\ntype {_PREROUTING};\nct mark and 0xffff00ff vmap @m\niifname vmap @w\n}}\n}}\n",
    "counters": "table inet probe {\ncounter k { }\n"
    "chain c {\ntype filter hook input priority 0;\ncounter name k\n}\n}\n",
    "MSS clamp": _chain("filter hook forward priority 0", "tcp flags syn tcp option maxseg size set rt mtu"),
    "route hook": _chain("route hook output priority mangle", "meta mark set 1"),
    "notrack": _chain("filter hook output priority raw", "meta mark 254 notrack"),
    "numgen": _chain(_PREROUTING, "ct mark set numgen inc mod 2"),
    "priority": "table inet probe {\nmap m { type mark : classid; }\n"
    f"chain c {{\ntype {_PREROUTING};\nmeta priority set ct mark and 0x00007f00 map @m\n}}\n}}\n",
}
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "tc htb": ("tc", "qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb"),
    "tc fq_codel": ("tc", "qdisc", "add", "dev", "lo", "root", "fq_codel"),
    "tc cake": ("tc", "qdisc", "add", "dev", "lo", "root", "cake"),
    "ifb": ("ip", "link", "add", "ifbprobe", "type", "ifb"),
}
_TO_OURSELVES = "filter add dev lo egress protocol all pref 1 u32 match u32 0 0 indev lo action mirred egress redirect"
TURN = (("tc", "qdisc", "add", "dev", "lo", "clsact"), ("tc", *_TO_OURSELVES.split(), "dev", "lo"))
"""What shaping downwards needs besides an ifb device (act/tree)."""


def probe_features() -> dict[str, str] | None:
    """Feature -> "" where it works, else what the kernel said; None where we may not make a namespace to try in."""
    done = _apart([sys.executable, "-m", __name__], "")
    return None if done is None or done.returncode else dict(json.loads(done.stdout))


def probe_ruleset(text: str) -> str | None:
    """What nft says to a whole ruleset, "" for yes; None where it cannot be tried."""
    done = _apart(["nft", "-f", "-"], text)
    return None if done is None else done.stderr.strip()


def _apart(command: list[str], given: str) -> subprocess.CompletedProcess[str] | None:
    """A command in a network of its own."""
    rights = ["--net"] if os.geteuid() == 0 else ["--net", "--map-root-user"]
    try:
        if subprocess.run(["unshare", *rights, "true"], capture_output=True, timeout=LIMIT_S, check=False).returncode:
            return None
        return subprocess.run(
            ["unshare", *rights, *command], input=given, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except OSError:
        return None


# ── In the scratch namespace ─────────────────────────────────────────────────────────


def try_here() -> dict[str, str]:
    """Try everything where we stand."""
    _run("ip", "link", "set", "lo", "up")
    found = {name: _load(text) for name, text in RULESETS.items()}
    tried: Mapping[str, Callable[[], str]] = {
        "conntrack": _conntrack,
        "status flush": _status_flush,
        "socket diag": _socket_diag,
        "policy routing": _policy_routing,
        "IPv6": _ipv6,
    }
    for name, attempt in tried.items():
        try:
            found[name] = attempt()
        except OSError as refused:
            found[name] = refused.strerror or str(refused)
    for name, command in COMMANDS.items():
        found[name] = _run(*command)
        _run("tc", "qdisc", "del", "dev", "lo", "root")
    found["clsact and mirred"] = next(filter(None, (_run(*command) for command in TURN)), "")
    return found


def _run(*command: str, given: str = "") -> str:
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except OSError as missing:
        return f"{command[0]}: {missing.strerror}"
    said = (done.stderr or done.stdout).strip().splitlines()
    return (said[0] if said else f"exit code {done.returncode}") if done.returncode else ""


def _load(ruleset: str) -> str:
    said = _run("nft", "-f", "-", given=ruleset)
    _run("nft", "delete", "table", "inet", "probe")
    return said


def _conntrack() -> str:
    with Conntrack() as conntrack:
        conntrack.flush(1, 0xFF)
        conntrack.count(1, 0xFF)
    return ""


def _status_flush() -> str:
    with Conntrack() as conntrack:
        return "" if conntrack.supports_status_flush else "this kernel does not look at the status"


def _socket_diag() -> str:
    """End a connection of our own."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        return "" if destroy_sockets(IPv4Address("127.0.0.1")) else "no connection was found"


def _policy_routing() -> str:
    with Route() as route:
        route.replace_route(RouteEntry(AF_INET, 7101, None, kind=UNREACHABLE))
        route.add_rule(RuleEntry(AF_INET, 7101, table=7101, fwmark=1, fwmask=0xFF, protocol=83))
        route.add_rule(RuleEntry(AF_INET, 7100, table=254, suppress_prefixlength=0, protocol=83))
    return ""


def _ipv6() -> str:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
    return ""


if __name__ == "__main__":
    try:
        print(json.dumps(try_here()))  # noqa: T201 to the process that started us
    except NetlinkError as fault:
        sys.exit(str(fault))
