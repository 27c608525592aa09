"""Answers that arrive and that this box throws away itself: another table, a blocklist, a firewall in the input chain.

Such a line is not dead: its provider delivers. So an answer that was seen at the interface (sense/tap) counts as one,
and the line is told to be well but for this box. Whether people's traffic is thrown away too, their own packets say:
where they go out and nothing comes back, the line is left, and only answers that we really get bring it back.

Looking costs something, so not every question is watched: the last wave of a burst is, before it may convict; on a line
whose answers are known to be thrown away all are; seldom one on a dead line, and one to an address that alone is mute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from secondpath.model import Instant, Outcome, ProbeResult, TrafficSample

DOWN_LOOK_S, MUTE_LOOK_S = 60.0, 600.0
"""How often a question is watched on a line that is down, and one to an address that alone keeps silent."""
UNSERVED_PACKETS, UNSERVED_S = 4, 1.5
"""People's traffic is thrown away too when so many packets went out and nothing has come back for so long."""
REAL_S = 3.0
"""... unless a question was really answered within so long: then nothing is thrown away but answers to questions."""
LONE_S = 3.0
"""Whoever wants an answer asks again sooner: TCP after 1 s and 2 s (RFC 6298). What comes more slowly wants none."""


@dataclass(slots=True)
class OwnRules:
    """What one line's answers and traffic say of this box. `eaten` has the questions (URI) it threw away last.

    `left`: the line was left because people's traffic is lost too.
    """

    eaten: set[str] = field(default_factory=set)
    left: bool = False
    _looked_at: Instant = -math.inf
    _real_at: Instant = -math.inf
    _out: int = 0
    _since: Instant = math.inf
    _out_at: Instant = -math.inf

    def watches(self, now: Instant, last_wave: bool, down: bool, mute: bool) -> bool:
        """Whether a question that leaves now is to be watched."""
        pause_s = DOWN_LOOK_S if down else MUTE_LOOK_S if mute else math.inf
        if not (last_wave or self.eaten or now - self._looked_at >= pause_s):
            return False
        self._looked_at = now
        return True

    def read(self, now: Instant, result: ProbeResult) -> ProbeResult:
        """How a question ended, as the line is to be judged by it."""
        uri = result.probe.target.uri
        if result.outcome is Outcome.OK:
            self.eaten.discard(uri)
            self._real_at = now
        elif result.outcome is Outcome.EATEN:
            self.eaten.add(uri)
            return result if self.left else replace(result, outcome=Outcome.OK)
        return result

    def see_traffic(self, now: Instant, sample: TrafficSample) -> None:
        """Take in what people's traffic did."""
        if sample.in_:
            self.forget()
        elif sample.out:
            if now - self._out_at > LONE_S:
                self.forget()
            self._out_at = now
            self._out += sample.out
            self._since = min(self._since, now)

    def begin_afresh(self) -> None:
        """The line is up. One that was left has come up by real answers alone: nothing is known to be thrown away."""
        if self.left:
            self.eaten.clear()
        self.left = False
        self.forget()

    def forget(self) -> None:
        """What went out explains nothing any more."""
        self._out, self._since = 0, math.inf

    def starves(self, now: Instant) -> bool:
        """Whether people's traffic is thrown away as our answers are."""
        unserved = self._out >= UNSERVED_PACKETS and now - self._since >= UNSERVED_S
        return bool(self.eaten) and unserved and now - self._real_at >= REAL_S
