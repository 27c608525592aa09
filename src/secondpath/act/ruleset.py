"""The text of table inet secondpath, but for its moving elements. Pure.

Why it is as it is. (Measured facts from the real kernel; the marks are explained in act/plane.)

prerouting, after dstnat: the whole decision. `ways` sends a packet on by the interface it came in on. What a packet
  pays for is calls within the kernel, and a look into a map of names costs as much as comparing four of them: so the
  interfaces that carry most are compared first, in prerouting and in guard, and the map comes for whoever is left.
  From inside: a flow whose mark is in `route_of` goes where that says. Any other flow is ours only if it would leave by
  an uplink: what is for the gateway itself, for the office, or for a tunnel of somebody else's is left alone, whatever
  mark somebody else's software has put on it. `fib daddr type` must come before the look at the route and must be a
  list, not "!= unicast": with no default route in main an IPv6 destination is "unreachable" and would slip past. Then a
  mark of ours that is not routed any more says *stale*. What has none gets one from its class's `lane_` map, by family;
  where the map has no element, the class has no way out and is told so. Applications that are told apart have lanes
  of their own (act/recognition); before all that, what may be voice of a phone on a call goes where its call is
  (act/calling).
  From an uplink: answers pass (those of a retired epoch too: their entry is flushed in a moment, and looking each one
  up would cost every download). A TCP segment that opens nothing ends here (it would create an entry anew), and so do
  whoever pretends to come from inside and whatever is neither for the gateway itself nor translated by a port forward:
  nothing goes into the office that was not asked for. What remains is new and gets its uplink's mark, so that the
  answer leaves where the question came in.
  It comes after destination translation, so it sees where a packet really goes. There is no chain in the forward hook:
  all that could be said there is said here, where only the first packet of a connection pays for it.
stale: a SYN is dropped silently (its entry is flushed in a moment, and the client's retry becomes a new flow); other
  TCP is answered with a reset, so the client reconnects at once whatever the server does; the rest is dropped.
output, a `route` chain: answers of the gateway itself to connections from outside leave where they came in.
srcnat: masquerade, never `snat to`: the kernel then kills a flow whose interface or address has changed.
guard, after the translation: nothing leaves an uplink with a source that is not that uplink's. It must come after, or
  it would take the kernel's own masquerade kill for an offence. `fib saddr . oif` follows address changes by itself.
  A DHCP client without an address yet is the one exception: it speaks as 0.0.0.0 (RFC 2131, section 4.1).
  MSS is clamped here too, both ways (`rt mtu` looks at the route to either end): it saves a hook that every packet of a
  download would pay for.
What is counted of every line, and where: act/counting. What packets pay where an uplink is shaped: one look into a map
  of fixed size, in the chain that they pass anyway (act/shaping); a hook of its own would cost three times that.
input: nothing comes to the gateway itself from an uplink that was not asked for; the same on every uplink. From guests
  only answers go into the office's other networks: not "all but new", for what conntrack calls invalid is not new.

Names: nft 1.0.6 reserves words such as `fwd` and `all`; `}` must follow a newline or `;`. Chains have no class names
with dashes, hence `_`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Network
from itertools import islice, zip_longest

from secondpath.act import reading
from secondpath.act.calling import CHAIN as CALLING_CHAIN
from secondpath.act.calling import calling_jumps, calling_lines, calling_maps
from secondpath.act.counting import back_chain, count_arrived, count_begun, count_opened, count_sent, names, via_chain
from secondpath.act.doors import allowed, forwarded, networks
from secondpath.act.plane import (
    ARRIVED,
    EPOCH_MASK,
    NOT_TCP,
    POKE_MARK,
    ROUTE_MASK,
    TABLE,
    UPLINK_MASK,
    Elements,
    Ruleset,
)
from secondpath.act.recognition import BY_ADDRESS, carriers_of, chains_of, class_chain, lane_set, maps_of
from secondpath.act.shaping import UNSHAPED, Prioritised, prioritise
from secondpath.act.shaping import maps_of as priorities_of
from secondpath.model import CLASSES, Family, Site, Uplink, family_of

OTHERS = 0xFFFFFFFF ^ UPLINK_MASK
"""The bits of a packet's mark that are not ours."""
OURS = f"ct mark and {UPLINK_MASK:#010x} != 0 ct mark and {EPOCH_MASK:#010x} != 0"
ROUTED = f"ct mark and {ROUTE_MASK:#010x} vmap @route_of"
NOT_OPENING = "meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn"
FOR_US = "{ local, multicast, broadcast, anycast }"
OPENS = "tcp flags & (syn | rst) == syn"
CLAMP = "tcp option maxseg size set rt mtu"
NOTE_NOT_TCP = f"meta l4proto != tcp ct mark set ct mark or {NOT_TCP:#010x}"
ROUTES = 248
"""Room in `route_of`, twice what 31 uplinks need: of a set that cannot grow the kernel makes a plain hash, and a
look into it costs a third less than into one that can."""
NONE: Mapping[str, int] = {}
FEW = 4
"""So many names are compared in the time of one look into a map of names."""


