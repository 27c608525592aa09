"""A recorded engine decides the same again: the exact state, the exact steps, and files that are wrong."""

from __future__ import annotations

import copy
import json
import random
from collections import deque
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import CABLE4, World, ask, interface, settled_office, site
from tests.unit.replay.tapes import CABLE, Taped, black_hole, content, incident_of, taped_office

from secondpath.engine.mind import Engine
from secondpath.model import (
    AnswerSeen,
    Application,
    DataPlan,
    Family,
    Line,
    Match,
    Notify,
    Observation,
    Outcome,
    ProbeResult,
    Reload,
    Step,
    Uplink,
)
from secondpath.record import tape as tapes
from secondpath.replay.rerun import classes, rerun, restored
from secondpath.wire.graph import name_of
from secondpath.wire.incident import IncidentError, parse, state_text

WHAT = ("die", "live", "off", "on", "lossy", "clean", "failover", "failback", "hold", "reload", "sleep", "answer")
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.sampled_from(["cable", "lte"]),
        st.floats(0.01, 40.0),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


def happen(world: World, what: str, uplink: str) -> None:
    lines = {Line(uplink, family) for family in Family}
    if what == "die":
        world.dead |= lines
    elif what == "live":
        world.dead -= lines
    elif what in ("lossy", "clean"):
        world.loss |= dict.fromkeys(lines, 0.25 if what == "lossy" else 0.0)
    elif what in ("off", "on"):
        world.tell(interface(uplink, carrier=what == "on"))
    elif what == "reload":
        world.tell(Reload(site(uplinks=tuple(reversed(world.engine.site.uplinks)))))
    elif what == "answer":
        world.tell(AnswerSeen("tax.example.com", (IPv4Address("192.0.2.11"), IPv6Address("2001:db8::11")), 60.0))
    elif what == "sleep":
        world.now += 7.0
    else:
        world.tell(ask(what, uplink, 30.0))


def play(world: World, happenings: list[tuple[str, str, float]]) -> None:
    for what, uplink, pause_s in happenings:
        happen(world, what, uplink)
        world.run_for(pause_s)


def carried(engine: Engine) -> Engine:
    """The engine, written down and read again."""
    return restored(json.loads(state_text(engine))["state"])


def differs(one: Any, other: Any, where: str = "engine", seen: dict[int, Any] | None = None) -> str:
    """Where two graphs differ, by what Python would pickle of them; also in what is one thing and what is two."""
    seen = {} if seen is None else seen
    if type(one) is not type(other):
        return f"{where}: {one!r} and {other!r}"
    if isinstance(one, type):
        return "" if one is other else f"{where}: {one!r} and {other!r}"
    if isinstance(one, int | float | str | None):
        return "" if one == other and repr(one) == repr(other) else f"{where}: {one!r} and {other!r}"
    if id(one) in seen:
        return "" if seen[id(one)][1] is other or not _changes(one) else f"{where} is another one"
    seen[id(one)] = one, other  # kept, so that no id comes to stand for something else
    parts = _parts(one), _parts(other)
    if len(parts[0]) != len(parts[1]):
        return f"{where}: {one!r} and {other!r}"
    for (name, mine), (also, its) in zip(*parts, strict=True):
        if said := differs(mine, its, f"{where}{name}", seen) or ("" if name == also else f"{where}: {name}, {also}"):
            return said
    return ""


def _changes(it: Any) -> bool:
    """Whether it can change, so that it matters whether it is one thing or two."""
    frozen = getattr(type(it), "__dataclass_params__", None)
    return not (isinstance(it, tuple | IPv4Address | IPv6Address) or (frozen is not None and frozen.frozen))


def _parts(it: Any) -> list[tuple[str, Any]]:
    if isinstance(it, dict):
        return [(f"[{key}]", each) for key, value in it.items() for each in (key, value)]
    if isinstance(it, list | tuple | deque):
        return [(f"[{place}]", each) for place, each in enumerate(it)]
    if isinstance(it, set | frozenset):
        return [(f"{{{place}}}", each) for place, each in enumerate(sorted(it))]
    reduced = it.__reduce_ex__(4)
    return [(f".{place}", each) for place, each in enumerate(reduced[1:]) if each is not None]


