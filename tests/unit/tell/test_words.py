"""Every word of the house can be said, to a manager and to a technician."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import CABLE4, LTE4, site

from secondpath.model import (
    Cause,
    DataPlan,
    Family,
    Health,
    LastHop,
    Line,
    LineState,
    Measurement,
    Override,
    OverrideKind,
    Stage,
    Technology,
    Transition,
    Uplink,
    Verdict,
    VerdictCode,
    Why,
)
from secondpath.tell import catalogue
from secondpath.tell.words import (
    accepted_text,
    advice,
    event_text,
    note,
    override_text,
    reason,
    refusal_text,
    technical,
    verdict_technical,
    verdict_text,
    why_text,
)

SPECTRUM = Uplink("cable", "wan0", Technology.CABLE, "Spectrum", support={"phone": "1-800-555-0100", "account": "8260"})
PLAN = DataPlan(data_bytes=20 * 10**9, renews_on=5, beyond_bps=600_000)
NAMED = site(uplinks=(SPECTRUM, Uplink("lte", "wwan0", metered=True, plan=PLAN)))
JARGON = re.compile(r"\b(carrier|ICMP|RTT|rtt|DNS|next hop|probe|kernel|netlink|jitter|metered)\b")


def state(cause: Cause, health: Health = Health.DOWN, loss: float = 0.15) -> LineState:
    return LineState(CABLE4, health, cause, 0.0, Measurement(40, loss, 0.048, 0.002))


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (catalogue.CAUSES, Cause),
        (catalogue.VERDICTS, VerdictCode),
        (catalogue.ADVICE, VerdictCode),
        (catalogue.WHYS, Why),
        (catalogue.STAGES, Stage),
        (catalogue.HEALTHS, Health),
        (catalogue.OVERRIDES, OverrideKind),
        (catalogue.ACCEPTED, OverrideKind),
        (catalogue.FAMILIES, Family),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_every_member_has_words(words: Mapping[StrEnum, object], members: type[StrEnum]) -> None:
    assert set(words) == set(members)


def all_sentences() -> Iterator[str]:
    for cause in Cause:
        yield reason(state(cause), NAMED)
        yield reason(state(cause), None)
    for code in VerdictCode:
        for office in (NAMED, site(), None):
            yield verdict_text(Verdict(code, (CABLE4,), (state(Cause.LOSS),)), office, "lte")
        yield verdict_text(Verdict(code), NAMED)
    for kind in OverrideKind:
        yield override_text(Override(kind, "lte", 3600.0, "dana"), 1500.0)
        yield accepted_text(Override(kind, "lte", 3600.0, "dana"))


@pytest.mark.parametrize("sentence", sorted(set(all_sentences())))
def test_sentences_are_calm_whole_and_plain(sentence: str) -> None:
    assert sentence.endswith(".") and not sentence.endswith("..")
    assert not re.search(r"[!{}]|  |None|Family|\.\.", sentence)
    assert not JARGON.search(sentence)


def test_a_cut_cable_reads_like_this() -> None:
    assert reason(state(Cause.CARRIER), NAMED) == (
        "The cable line is down: nothing is connected at the other end of wan0."
    )


def test_a_dead_provider_reads_like_this() -> None:
    upstream = Verdict(VerdictCode.UPSTREAM, (CABLE4,), (state(Cause.SILENT),))
    assert verdict_text(upstream, site(), "lte") == (
        "Nothing beyond your provider's equipment answers on cable; traffic runs on lte."
    )
    assert verdict_text(upstream, NAMED) == "Nothing beyond Spectrum's equipment answers on cable."
    assert advice(upstream, NAMED) == "Call Spectrum, 1-800-555-0100, account 8260; traffic comes back by itself."
    assert advice(upstream, site()) == "Call the provider of cable; traffic comes back by itself."


@pytest.mark.parametrize(
    ("ttl", "address", "plain"),
    [
        (1, "198.51.100.1", "the fault lies past the 1st device on the way, so not in your modem or cable"),
        (2, "100.64.0.9", "the fault lies past the 2nd device on the way, so not in your modem or cable"),
        (1, "192.168.100.1", "the fault lies past the 1st device on the way"),
        (2, "fe80::1", "the fault lies past the 2nd device on the way"),
        (13, "2001:db8::1", "the fault lies past the 13th device on the way, so not in your modem or cable"),
    ],
)
def test_a_dead_provider_s_last_hop_reads_like_this(ttl: int, address: str, plain: str) -> None:
    seen = replace(state(Cause.SILENT), last_hop=LastHop(1.0, ttl, ip_address(address)))
    upstream = Verdict(VerdictCode.UPSTREAM, (CABLE4,), (seen,))
    assert verdict_text(upstream, NAMED, "lte") == (
        f"Nothing beyond Spectrum's equipment answers on cable; {plain}; traffic runs on lte."
    )


def test_a_technician_hears_where_the_way_ends() -> None:
    ends = LastHop(1.0, 3, ip_address("203.0.113.9"), 4, ip_address("198.51.100.1"))
    seen = replace(state(Cause.SILENT), last_hop=ends)
    said = "; the last hop that answers is 3 (203.0.113.9), and hop 4 (198.51.100.1) used to and does not"
    assert technical(seen, NAMED).endswith(said)
    assert verdict_technical(Verdict(VerdictCode.UPSTREAM, (CABLE4,), (seen,)), NAMED) == (
        f"cable/ipv4: link up, no probed address answers{said}"
    )


def test_a_brown_out_says_how_much_is_lost() -> None:
    assert note(state(Cause.LOSS), NAMED) == "it loses 15 % of what is sent"
    assert note(replace(state(Cause.LOSS), measurement=Measurement()), NAMED) == "it loses too much of what is sent"


def test_a_technician_hears_numbers_and_names() -> None:
    assert technical(state(Cause.LOSS), NAMED) == "15 % of 40 probes lost, round trip 48 ms"
    assert verdict_technical(Verdict(VerdictCode.CABLE, (CABLE4,)), NAMED) == "cable/ipv4: no carrier"


def test_a_family_that_nobody_set_up_is_not_called_down() -> None:
    assert reason(LineState(LTE4, Health.UNKNOWN, Cause.NO_ADDRESS, 0.0), NAMED) == (
        "The lte line is not set up: no address has come from the provider."
    )


def test_a_refusal_names_the_state_or_the_uplinks_there_are() -> None:
    assert refusal_text("cable", [state(Cause.CARRIER)], NAMED) == (
        "cable cannot take the traffic: it is down (nothing is connected at the other end of wan0)."
    )
    assert refusal_text("dsl", [state(Cause.CARRIER)], NAMED) == (
        "There is no uplink named dsl. The uplinks are: cable and lte."
    )


@pytest.mark.parametrize(
    ("transition", "sentence"),
    [
        (
            Transition(1, "line:cable/ipv4", "up", "down", "carrier", {"loss_ratio": 0.0, "samples": 3, "rtt_s": None}),
            "cable (IPv4) is down: nothing is connected at the other end of wan0.",
        ),
        (
            Transition(
                1, "line:cable/ipv4", "up", "degraded", "loss", {"loss_ratio": 0.2, "samples": 40, "rtt_s": 0.1}
            ),
            "cable (IPv4) is poor: it loses 20 % of what is sent.",
        ),
        (Transition(1, "line:lte/ipv6", "down", "up", "well"), "lte (IPv6) is up."),
        (
            Transition(1, "line:cable/ipv4", "up", "up", "own-rules"),
            "cable (IPv4) is up: this box itself throws away its questions, or the answers to them.",
        ),
        (
            Transition(1, "steering:ipv4", "cable", "lte", "better", {"left_because": "carrier"}),
            "IPv4 traffic moved from cable to lte: nothing is connected at the other end of wan0.",
        ),
        (
            Transition(1, "steering:ipv4", "cable", "lte", "asked", {"left_because": "well"}),
            "IPv4 traffic moved from cable to lte: a person asked for it.",
        ),
        (Transition(1, "steering:ipv6", "lte", "cable", "preferred"), "IPv6 traffic came home from lte to cable."),
        (Transition(1, "steering:ipv6", "", "cable", "preferred"), "IPv6 traffic uses cable."),
        (
            Transition(1, "verdict", "ok", "upstream", "cable/ipv4,cable/ipv6"),
            "Nothing beyond Spectrum's equipment answers on cable.",
        ),
        (
            Transition(1, "override", "", "hold", "", {"duration_s": 3600.0, "by": "dana"}),
            "dana asked that traffic stays where it is.",
        ),
        (Transition(1, "override", "", "failover", "lte", {"by": ""}), "Somebody asked for lte."),
        (
            Transition(1, "flows:cable/ipv4", "", "given up", "silent"),
            "Connections left behind on cable (IPv4) were ended, so that programs connect again.",
        ),
        (
            Transition(
                1, "path:cable/ipv4", "", "ends", "198.51.1.1", {"ttl": 1, "beyond_ttl": 2, "beyond": "203.0.113.9"}
            ),
            "The last hop that answers on cable (IPv4) is 1 (198.51.1.1), and hop 2 (203.0.113.9) used to and does "
            "not.",
        ),
        (
            Transition(1, "path:cable/ipv6", "", "ends", "fd00::1", {"ttl": 4, "beyond_ttl": None, "beyond": None}),
            "The last hop that answers on cable (IPv6) is 4 (fd00::1).",
        ),
        (
            Transition(1, "class:voice/ipv4", "dsl", "cable", "better", {"left_because": "carrier"}),
            "Voice: IPv4 traffic moved from dsl to cable alone: nothing is connected at the other end of its port.",
        ),
        (
            Transition(1, "class:voice/ipv6", "cable", "dsl", "preferred"),
            "Voice: IPv6 traffic came home from cable to dsl.",
        ),
        (
            Transition(1, "class:voice/ipv4", "cable", "dsl", "drained"),
            "Voice: connections left behind on cable (IPv4) were ended.",
        ),
        (
            Transition(1, "allowance:lte", "ample", "warned", "level", {"used_bytes": 15.2e9, "data_bytes": 20e9}),
            "lte has used 76 % of its data (15.2 GB of 20.0 GB).",
        ),
        (
            Transition(1, "allowance:lte", "warned", "critical", "level", {"used_bytes": 19e9, "data_bytes": 20e9}),
            "lte has used 95 % of its data (19.0 GB of 20.0 GB): only voice, payments, line-of-business and remote "
            "access travel by it.",
        ),
        (
            Transition(1, "allowance:lte", "critical", "used-up", "level", {"used_bytes": 20e9, "data_bytes": 20e9}),
            "The data of lte is used up (20.0 GB of 20.0 GB): the provider slows it to 600 kbit/s, which is left to "
            "what matters and a little office traffic.",
        ),
        (
            Transition(1, "allowance:lte", "ample", "ample", "foretold", {"runs_out_at": "2026-03-03T22:20:00+00:00"}),
            "At this rate the data of lte is used up at 14:20.",
        ),
        (
            Transition(1, "allowance:lte", "ample", "squeezed", "projection"),
            "The data of lte would not last today: guests, bulk and streaming wait, office and personal traffic is "
            "limited.",
        ),
        (
            Transition(
                1,
                "allowance:lte",
                "used-up",
                "ample",
                "renewed",
                {"data_bytes": 20e9, "renews_at": "2026-04-05T00:00:00-07:00"},
            ),
            "The data of lte begins anew: 20.0 GB until 5 Apr.",
        ),
        (
            Transition(
                1,
                "allowance:lte",
                "critical",
                "warned",
                "lifted",
                {"by": "dana", "renews_at": "2026-04-05T00:00:00-07:00"},
            ),
            "dana lifted what the data of lte restrained, until it begins anew on 5 Apr.",
        ),
        (Transition(1, "config", "", "The office", "reload"), "The configuration was loaded anew."),
        (
            Transition(1, "config", "", "", "refused", {"error": "no uplink"}),
            "The new configuration was refused, the old one stays: no uplink.",
        ),
        (Transition(1, "daemon", "", "started", ""), "secondpath started."),
        (Transition(1, "moon", "new", "full", "time"), "moon: new → full (time)."),
    ],
    ids=lambda given: given.subject if isinstance(given, Transition) else "",
)
def test_what_happened_reads_like_this(transition: Transition, sentence: str) -> None:
    assert event_text(transition, NAMED) == sentence


@given(
    st.sampled_from(
        sorted(
            {
                "x",
                "line",
                "steering",
                "verdict",
                "override",
                "flows",
                "straggler",
                "sweep",
                "path",
                "config",
                "class",
                "allowance",
                "daemon",
                "book",
            }
        )
    ),
    st.sampled_from(["", ":cable/ipv4", ":ipv6", ":gone/ipv6", ":", ":odd/ipx"]),
    st.sampled_from(["", "up", "down", "lte", "hold", "upstream", "odd"]),
    st.sampled_from(["", "carrier", "better", "cable/ipv4", "odd", "failing"]),
)
def test_an_old_or_newer_book_is_told_without_stumbling(room: str, rest: str, after: str, why: str) -> None:
    assert event_text(Transition(0.0, room + rest, "", after, why)).endswith(".")


def test_every_why_can_be_said() -> None:
    assert len({why_text(why) for why in Why}) == len(Why)


def test_lines_of_a_renamed_uplink_are_still_told() -> None:
    told = LineState(Line("dsl", Family.IPV4), Health.DOWN, Cause.CARRIER, 0.0)
    assert reason(told, NAMED) == "The dsl line is down: nothing is connected at the other end of its port."
