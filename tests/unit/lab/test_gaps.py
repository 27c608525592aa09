"""From samples to seconds: a known outage gives its length, whatever the stream."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.lab import gaps
from secondpath.lab.gaps import Sample

STEP_S = 0.05


def stream(
    length_s: float, out: tuple[float, float] | None = None, *, name: str = "new-udp.ipv4.50ms", step_s: float = STEP_S
) -> list[Sample]:
    """A stream with one outage: what is asked in it stays unanswered."""
    times = [n * step_s for n in range(round(length_s / step_s))]
    return [Sample(name, t, None if out and out[0] <= t < out[1] else t + 0.03, "198.51.100.2") for t in times]


def test_a_stream_that_felt_nothing_has_no_outage() -> None:
    assert gaps.outage(stream(10), 5.0) is None
    assert gaps.worst_gap_s(stream(10)) == 0.0


@given(begin_s=st.floats(1.5, 2), length_s=st.floats(0.1, 1.5), step_s=st.sampled_from([0.005, 0.02, 0.05]))
def test_an_outage_is_found_to_one_sampling_interval(begin_s: float, length_s: float, step_s: float) -> None:
    samples = stream(5, (begin_s, begin_s + length_s), step_s=step_s)
    found = gaps.outage(samples, begin_s)
    assert found is not None
    assert found.length_s == pytest.approx(length_s, abs=step_s * 1.01)
    assert gaps.worst_gap_s(samples) == pytest.approx(length_s, abs=step_s * 1.01)


def test_an_outage_lasts_until_good_answers_last() -> None:
    samples = [s for s in stream(10, (2.0, 4.0)) if not 3.0 <= s.sent_s < 3.5] + stream(10)[60:70]
    found = gaps.outage(sorted(samples, key=lambda s: s.sent_s), 2.0)
    assert found is not None
    assert found.end_s == pytest.approx(4.0)


def test_a_later_outage_is_another_one() -> None:
    samples = stream(4, (1.0, 1.5)) + [
        Sample(s.stream, s.sent_s + 4, s.answered_s and s.answered_s + 4, s.note) for s in stream(4, (1.0, 2.5))
    ]
    found = gaps.outage(samples, 1.0)
    assert found is not None
    assert found.end_s == pytest.approx(1.5)


def test_an_outage_that_never_ends_is_infinite() -> None:
    found = gaps.outage(stream(5, (2.0, 9.0)), 2.0)
    assert found is not None
    assert found.length_s == math.inf


def test_an_answer_too_late_is_as_bad_as_none() -> None:
    samples = stream(5)
    samples[40] = Sample(samples[40].stream, 2.0, 3.5, "")
    assert gaps.outage(samples, 1.9) is not None


def test_a_question_lost_on_the_way_when_the_fault_struck_begins_the_outage_at_the_fault() -> None:
    found = gaps.outage(stream(5, (1.95, 3.0)), 2.0)
    assert found is not None
    assert found.begin_s == 2.0
    assert found.end_s == pytest.approx(3.0)


def test_a_lasting_connection_is_back_when_its_answers_come() -> None:
    samples = [
        Sample(s.stream, s.sent_s, 4.2 if 2.0 <= s.sent_s < 4.2 else s.sent_s + 0.03, "")
        for s in stream(8, name="lasting-tcp.ipv4.50ms")
    ]
    found = gaps.outage(samples, 2.0)
    assert found is not None
    assert found.length_s == pytest.approx(2.2)
    assert gaps.worst_gap_s(samples) == pytest.approx(2.15, abs=0.06)


def test_several_requests_lost_by_one_reset_are_one_reset() -> None:
    name = "lasting-tcp.ipv4.50ms"
    notes = ["", "reset", "reset", "no connection", "", "", "closed", "no connection", ""]
    samples = [Sample(name, float(n), None if note else n + 0.03, note) for n, note in enumerate(notes)]
    assert gaps.resets(samples) == 2


def test_moves_are_told_from_the_addresses_the_internet_saw() -> None:
    notes = ["a", "a", "b", "b", "a"]
    assert gaps.paths([Sample("x.y.z", n, n + 0.1, note) for n, note in enumerate(notes)]) == ["a", "b", "a"]


def test_jitter_of_a_steady_call_is_nothing_and_grows_with_unevenness() -> None:
    uneven = [Sample("call.ipv4.20ms", n, n + 0.03 + 0.01 * (n % 2), "") for n in range(200)]
    assert gaps.jitter_s(stream(5)) == pytest.approx(0, abs=1e-9)
    assert gaps.jitter_s(uneven) == pytest.approx(0.01, rel=0.01)


def test_percentiles_are_nearest_rank() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [gaps.percentile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert math.isnan(gaps.percentile([], 0.5))


def test_samples_survive_being_written_down_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    samples = stream(1, (0.5, 0.6))
    path.write_text("".join(json.dumps(s.row()) + "\n" for s in samples) + '["new-udp.ipv4.50ms",1.')
    assert [s.row() for s in gaps.read_samples(path)] == [s.row() for s in samples]


def test_a_stream_is_chosen_by_kind_family_and_interval() -> None:
    both = stream(1) + stream(1, name="new-udp.ipv6.5ms")
    assert len(gaps.of_stream(both, "new-udp")) == 40
    assert {s.stream for s in gaps.of_stream(both, "new-udp", "ipv6")} == {"new-udp.ipv6.5ms"}
    assert gaps.of_stream(both, "new-udp", "ipv4", 0.005) == []
