"""Our table in the real kernel: elements by netlink in microseconds, the whole of it by nft(8) in one transaction."""

from __future__ import annotations

import errno
import logging
import subprocess
from collections.abc import Mapping
from ipaddress import ip_address
from socket import AF_INET, AF_INET6

from secondpath.act.calling import CALLING
from secondpath.act.exchange import Standing, exchange_text
from secondpath.act.plane import TABLE, Elements, Key, LoadRuleset, Ruleset
from secondpath.act.recognition import BY_ADDRESS, RECOGNISE, application_lanes, lane_set
from secondpath.act.ruleset import ruleset_text
from secondpath.model import CLASSES, Family
from secondpath.netlink.nftables import (
    MAP_SET,
    AddElement,
    Change,
    DelElement,
    Goto,
    Jump,
    Nft,
    Verdict,
    ifname_bytes,
    mark_bytes,
)
from secondpath.netlink.wire import NetlinkError

log = logging.getLogger(__name__)

NFPROTO = {Family.IPV4.value: bytes([AF_INET]), Family.IPV6.value: bytes([AF_INET6])}
BY_NAME = ("ways", "class_of")
ADDRESSED = (*BY_ADDRESS, *CALLING.values())
TIMEOUT_S = 10.0
"""nft(8) takes milliseconds; the watchdog of our unit waits longer than this."""


class RulesetError(Exception):
    """nft(8) did not take our table; the message is its own. The old table is still in force."""


def pack_key(set_name: str, key: Key) -> bytes:
    """An element's key as the kernel holds it."""
    if isinstance(key, int):
        return mark_bytes(key)
    if set_name in ADDRESSED:
        return ip_address(key).packed
    return ifname_bytes(key) if set_name in BY_NAME else NFPROTO[key]


def unpack_key(set_name: str, key: bytes) -> Key:
    """The reverse of `pack_key`."""
    if set_name in BY_NAME:
        return key.rstrip(b"\0").decode()
    if set_name in ADDRESSED:
        return str(ip_address(key))
    if set_name == "route_of":
        return int.from_bytes(key, "little")
    return Family.IPV4.value if key[0] == AF_INET else Family.IPV6.value


def read_table(nft: Nft) -> tuple[Ruleset | None, dict[tuple[str, Key], int | str]]:
    """The fingerprint of the table in force (without its text) and its elements; None and nothing without a table."""
    chains = nft.chains()
    fingerprint = next((c for c in chains if c.startswith("v_")), None)
    if not chains:
        return None, {}
    numbers = [c.removeprefix("arrived_") for c in chains if c.startswith("arrived_")]
    sets = ["route_of", *BY_NAME, *map(lane_set, CLASSES.values()), *(f"arrive_{n}" for n in numbers)]
    carried = [c.removeprefix("carry_") for c in chains if c.startswith("carry_")]
    sets += CALLING.values()
    sets += [*(BY_ADDRESS if RECOGNISE in chains else ()), *(application_lanes(int(n)) for n in carried)]
    elements: dict[tuple[str, Key], int | str] = {}
    for name in sets:
        for key, value in _elements(nft, name).items():
            if isinstance(value, Goto | Jump):
                elements[name, unpack_key(name, key)] = value.chain
            elif isinstance(value, bytes):
                elements[name, unpack_key(name, key)] = int.from_bytes(value, "little")
    return Ruleset("", fingerprint or "", nft.rule_count()), elements


def _elements(nft: Nft, name: str) -> Mapping[bytes, bytes | Verdict | None]:
    """A table of an older version may lack a set: then it holds nothing."""
    try:
        return nft.elements(name)
    except NetlinkError as error:
        if error.errno != errno.ENOENT:
            raise
        return {}


def flip(nft: Nft, changed: Mapping[tuple[str, Key], int | str | None], current: Elements) -> None:
    """Change elements in one transaction; when this returns, every packet obeys it."""
    batch: list[Change] = []
    for (name, key), value in changed.items():
        packed = pack_key(name, key)
        if (name, key) in current:
            batch.append(DelElement(name, packed))
        if value is not None:
            batch.append(AddElement(name, packed, _pack_value(name, value)))
    nft.transaction(batch)


def _pack_value(set_name: str, value: int | str) -> bytes | Verdict:
    if isinstance(value, int):
        return mark_bytes(value)
    return Jump(value) if set_name in BY_ADDRESS else Goto(value)


def check(text: str) -> None:
    """Have the kernel look at a whole table and commit nothing. Raises RulesetError with its words."""
    _run_nft(text, "-c")


def load(nft: Nft, change: LoadRuleset) -> None:
    """Put the whole table in place. Raises RulesetError, and then nothing has changed.

    What stands is exchanged; where it cannot be (another version, or somebody else, made it otherwise), it is deleted
    and all is made anew.
    """
    _run_nft(_exchange(nft, change) or _anew(change))


def _exchange(nft: Nft, change: LoadRuleset) -> str:
    """The text that exchanges what stands, or "" where nothing does, or the kernel would not take it."""
    standing = _standing(nft)
    text = exchange_text(change.ruleset, change.elements, standing)
    try:
        if standing:
            check(text)
            return text
    except RulesetError as error:
        log.info("our table is made anew, not exchanged: %s", str(error).partition("\n")[0], extra={"event": "table"})
    return ""


def _anew(change: LoadRuleset) -> str:
    text = ruleset_text(change.ruleset, change.elements)
    check(text)
    return text


def _standing(nft: Nft) -> list[Standing]:
    if not nft.table_exists():
        return []
    return [
        *(Standing("chain", name, hooked) for name, hooked in nft.chains().items()),
        *(Standing("map" if flags & MAP_SET else "set", name) for name, flags in nft.sets().items()),
        *(Standing("counter", name) for name in nft.counters()),
    ]


def _run_nft(text: str, *options: str) -> None:
    argv = ["nft", *options, "-f", "-"]
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise RulesetError(f"nft did not answer within {TIMEOUT_S:g} s") from error
    if done.returncode:
        raise RulesetError(done.stderr.strip())


def delete_table() -> bool:
    """Take our table out; whether there was one."""
    with Nft(TABLE) as nft:
        if not nft.table_exists():
            return False
    subprocess.run(["nft", "delete", "table", "inet", TABLE], capture_output=True, timeout=TIMEOUT_S, check=True)
    return True