# ── The exact state ──────────────────────────────────────────────────────────────────


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(HAPPENINGS, HAPPENINGS, st.integers(0, 3))
def test_an_engine_that_was_written_down_goes_on_as_it_would_have(
    before: list[tuple[str, str, float]], after: list[tuple[str, str, float]], seed: int
) -> None:
    world = settled_office(seed=seed)
    play(world, before)
    check_that_it_goes_on(world, after)


def test_in_the_middle_of_a_burst_it_goes_on_as_well() -> None:
    world = settled_office()
    world.dead |= CABLE
    world.run_until(lambda: world.engine.judges[CABLE4].suspicion is not None)
    check_that_it_goes_on(world, [(what, "cable", 2.0) for what in ("lossy", "live", "hold", "off", "on", "reload")])


def check_that_it_goes_on(world: World, after: list[tuple[str, str, float]]) -> None:
    again, engine = carried(world.engine), world.engine
    assert differs(engine, again) == ""

    class Both:
        def step(self, now: float, observation: Observation | None = None) -> Step:
            step = engine.step(now, observation)
            assert again.step(now, observation) == step
            assert again.deadline() == engine.deadline()
            return step

        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

    world.engine = Both()  # type: ignore[assignment]
    play(world, after)
    assert differs(engine, again) == ""


def test_the_comparison_notices_what_is_left_behind() -> None:
    world = settled_office()
    again = carried(world.engine)
    assert differs(world.engine, again) == ""
    again._asking._judges = dict(again.judges)
    assert "another one" in differs(world.engine, again)
    again = carried(world.engine)
    again.judges[CABLE4].window.asked[-1].overdue_at += 1e-9
    assert "judges" in differs(world.engine, again)


def test_state_that_nobody_can_write_down_is_noticed_here_and_not_in_the_office() -> None:
    world, tape, cuts = taped_office()
    world.engine.engine.luck = random.Random(1)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="Random cannot be written down"):
        state_text(world.engine.engine)  # type: ignore[attr-defined]
    world.run_for(10.0)
    world.tell(interface("cable", carrier=False))
    tape.close()
    assert world.uses() == "lte"
    assert cuts == []


def test_every_class_of_the_engines_rooms_is_known() -> None:
    assert {name_of(kind) for kind in (Engine, Line, Outcome, Uplink)} <= classes().keys()
    assert all(kind.__module__.startswith("secondpath.") for kind in classes().values())


# ── The same decisions ───────────────────────────────────────────────────────────────


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(HAPPENINGS, st.integers(0, 3))
def test_whatever_happened_the_replay_gives_the_same_transitions(
    happenings: list[tuple[str, str, float]], seed: int
) -> None:
    world, tape, cuts = taped_office(seed=seed)
    play(world, happenings)
    world.tell(interface("cable", carrier=False))
    world.tell(interface("cable", carrier=True))
    world.run_for(1.0)
    tape.close()
    for cut in cuts:
        replay = rerun(incident_of(cut))
        assert replay.same, replay.differences[:3]
        assert [t for t in world.transitions if replay.began <= t.at <= replay.ended] == [*replay.transitions]


@pytest.mark.slow
def test_a_black_hole_is_replayed_from_the_middle_of_the_day() -> None:
    world, _, cuts = taped_office()
    world.run_for(1000.0)
    world.dead |= CABLE
    world.run_for(90.0)
    (first, whole) = cuts[-2:]
    replay = rerun(incident_of(whole))
    assert replay.same
    assert whole.began - replay.began >= tapes.BEFORE_S
    assert replay.ended - whole.began >= tapes.AFTER_S - 1.0
    assert rerun(incident_of(first)).ended < replay.ended
    assert len(content(whole)) < 600_000
    assert len(tapes.pack(whole).record) < 80_000


