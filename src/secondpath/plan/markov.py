"""A five-state chain for failover coverage: the oracle of the simulation, and the way to explain it.

It holds only exponential repair, which real repair is not; so it never feeds a printed number.
"""

import numpy as np
import numpy.typing as npt

from secondpath.plan.causes import HOURS_PER_YEAR


def covered_pair_down_h(
    primary: tuple[float, float], backup: tuple[float, float], coverage: float, manual_h: float
) -> float:
    """Hours a year offline of a primary and backup, each given as (failures a year, mean repair hours).

    States: 0 both up, 1 on backup, 2 primary down and not switched, 3 both down, 4 only the backup down.
    From 2 the primary is repaired, a person switches (mean `manual_h`), or the backup fails too. From 3 a repaired
    backup carries the office at once.
    """
    fail_p, fail_b = primary[0] / HOURS_PER_YEAR, backup[0] / HOURS_PER_YEAR
    mend_p, mend_b, switch = 1.0 / primary[1], 1.0 / backup[1], 1.0 / manual_h
    rates = {
        (0, 1): fail_p * coverage,
        (0, 2): fail_p * (1.0 - coverage),
        (0, 4): fail_b,
        (1, 0): mend_p,
        (1, 3): fail_b,
        (2, 0): mend_p,
        (2, 1): switch,
        (2, 3): fail_b,
        (3, 1): mend_b,
        (3, 4): mend_p,
        (4, 0): mend_b,
        (4, 3): fail_p,
    }
    share = _stationary(5, rates)
    return float(share[2] + share[3]) * HOURS_PER_YEAR


def _stationary(size: int, rates: dict[tuple[int, int], float]) -> npt.NDArray[np.float64]:
    generator = np.zeros((size, size))
    for (start, end), rate in rates.items():
        generator[start, end] += rate
        generator[start, start] -= rate
    generator[:, 0] = 1.0
    right = np.zeros(size)
    right[0] = 1.0
    return np.asarray(np.linalg.solve(generator.T, right), dtype=np.float64)
