"""From a file to a Site: `load(path)` and `parse(text, name)`, which raise `ConfigError` with every problem at once."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from secondpath.config.applications import APPLICATION, applications_key, judge_applications
from secondpath.config.doors import ALLOW, FORWARD, build_allow, build_forward, judge_doors
from secondpath.config.inside import (
    DEVICE,
    RESOLVER,
    build_device,
    build_resolver,
    judge_devices,
)
from secondpath.config.lines import find_lines, line_of
from secondpath.config.notify import NOTIFY, build_notify
from secondpath.config.office import (
    DRILL,
    FAILOVER,
    OFFICE,
    POWER,
    Office,
    build_drill,
    build_failover,
    build_office,
    build_power,
)
from secondpath.config.policies import POLICY, build_policy, judge_policies
from secondpath.config.problem import MOST_PROBLEMS, ConfigError, KeyPath, Place, Problem, key_of
from secondpath.config.shelf import catalogue
from secondpath.config.table import Key, Section, Table, many_tables, one_table
from secondpath.config.targets import REACHABILITY, Reachability, build_reachability, judge_targets
from secondpath.config.uplinks import MOST_UPLINKS, NETWORK, UPLINK, build_network, build_uplink, judge_uplinks
from secondpath.model import Failover, Site

MOST_BYTES = 256 * 1024
"""A configuration is a few kilobytes; what is larger is another file."""

MOST_DOTS = 1000
"""In one line. A key of n dotted parts costs tomllib n² of memory: 64 KiB of them are enough to end the process."""

TABLES = (
    *(OFFICE, UPLINK, NETWORK, DEVICE, APPLICATION, POLICY, RESOLVER, REACHABILITY, FAILOVER),
    *(FORWARD, ALLOW, NOTIFY, POWER, DRILL),
)
"""Every table of the file, in the order in which people meet them."""

_OFFICE = Key("office", one_table(OFFICE, build_office), OFFICE.about, "{}", {})
_UPLINKS = Key(
    "uplink", many_tables(UPLINK, build_uplink, least=1, most=MOST_UPLINKS), UPLINK.about, "[]", required=True
)
_NETWORKS = Key("network", many_tables(NETWORK, build_network, least=1), NETWORK.about, "[]", required=True)
_APPLICATIONS = applications_key(catalogue)
_DEVICES = Key("device", many_tables(DEVICE, build_device, most=512), DEVICE.about, "[]")
_RESOLVER = Key("resolver", one_table(RESOLVER, build_resolver), RESOLVER.about, "{}")
_POLICIES = Key("policy", many_tables(POLICY, build_policy), POLICY.about, "[]")
_REACHABILITY = Key("reachability", one_table(REACHABILITY, build_reachability), REACHABILITY.about, "{}", {})
_FAILOVER = Key("failover", one_table(FAILOVER, build_failover), FAILOVER.about, "{}", {})
_FORWARDS = Key("forward", many_tables(FORWARD, build_forward), FORWARD.about, "[]")
_ALLOWS = Key("allow", many_tables(ALLOW, build_allow), ALLOW.about, "[]")
_NOTIFY = Key("notify", many_tables(NOTIFY, build_notify), NOTIFY.about, "[]")
_POWER = Key("power", one_table(POWER, build_power), POWER.about, "{}")
_DRILL = Key("drill", one_table(DRILL, build_drill), DRILL.about, "{}")


def _homes() -> dict[str, str]:
    """For keys of a table that were written above all tables: where they belong, if that is one table only."""
    homes: dict[str, list[str]] = {}
    for table in TABLES:
        for key in table.keys:
            homes.setdefault(key.name, []).append(table.heading)
    return {name: f"it belongs in {found[0]}" for name, found in homes.items() if len(found) == 1}


ROOT = Table(
    "",
    "The whole file.",
    (
        *(_OFFICE, _UPLINKS, _NETWORKS, _APPLICATIONS, _POLICIES, _REACHABILITY, _FAILOVER),
        *(_FORWARDS, _ALLOWS, _NOTIFY, _POWER, _DRILL, _DEVICES, _RESOLVER),
    ),
    {name: where for name, where in _homes().items() if name not in ("uplink", "uplinks")},
)


def load(path: Path) -> Site:
    """The office that a file describes."""
    return parse(_read_text(path), str(path))


def parse(text: str, name: str) -> Site:
    """The office that a text describes; `name` is what messages call it."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS:
            raise ConfigError(name, [Problem("", "this line is too long and has too many dots in it", number)])
    try:
        values = tomllib.loads(text.removeprefix("\ufeff"))
        lines = find_lines(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ConfigError(name, [Problem("", "brackets are nested too deeply to be a configuration")]) from None
    except ValueError as error:
        raise ConfigError(name, [_syntax_problem(str(error), text)]) from None
    root = Place()
    site = _build_site(Section(values, ROOT, root))
    if root.noted:
        raise ConfigError(name, _problems(root.noted, lines))
    return site


def _build_site(section: Section) -> Site:
    office = section.get_or(_OFFICE, Office("", "", "", {}))
    uplinks = section.get_or(_UPLINKS, ())
    networks = section.get_or(_NETWORKS, ())
    applications = section.get_or(_APPLICATIONS, ())
    policies = section.get_or(_POLICIES, ())
    reachability = section.get_or(_REACHABILITY, Reachability())
    forwards = section.get_or(_FORWARDS, ())
    allows = section.get_or(_ALLOWS, ())
    judge_uplinks(uplinks, networks)
    devices = section.get_or(_DEVICES, ())
    judge_applications(applications)
    judge_devices(devices)
    judge_policies(policies, uplinks)
    judge_targets(reachability.targets, uplinks)
    judge_doors(forwards, allows, uplinks)
    return Site(
        name=office.name,
        timezone=office.timezone,
        profile=office.profile,
        hours=office.hours,
        uplinks=tuple(u.value for u in uplinks),
        networks=tuple(n.value for n in networks),
        applications=tuple(a.value for a in applications),
        targets=tuple(t.value for t in reachability.targets),
        stun=reachability.stun,
        failover=section.get_or(_FAILOVER, Failover()),
        forwards=tuple(f.value for f in forwards),
        allows=tuple(a.value for a in allows),
        notify=tuple(n.value for n in section.get_or(_NOTIFY, ())),
        power=section.get(_POWER),
        drill=section.get(_DRILL),
        devices=tuple(d.value for d in devices),
        resolver=section.get(_RESOLVER),
        policies=tuple(p.value for p in policies),
    )


def _problems(noted: list[tuple[KeyPath, str]], lines: Mapping[KeyPath, int]) -> list[Problem]:
    found = [Problem(key_of(path), sentence, line_of(path, lines)) for path, sentence in noted]
    found.sort(key=lambda p: p.line or 0)
    if len(found) > MOST_PROBLEMS:
        found = [*found[:MOST_PROBLEMS], Problem("", "and more; these are enough to begin with")]
    return found


# ── Files that are no TOML ───────────────────────────────────────────────────────────


def _read_text(path: Path) -> str:
    name = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a directory" if path.is_dir() else "not an ordinary file"
            raise ConfigError(name, [Problem("", f"is {what}; expected a TOML file")])
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(name, [Problem("", "there is no such file")]) from None
    except PermissionError:
        raise ConfigError(name, [Problem("", "may not be read by this user")]) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "its name is not one that files have"
        raise ConfigError(name, [Problem("", f"cannot be read: {why}")]) from None
    if len(content) > MOST_BYTES:
        most = f"{MOST_BYTES // 1024} KiB"
        raise ConfigError(name, [Problem("", f"is larger than {most}; a configuration is a few kilobytes of TOML")])
    return _decode(content, name)


def _decode(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(name, [Problem("", "is written in UTF-16; save it as UTF-8")])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = "is not text in UTF-8; save it as UTF-8"
        if b"\0" in content:
            sentence = "is not text but binary data; expected a TOML file"
        return _no_text(name, Problem("", sentence, line))


def _no_text(name: str, problem: Problem) -> str:
    raise ConfigError(name, [problem]) from None


_WHERE = re.compile(
    r"(?P<what>.*?)(?: \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\))?", re.DOTALL
)
_IN_PLAIN_WORDS = (
    ("Invalid value", "expected a value here; text stands in quotes"),
    ("Expected '=' after a key", 'expected "=" after the key'),
    ("Invalid statement", 'expected a [table] or a key with "=" here'),
    ("Invalid initial character for a key part", "expected a key here, of letters, digits, hyphens and underscores"),
    ("Cannot overwrite a value", "this key or table stands here a second time"),
    ("Duplicate inline table key", "this key stands here a second time"),
    ("Cannot declare", "this table stands here a second time, or was a value before"),
    ("Cannot mutate immutable namespace", "what is written in braces { } cannot be added to further down"),
    ("Cannot redefine namespace", "this table stands here a second time"),
    ("Expected newline or end of document after a statement", "expected the end of the line after the value"),
    ("Expected ']' at the end of a table declaration", 'expected "]" at the end of the table\'s heading'),
    ("Expected ']]' at the end of an array declaration", 'expected "]]" at the end of the table\'s heading'),
    ("Unclosed array", 'a list that was opened with "[" is never closed with "]"'),
    ("Unclosed inline table", 'a table that was opened with "{" is never closed with "}" on its line'),
    ("Unterminated string", "a text is never closed with its quote"),
    ("Illegal character '\\n'", "the line ends inside a text; close it with its quote"),
    ("Found invalid character", "a character that has no business here; delete it or type the line anew"),
    ("Illegal character", "a character that cannot be seen stands here; delete it or type the line anew"),
    ("Unescaped '\\' in a string", 'a backslash in a text is written "\\\\"'),
    ("Invalid hex value", "a backslash with u needs four hexadecimal digits after it"),
    ("Escaped character is not a Unicode scalar value", "there is no such character"),
    ("Invalid date or datetime", "there is no such date"),
    ("Expected", "the end of a text is missing"),
    ("Exceeds the limit", "a number has far too many digits"),
)
"""What tomllib says, and what is told. The line itself is never shown: there may be a secret in it."""


def _syntax_problem(said: str, text: str) -> Problem:
    found = _WHERE.fullmatch(said)
    what = found["what"] if found else said
    plain = next((words for start, words in _IN_PLAIN_WORDS if what.startswith(start)), "this is not TOML")
    if found and found["line"]:
        return Problem("", f"column {found['column']}: {plain}", int(found["line"]))
    if what.startswith("Invalid value"):
        plain = "a list, a table or a text that was opened is never closed"
    last_line = text.rstrip("\n").count("\n") + 1
    return Problem("", f"at the end of the file: {plain}", last_line)
