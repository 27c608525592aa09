"""[reachability]: which addresses prove that a line is alive, and how they are asked.

One dead target must never look like a dead line, so every family that is used has at least two different addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from secondpath.config.addresses import HOST_NAME, is_host_name, parse_address, split_authority
from secondpath.config.problem import Place, WrongError, listed, nearest, shown
from secondpath.config.table import Key, Kind, Placed, Section, Table, list_of, text
from secondpath.model import DERIVED, Endpoint, Family, IPAddress, ProbeKind, Target, Uplink

_URI = re.compile(r"(?P<scheme>[^:/]*)://(?P<authority>[^/?#]*)(?P<path>[/?][^#]*)?(?P<fragment>#.*)?")
_PORTS: Mapping[ProbeKind, int] = {ProbeKind.DNS: 53, ProbeKind.HTTP: 80, ProbeKind.HTTPS: 443}
_WEB = (ProbeKind.HTTP, ProbeKind.HTTPS)
_MEANT = {"ping": "icmp", "icmp4": "icmp", "icmp6": "icmp", "udp": "dns", "tls": "https", "ssl": "https"}

DEFAULTS: Sequence[tuple[str, str | Mapping[str, str]]] = (
    ("Cloudflare", "icmp://1.1.1.1"),
    ("Google", "dns://8.8.8.8/example.com"),
    ("Quad9", "tcp://9.9.9.9:443"),
    ("Cisco OpenDNS", "icmp://208.67.222.222"),
    ("Cloudflare", {"uri": "http://104.16.132.229/generate_204", "host": "cp.cloudflare.com"}),
    ("Cloudflare", "icmp://[2606:4700:4700::1111]"),
    ("Google", "dns://[2001:4860:4860::8888]/example.com"),
    ("Quad9", "tcp://[2620:fe::fe]:443"),
    ("Cisco OpenDNS", "icmp://[2620:119:35::35]"),
    ("Cloudflare", {"uri": "http://[2606:4700::6810:84e5]/generate_204", "host": "cp.cloudflare.com"}),
)
"""Who answers, and the question. Four operators for each family, four kinds of question."""


STUN_DEFAULTS: Sequence[str] = (
    "162.159.207.0:3478",
    "74.125.250.129:19302",
    "[2606:4700:49::]:3478",
    "[2001:4860:4864:5:8000::1]:19302",
)
"""stun.cloudflare.com and stun.l.google.com: two operators for each family, anycast, and for years what those names
resolve to. Nothing hangs on them: when none answers, `check-path` says that what is behind the line is not known."""


def parse_uri(said: str) -> Target:
    """A target from its URI."""
    found = _URI.fullmatch(said)
    if found is None:
        hint = f'; did you mean "{_guess(said)}"?' if _guess(said) else f"; expected {TARGET.expected}"
        raise WrongError(f"{shown(said)} is no URI{hint}")
    kind = _kind_of(found["scheme"])
    if "@" in found["authority"]:
        raise WrongError("a target is asked without a user name and password: leave them out")
    if found["fragment"]:
        raise WrongError(f'{shown(said)}: what follows "#" is never sent; leave it out')
    host, port = split_authority(found["authority"])
    if not host:
        raise WrongError(f"{shown(said)} names no address; expected {TARGET.expected}")
    address = _target_address(host)
    path = found["path"] or ""
    return Target(
        said, kind, address, _port_of(said, kind, port), _name_of(said, kind, path), _path_of(said, kind, path)
    )


def _guess(said: str) -> str | None:
    try:
        address = parse_address(said.strip("[]"))
    except WrongError:
        return None
    return f"icmp://{address}" if address.version == 4 else f"icmp://[{address}]"


def _kind_of(scheme: str) -> ProbeKind:
    known = {str(kind): kind for kind in ProbeKind if kind not in DERIVED}
    if scheme in known:
        return known[scheme]
    meant = _MEANT.get(scheme.casefold()) or nearest(scheme, known)
    hint = f'did you mean "{meant}"?' if meant else f"expected {listed(known)}"
    raise WrongError(f"unknown kind of probe {shown(scheme)}; {hint}")


def _target_address(host: str) -> IPAddress:
    address = parse_address(host)
    if address.is_link_local:
        raise WrongError(f'"{address}" reaches no further than one cable; expected an address on the internet')
    return address


def _port_of(said: str, kind: ProbeKind, port: int | None) -> int:
    if kind is ProbeKind.ICMP:
        if port is not None:
            raise WrongError(f"{shown(said)}: ICMP has no ports; leave out :{port}")
        return 0
    if kind is ProbeKind.TCP and port is None:
        raise WrongError(f'{shown(said)} names no port; did you mean "{said.rstrip("/")}:443"?')
    return _PORTS[kind] if port is None else port


def _name_of(said: str, kind: ProbeKind, path: str) -> str:
    if kind is not ProbeKind.DNS:
        return ""
    name = path.removeprefix("/")
    if not name:
        raise WrongError(f'{shown(said)} asks for no name; did you mean "{said.rstrip("/")}/example.com"?')
    if not is_host_name(name):
        raise WrongError(f"{shown(said)} asks for {shown(name)}, which is no DNS name")
    return name.casefold().removesuffix(".")


def _path_of(said: str, kind: ProbeKind, path: str) -> str:
    if kind in _WEB:
        if not path.isascii() or not path.isprintable() or " " in path:
            raise WrongError(f"{shown(said)}: a path holds no spaces and only ASCII characters")
        return path if path.startswith("/") else f"/{path}"
    if kind is not ProbeKind.DNS and path.strip("/"):
        raise WrongError(f'{shown(said)}: only web addresses have a path; leave out "{path[:40]}"')
    return "/"


URI = Key(
    "uri", text("URI", 'a web address such as "https://192.0.2.1/"', parse_uri), "`http` or `https` and an address.",
    '"https://192.0.2.1/"', required=True,
)  # fmt: skip
HOST = Key(
    "host", HOST_NAME, "The name to ask for: HTTP `Host` and TLS server name.", '"check.example.com"', required=True
)
NAMED_TARGET = Table("targets", "A web address that must be asked for by name.", (URI, HOST))


def _read_target(value: object, place: Place) -> Placed[Target] | None:
    if isinstance(value, str):
        return Placed(place, parse_uri(value))
    if not isinstance(value, dict):
        raise WrongError(f"expected {TARGET.expected}, not {shown(value)}")
    section = Section(value, NAMED_TARGET, place)
    target, host = section.get(URI), section.get(HOST)
    if target is None or host is None:
        return None
    if target.kind not in _WEB:
        section.place_of(HOST).wrong(f'only "http" and "https" ask for a host; leave it out for "{target.kind}"')
    return Placed(place, Target(target.uri, target.kind, target.address, target.port, host, target.path))


TARGET: Kind[Placed[Target] | None] = Kind(
    "URI, or table with `uri` and `host`",
    'a target such as "icmp://192.0.2.1", "tcp://192.0.2.1:443" or "dns://192.0.2.1/example.com"',
    _read_target,
)
TARGETS = Key(
    "targets",
    list_of(TARGET, most=64, write='["icmp://192.0.2.1", "tcp://192.0.2.2:443"]'),
    "The addresses that prove a line alive; at least two different ones for each family that is named.",
    '["icmp://192.0.2.1", { uri = "https://192.0.2.2/", host = "check.example.com" }]',
    default=[target for _operator, target in DEFAULTS],
)


def parse_endpoint(said: str) -> Endpoint:
    """A STUN server: an address and a port."""
    host, port = split_authority(said)
    if port is None:
        raise WrongError(f'{shown(said)} names no port; did you mean "{said}:3478"?')
    return Endpoint(_target_address(host), port)


STUN = Key(
    "stun",
    list_of(
        text("ADDRESS:PORT", 'an address with its port such as "192.0.2.1:3478"', parse_endpoint),
        most=16,
        write='["192.0.2.1:3478"]',
    ),
    "STUN servers, which `check-path` asks what the world sees of a line; two of a family tell how it is translated.",
    '["192.0.2.1:3478", "[2001:db8::1]:3478"]',
    default=list(STUN_DEFAULTS),
)
REACHABILITY = Table("[reachability]", "How reachability is proven. Optional.", (TARGETS, STUN))


class Reachability(NamedTuple):
    """What [reachability] says."""

    targets: tuple[Placed[Target], ...] = ()
    stun: tuple[Endpoint, ...] = ()


def build_reachability(section: Section) -> Reachability:
    """The targets, each with its place, and the STUN servers."""
    targets = tuple(target for target in section.get_or(TARGETS, ()) if target is not None)
    return Reachability(targets, section.get_or(STUN, ()))


def judge_targets(targets: Sequence[Placed[Target]], uplinks: Sequence[Placed[Uplink]]) -> None:
    """Note questions asked twice, addresses that prove nothing, and families that hang on one address."""
    if not targets:
        return
    whole = Place(targets[0].place.path[:-1], targets[0].place.noted)
    if any(path[: len(whole.path)] == whole.path for path, _sentence in whole.noted):
        return
    _judge_repeats(targets)
    _judge_nearness(targets, uplinks)
    for family, said in ((Family.IPV4, "IPv4"), (Family.IPV6, "IPv6")):
        addresses = {t.value.address for t in targets if t.value.family is family}
        if len(addresses) == 1:
            whole.wrong(
                f'"{addresses.pop()}" is the only {said} address; '
                f"expected at least two, since one dead target must never look like a dead line"
            )


def _judge_repeats(targets: Sequence[Placed[Target]]) -> None:
    asked: dict[tuple[object, ...], Place] = {}
    for place, target in targets:
        question = (target.kind, target.address, target.port, target.host, target.path)
        if question in asked:
            place.wrong(f"{shown(target.uri)} asks the same as {asked[question]}; leave one out")
        asked.setdefault(question, place)


def _judge_nearness(targets: Sequence[Placed[Target]], uplinks: Sequence[Placed[Uplink]]) -> None:
    near: dict[IPAddress, str] = {}
    for place, uplink in uplinks:
        near.update(dict.fromkeys(uplink.gateways, f"the gateway of {place}"))
        if uplink.modem:
            near[uplink.modem] = f"the modem of {place}"
    for place, target in targets:
        if target.address in near:
            place.wrong(
                f'"{target.address}" is {near[target.address]}; it answers while the internet beyond it is gone'
            )
