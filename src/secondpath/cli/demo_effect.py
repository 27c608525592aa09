"""What one key press cost the people in the office, in one line. Pure: samples in, a sentence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from secondpath.lab import gaps
from secondpath.lab.gaps import Outage, Sample
from secondpath.tell.figures import share

NEW = frozenset({"new-udp", "new-tcp"})
NAMES = {"ipv4": "IPv4", "ipv6": "IPv6"}
UNDER_WAY_S = 0.1
"""What was asked this long before may still be lost to it."""
SETTLED_S = 5.0
"""An unanswered question is given up after 2 s, a good answer has to last for 1 s, people write once a second."""
LASTS_S = SETTLED_S - gaps.LASTING_S
LONGEST_S = 60.0
DEAD_RATIO = 0.95
Streams = Mapping[str, Sequence[Sample]]


@dataclass(slots=True)
class Effect:
    """Something that was done at an instant, and what people felt since."""

    words: str
    at_s: float
    streams: dict[str, list[Sample]] = field(default_factory=dict)

    def take(self, samples: Iterable[Sample]) -> None:
        """What was written down since the last time; of what came before, only what may have been under way."""
        for sample in samples:
            if sample.sent_s >= self.at_s - UNDER_WAY_S:
                self.streams.setdefault(sample.stream, []).append(sample)

    def is_settled(self, now_s: float) -> bool:
        """Whether there is no more to come: everybody has been well for long enough, or it has lasted too long."""
        age_s, outages = now_s - self.at_s, outages_of(self.ordered(), self.at_s)
        return age_s > LONGEST_S or (age_s > SETTLED_S and not any(is_open(out, now_s) for out in outages.values()))

    def ordered(self) -> dict[str, list[Sample]]:
        """By stream, in order of asking."""
        return {name: sorted(samples, key=lambda s: s.sent_s) for name, samples in self.streams.items()}

    def sentence(self, now_s: float) -> str:
        """What was measured."""
        return measured(self.ordered(), self.at_s, now_s)


def measured(streams: Streams, at_s: float, now_s: float) -> str:
    """For example: new connections worked again after 0.04 s; the call lost 3 packets; 12 connections were reset."""
    felt = outages_of(streams, at_s)
    told = [
        *_new(streams, _of_kinds(felt, NEW), now_s),
        *_call(streams),
        *_programs(streams, _of_kinds(felt, {"lasting-tcp"}), now_s),
        *_download(_of_kinds(felt, {"download"}), now_s),
    ]
    return "; ".join(told) or "nobody felt anything"


def outages_of(streams: Streams, at_s: float) -> dict[str, Outage]:
    """The outage of each stream that felt one."""
    found = {name: gaps.outage(samples, at_s) for name, samples in streams.items()}
    return {name: out for name, out in found.items() if out is not None}


def is_open(outage: Outage, now_s: float) -> bool:
    """Whether good answers have not lasted yet, as far as is known now."""
    return outage.end_s is None or now_s - outage.end_s < LASTS_S


def _of_kinds(outages: Mapping[str, Outage], kinds: Iterable[str]) -> dict[str, Outage]:
    return {name: out for name, out in outages.items() if name.split(".")[0] in kinds}


def _new(streams: Streams, felt: Mapping[str, Outage], now_s: float) -> Iterator[str]:
    """New connections, by family where only one of them felt it."""
    if not felt:
        return
    families = {name.split(".")[1] for name in felt}
    which = f"{NAMES[families.pop()]} connections" if len(families) == 1 else "connections"
    if not any(is_open(out, now_s) for out in felt.values()):
        yield f"new {which} worked again after {seconds(max(out.length_s for out in felt.values()))}"
        return
    samples = [sample for name in felt for sample in streams[name]]
    ratio = sum(not sample.good() for sample in samples) / len(samples)
    yield f"new {which} do not work" if ratio > DEAD_RATIO else f"{share(ratio)} of new {which} fail"


def _call(streams: Streams) -> Iterator[str]:
    lost = sum(not s.good() for name, samples in streams.items() if name.startswith("call.") for s in samples)
    if lost:
        yield f"the call lost {lost} {'packet' if lost == 1 else 'packets'}"


def _programs(streams: Streams, felt: Mapping[str, Outage], now_s: float) -> Iterator[str]:
    """Resets where there were any, else how long programs waited."""
    broken = sum(gaps.resets(samples) for name, samples in streams.items() if name.startswith("lasting-tcp."))
    if broken:
        were = "connection was" if broken == 1 else "connections were"
        yield f"{broken} {were} reset so that programs reconnected"
    elif any(is_open(out, now_s) for out in felt.values()):
        yield "programs wait"
    elif felt:
        yield f"programs waited {seconds(max(out.length_s for out in felt.values()))}"


def _download(felt: Mapping[str, Outage], now_s: float) -> Iterator[str]:
    for out in felt.values():
        if out.end_s is None:
            yield "the download stands still"
        elif is_open(out, now_s):
            yield "the download stutters"
        else:
            yield f"the download paused {seconds(out.length_s)}"


def seconds(length_s: float) -> str:
    """As short as it was, as plain as can be."""
    return f"{length_s:.2f} s" if length_s < 9.995 else f"{length_s:.0f} s"
