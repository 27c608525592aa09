"""Names and numbers of the network: interfaces, addresses, networks, hosts, ports."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network

from secondpath.config.problem import WrongError, shown
from secondpath.config.table import Kind, text
from secondpath.model import IPAddress, IPNetwork, PortSpan

_INTERFACE = re.compile(r"[A-Za-z0-9._-]+")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_PREFIXED_PORT = re.compile(r"(?P<protocol>[^/]*)/(?P<first>[0-9]{1,6})(?:-(?P<last>[0-9]{1,6}))?")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")

INTERFACE_MOST = 15
"""IFNAMSIZ is 16, of which the kernel needs one for itself."""

_RESERVED = {
    "lo": "is this machine's own loopback",
    "all": "is not one interface: the kernel's settings use the word for all of them",
    "default": "is not one interface: the kernel's settings use the word for those to come",
    ".": "is not a name that the kernel takes",
    "..": "is not a name that the kernel takes",
}


def parse_name(said: str) -> str:
    """A name which people type at commands: lower case, digits and hyphens."""
    if _NAME.fullmatch(said):
        return said
    meant = re.sub(r"[^a-z0-9]+", "-", said.casefold()).strip("-")
    hint = f'; did you mean "{meant}"?' if _NAME.fullmatch(meant) else ""
    raise WrongError(
        f"{shown(said)} is no name to type at a command; "
        f"expected at most 32 lower-case letters, digits and hyphens, a letter first{hint}"
    )


def parse_interface(said: str) -> str:
    """The name of a network interface."""
    if said in _RESERVED:
        raise WrongError(f"{shown(said)} {_RESERVED[said]}; expected {INTERFACE.expected}")
    before, at, _peer = said.partition("@")
    if at and _INTERFACE.fullmatch(before):
        raise WrongError(f'{shown(said)} is a name with its peer as "ip link" shows it; write "{before}"')
    if not _INTERFACE.fullmatch(said):
        raise WrongError(f"{shown(said)} is no interface name; expected letters, digits, dots, hyphens and underscores")
    if len(said) > INTERFACE_MOST:
        raise WrongError(f"{shown(said)} has {len(said)} characters; Linux takes at most {INTERFACE_MOST}")
    return said


def parse_address(said: str) -> IPAddress:
    """An address of one machine that others can reach."""
    address, percent, scope = said.partition("%")
    try:
        found = ip_address(address)
    except ValueError:
        raise WrongError(_why_no_address(said)) from None
    if percent:
        raise WrongError(f'write {shown(address)} without "%{scope[:20]}": the interface is known')
    return usable(found)


def usable(address: IPAddress) -> IPAddress:
    """The address itself; WrongError when no other machine can have it."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise WrongError(f'"{address}" is an IPv4 address in disguise; write "{address.ipv4_mapped}"')
    why = None
    if address.is_unspecified:
        why = "means no address at all"
    elif address.is_loopback:
        why = "is this machine itself"
    elif address.is_multicast:
        why = "is a multicast group"
    elif address == IPv4Address("255.255.255.255"):
        why = "is the broadcast address"
    if why:
        raise WrongError(f'"{address}" {why}; expected the address of another machine')
    return address


