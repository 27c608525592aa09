"""How many calls at once: Erlang B (A. K. Erlang, 1917), by the stable recursion."""

import math


def blocking_ratio(offered_erlang: float, lines: int) -> float:
    """Share of calls that find every line busy: B(0) = 1, B(n) = A B(n-1) / (n + A B(n-1)).

    Raises ValueError for a negative load or a negative number of lines.
    """
    if offered_erlang < 0 or lines < 0:
        raise ValueError(f"Erlang B needs a load and lines of at least 0, got {offered_erlang} and {lines}")
    blocked = 1.0
    for n in range(1, lines + 1):
        blocked = offered_erlang * blocked / (n + offered_erlang * blocked)
    return blocked


def offered_erlang(calls_per_h: float, handling_s: float) -> float:
    """Mean number of calls in progress if none were lost: calls per hour times handling seconds over 3600."""
    return calls_per_h * handling_s / 3600.0


def lines_needed(load_erlang: float, target_ratio: float = 0.01, phones: int | None = None) -> int:
    """Smallest number of lines with blocking at most `target_ratio`, never more than there are phones.

    Few phones make Erlang B conservative: people already on the phone do not place further calls.
    """
    if not 0 < target_ratio < 1:
        raise ValueError(f"a blocking target lies strictly between 0 and 1, got {target_ratio}")
    lines, blocked = 0, 1.0
    while blocked > target_ratio and (phones is None or lines < phones):
        lines += 1
        blocked = load_erlang * blocked / (lines + load_erlang * blocked)
    return lines


def load_carried(lines: int, target_ratio: float) -> float:
    """Largest load in erlangs that `lines` carry with blocking at most `target_ratio`."""
    low, high = 0.0, 10.0 + 3.0 * lines
    for _ in range(200):
        mid = 0.5 * (low + high)
        if mid in (low, high) or math.isclose(low, high, rel_tol=1e-14):
            break
        low, high = (mid, high) if blocking_ratio(mid, lines) < target_ratio else (low, mid)
    return 0.5 * (low + high)
