"""How much bandwidth the office needs on the backup: critical work only, and everything, down and up.

Calls by Erlang B at 1 % blocking in a season's busy hour; everything else by the 95th percentile of how many are active
at once. Percentiles add up for critical work (careful); for full work the spreads add as squares (they do not peak
together). The link counts for 0.85 of what it delivered at its worst tenth, never for its peak.
"""

import math
from dataclasses import dataclass

from secondpath.plan.data_use import outage_gb
from secondpath.plan.erlang import blocking_ratio, lines_needed, offered_erlang
from secondpath.plan.inputs import Application, Rate, Shelf, Telephones, Uplink
from secondpath.plan.special import binomial_quantile
from secondpath.plan.voice import Codec, ip_rate_bps, rating, voice_capable

_VIDEO_USES = frozenset({"video-meeting", "teams-meeting", "zoom-one-to-one", "teams-screen"})
_VIDEO_SHARE = 0.125  # on the backup one meeting in eight keeps its picture; the others go on by voice
_BUSY = 0.95


@dataclass(frozen=True, slots=True)
class Need:
    """What one use needs: people active at once, and bits a second each way at that number and on average."""

    title: str
    critical: bool
    active: int
    down_bps: float
    up_bps: float
    mean_down_bps: float
    mean_up_bps: float


@dataclass(frozen=True, slots=True)
class Sizing:
    """Needs of an office, and both totals with head room."""

    lines: int
    erlang: float
    blocking_ratio: float
    needs: tuple[Need, ...]
    full_needs: tuple[Need, ...]
    critical_down_bps: float
    critical_up_bps: float
    full_down_bps: float
    full_up_bps: float
    drop_first: tuple[str, ...]

    def mean_bps(self, mean_share: float) -> float:
        """Mean rate on the backup, both directions added, for the data allowance."""
        return mean_share * (self.critical_down_bps + self.critical_up_bps)

    def gb_per_h(self, mean_share: float) -> float:
        """Gigabytes an hour of critical work."""
        return outage_gb(self.mean_bps(mean_share), 1.0)


def size(phones: Telephones, applications: tuple[Application, ...], shelf: Shelf) -> Sizing:
    """The needs of these people; raises KeyError for a use without a rate (the form has checked)."""
    load = offered_erlang(phones.per_h * phones.season_factor, phones.handling_s)
    lines = lines_needed(load, shelf.number("blocking_target"), phones.phones)
    calls = _calls(phones.codec, lines, load)
    least = (calls, *(_least(app, shelf.rates[app.use]) for app in applications if app.critical))
    full = (calls, *(_full(app, shelf.rates[app.use]) for app in applications))
    room = shelf.number("headroom")
    return Sizing(
        lines=lines,
        erlang=load,
        blocking_ratio=blocking_ratio(load, lines),
        needs=least,
        full_needs=full,
        critical_down_bps=room * sum(need.down_bps for need in least),
        critical_up_bps=room * sum(need.up_bps for need in least),
        full_down_bps=room * _together([(n.mean_down_bps, n.down_bps) for n in full]),
        full_up_bps=room * _together([(n.mean_up_bps, n.up_bps) for n in full]),
        drop_first=_drop_order(full, applications),
    )


def _calls(codec: Codec, lines: int, load: float) -> Need:
    rate = ip_rate_bps(codec)
    busy = min(load, float(lines))
    return Need(f"telephone calls ({codec.name})", True, lines, lines * rate, lines * rate, busy * rate, busy * rate)


def _least(app: Application, rate: Rate) -> Need:
    share = app.active_ratio * (_VIDEO_SHARE if app.use in _VIDEO_USES else 1.0)
    return _need(app, rate.least_down_bps, rate.least_up_bps, share)


def _full(app: Application, rate: Rate) -> Need:
    return _need(app, rate.full_down_bps, rate.full_up_bps, app.active_ratio)


def _need(app: Application, down_bps: float, up_bps: float, share: float) -> Need:
    active, mean = binomial_quantile(_BUSY, app.users, share), app.users * share
    return Need(app.title, app.critical, active, active * down_bps, active * up_bps, mean * down_bps, mean * up_bps)


def _together(pairs: list[tuple[float, float]]) -> float:
    """Means add; what each can exceed its mean by adds as squares."""
    excess = math.sqrt(sum(max(high - mean, 0.0) ** 2 for mean, high in pairs))
    return sum(mean for mean, _ in pairs) + excess


def _drop_order(full: tuple[Need, ...], applications: tuple[Application, ...]) -> tuple[str, ...]:
    """What to pause first.

    What is not critical, the largest upload first (upload is the scarce side of radio links).
    """
    video = {app.title for app in applications if app.use in _VIDEO_USES}
    order = sorted(full, key=lambda n: (n.critical and n.title not in video, n.critical, -n.up_bps))
    return tuple(n.title for n in order if not n.critical or n.title in video)


@dataclass(frozen=True, slots=True)
class Fit:
    """What a link can be planned with, against the need; `measured` False if only the contract is known."""

    uplink: str
    down_bps: float
    up_bps: float
    measured: bool
    carries_critical: bool
    carries_full: bool
    voice_rating: float | None
    voice_capable: bool | None


def fit(uplink: Uplink, sizing: Sizing, shelf: Shelf, codec: Codec) -> Fit:
    """Does the link carry the office? Unmeasured, half of the contract stands in for the worst tenth."""
    seen = uplink.delivered
    share = shelf.number("usable_share")
    down = share * (seen.down_bps if seen else 0.5 * uplink.down_bps)
    up = share * (seen.up_bps if seen else 0.5 * uplink.up_bps)
    r = rating(seen.delay_s, seen.loss_ratio, codec.impairment, codec.bpl) if seen else None
    return Fit(
        uplink=uplink.key,
        down_bps=down,
        up_bps=up,
        measured=seen is not None,
        carries_critical=down >= sizing.critical_down_bps and up >= sizing.critical_up_bps,
        carries_full=down >= sizing.full_down_bps and up >= sizing.full_up_bps,
        voice_rating=r,
        voice_capable=None if r is None else voice_capable(r),
    )
