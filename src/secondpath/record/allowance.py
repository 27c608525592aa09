"""How much of each uplink's data allowance is used, and what follows. Pure: `now` and the wall clock come in.

    ledger = Ledger(); ledger.settle(site)
    for told in ledger.see(now, wall, "lte", tally, carrying=True): …
    ledger.usage(wall, "lte"); ledger.text(); ledger.take_up(text)

A cycle begins at midnight of the billing day by the office's clock, or of the last day of a month that has no such day.
What the interface counts is kept as it was read last, so what passed while we were not running counts too; after a
reboot, or with a new adapter, the counter has begun anew and counts in full. A clock that stands before what was seen
last is not believed (a box without a battery boots in 1970), so no cycle ever begins twice.

The stages follow the level. While the uplink carries people, the rate of the last quarter of an hour is looked at too:
if the data would be used up before the office closes (where that is not known: within eight hours), it is squeezed as
if 90 % were used, until the uplink is left. A person may lift all restraints until the data begins anew.
"""

from __future__ import annotations

import json
import math
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from secondpath.model import DataPlan, Instant, Site, Stage, Tally, UsageReading
from secondpath.wire.snapshot import Usage

LEVELS = ((1.0, Stage.USED_UP), (0.95, Stage.CRITICAL), (0.90, Stage.SQUEEZED), (0.75, Stage.WARNED))
"""From which share of the data on each stage holds."""
RANK: Mapping[Stage, int] = {stage: rank for rank, stage in enumerate(Stage)}
RATE_S = 900.0
"""Over so long the rate is averaged (exponentially)."""
SURE_S, TELL_AFTER_S = 300.0, 600.0
"""So long an uplink has to have carried people before its rate restrains anybody, and before it is told."""
TELL_S = 86_400.0
"""That data will be used up is told when it is so near."""
HORIZON_S = 28_800.0
PACE_SHARE = 0.9
SET_BACK = timedelta(days=1)
"""A clock further back than this is not believed."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Told:
    """Something to be told of an uplink's allowance: the stage before and after, why, and the figures."""

    before: Stage
    after: Stage
    reason: str
    detail: Mapping[str, str | int]


@dataclass(slots=True)
class Account:
    """One uplink. `rate` and `weight` are the sums of the exponential mean, since `carrying_since`."""

    plan: DataPlan
    begins: date | None = None
    used_bytes: int = 0
    tally: Tally | None = None
    seen_at: datetime | None = None
    stage: Stage = Stage.AMPLE
    lifted: bool = False
    hurried: bool = False
    foretold: bool = False
    looked_at: Instant = -math.inf
    carrying_since: Instant | None = None
    rate: float = 0.0
    weight: float = 0.0

    @property
    def data_bytes(self) -> int:
        """The allowance."""
        return self.plan.data_bytes or 0

    @property
    def rate_bps(self) -> float:
        """The mean rate, both ways together, while it carries people."""
        return 8 * self.rate / self.weight if self.weight else 0.0


def billing_day(year: int, month: int, renews_on: int) -> date:
    """The day of that month on which the data begins anew."""
    return date(year, month, min(renews_on, monthrange(year, month)[1]))


def cycle_of(today: date, renews_on: int | None) -> tuple[date, date]:
    """The first day of the cycle in which a day lies, and that of the next one. Without a billing day: the month."""
    day = renews_on or 1
    begins = billing_day(today.year, today.month, day)
    if today < begins:
        before = today.replace(day=1) - timedelta(days=1)
        return billing_day(before.year, before.month, day), begins
    after = today.replace(day=28) + timedelta(days=4)
    return begins, billing_day(after.year, after.month, day)


def closes_at(wall: datetime, hours: Mapping[str, str]) -> datetime:
    """Until when data should last: the end of today's office hours, or eight hours where none are known or left."""
    said = hours.get(DAYS[wall.weekday()], "")
    last = said.rpartition("-")[2].strip()
    if last:
        hour, minute = (int(part) for part in last.split(":"))
        closes = datetime.combine(wall.date(), time(hour % 24, minute), wall.tzinfo)
        closes += timedelta(days=1) if hour == 24 else timedelta()
        if closes > wall:
            return closes
    return wall + timedelta(seconds=HORIZON_S)


