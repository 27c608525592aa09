"""What names people are answered: DNS answers, copied to us by the table as they pass (act/reading); nobody waits.

Packets come from strangers: what is cut off, turns in circles or answers something else is left without a word. An
answer counts for the name that was asked; of the addresses only those at the end of its chain of aliases (CNAME).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from secondpath import clock
from secondpath.model import AnswerSeen, Instant, IPAddress
from secondpath.netlink.copies import Copies
from secondpath.netlink.wire import NetlinkError

RENEW_S = 300.0
"""An address of which the same was told so shortly ago is not told again: it is kept for an hour at least."""
TOLD_MOST = 16_384
_UDP, _PORT = 17, 53
_ASKED = frozenset({dns.rdatatype.A, dns.rdatatype.AAAA})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer on its way: who asked, the name, and the DNS message."""

    client: IPAddress
    name: str
    message: bytes


def parse_answer(packet: bytes) -> Asked | None:
    """The answer in an IP packet from port 53; None for any other packet."""
    try:
        client, datagram = _payload(packet)
    except (IndexError, ValueError):
        return None
    message = datagram[8:]
    if int.from_bytes(datagram[:2]) != _PORT or len(message) < 17 or not message[2] & 0x80:
        return None
    name = _question(message)
    return Asked(client, name, message) if name else None


def _payload(packet: bytes) -> tuple[IPAddress, bytes]:
    """To whom, and the UDP datagram. ValueError for other protocols; extension headers are not walked."""
    if packet[0] >> 4 == 4:
        if packet[9] != _UDP:
            raise ValueError
        return IPv4Address(packet[16:20]), packet[(packet[0] & 15) * 4 :]
    if packet[0] >> 4 != 6 or packet[6] != _UDP:
        raise ValueError
    return IPv6Address(packet[24:40]), packet[40:]


def _question(message: bytes) -> str | None:
    """The name of the one question, in lower case; nobody compresses a question (RFC 1035, 4.1.4: nothing before)."""
    if int.from_bytes(message[4:6]) != 1:
        return None
    labels, at = [], 12
    while at < len(message) and (length := message[at]):
        if length > 63 or at - 12 + length > 254:
            return None
        labels.append(message[at + 1 : at + 1 + length])
        at += 1 + length
    if at + 5 > len(message) or int.from_bytes(message[at + 1 : at + 3]) not in _ASKED:
        return None
    try:
        return b".".join(labels).decode("ascii").lower()
    except UnicodeDecodeError:
        return None


def addresses_of(message: bytes) -> tuple[tuple[IPAddress, ...], float]:
    """The addresses at the end of an answer's chain of aliases, and for how many seconds it is good; () for none."""
    try:
        answer = dns.message.from_wire(message, ignore_trailing=True, raise_on_truncation=False)
        if not isinstance(answer, dns.message.QueryMessage) or answer.rcode() != dns.rcode.NOERROR:
            return (), 0.0
        chain = answer.resolve_chaining()
    except (dns.exception.DNSException, ValueError):
        return (), 0.0
    if chain.answer is None or chain.answer.rdtype not in _ASKED:
        return (), 0.0
    usable = (ip_address(record.address) for record in chain.answer)
    return tuple(a for a in dict.fromkeys(usable) if _is_somewhere(a)), float(chain.minimum_ttl)


def _is_somewhere(address: IPAddress) -> bool:
    """Whether an application can be there: block lists answer 0.0.0.0, and worse was seen."""
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)


def match_name(name: str, wanted: Mapping[str, object]) -> str | None:
    """The longest of the wanted names that is this name or stands above it."""
    while name:
        if name in wanted:
            return name
        name = name.partition(".")[2]
    return None


class Answers:
    """Follows the answers that the table hands over, and tells what is news of the names that are wanted."""

    def __init__(self, deliver: Callable[[AnswerSeen], None], group: int) -> None:
        self._deliver = deliver
        self._group = group
        self._wanted: Mapping[str, str] = {}
        self._told: dict[tuple[str, IPAddress], Instant] = {}
        self._copies: Copies | None = None
        self._trouble = ""
        self._closed = False
        self.overhear: Callable[[Asked], None] | None = None
        """Who is to hear of every answer, whosever name it is."""

    def open(self) -> bool:
        """Take the group; False where that cannot be done, which is said once and tried again later."""
        try:
            self._copies = Copies(self._group)
        except NetlinkError as error:
            self._tell(f"DNS answers cannot be read: {error.what}")
            return False
        self._tell("")
        asyncio.get_running_loop().add_reader(self._copies.fileno(), self._read)
        return True

    def close(self) -> None:
        """Read no more."""
        self._closed = True
        if self._copies is not None:
            asyncio.get_running_loop().remove_reader(self._copies.fileno())
            self._copies.close()
            self._copies = None

    @property
    def is_open(self) -> bool:
        """Whether answers are read."""
        return self._copies is not None

    def watch(self, names: Iterable[str]) -> None:
        """The names of applications, from now on; what was told before is told again."""
        self._wanted = {name.casefold().rstrip("."): name for name in names}
        self._told.clear()

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("%s", trouble or "DNS answers are read again", extra={"event": "answers"})

    def _read(self) -> None:
        copies = self._copies
        if copies is None:
            return
        try:
            packets = copies.read()
        except NetlinkError as error:
            self._tell(f"DNS answers cannot be read: {error.what}")
            return
        for packet in packets:
            if self._closed:
                return
            answer = parse_answer(packet)
            if answer is not None:
                self.take(clock.now(), answer)

    def take(self, now: Instant, answer: Asked) -> None:
        """One answer has passed."""
        if self.overhear is not None:
            self.overhear(answer)
        matched = match_name(answer.name, self._wanted)
        if matched is None:
            return
        addresses, ttl_s = addresses_of(answer.message)
        if not any(now >= self._told.get((matched, address), now) for address in addresses):
            return
        if len(self._told) > TOLD_MOST:
            self._told.clear()
        self._told |= {(matched, address): now + RENEW_S for address in addresses}
        self._deliver(AnswerSeen(self._wanted[matched], addresses, ttl_s))
