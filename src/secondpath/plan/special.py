"""Distribution functions that numpy does not have: normal, gamma, beta, binomial, and their quantiles.

Series and continued fractions are the textbook ones (Abramowitz & Stegun 6.5.29, 6.5.31, 26.5.8), quantiles are
bisection: slow, but they cannot run away, and a plan asks for a handful of them. Checked against another library.
"""

import math
from collections.abc import Callable

_TINY = 1e-300
_EPS = 1e-15
_MAX_TERMS = 10_000


def normal_cdf(z: float) -> float:
    """Probability that a standard normal variable is at most `z`."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_tail(z: float) -> float:
    """Probability that a standard normal variable exceeds `z`; exact far out, where 1 - cdf would lose all digits."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def gamma_cdf(x: float, shape: float, rate: float) -> float:
    """Probability that Gamma(shape, rate) is at most `x`. Raises ValueError unless shape and rate are positive."""
    if shape <= 0 or rate <= 0:
        raise ValueError(f"gamma needs a positive shape and rate, got {shape} and {rate}")
    y = rate * x
    if y <= 0:
        return 0.0
    return _gamma_series(shape, y) if y < shape + 1 else 1.0 - _gamma_fraction(shape, y)


def _gamma_series(shape: float, y: float) -> float:
    term = total = 1.0 / shape
    n = shape
    for _ in range(_MAX_TERMS):
        n += 1.0
        term *= y / n
        total += term
        if term < total * _EPS:
            break
    return total * math.exp(-y + shape * math.log(y) - math.lgamma(shape))


def _gamma_fraction(shape: float, y: float) -> float:
    b = y + 1.0 - shape
    c = 1.0 / _TINY
    d = 1.0 / b
    h = d
    for i in range(1, _MAX_TERMS):
        a = -i * (i - shape)
        b += 2.0
        d = 1.0 / _away_from_zero(a * d + b)
        c = _away_from_zero(b + a / c)
        h *= d * c
        if abs(d * c - 1.0) < _EPS:
            break
    return h * math.exp(-y + shape * math.log(y) - math.lgamma(shape))


def _away_from_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY


def beta_cdf(x: float, a: float, b: float) -> float:
    """Probability that Beta(a, b) is at most `x`. Raises ValueError unless a and b are positive."""
    if a <= 0 or b <= 0:
        raise ValueError(f"beta needs two positive parameters, got {a} and {b}")
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1.0 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    h = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for numerator in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + numerator * d)
            c = _away_from_zero(1.0 + numerator / c)
            step = c * d
            h *= step
        if abs(step - 1.0) < _EPS:
            break
    return h


def normal_quantile(p: float) -> float:
    """The z below which a standard normal variable lies with probability `p`."""
    return _solve(normal_cdf, p, -40.0, 40.0)


def gamma_quantile(p: float, shape: float, rate: float) -> float:
    """The x below which Gamma(shape, rate) lies with probability `p`."""
    high = (shape + 1.0) / rate
    while gamma_cdf(high, shape, rate) < p:
        high *= 2.0
    return _solve(lambda x: gamma_cdf(x, shape, rate), p, 0.0, high)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x below which Beta(a, b) lies with probability `p`."""
    return _solve(lambda x: beta_cdf(x, a, b), p, 0.0, 1.0)


def _solve(cdf: Callable[[float], float], p: float, low: float, high: float) -> float:
    if not 0.0 < p < 1.0:
        raise ValueError(f"a quantile needs a probability strictly between 0 and 1, got {p}")
    for _ in range(200):
        mid = 0.5 * (low + high)
        if mid in (low, high):
            break
        low, high = (mid, high) if cdf(mid) < p else (low, mid)
    return 0.5 * (low + high)


def binomial_quantile(p: float, n: int, active_ratio: float) -> int:
    """Smallest k such that at most k of `n` independent users are active with probability at least `p`."""
    if n < 0 or not 0.0 <= active_ratio <= 1.0:
        raise ValueError(f"binomial needs n >= 0 and a ratio in 0..1, got {n} and {active_ratio}")
    if n == 0 or active_ratio in (0.0, 1.0):
        return round(n * active_ratio)
    log_odds = math.log(active_ratio) - math.log1p(-active_ratio)
    log_term = n * math.log1p(-active_ratio)
    below = math.exp(log_term)
    k = 0
    while below < p - 1e-12 and k < n:
        log_term += math.log((n - k) / (k + 1)) + log_odds
        k += 1
        below += math.exp(log_term)
    return k