def test_addresses_that_people_were_answered_are_part_of_the_record() -> None:
    """Known before it begins, they stand in the engine's state; told in it, in what it was told."""
    tax = Application("Tax portal", "line-of-business", None, Match(("tax.example.com",)))
    world, tape, cuts = taped_office(site(applications=(tax,)))
    world.run_for(10.0)
    world.tell(AnswerSeen("tax.example.com", (IPv4Address("192.0.2.11"),), 60.0))
    world.run_for(30.0)
    world.dead |= CABLE
    world.tell(AnswerSeen("tax.example.com", (IPv6Address("2001:db8::11"),), 60.0))
    world.run_for(10.0)
    tape.close()
    replay = rerun(incident_of(cuts[-1]))
    assert replay.same, replay.differences[:3]
    assert len(world.engine.steering().destinations["Tax portal"]) == 2


@pytest.mark.slow
def test_a_question_that_was_asked_before_the_record_begins_is_answered_in_it() -> None:
    world, tape, cuts = taped_office()
    world.run_for(50.0)
    taped = world.engine
    tape._renew_at = world.now  # the next good answer begins a segment, and others are on their way
    world.rtt_s = dict.fromkeys(world.engine.judges, 0.4)
    world.run_for(500.0)
    world.tell(interface("cable", carrier=False))
    tape.close()
    assert isinstance(taped, Taped)
    whole = incident_of(cuts[-1])
    inline = [line for line in whole.lines if '"timeout_s"' in json.dumps(getattr(line, "saw", None))]
    assert inline
    assert rerun(whole).same


def test_an_engine_that_is_put_back_is_recorded_anew() -> None:
    """A reload which the kernel refuses: the gateway returns to a copy of the engine as it was."""
    world, tape, cuts = taped_office()
    world.run_for(30.0)
    taped = world.engine
    assert isinstance(taped, Taped)
    kept = copy.deepcopy(taped.engine)
    world.tell(Reload(site(uplinks=tuple(reversed(site().uplinks)))))
    taped.engine = kept
    world.tell(Reload(site()))
    world.dead |= CABLE
    world.run_for(30.0)
    tape.close()
    assert rerun(incident_of(cuts[-1])).same


def test_a_record_that_was_altered_is_told_to_differ() -> None:
    world, cut = black_hole()
    altered = content(cut).replace(b'"silent"', b'"carrier"')
    replay = rerun(parse(altered))
    assert not replay.same
    assert {d.recorded.reason for d in replay.differences if d.recorded} == {"carrier", "better"}
    lines = content(cut).splitlines(keepends=True)
    lost = b"".join(line for line in lines if b'"timeout"' not in line)
    assert rerun(parse(lost)).differences[-1].question is not None
    assert world.uses() == "lte"


def test_secrets_stay_at_home() -> None:
    uplink = Uplink("cable", "wan0", carrier="Acme", support={"account": "4711"}, plan=DataPlan(80.0))
    office_of_secrets = site(
        uplinks=(uplink, Uplink("lte", "wwan0", metered=True)), notify=(Notify("ntfy://user:hush@x", None, ("all",)),)
    )
    world, tape, cuts = taped_office(office_of_secrets)
    world.run_for(10.0)
    world.tell(Reload(replace(office_of_secrets, name="Renamed")))
    world.tell(interface("cable", carrier=False))
    tape.close()
    text = content(cuts[-1])
    assert b"hush" not in text
    assert b"4711" not in text
    assert b"Acme" in text
    assert rerun(parse(text)).same


# ── Files from strangers ─────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def good() -> bytes:
    return content(black_hole()[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no incident"),
        (b"\x80\x04\x95", "no incident"),
        (b"[]\n", "no incident"),
        (b"{}\n", "no incident"),
        (b"[" * 100_000, "no incident"),
        (b'{"format":"secondpath incident","schema":2}\n', "schema 2, and this secondpath reads 1"),
        (b'{"format":"secondpath incident","schema":1}\n', "header is broken"),
    ],
)
def test_what_is_no_incident_is_a_sentence(text: bytes, said: str) -> None:
    with pytest.raises(IncidentError, match=said):
        parse(text)