def ways_in(site: Site, numbers: Mapping[str, int]) -> dict[str, str]:
    """Interface -> the chain for what comes in there: networks and uplinks by turns, so the busiest come first."""
    uplinks = ((u.interface, f"from_{numbers[u.name]}") for u in site.uplinks)
    networks = ((n.interface, "from_inside") for n in site.networks)
    return dict(way for turn in zip_longest(networks, uplinks) for way in turn if way)


def compile_ruleset(
    site: Site,
    numbers: Mapping[str, int],
    inside: Iterable[str],
    idents: Mapping[str, int] = NONE,
    reads: bool = False,
    shaped: Prioritised = UNSHAPED,
) -> Ruleset:
    """The table for a site.

    `numbers` are the uplinks' numbers, `inside` the IPv6 prefixes on inside interfaces, `idents` the applications';
    with `reads` DNS answers are handed to our reader. `shaped` has the map for the priorities of packets, by the
    uplink's number and whether they come in by it.
    """
    prefixes = sorted(IPv6Network(p) for p in inside)
    chains = [
        *_maps(site, numbers, idents),
        *priorities_of(site, idents, frozenset(shaped.values())),
        *_prerouting(site, numbers, idents, reads, shaped),
        *_output(site, reads),
        *_translation(site, numbers, prefixes),
        *_filters(site),
    ]
    body = "\n".join(chains)
    fingerprint = f"v_{hashlib.sha256(body.encode()).hexdigest()[:16]}"
    rules = sum(line.startswith("    ") and not line.startswith("    type ") for line in body.splitlines())
    return Ruleset(f"{body}\nchain {fingerprint} {{\n}}\n", fingerprint, rules)


def ruleset_text(ruleset: Ruleset, elements: Elements) -> str:
    """What nft(8) loads where nothing of ours stands, or nothing that can stay: all of it, in one transaction."""
    anew = f"table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n{ruleset.text}}}\n"
    return anew + added_elements(elements)


def added_elements(elements: Elements) -> str:
    """The lines of nft(8) that put elements into their maps."""
    by_set: dict[str, list[str]] = {}
    for (name, key), value in elements.items():
        verdict = isinstance(value, str)
        shown_key = f'"{key}"' if isinstance(key, str) and name in ("ways", "class_of") else _hex(key)
        word = ("jump " if name in BY_ADDRESS else "goto ") if verdict else ""
        by_set.setdefault(name, []).append(f"{shown_key} : {word}{_hex(value)}")
    return "".join(
        f"add element inet {TABLE} {name} {{ {', '.join(sorted(all_))} }}\n" for name, all_ in by_set.items()
    )


def _hex(value: int | str) -> str:
    return f"{value:#010x}" if isinstance(value, int) else value


def _chain(name: str, *lines: str) -> str:
    inner = "".join(f"    {line}\n" for line in lines if line)
    return f"  chain {name} {{\n{inner}  }}\n"


def _base(name: str, kind: str, hook: str, priority: str, *lines: str) -> str:
    return _chain(name, f"type {kind} hook {hook} priority {priority}; policy accept;", *lines)


def _names(interfaces: Iterable[str]) -> str:
    return "{ " + ", ".join(f'"{i}"' for i in interfaces) + " }"


def _compared(word: str, chains: Mapping[str, str]) -> list[str]:
    return [f'{word} "{interface}" goto {chain}' for interface, chain in chains.items()]


def _mapped(word: str, chains: Mapping[str, str]) -> list[str]:
    pairs = ", ".join(f'"{interface}" : goto {chain}' for interface, chain in chains.items())
    return [f"{word} vmap {{ {pairs} }}"]


