"""Whatever stands in a file, people get a Site or sentences: never a traceback."""

from __future__ import annotations

import copy
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpath.config.problem import MOST_PROBLEMS, ConfigError, Problem
from secondpath.config.reader import MOST_BYTES, load, parse
from secondpath.model import Failover, Family, Network, Site, Technology

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
WHOLE = (GOLDEN / "good" / "whole_office.toml").read_text(encoding="utf-8")
MINIMAL = (GOLDEN / "good" / "minimal.toml").read_text(encoding="utf-8")


def as_toml(value: Any) -> str:
    """A value as inline TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{as_toml(k)} = {as_toml(v)}' for k, v in value.items())}}}"
    return str(value)


def document(values: dict[str, Any]) -> str:
    return "".join(f"{as_toml(key)} = {as_toml(value)}\n" for key, value in values.items())


def read_or_sentences(text: str) -> Site | tuple[Problem, ...]:
    try:
        return parse(text, "office.toml")
    except ConfigError as error:
        assert error.problems
        assert all(p.sentence and "\n" not in str(p) and len(str(p)) < 1000 for p in error.problems)
        assert str(error)
        return error.problems


def words_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {word for part in value.values() for word in words_of(part)}
    if isinstance(value, list):
        return {word for part in value for word in words_of(part)}
    return {value} if isinstance(value, str) else set()


WORDS = sorted(words_of(tomllib.loads(WHOLE)))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = (
    st.sampled_from(WORDS) | TEXTS | st.integers() | st.booleans() | st.floats() | st.just("1979-05-27")
)  # a date in quotes; bare dates are in the golden files
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(sorted(tomllib.loads(WHOLE))) | TEXTS, VALUES, max_size=6))
@settings(max_examples=300)
def test_any_toml_is_an_office_or_sentences(values: dict[str, Any]) -> None:
    read_or_sentences(document(values))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for step, part in steps for leaf in leaves(part, (*path, step)))]


GOOD = tomllib.loads(WHOLE)
PLACES = [path for path in leaves(GOOD) if path]


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_good_office_with_some_values_exchanged_is_an_office_or_sentences(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    values = copy.deepcopy(GOOD)
    for path, value in changes:
        inner: Any = values
        for step in path[:-1]:
            inner = inner[step] if isinstance(inner, dict) and step in inner else None
        if isinstance(inner, dict):
            inner[path[-1]] = value
    read_or_sentences(document(values))


@given(st.text(max_size=200))
def test_any_text_is_an_office_or_sentences(text: str) -> None:
    read_or_sentences(text)


@given(st.integers(0, len(WHOLE)), st.integers(1, 40), st.sampled_from(["", '"', "[", "}", "=", "\n", "\0", "é"]))
def test_a_damaged_office_is_an_office_or_sentences(at: int, length: int, instead: str) -> None:
    read_or_sentences(WHOLE[:at] + instead + WHOLE[at + length :])


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_an_office_or_sentences(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "office.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path)


@pytest.mark.parametrize("depth", [50, 400, 100_000])
@pytest.mark.parametrize("bracket", ["[", "{a="])
def test_deep_nesting_is_refused_in_words(depth: int, bracket: str) -> None:
    assert read_or_sentences(f"a = {bracket * depth}")
    closing = "]" if bracket == "[" else "}"
    assert read_or_sentences(f"a = {bracket * depth}{'1' if bracket != '[' else ''}{closing * depth}")


@pytest.mark.parametrize("wrap", ["{} = 1", "[{}]", "[[{}]]", "a = {{ {} = 1 }}"])
@pytest.mark.parametrize("parts", [900, 100_000])
def test_a_key_of_very_many_parts_is_refused_in_words(wrap: str, parts: int) -> None:
    assert read_or_sentences(wrap.format(".".join("a" * parts)))


def test_a_number_of_a_million_digits_is_refused_in_words() -> None:
    assert read_or_sentences("a = " + "9" * 1_000_000)


def test_sentences_end_when_nobody_would_read_on() -> None:
    problems = read_or_sentences("".join(f"key{i} = 1\n" for i in range(5000)))
    assert isinstance(problems, tuple)
    assert len(problems) <= MOST_PROBLEMS + 1


def test_a_huge_file_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    assert refusal(path) == ": is larger than 256 KiB; a configuration is a few kilobytes of TOML"


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).removeprefix(str(path))


def test_files_that_are_none_are_told_apart(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    assert refusal(tmp_path / "missing.toml") == ": there is no such file"
    assert refusal(tmp_path) == ": is a directory; expected a TOML file"
    assert refusal(pipe) == ": is not an ordinary file; expected a TOML file"
    assert refusal(circle) == ": cannot be read: Too many levels of symbolic links"
    assert refusal(Path("a\0b")) == ": cannot be read: its name is not one that files have"
    assert refusal(tmp_path / ("x" * 300)) == ": cannot be read: File name too long"
    assert refusal(Path(__file__, "office.toml")) == ": cannot be read: Not a directory"


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        child = os.fork()
        if child == 0:
            os._exit(_refusal_as_nobody(tmp_path))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        assert _refused_for_permission(tmp_path)


def _refusal_as_nobody(folder: Path) -> int:
    path = folder / "office.toml"
    path.write_text(MINIMAL)
    path.chmod(0o600)
    os.setuid(65534)
    try:
        load(path)
    except ConfigError as error:
        return 0 if str(error).endswith("may not be read by this user") else 1
    return 2


def _refused_for_permission(folder: Path) -> bool:
    path = folder / "office.toml"
    path.write_text(MINIMAL)
    path.chmod(0)
    return refusal(path) == ": may not be read by this user"


def test_a_problem_carries_its_key_its_line_and_its_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(MINIMAL.replace("interface", "interfase", 1), "office.toml")
    second, first = caught.value.problems
    assert first == Problem("uplink[1].interfase", 'unknown key; did you mean "interface"?', 3)
    assert (second.key, second.line) == ("uplink[1].interface", 1)
    assert str(caught.value).endswith('\noffice.toml:3: uplink[1].interfase: unknown key; did you mean "interface"?')


def test_the_smallest_office_gets_the_defaults() -> None:
    site = parse(MINIMAL, "office.toml")
    assert (site.name, site.timezone, site.profile, site.hours) == ("office", "UTC", "general", {})
    assert site.uplinks[0].technology is None
    assert site.uplinks[0].metered is False
    assert site.networks == (Network("office", "eth1", "office"),)
    assert site.failover == Failover()
    assert (site.applications, site.forwards, site.allows, site.notify) == ((), (), (), ())
    assert (site.power, site.drill) == (None, None)


def test_the_whole_office_arrives() -> None:
    site = parse(WHOLE, "office.toml")
    fibre, five_g, sky = site.uplinks
    assert (fibre.technology, fibre.down_bps, fibre.up_bps) == (Technology.FIBRE, 10**9, 500_000_000)
    assert [str(g) for g in fibre.gateways] == ["198.51.100.1", "fe80::1"]
    assert [str(p) for p in fibre.prefixes] == ["2001:db8:4400::/56", "203.0.113.8/29"]
    assert fibre.plan is not None and fibre.plan.monthly_usd == 1119.5
    assert five_g.plan is not None
    assert (five_g.plan.data_bytes, five_g.plan.renews_on, five_g.plan.beyond_usd_per_gb) == (50 * 2**30, 31, 15.0)
    assert sky.plan is not None and sky.plan.beyond_stop
    assert site.hours["mon"] == "08:30-12:30, 13:30-17:30"
    assert list(site.hours) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    presets = [(a.name, a.preset, a.traffic_class) for a in site.applications]
    assert presets == [
        ("Microsoft 365", "microsoft-365", "office"),
        ("Video visits", "zoom", "voice"),
        ("Cards", None, "payments"),
    ]
    assert site.applications[2].match.domains == ("pay.example.com",)
    assert [(t.kind.value, t.port, t.host, t.path) for t in site.targets] == [
        ("icmp", 0, "", "/"),
        ("dns", 5353, "probe.example", "/"),
        ("https", 8443, "check.example.com", "/alive?from=office"),
        ("http", 80, "", "/?alive"),
        ("tcp", 443, "", "/"),
    ]
    assert len(site.targets_of(Family.IPV6)) == 2
    assert [(f.port, str(f.to), f.to_port, f.uplink) for f in site.forwards] == [
        (443, "10.44.10.5", 443, "fibre"),
        (443, "10.44.10.6", 8443, "sky"),
        (443, "fd44::5", 8443, None),
    ]
    assert [str(s) for s in site.forwards[1].sources] == ["203.0.113.0/24", "198.51.100.7/32"]
    assert [(a.protocol, a.port) for a in site.allows] == [("icmp", 0), ("udp", 51820)]
    assert [(n.to, n.file, n.about) for n in site.notify] == [
        ("mailto:desk@example.com", None, ("manager",)),
        (None, "/etc/secondpath/pager-url", ("technician",)),
    ]
    assert site.drill is not None and site.drill.schedule == "friday 07:30"


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("first wednesday 12:15", "first wednesday 12:15"),
        ("Last Fri 7:05", "last friday 07:05"),
        ("every monday", "monday 12:15"),
        ("weekly", "wednesday 12:15"),
        ("monthly 09:00", "first wednesday 09:00"),
        ("every day 06:00", "daily 06:00"),
    ],
)
def test_a_schedule_leaves_in_one_of_three_forms(said: str, means: str) -> None:
    site = parse(f'{MINIMAL}\n[drill]\nschedule = "{said}"\n', "office.toml")
    assert site.drill is not None and site.drill.schedule == means