class Ledger:
    """The accounts of one site: of every uplink whose plan has a limit."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._kept: dict[str, Mapping[str, object]] = {}
        self._zone = ZoneInfo("UTC")
        self._hours: Mapping[str, str] = {}

    def settle(self, site: Site) -> None:
        """Take a configuration over. What was used stays, whatever the plan says now."""
        self._zone, self._hours = ZoneInfo(site.timezone), site.hours
        limited = {u.name: u.plan for u in site.uplinks if u.plan is not None and u.plan.data_bytes}
        for name, account in self._accounts.items():
            self._kept.setdefault(name, _kept(account))
        accounts = {}
        for name, plan in limited.items():
            account = self._accounts.get(name) or _read(plan, self._kept.pop(name, {}))
            account.plan = plan
            accounts[name] = account
            self._kept.pop(name, None)
        self._accounts = accounts

    def stages(self) -> dict[str, Stage]:
        """How far each allowance is used."""
        return {name: account.stage for name, account in self._accounts.items()}

    def reading(self, wall: datetime, uplink: str) -> UsageReading:
        """What the engine has to know of it. The pace is told in steps of a twentieth, for it changes all the time."""
        account = self._accounts[uplink]
        squeezed = RANK[account.stage] >= RANK[Stage.SQUEEZED]
        return UsageReading(uplink, account.stage, _stepped(self._pace_bps(account, wall)) if squeezed else None)

    def see(self, now: Instant, wall: datetime, uplink: str, tally: Tally, *, carrying: bool) -> Iterator[Told]:
        """Take in what the interface has counted; what there is to tell of it."""
        account = self._accounts.get(uplink)
        if account is None:
            return
        grown = growth(account.tally, tally)
        account.tally = tally
        if account.seen_at is None or wall > account.seen_at - SET_BACK:
            yield from self._renew(account, wall)
        account.used_bytes += grown
        _average(account, now, grown, carrying)
        yield from self._judge(account, wall, "level")
        yield from self._foretell(account, now, wall)

    def correct(self, wall: datetime, uplink: str, used_bytes: int) -> Iterator[Told]:
        """A person has looked it up: so much is used in the cycle of today."""
        account = self._accounts[uplink]
        account.begins, account.seen_at = self._cycle(account, wall)[0], wall
        account.used_bytes, account.hurried, account.foretold = used_bytes, False, False
        before = account.stage
        list(self._judge(account, wall, "corrected"))
        yield Told(before, account.stage, "corrected", self._figures(account, wall))

    def lift(self, wall: datetime, uplink: str, *, lifted: bool) -> Iterator[Told]:
        """A person lifts all restraints until the data begins anew, or has them again."""
        account = self._accounts[uplink]
        account.lifted, before = lifted, account.stage
        list(self._judge(account, wall, "lifted"))
        yield Told(before, account.stage, "lifted" if lifted else "kept", self._figures(account, wall))

    def usage(self, wall: datetime, uplink: str) -> Usage | None:
        """All there is to say of an uplink's allowance; None where its plan has no limit."""
        account = self._accounts.get(uplink)
        if account is None:
            return None
        return Usage(
            used_bytes=account.used_bytes,
            data_bytes=account.data_bytes,
            stage=account.stage,
            lifted=account.lifted,
            hurried=account.hurried,
            renews_at=self._renews_at(account, wall),
            runs_out_at=self._runs_out_at(account, wall),
            rate_bps=round(account.rate_bps),
            pace_bps=self._pace_bps(account, wall),
        )

    # cycles

    def _local(self, wall: datetime) -> datetime:
        return wall.astimezone(self._zone)

    def _cycle(self, account: Account, wall: datetime) -> tuple[date, date]:
        return cycle_of(self._local(wall).date(), account.plan.renews_on)

    def _renews_at(self, account: Account, wall: datetime) -> datetime:
        return datetime.combine(self._cycle(account, wall)[1], time(), self._zone)

    def _renew(self, account: Account, wall: datetime) -> Iterator[Told]:
        begins, account.seen_at = self._cycle(account, wall)[0], wall
        if account.begins is None:
            account.begins = begins
        elif begins > account.begins:
            before = account.stage
            account.begins, account.used_bytes, account.stage = begins, 0, Stage.AMPLE
            account.lifted = account.hurried = account.foretold = False
            yield Told(before, Stage.AMPLE, "renewed", self._figures(account, wall))

    # stages

    def _judge(self, account: Account, wall: datetime, reason: str) -> Iterator[Told]:
        ratio = account.used_bytes / account.data_bytes
        stage = next((stage for share, stage in LEVELS if ratio >= share), Stage.AMPLE)
        if account.hurried and RANK[stage] < RANK[Stage.SQUEEZED]:
            stage = Stage.SQUEEZED
        if account.lifted and RANK[stage] > RANK[Stage.WARNED]:
            stage = Stage.WARNED
        if stage is not account.stage:
            before, account.stage = account.stage, stage
            yield Told(before, stage, reason, self._figures(account, wall))

    def _foretell(self, account: Account, now: Instant, wall: datetime) -> Iterator[Told]:
        if account.carrying_since is None:
            if account.hurried:
                account.hurried = False
                yield from self._judge(account, wall, "left")
            return
        out_at = self._runs_out_at(account, wall)
        carried_s = now - account.carrying_since
        if out_at is None or carried_s < SURE_S:
            return
        if not account.hurried and out_at < closes_at(self._local(wall), self._hours):
            account.hurried = True
            yield from self._judge(account, wall, "projection")
        if not account.foretold and carried_s >= TELL_AFTER_S and out_at < wall + timedelta(seconds=TELL_S):
            account.foretold = True
            yield Told(account.stage, account.stage, "foretold", self._figures(account, wall))

    def _runs_out_at(self, account: Account, wall: datetime) -> datetime | None:
        """When the data would be used up at this rate; None where it lasts until it begins anew, or is gone."""
        left_bytes = account.data_bytes - account.used_bytes
        if left_bytes <= 0 or account.rate_bps <= 0:
            return None
        left_s = 8 * left_bytes / account.rate_bps
        renews_at = self._renews_at(account, wall)
        return wall + timedelta(seconds=left_s) if left_s < (renews_at - wall).total_seconds() else None

    def _pace_bps(self, account: Account, wall: datetime) -> int:
        """The mean rate at which nine tenths of what is left last until the office closes."""
        left_s = (closes_at(self._local(wall), self._hours) - wall).total_seconds()
        return round(8 * PACE_SHARE * max(0, account.data_bytes - account.used_bytes) / max(60.0, left_s))

    def _figures(self, account: Account, wall: datetime) -> dict[str, str | int]:
        figures: dict[str, str | int] = {"used_bytes": account.used_bytes, "data_bytes": account.data_bytes}
        out_at = self._runs_out_at(account, wall)
        if out_at is not None:
            figures["runs_out_at"] = out_at.astimezone(ZoneInfo("UTC")).isoformat(timespec="seconds")
        figures["renews_at"] = self._renews_at(account, wall).isoformat(timespec="seconds")
        return figures

    # over a restart

    def text(self) -> str:
        """To be remembered over a restart."""
        return json.dumps(self._kept | {name: _kept(account) for name, account in self._accounts.items()})

    def take_up(self, text: str) -> None:
        """What an earlier life remembered, before `settle`. ValueError if that cannot be read; then nothing changes."""
        try:
            said = json.loads(text or "{}")
            for one in said.values():
                _read(DataPlan(data_bytes=1), one)
        except (TypeError, AttributeError, LookupError) as error:
            raise ValueError(str(error)) from error
        self._kept, self._accounts = said, {}


