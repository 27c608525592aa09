"""[[notify]]: whom to tell. No message of this file repeats an address: there may be a secret in it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from secondpath.config.problem import Place, WrongError, nearest, shown
from secondpath.config.table import Key, Kind, Section, Table, choice, list_of, one_table, text
from secondpath.model import Notify

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://)?(?P<rest>\S+)")
_SECRET_WORD = re.compile(r"[?&](?:[a-z_-]*(?:pass|password|token|secret|key|auth))=", re.IGNORECASE)
_SECRET_SCHEMES = ("discord", "gchat", "msteams", "pbul", "pover", "slack", "tgram", "twilio", "workflows")
"""Services whose address is itself the secret."""
_KNOWN_SCHEMES = ("mailto", "mailtos", "ntfy", "ntfys", "json", "jsons", "http", "https", "syslog", *_SECRET_SCHEMES)

WRITE_A_FILE = 'put the whole address into a file and write to = { file = "/etc/secondpath/notify-url" }'


class _Address(NamedTuple):
    to: str | None = None
    file: str | None = None


def _parse_file(said: str) -> _Address:
    if not said.startswith("/") or not said.isprintable() or said.endswith("/"):
        raise WrongError(f"{shown(said)} is not the full path of a file; expected one such as {FILE.example}")
    return _Address(file=said)


FILE = Key(
    "file",
    text("path", 'the full path of a file such as "/etc/secondpath/notify-url"', _parse_file),
    "A file that holds the address, readable to the desk process only.",
    '"/etc/secondpath/notify-url"',
    required=True,
)
ADDRESS_FILE = Table("to", "An address with a secret in it.", (FILE,))
_IN_FILE = one_table(ADDRESS_FILE, lambda section: section.get_or(FILE, _Address()))


def _read_to(value: object, place: Place) -> _Address:
    if isinstance(value, dict):
        return _IN_FILE.read(value, place)
    if not isinstance(value, str):
        raise WrongError(f"expected {_EXPECTED}, not {shown(value)}")
    found = _URL.fullmatch(value)
    if found is None:
        hint = "; for mail, put mailto: before the address" if re.fullmatch(r"[^@\s:/]+@[^@\s:/]+", value) else ""
        raise WrongError(f"expected {_EXPECTED}{hint}")
    scheme, rest = found["scheme"].casefold(), found["rest"]
    _refuse_secrets(scheme, rest)
    if scheme not in _KNOWN_SCHEMES:
        meant = nearest(scheme, _KNOWN_SCHEMES)
        if meant:
            raise WrongError(f'unknown kind of address "{scheme}:"; did you mean "{meant}:"?')
    if scheme == "mailto" and not re.fullmatch(r"[^@\s]+@[^@\s]+", rest):
        raise WrongError("a mail address has one @ in it, as in mailto:office@example.com")
    return _Address(to=value)


def _refuse_secrets(scheme: str, rest: str) -> None:
    user, at, _host = rest.partition("?")[0].rpartition("@")
    if at and ":" in unquote(user):
        raise WrongError(f"holds a password, which does not belong in this file; {WRITE_A_FILE}")
    if _SECRET_WORD.search(rest):
        raise WrongError(f"holds a secret, which does not belong in this file; {WRITE_A_FILE}")
    if scheme in _SECRET_SCHEMES:
        raise WrongError(
            f'an address of "{scheme}:" is itself a secret, which does not belong in this file; {WRITE_A_FILE}'
        )


_EXPECTED = 'an Apprise URL such as "mailto:office@example.com", or { file = "/etc/secondpath/notify-url" }'
TO = Key(
    "to",
    Kind("address, or table with a file", _EXPECTED, _read_to),
    'An Apprise URL; one with a secret in it stands in a file: `{ file = "/etc/secondpath/notify-url" }`.',
    '"mailto:office@example.com"',
    required=True,
)
ABOUT = Key(
    "about",
    list_of(
        choice("reader", {"manager": "manager", "technician": "technician"}, {"owner": "manager", "it": "technician"})
    ),
    "For whom it is written: `manager` (what it means for the office), `technician` (all of it).",
    '["manager", "technician"]',
    ["manager"],
)
NOTIFY = Table(
    "[[notify]]", "Whom to tell.", (TO, ABOUT), {"file": 'write to = { file = "…" }', "url": 'did you mean "to"?'}
)


def build_notify(section: Section) -> Notify:
    """One address and what it is told."""
    address = section.get_or(TO, _Address())
    return Notify(address.to, address.file, tuple(dict.fromkeys(section.get_or(ABOUT, ()))))