def overlap(one: IPNetwork, other: IPNetwork) -> bool:
    """Whether two networks have an address in common."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def _why_no_address(said: str) -> str:
    try:
        return f'{shown(said)} is a network; expected one address, such as "{ip_interface(said).ip}"'
    except ValueError:
        pass
    inner = said.strip("[]")
    if inner != said and _is_address(inner):
        return f'expected an address without brackets; write "{inner}"'
    if is_host_name(said) and not re.fullmatch(r"[0-9.]+", said):
        return f"{shown(said)} is a name; expected an address, which still works when name lookup does not"
    return f"{shown(said)} is no IPv4 or IPv6 address"


def _is_address(said: str) -> bool:
    try:
        ip_address(said)
    except ValueError:
        return False
    return True


def parse_network(said: str) -> IPNetwork:
    """A network in prefix notation; an address alone is the network of that one machine."""
    try:
        return ip_network(said)
    except ValueError:
        pass
    try:
        meant = ip_network(said, strict=False)
    except ValueError:
        raise WrongError(
            f'{shown(said)} is no network; expected one such as "203.0.113.0/24" or "2001:db8::/48"'
        ) from None
    raise WrongError(f'{shown(said)} has bits set beyond its /{meant.prefixlen}; did you mean "{meant}"?')


def parse_routed_network(said: str) -> IPNetwork:
    """A network that a provider routes to somebody."""
    network = parse_network(said)
    if network.prefixlen == 0:
        raise WrongError(
            f"{shown(said)} is the whole internet; expected the network that the provider routes to the office"
        )
    if network.is_multicast or network.is_loopback or network.is_link_local:
        raise WrongError(f"{shown(said)} is not a network that a provider can route to an office")
    return network


def is_host_name(said: str) -> bool:
    """Whether a text has the form of a DNS name."""
    return 0 < len(said) <= 253 and all(_LABEL.fullmatch(label) for label in said.removesuffix(".").split("."))


def parse_host_name(said: str) -> str:
    """A DNS name, in lower case and without the final dot."""
    if said.startswith("*."):
        raise WrongError(f'{shown(said)}: a domain covers all names below it; write "{said[2:]}"')
    if "://" in said or "/" in said:
        inner = said.rpartition("://")[2].partition("/")[0]
        hint = f'; did you mean "{inner}"?' if is_host_name(inner) else ""
        raise WrongError(f"{shown(said)} is a web address; expected a name alone{hint}")
    if not is_host_name(said):
        raise WrongError(f"{shown(said)} is no host name{_international_hint(said)}")
    return said.casefold().removesuffix(".")


def _international_hint(said: str) -> str:
    if said.isascii():
        return '; expected one such as "pbx.example.net"'
    try:
        return f'; in DNS it is written "{said.encode("idna").decode()}"'
    except UnicodeError:
        return ""


def parse_server(said: str) -> str:
    """A server by name, address or network."""
    if _is_address(said):
        return str(usable(ip_address(said)))
    if "/" in said and "://" not in said:
        return str(parse_routed_network(said))
    if re.fullmatch(r"[0-9.]+", said):
        raise WrongError(f"{shown(said)} is no IPv4 address")
    host, colon, port = said.partition(":")
    if colon and port.isdigit():
        raise WrongError(f'{shown(said)}: a port belongs in "ports"; write "{host}"')
    return parse_host_name(said)


def parse_port_number(said: str) -> int:
    """A port, 1..65535."""
    if not re.fullmatch(r"[0-9]{1,9}", said):
        raise WrongError(f"{shown(said)} is no port; expected a number from 1 to 65535")
    if not 1 <= int(said) <= 65535:
        raise WrongError(f"port {said} is out of range; expected 1 to 65535")
    return int(said)


def parse_ports(said: str) -> PortSpan:
    """A port or a range of them, with its protocol: "udp/10000-20000"."""
    found = _PREFIXED_PORT.fullmatch(said.replace(" ", ""))
    if found is None:
        raise WrongError(f"{shown(said)} is no port with its protocol; expected {PORTS.expected}{_protocol_hint(said)}")
    if found["protocol"] not in ("tcp", "udp"):
        raise WrongError(
            f'unknown protocol {shown(found["protocol"])}; expected "tcp" or "udp", as in {PORTS.expected}'
        )
    first = parse_port_number(found["first"])
    last = parse_port_number(found["last"] or found["first"])
    if last < first:
        raise WrongError(f'{shown(said)} ends before it starts; did you mean "{found["protocol"]}/{last}-{first}"?')
    return PortSpan(found["protocol"], first, last)


def _protocol_hint(said: str) -> str:
    if re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?", said):
        return f'; did you mean "tcp/{said}" or "udp/{said}"?'
    turned = re.fullmatch(r"([0-9]{1,5}(?:-[0-9]{1,5})?)/(tcp|udp)", said)
    if turned:
        return f'; did you mean "{turned[2]}/{turned[1]}"?'
    colon = re.fullmatch(r"(tcp|udp)[: ]([0-9]{1,5}(?:[-:][0-9]{1,5})?)", said)
    return f'; did you mean "{colon[1]}/{colon[2].replace(":", "-")}"?' if colon else ""


def split_authority(said: str) -> tuple[str, int | None]:
    """The host and port of `host`, `host:port`, `[v6]` or `[v6]:port`, the brackets taken off."""
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", said)
    if bracketed:
        if not _is_address(bracketed[1]) or ip_address(bracketed[1]).version == 4:
            raise WrongError(f"{shown(bracketed[1])} in brackets is no IPv6 address")
        return bracketed[1], None if bracketed[2] is None else parse_port_number(bracketed[2])
    if said.count(":") > 1:
        raise WrongError(f"an IPv6 address stands in brackets here{_bracket_hint(said)}")
    host, colon, port = said.partition(":")
    return host, parse_port_number(port) if colon else None


def _bracket_hint(said: str) -> str:
    host, _, port = said.rpartition(":")
    readings = [f'"[{said}]"'] if _is_address(said) else []
    if _is_address(host) and port.isdigit():
        readings.append(f'"[{host}]:{port}"')
    return f"; did you mean {' or '.join(readings)}?" if readings else ""


NAME = text("name", 'a name such as "cable"', parse_name)
INTERFACE = text("interface", 'the name of a network interface, such as "wan0"', parse_interface)
ADDRESS = text("address", 'an address such as "192.0.2.1" or "2001:db8::1"', parse_address)
NETWORK = text("network", 'a network such as "203.0.113.0/24"', parse_network)
ROUTED_NETWORK = text("network", 'a network such as "2001:db8:1:100::/56"', parse_routed_network)
HOST_NAME = text("host name", 'a name such as "pbx.example.net"', parse_host_name)
SERVER = text("server", 'a name, an address or a network such as "pbx.example.net"', parse_server)
PORTS: Kind[PortSpan] = text("ports", '"tcp/443" or "udp/10000-20000"', parse_ports)
