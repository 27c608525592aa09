"""Our table in the real kernel: elements by netlink in microseconds, the whole of it by nft(8) in one transaction."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Mapping
from socket import AF_INET, AF_INET6

from secondpath.act.plane import TABLE, Elements, Key, LoadRuleset, Ruleset
from secondpath.act.ruleset import lane_set, ruleset_text
from secondpath.model import CLASSES, Family
from secondpath.netlink.nftables import AddElement, Change, DelElement, Goto, Nft, Verdict, ifname_bytes, mark_bytes
from secondpath.netlink.wire import NetlinkError

NFPROTO = {Family.IPV4.value: bytes([AF_INET]), Family.IPV6.value: bytes([AF_INET6])}
BY_NAME = ("ways", "class_of")
TIMEOUT_S = 10.0
"""nft(8) takes milliseconds; the watchdog of our unit waits longer than this."""


class RulesetError(Exception):
    """nft(8) did not take our table; the message is its own. The old table is still in force."""


def pack_key(set_name: str, key: Key) -> bytes:
    """An element's key as the kernel holds it."""
    if isinstance(key, int):
        return mark_bytes(key)
    return ifname_bytes(key) if set_name in BY_NAME else NFPROTO[key]


def unpack_key(set_name: str, key: bytes) -> Key:
    """The reverse of `pack_key`."""
    if set_name in BY_NAME:
        return key.rstrip(b"\0").decode()
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
    elements: dict[tuple[str, Key], int | str] = {}
    for name in sets:
        for key, value in _elements(nft, name).items():
            if isinstance(value, Goto):
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
            batch.append(AddElement(name, packed, Goto(value) if isinstance(value, str) else mark_bytes(value)))
    nft.transaction(batch)


def check(text: str) -> None:
    """Have the kernel look at a whole table and commit nothing. Raises RulesetError with its words."""
    _run_nft(text, "-c")


def load(change: LoadRuleset) -> None:
    """Replace the whole table. Raises RulesetError, and then nothing has changed."""
    text = ruleset_text(change.ruleset, change.elements)
    check(text)
    _run_nft(text)


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
