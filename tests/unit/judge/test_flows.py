"""What a connection is, by what it does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from secondpath.judge.flows import HEAVY_BYTES, UDP, FlowJudge, Judged
from secondpath.model import CLASSES, FlowKind

TCP = 6


@dataclass(frozen=True)
class Flow:
    """A flow as the kernel would show it."""

    proto: int = UDP
    source: bytes = b"\x0a\x2c\x0a\x07"
    sport: int = 30_000
    dport: int = 17_000
    tcp_state: int | None = None
    answered: bool = True
    ident: int = 1
    out_packets: int = 0
    out_bytes: int = 0
    in_packets: int = 0
    in_bytes: int = 0


def moved(flow: Flow, seconds: float, out: tuple[float, float], back: tuple[float, float]) -> Flow:
    """The flow after that time, at (packets a second, bytes) either way."""
    sent, came = round(out[0] * seconds), round(back[0] * seconds)
    return replace(
        flow,
        out_packets=flow.out_packets + sent,
        out_bytes=flow.out_bytes + round(sent * out[1]),
        in_packets=flow.in_packets + came,
        in_bytes=flow.in_bytes + round(came * back[1]),
    )


def judged(flow: Flow, out: tuple[float, float], back: tuple[float, float], traffic_class: str = "office") -> Judged:
    """What two looks, 2 s apart, find."""
    judge = FlowJudge()
    judge.judge(0.0, flow, traffic_class)
    judge.turn()
    return judge.judge(2.0, moved(flow, 2.0, out, back), traffic_class)


G711 = (50.0, 200.0)
G729 = (50.0, 60.0)
QUIC = ((100.0, 75.0), (500.0, 1200.0))


def test_calls_of_every_common_codec_are_found() -> None:
    for rhythm in (G711, G729, (33.3, 280.0), (50.0, 130.0), (100.0, 120.0)):
        found = judged(Flow(), rhythm, rhythm)
        assert (found.kind, found.becomes) == (FlowKind.CALL, CLASSES["voice"].ident), rhythm
    longer = Flow(source=bytes(16))
    assert judged(longer, (50.0, 80.0), (50.0, 80.0)).kind is FlowKind.CALL, "IPv6: G.729 has 20 bytes more"


def test_a_call_is_found_at_the_second_look_and_no_sooner() -> None:
    judge = FlowJudge()
    first = judge.judge(0.0, Flow(out_packets=900, out_bytes=180_000, in_packets=900, in_bytes=180_000), "office")
    assert (first.kind, first.known, first.becomes) == (FlowKind.OFFICE, False, None)


def test_what_is_no_call_is_not_taken_for_one() -> None:
    assert judged(Flow(dport=443), *QUIC).becomes is None
    assert judged(Flow(), *QUIC).kind is FlowKind.OFFICE, "a decoy on a high port"
    assert judged(Flow(), (500.0, 1200.0), (500.0, 1200.0)).becomes is None
    assert judged(Flow(), G711, (0.0, 0.0)).becomes is None, "one way"
    assert judged(Flow(), (10.0, 200.0), (10.0, 200.0)).becomes is None, "too slow"
    assert judged(Flow(proto=TCP, tcp_state=3), G711, G711).becomes is None
    assert judged(Flow(dport=51820), G711, G711).kind is FlowKind.TUNNEL
    guest = judged(Flow(), G711, G711, "guest")
    assert (guest.kind, guest.becomes) == (FlowKind.BULK, None)


def test_sound_and_picture_are_a_meeting_and_never_bulk() -> None:
    judge, flow = FlowJudge(), Flow(dport=443)
    for second in range(60):
        found = judge.judge(2.0 * second, flow, "office")
        judge.turn()
        flow = moved(flow, 2.0, (160.0, 900.0), (180.0, 1000.0))
    assert (found.kind, found.becomes) == (FlowKind.MEETING, None)


def test_a_call_on_hold_is_still_a_call_and_one_that_fell_silent_is_over() -> None:
    judge = FlowJudge()
    flow = moved(Flow(), 2.0, G711, G711)
    judge.judge(0.0, Flow(), "office")
    judge.judge(2.0, flow, "office")
    flow = moved(flow, 2.0, (0.0, 0.0), G711)
    on_hold = judge.judge(4.0, flow, "voice")
    assert (on_hold.kind, on_hold.over, on_hold.rests) == (FlowKind.CALL, False, False)
    silent = [judge.judge(4.0 + after, flow, "voice") for after in (2.0, 4.0, 6.0)]
    assert [s.rests for s in silent] == [True] * 3
    assert [s.over for s in silent] == [False, False, True]


def test_what_only_sounded_like_a_call_loses_its_class_again() -> None:
    judge = FlowJudge()
    flow = moved(Flow(), 2.0, G711, G711)
    judge.judge(0.0, Flow(), "office")
    assert judge.judge(2.0, flow, "office").becomes == CLASSES["voice"].ident
    flow = moved(flow, 2.0, *QUIC)
    judge.judge(4.0, flow, "voice")
    flow = moved(flow, 4.0, *QUIC)
    assert judge.judge(8.0, flow, "voice").becomes == CLASSES["office"].ident
    assert judge.judge(10.0, flow, "office").becomes == CLASSES["bulk"].ident


def test_a_large_transfer_without_a_class_of_its_own_becomes_bulk() -> None:
    judge = FlowJudge()
    large = Flow(
        TCP, tcp_state=3, dport=443, in_packets=2_200, in_bytes=HEAVY_BYTES, out_packets=1_100, out_bytes=57_200
    )
    found = judge.judge(0.0, large, "office")
    assert (found.kind, found.becomes) == (FlowKind.BULK, CLASSES["bulk"].ident)
    assert FlowJudge().judge(0.0, large, "office", recognised=True).becomes is None
    for traffic_class in ("payments", "line-of-business", "remote-access"):
        assert FlowJudge().judge(0.0, large, traffic_class).becomes is None
    upload = replace(large, out_packets=2_200, out_bytes=HEAVY_BYTES, in_packets=1_100, in_bytes=57_200)
    assert FlowJudge().judge(0.0, upload, "office").kind is FlowKind.BULK
    chatty = replace(large, in_packets=40_000, out_packets=40_000)
    assert FlowJudge().judge(0.0, chatty, "office").kind is FlowKind.OFFICE, "small packets are no transfer"


def test_tunnels_dialogs_and_sessions_are_known_by_their_ports() -> None:
    def kind(flow: Flow, traffic_class: str = "office") -> FlowKind:
        return FlowJudge().judge(0.0, flow, traffic_class).kind

    for flow in (
        Flow(50, sport=0, dport=0),
        Flow(47, sport=0, dport=0),
        *(Flow(dport=p) for p in (500, 4500, 51820, 1194)),
    ):
        assert kind(flow) is FlowKind.TUNNEL
    assert kind(Flow(TCP, dport=5061, tcp_state=3)) is FlowKind.DIALOG
    assert kind(Flow(sport=5060, dport=9000), "voice") is FlowKind.DIALOG
    assert kind(Flow(TCP, dport=443, tcp_state=3), "voice") is FlowKind.DIALOG
    assert kind(Flow(TCP, dport=22, tcp_state=3)) is FlowKind.SESSION
    assert kind(Flow(TCP, dport=443, tcp_state=3), "payments") is FlowKind.PAYMENT
    assert kind(Flow(TCP, dport=443, tcp_state=3), "streaming") is FlowKind.BULK


def test_a_connection_that_is_closing_holds_nothing() -> None:
    for state, over in ((3, False), (4, True), (7, True), (8, True)):
        assert FlowJudge().judge(0.0, Flow(TCP, dport=22, tcp_state=state), "office").over is over
    assert FlowJudge().judge(0.0, Flow(TCP, dport=22, tcp_state=1, answered=False), "office").over


WAY = st.tuples(st.floats(0.0, 2000.0), st.floats(28.0, 1500.0))


@given(WAY, WAY, st.sampled_from(sorted(CLASSES)), st.integers(1, 65535))
def test_a_class_that_the_office_gave_is_never_taken_away(
    out: tuple[float, float], back: tuple[float, float], traffic_class: str, port: int
) -> None:
    found = judged(Flow(dport=port), out, back, traffic_class)
    if traffic_class != "office":
        assert found.becomes is None
    if found.becomes == CLASSES["voice"].ident:
        assert port > 1023
        assert all(14.0 <= rate <= 121.0 for rate, _ in (out, back))


def test_a_flow_that_is_gone_is_forgotten() -> None:
    judge = FlowJudge()
    judge.judge(0.0, Flow(), "office")
    judge.turn()
    judge.turn()
    judge.turn()
    assert not judge.judge(9.0, moved(Flow(), 9.0, G711, G711), "office").known, "another one of the same ends"
