"""Days at the office, as the status document tells them. `tests/golden/cli/*.json`, which the commands' tests draw.

SECONDPATH_GOLDEN=write writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.office import CABLE4, CABLE6, LTE4, LTE6, interface, site

from secondpath.decide.policy import Choice, lanes_of
from secondpath.judge.blame import Beside, verdict_of
from secondpath.model import (
    Application,
    Cause,
    Family,
    FlowKind,
    Health,
    Lane,
    Line,
    LineState,
    Match,
    Measurement,
    Override,
    OverrideKind,
    Shaped,
    Stage,
    Steering,
    Straggler,
    Technology,
    Transition,
    Uplink,
    Why,
)
from secondpath.tell.status import texts_of
from secondpath.wire.snapshot import Event, Finishing, Snapshot, Usage
from secondpath.wire.status import status_json

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
NOON = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
NOW = 90_000.0
OFFICE = site(
    uplinks=(
        Uplink("cable", "wan0", Technology.CABLE, "Spectrum", support={"phone": "1-800-555-0100", "account": "8260"}),
        Uplink("lte", "wwan0", Technology.CELLULAR, "Verizon", metered=True),
    )
)
WELL = {
    CABLE4: LineState(CABLE4, Health.UP, Cause.WELL, 3_600.0, Measurement(300, 0.0, 0.0126, 0.001), NOW - 0.2),
    CABLE6: LineState(CABLE6, Health.UP, Cause.WELL, 3_600.0, Measurement(300, 0.0, 0.0134, 0.001), NOW - 0.2),
    LTE4: LineState(LTE4, Health.UP, Cause.WELL, 7_200.0, Measurement(20, 0.004, 0.048, 0.009), NOW - 4),
    LTE6: LineState(LTE6, Health.UP, Cause.WELL, 7_200.0, Measurement(20, 0.0, 0.051, 0.009), NOW - 4),
}


def now_is(cause: Cause, health: Health, *lines: Line, loss: float = 1.0, ago: float = 1080.0) -> dict[Line, LineState]:
    seen = Measurement(40, loss, 0.08, 0.02) if cause is not Cause.STARTING else Measurement()
    return {line: LineState(line, health, cause, NOW - ago, seen) for line in lines}


def day(
    changed: Mapping[Line, LineState] | None = None,
    uplink: str | None = "cable",
    why: Why = Why.PREFERRED,
    since: float = 3_600.0,
    override: Override | None = None,
    left_s: float | None = None,
    hold_s: float = 0.0,
    recent: Iterable[Transition] = (),
    uplink6: str | None = "",
    beside: Beside | None = None,
    detours: Mapping[tuple[str, Family], Lane] | None = None,
    stages: Mapping[str, Stage] | None = None,
) -> Snapshot:
    lines = WELL | dict(changed or {})
    choices = {
        Family.IPV4: Choice(uplink, why),
        Family.IPV6: Choice(uplink if uplink6 == "" else uplink6, why if uplink6 == "" else Why.PREFERRED),
    }
    if not lines[CABLE6].offered and not lines[LTE6].offered:
        choices[Family.IPV6] = Choice(None, Why.NO_UPLINK)
    site = OFFICE if detours is None else replace(OFFICE, applications=(TAX,))
    return Snapshot(
        site=site,
        at=NOW,
        wall=NOON,
        started_at=60.0,
        steering=Steering(lanes_of(OFFICE, choices, {}, stages or {}), dict.fromkeys(lines, 0), detours or {}),
        steering_since=dict.fromkeys(Family, since),
        lines=lines,
        verdict=verdict_of(lines, beside or Beside()),
        override=override,
        override_left_s=left_s,
        hold_left_s={CABLE4: hold_s, CABLE6: hold_s},
        interfaces={"cable": interface("cable"), "lte": interface("lte")},
        recent=tuple(Event(i, NOON, told) for i, told in enumerate(recent, start=1)),
    )


TAX = Application("Tax portal", "line-of-business", None, Match(("tax.example.com",)), "https://tax.example.com")
FIRST = NOW - 1080.0
CUT = (
    Transition(FIRST, "line:cable/ipv4", "up", "down", "carrier", {"loss_ratio": 0.0, "samples": 300, "rtt_s": 0.01}),
    Transition(FIRST, "line:cable/ipv6", "up", "down", "carrier", {"loss_ratio": 0.0, "samples": 300, "rtt_s": 0.01}),
    Transition(FIRST, "verdict", "ok", "cable", "cable/ipv4,cable/ipv6"),
    Transition(FIRST, "steering:ipv4", "cable", "lte", "better", {"left_because": "carrier"}),
    Transition(FIRST, "flows:cable/ipv4", "", "given up", "carrier"),
    Transition(FIRST, "steering:ipv6", "cable", "lte", "better", {"left_because": "carrier"}),
    Transition(FIRST, "flows:cable/ipv6", "", "given up", "carrier"),
)
DOWN = Health.DOWN
ASTRAY: dict[str, str | int | float | None] = {
    "device": "10.44.10.9", "destination": "192.0.2.40:443", "class": "office", "bytes": 5_400_000,
}  # fmt: skip
DAYS: Mapping[str, Callable[[], Snapshot]] = {
    "online": day,
    "starting": lambda: day(now_is(Cause.STARTING, Health.UNKNOWN, CABLE4, CABLE6, LTE4, LTE6, loss=0.0, ago=2.0)),
    "cable-cut": lambda: day(now_is(Cause.CARRIER, DOWN, CABLE4, CABLE6), "lte", Why.BETTER, FIRST, recent=CUT),
    "black-hole": lambda: day(now_is(Cause.SILENT, DOWN, CABLE4, CABLE6), "lte", Why.BETTER, FIRST),
    "brown-out": lambda: day(now_is(Cause.LOSS, Health.DEGRADED, CABLE4, CABLE6, loss=0.15), "lte", Why.BETTER, FIRST),
    "brown-out-nowhere-to-go": lambda: day(
        now_is(Cause.LOSS, Health.DEGRADED, CABLE4, CABLE6, loss=0.15) | now_is(Cause.CARRIER, DOWN, LTE4, LTE6),
        why=Why.NOTHING_BETTER,
    ),
    "going-home": lambda: day(uplink="lte", why=Why.STAYS, since=FIRST, hold_s=39.4),
    "held": lambda: day(
        uplink="lte",
        why=Why.STAYS,
        since=FIRST,
        override=Override(OverrideKind.HOLD, None, 7200.0, "dana"),
        left_s=5400,
    ),
    "asked": lambda: day(
        uplink="lte", why=Why.ASKED, since=FIRST, override=Override(OverrideKind.FAILOVER, "lte", 0.0, "dana")
    ),
    "backup-not-ready": lambda: day(now_is(Cause.ABSENT, DOWN, LTE4, LTE6, ago=200_000.0)),
    "all-down": lambda: day(
        now_is(Cause.SILENT, DOWN, CABLE4, CABLE6) | now_is(Cause.CARRIER, DOWN, LTE4, LTE6, ago=500.0),
        why=Why.NOTHING_BETTER,
    ),
    "ipv6-dead": lambda: day(now_is(Cause.SILENT, DOWN, CABLE6), uplink6="lte"),
    "application-apart": lambda: day(
        beside=Beside(apart={CABLE4: "Tax portal"}), detours={("Tax portal", Family.IPV4): Lane("lte", Why.WORKS_THERE)}
    ),
    "application-out": lambda: day(beside=Beside(nowhere={CABLE4: "Tax portal"}), detours={}),
    "inside": lambda: day(beside=Beside(inside=("staff",))),
    "calls-finish": lambda: replace(
        day(recent=[Transition(NOW - 200, "straggler:lte/ipv4", "", "ended", "astray", ASTRAY)]),
        left={
            LTE4: Finishing({FlowKind.CALL: 3, FlowKind.TUNNEL: 1, FlowKind.OFFICE: 2}, 471.0),
            LTE6: Finishing({FlowKind.CALL: 1}, 470.0),
        },
        stragglers=(Straggler(LTE4, "10.44.10.9", "192.0.2.40:443", "office", 5_400_000),),
    ),
    "data-short": lambda: replace(
        day(now_is(Cause.CARRIER, DOWN, CABLE4, CABLE6), "lte", Why.BETTER, FIRST, stages={"lte": Stage.SQUEEZED}),
        usages={
            "lte": Usage(
                used_bytes=18_200_000_000,
                data_bytes=20_000_000_000,
                stage=Stage.SQUEEZED,
                renews_at=NOON + timedelta(days=12),
                runs_out_at=NOON + timedelta(hours=3, minutes=20),
                rate_bps=1_200_000,
                pace_bps=450_000,
            )
        },
    ),
    "shaped": lambda: replace(
        day(),
        shaped=(
            Shaped("cable", "cake", "htb+fq_codel", 255_000_000, 19_000_000),
            Shaped("lte", "htb+pfifo", "", 510_000, 0, ("somebody else's fq 8001: is on wwan0, and stays",)),
        ),
    ),
    "ipv4-only": lambda: day(now_is(Cause.NO_ADDRESS, Health.UNKNOWN, CABLE6, LTE6, loss=0.0)),
}


@pytest.mark.parametrize("name", DAYS)
def test_a_day_is_told_as_it_was_told_before(name: str) -> None:
    snapshot = DAYS[name]()
    document = status_json(snapshot, texts_of(snapshot)) | {"version": "0"}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert json.loads(text) == json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("name", DAYS)
def test_the_first_sentence_is_whole(name: str) -> None:
    summary = texts_of(DAYS[name]()).summary
    assert summary.endswith(".")
    assert not {"{", "}", "  ", "..", "!"} & {summary[i : i + n] for n in (1, 2) for i in range(len(summary))}