@pytest.mark.slow
def test_what_is_too_long_is_a_sentence(good: bytes) -> None:
    begun = b"\n".join(good.splitlines()[:2]) + b"\n"
    with pytest.raises(IncidentError, match="more than 100,000 lines"):
        parse(begun + b'{"at":1}\n' * 200_000)
    with pytest.raises(IncidentError, match="larger than 16 MiB"):
        parse(begun + b" " * (16 << 20))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'{"state":', b'{"estate":', "line 2 is no step"),
        (b'{"state":', b'{"at":1}\n{"state":', "does not begin with a state"),
        (b'"at":10.5', b'"at":"now"', "does not say when"),
        (b'"at":10.5', b'"at":1e400', "does not say when"),
        (b'"at":10.5', b'"at":NaN', "no JSON object"),
        (b'"is":"engine.mind.Engine"', b'"is":"engine.mind.Motor"', "nobody knows what a 'engine.mind.Motor' is"),
        (b'"is":"engine.mind.Engine"', b'"is":"subprocess.Popen"', "nobody knows"),
        (b'"_news":', b'"step":', "'step'|'_news'"),
        (b'"_given_up":["set"]', b'"_given_up":5', "cannot step"),
        (b'"saw":{"is":"model.ProbeResult","probe":', b'"saw":{"is":"model.ProbeResult","probe":"x', "no JSON object"),
        (b'"gave":[{"is":"model.Transition"', b'"gave":[5,{"is":"model.Transition"', "no transition"),
        (b'"version":"', b'"version":"9.', "written by secondpath 9."),
    ],
)
def test_what_is_broken_is_a_sentence(good: bytes, old: bytes, new: bytes, said: str) -> None:
    lasting = good.replace(b'"at":' + json.dumps(parse(good).lines[1].at).encode(), b'"at":10.5')  # type: ignore[union-attr]
    assert old in lasting, old
    broken = lasting.replace(old, new)
    if b"version" in old:
        broken = broken.replace(b'"engine.mind.Engine"', b'"engine.mind.Motor"')
    with pytest.raises(IncidentError, match=said):
        rerun(parse(broken))


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_file_does_more_than_be_refused(good: bytes, data: st.DataObject) -> None:
    """Some value anywhere in it is replaced by another one: it replays, differs, or is refused with a sentence."""
    lines = good.splitlines()[:40]
    at = data.draw(st.one_of(st.just(1), st.integers(0, len(lines) - 1)))
    row = json.loads(lines[at])
    spots = [*_spots(row)]
    holder, key = spots[data.draw(st.integers(0, len(spots) - 1))]
    other = [None, True, -1, 10**30, 1e300, "", "x", [], ["list"], ["ref", 0], ["tuple", 1], {}, {"is": "model.Line"}]
    holder[key] = data.draw(st.sampled_from(other))
    lines[at] = json.dumps(row).encode()
    try:
        replay = rerun(parse(b"\n".join(lines)))
    except IncidentError as why:
        assert 5 < len(str(why)) < 400
        assert "\n" not in str(why)
    else:
        assert replay.steps <= len(lines)


def _spots(form: Any) -> Any:
    items = form.items() if isinstance(form, dict) else enumerate(form) if isinstance(form, list) else ()
    for key, value in items:
        yield form, key
        yield from _spots(value)


def test_a_result_is_what_it_was(good: bytes) -> None:
    seen: list[Observation | None] = []
    rerun(parse(good), lambda engine, at, observation, step: seen.append(observation))
    results = [s for s in seen if isinstance(s, ProbeResult)]
    assert all(r.probe.number > 0 and isinstance(r.outcome, Outcome) for r in results)
    assert {type(r.outcome) for r in results} == {Outcome}