def _maps(site: Site, numbers: Mapping[str, int], idents: Mapping[str, int]) -> list[str]:
    lanes = [f"  map {lane_set(c)} {{ typeof meta nfproto : ct mark; }}\n" for c in CLASSES.values()]
    arrivals = [f"  map arrive_{numbers[u.name]} {{ typeof meta nfproto : ct mark; }}\n" for u in site.uplinks]
    fixed = [
        f"  map route_of {{ type mark : verdict; size {ROUTES}; }}\n",
        "  map ways { type ifname : verdict; }\n",
        "  map class_of { type ifname : verdict; }\n",
    ]
    counters = ["stale", "refused", "no_lane", *(f"wrong_source_{numbers[u.name]}" for u in site.uplinks)]
    counters += names(numbers[u.name] for u in site.uplinks)
    moving = fixed + calling_maps() + lanes + maps_of(site, idents) + arrivals
    return moving + [f"  counter {name} {{ }}\n" for name in counters]


def _prerouting(
    site: Site, numbers: Mapping[str, int], idents: Mapping[str, int], reads: bool, shaped: Prioritised
) -> list[str]:
    uplinks = [u.interface for u in site.uplinks]
    via = [
        _chain(
            name,
            prioritise(shaped, n, down=False),
            f"{count_sent(n, f)} meta mark set meta mark and {OTHERS:#010x} or {mark:#010x} accept",
        )
        for n in (numbers[u.name] for u in site.uplinks)
        for f in Family
        for name, mark in ((via_chain(n, f), n), (back_chain(n, f), n | ARRIVED))
    ]
    adopt = [
        f'ct state established,related fib daddr oifname "{u.interface}"'
        f" ct mark set meta nfproto map @arrive_{numbers[u.name]}"
        for u in site.uplinks
    ]
    inside = _chain(
        "from_inside",
        ROUTED,
        f"fib daddr type {FOR_US} accept",
        _apart(site),
        f"fib daddr oif exists fib daddr oifname != {_names(uplinks)} accept",
        "ct state untracked accept",
        f"{OURS} goto stale",
        *adopt,
        f"{OURS} {NOTE_NOT_TCP}",
        ROUTED,
        "ct state != new drop",
        f"{NOT_OPENING} goto stale",
        reading.refused(site),
        *calling_jumps(site),
        "iifname vmap @class_of",
    )
    stale = _chain(
        "stale",
        'counter name "stale"',
        "tcp flags & (fin | syn | rst | ack) == syn drop",
        "meta l4proto tcp reject with tcp reset",
        "drop",
    )
    no_lane = _chain(
        "no_lane",
        'counter name "no_lane"',
        "meta l4proto tcp reject with tcp reset",
        "reject with icmpx admin-prohibited",
    )
    arriving = [chain for u in site.uplinks for chain in _arriving(site, u, numbers[u.name], reads, shaped)]
    busiest = _compared("iifname", dict(islice(ways_in(site, numbers).items(), FEW)))
    base = _base("prerouting", "filter", "prerouting", "dstnat + 10", *busiest, "iifname vmap @ways")
    classes = [_carry(class_chain(c), lane_set(c)) for c in CLASSES.values()]
    classes += [_carry(carried, lanes) for carried, lanes in carriers_of(idents).items()]
    told = [_chain(name, *lines) for name, lines in chains_of(site, idents).items()]
    phones = _chain(CALLING_CHAIN, *calling_lines(), f"{OURS} {NOTE_NOT_TCP}", ROUTED)
    return [*via, stale, no_lane, phones, *classes, *told, inside, *arriving, base]


def _carry(chain: str, lanes: str) -> str:
    """A new flow gets its mark from its lane, and leaves."""
    return _chain(chain, f"ct mark set meta nfproto map @{lanes}", NOTE_NOT_TCP, ROUTED, "goto no_lane")


def _arriving(site: Site, uplink: Uplink, number: int, reads: bool, shaped: Prioritised) -> list[str]:
    inside = _names(n.interface for n in site.networks)
    refuse = 'counter name "refused" drop'
    come_in = _chain(
        f"from_{number}",
        prioritise(shaped, number, down=True),
        *count_arrived(number, reading.ARRIVED if reads else ""),
        "ct state established,related accept",
        f"ct state untracked fib daddr type {FOR_US} accept",
        f"ct state != new {refuse}",
        f"{NOT_OPENING} {refuse}",
        f"fib saddr oifname {inside} {refuse}",
        f"fib saddr type local {refuse}",
        f"ct status dnat goto arrived_{number}",
        f"fib daddr type {FOR_US} goto arrived_{number}",
        refuse,
    )
    arrived = _chain(f"arrived_{number}", f"ct mark set meta nfproto map @arrive_{number}", NOTE_NOT_TCP)
    return [arrived, come_in]