def _stepped(bps: int) -> int:
    """The next lower step; from one to the next it is five percent."""
    return round(1.05 ** math.floor(math.log(bps, 1.05))) if bps > 0 else 0


def growth(before: Tally | None, after: Tally) -> int:
    """The bytes between two looks. A counter that has begun anew counts in full; of the very first nothing does."""
    if before is None:
        return 0
    if before.counter != after.counter or after.octets < before.octets:
        return after.octets
    return after.octets - before.octets


def _average(account: Account, now: Instant, grown: int, carrying: bool) -> None:
    passed_s, account.looked_at = now - account.looked_at, now
    if not carrying:
        account.carrying_since, account.rate, account.weight, account.foretold = None, 0.0, 0.0, False
        return
    if account.carrying_since is None:
        account.carrying_since = now
        return
    if passed_s > 0:
        keep = math.exp(-passed_s / RATE_S)
        account.rate = account.rate * keep + grown / passed_s * (1 - keep)
        account.weight = account.weight * keep + (1 - keep)


def _kept(account: Account) -> dict[str, object]:
    return {
        "begins": account.begins.isoformat() if account.begins else None,
        "used_bytes": account.used_bytes,
        "counter": account.tally.counter if account.tally else None,
        "octets": account.tally.octets if account.tally else None,
        "seen_at": account.seen_at.isoformat() if account.seen_at else None,
        "stage": account.stage.value,
        "lifted": account.lifted,
        "hurried": account.hurried,
    }


def _read(plan: DataPlan, kept: Mapping[str, object]) -> Account:
    if not kept:
        return Account(plan)
    counter, begins, seen_at = kept["counter"], kept["begins"], kept["seen_at"]
    return Account(
        plan,
        begins=date.fromisoformat(str(begins)) if begins else None,
        used_bytes=int(str(kept["used_bytes"])),
        tally=Tally(str(counter), int(str(kept["octets"]))) if counter is not None else None,
        seen_at=datetime.fromisoformat(str(seen_at)) if seen_at else None,
        stage=Stage(str(kept["stage"])),
        lifted=bool(kept["lifted"]),
        hurried=bool(kept["hurried"]),
    )
