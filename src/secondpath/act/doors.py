"""What may come in: port forwards, and what the gateway itself answers to. Lines of the table. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from secondpath.model import Allow, IPNetwork, PortForward, Site


def networks(these: Iterable[IPNetwork]) -> str:
    """An anonymous set of networks."""
    return "{ " + ", ".join(str(n) for n in these) + " }"


def forwarded(site: Site, forward: PortForward) -> list[str]:
    """What translates one port forward, for each uplink on which it is offered."""
    family = "ip" if forward.to.version == 4 else "ip6"
    to = str(forward.to) if forward.to.version == 4 else f"[{forward.to}]"
    sources = _sources(forward.sources, forward.to.version)
    if sources is None:
        return []
    return [
        f'iifname "{u.interface}" meta nfproto {"ipv4" if family == "ip" else "ipv6"} {sources}'
        f"fib daddr type local {forward.protocol} dport {forward.port} dnat {family} to {to}:{forward.to_port}"
        for u in site.uplinks
        if forward.uplink in (None, u.name)
    ]


def allowed(allow: Allow) -> list[str]:
    """What accepts one kind of question to the gateway itself."""
    lines = []
    for version in (4, 6):
        sources = _sources(allow.sources, version)
        if sources is None:
            continue
        family = f"meta nfproto ipv{version} {sources}"
        if allow.protocol == "icmp":
            echo = "icmp" if version == 4 else "icmpv6"
            lines.append(f"{family}{echo} type echo-request limit rate 20/second accept")
        else:
            lines.append(f"{family}{allow.protocol} dport {allow.port} accept")
    return lines


def _sources(sources: tuple[IPNetwork, ...], version: int) -> str | None:
    """A match on the permitted sources of one family; "" when all are, None when none of this family is."""
    if not sources:
        return ""
    mine = [s for s in sources if s.version == version]
    return f"{'ip' if version == 4 else 'ip6'} saddr {networks(mine)} " if mine else None
