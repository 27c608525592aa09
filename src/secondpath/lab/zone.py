"""The names of the virtual internet, answered as a real server would (RFC 1035), by dnspython."""

import re

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from secondpath.lab.topology import ANCHORS_IPV4, ANCHORS_IPV6, SERVERS_IPV4, SERVERS_IPV6

TTL_S = 60
MEMORY = 4096
NAMES: dict[str, tuple[str, str]] = {
    "probe.example": (ANCHORS_IPV4[3], ANCHORS_IPV6[3]),
    "pbx.example.net": (SERVERS_IPV4[0], SERVERS_IPV6[0]),
    "tax.example.com": (SERVERS_IPV4[1], SERVERS_IPV6[1]),
    "www.example.com": (SERVERS_IPV4[2], SERVERS_IPV6[2]),
    "files.example.net": (SERVERS_IPV4[3], SERVERS_IPV6[3]),
    **{f"anchor{n}.example": pair for n, pair in enumerate(zip(ANCHORS_IPV4, ANCHORS_IPV6, strict=True), 1)},
}


MANY = re.compile(r"n(\d{1,4})\.many\.example")
"""Names of which each has an address of its own, where nobody answers: for counting who is recognised."""


class Zone:
    """Answers queries; a query seen before is answered from memory, for parsing costs half a millisecond.

    Names that do not exist get `invented`, an IPv4 and an IPv6 address, if there is one: not as a real server would.
    """

    def __init__(self, invented: tuple[str, str] | None = None) -> None:
        self._known: dict[bytes, bytes] = {}
        self._invented = invented

    def answer(self, query: bytes) -> bytes | None:
        """The answer to a query in wire format, or None when it is not a query at all."""
        if len(query) < 12:
            return None
        rest = self._known.get(query[2:])
        if rest is None:
            try:
                rest = _answer(query, self._invented)[2:]
            except dns.exception.DNSException:
                return None
            if len(self._known) < MEMORY:
                self._known[query[2:]] = rest
        return query[:2] + rest


def _answer(wire: bytes, invented: tuple[str, str] | None) -> bytes:
    query = dns.message.from_wire(wire)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA | dns.flags.RA
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        answer.set_rcode(dns.rcode.NOTIMP)
        return answer.to_wire()
    question = query.question[0]
    addresses = _addresses(question.name.to_text(omit_final_dot=True).lower()) or invented
    if addresses is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.authority.append(_authority())
    elif question.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
        address = addresses[0] if question.rdtype == dns.rdatatype.A else addresses[1]
        kind = dns.rdatatype.to_text(question.rdtype)
        answer.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", kind, address))
    else:
        answer.authority.append(_authority())
    return answer.to_wire()


def _addresses(name: str) -> tuple[str, str] | None:
    """A name's addresses; anything below a known name has the same, so that caches can be passed by."""
    if found := MANY.fullmatch(name):
        high, low = divmod(int(found[1]), 250)
        return f"198.19.{high}.{low + 1}", f"2001:db8:ff:1::{int(found[1]) + 1:x}"
    while name and name not in NAMES:
        name = name.partition(".")[2]
    return NAMES.get(name)


def _authority() -> dns.rrset.RRset:
    return dns.rrset.from_text("example.", TTL_S, "IN", "SOA", "ns.example. hostmaster.example. 1 3600 600 86400 60")