def _output(site: Site, reads: bool) -> list[str]:
    answers = reading.leaving(site) if reads else ""
    uplinks = _names(u.interface for u in site.uplinks)
    return [
        *([_base("told", "filter", "output", "filter", answers)] if answers else []),
        _base("untracked", "filter", "output", "raw", f"meta mark {POKE_MARK:#010x} notrack"),
        _base(
            "answers",
            "route",
            "output",
            "mangle",
            f"oifname {uplinks} ct direction reply {ROUTED}",
            f"oifname {uplinks} ct direction reply {OURS} drop",
        ),
    ]


def _translation(site: Site, numbers: Mapping[str, int], prefixes: list[IPv6Network]) -> list[str]:
    dnat = [line for forward in site.forwards for line in forwarded(site, forward)]
    chains = [_base("dstnat_", "nat", "prerouting", "dstnat", *dnat)] if dnat else []
    leave: dict[str, str] = {}
    guard: dict[str, str] = {}
    for uplink in site.uplinks:
        n, native = numbers[uplink.name], _native(uplink)
        chains.append(_chain(f"translate_{n}", *count_begun(n), *native, "fib saddr . oif type local accept",
                             _prefix_translation(uplink, prefixes), "masquerade"))  # fmt: skip
        chains.append(
            _chain(
                f"guard_{n}",
                f"{OPENS} {CLAMP}",
                *native,
                "fib saddr . oif type local accept",
                "ip6 saddr :: accept",
                "ip saddr 0.0.0.0 udp dport 67 accept",
                f'counter name "wrong_source_{n}" drop',
            )
        )
        leave[uplink.interface] = f"translate_{n}"
        guard[uplink.interface] = f"guard_{n}"
    return [
        *chains,
        _chain("opened", CLAMP, count_opened(site, numbers)),
        _base("srcnat_", "nat", "postrouting", "srcnat", *_mapped("oifname", leave)),
        _base(
            "guard",
            "filter",
            "postrouting",
            "300",
            *(_compared if len(guard) <= FEW else _mapped)("oifname", guard),
            f"{OPENS} {OURS} goto opened",
        ),
    ]


def _native(uplink: Uplink) -> list[str]:
    """Networks that the provider routes to the office leave as they are."""
    lines = []
    for family, word in ((Family.IPV4, "ip"), (Family.IPV6, "ip6")):
        mine = [p for p in uplink.prefixes if family_of(p) is family]
        if mine:
            lines.append(f"{word} saddr {networks(mine)} accept")
    return lines


def _prefix_translation(uplink: Uplink, inside: list[IPv6Network]) -> str:
    """Each inside prefix that is not this provider's gets one of its subnets, if there are enough (else masquerade).

    Stateful prefix translation: the host part stays, as in RFC 6296, but ports and checksums are conntrack's.
    """
    own = [p for p in uplink.prefixes if isinstance(p, IPv6Network)]
    foreign = [p for p in inside if not any(p.subnet_of(o) for o in own)]
    if not own or not foreign or any(p.prefixlen < own[0].prefixlen for p in foreign):
        return ""
    taken = [p for p in inside if p.subnet_of(own[0])]
    subnets = {size: own[0].subnets(new_prefix=size) for size in {p.prefixlen for p in foreign}}
    pairs = []
    for prefix in foreign:
        left = subnets[prefix.prefixlen]  # those before are taken: what is taken stays so
        subnet = next((s for s in left if not any(s.overlaps(t) for t in taken)), None)
        if subnet is None:
            return ""
        taken.append(subnet)
        pairs.append(f"{prefix} : {subnet}")
    return f"snat ip6 prefix to ip6 saddr map {{ {', '.join(pairs)} }}"


def _apart(site: Site) -> str:
    """From guests only answers go into the office's other networks."""
    guests = [n.interface for n in site.networks if n.traffic_class == "guest"]
    others = [n.interface for n in site.networks if n.traffic_class != "guest"]
    if not guests or not others:
        return ""
    unasked = "ct state != { established, related } reject with icmpx admin-prohibited"
    return f"iifname {_names(guests)} fib daddr oifname {_names(others)} {unasked}"


def _filters(site: Site) -> list[str]:
    uplinks = _names(u.interface for u in site.uplinks)
    return [
        _chain(
            "enter_gateway",
            "ct state established,related accept",
            "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } ip6 hoplimit 255 accept",
            "icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept",
            "udp sport 67 udp dport 68 accept",
            "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
            *(line for allow in site.allows for line in allowed(allow)),
            'counter name "refused" drop',
        ),
        _base("input_", "filter", "input", "filter", f"iifname {uplinks} goto enter_gateway"),
    ]
