"""Spreading and discounting: capital recovery, net present value, payback."""

import math


def recovery_factor(interest_ratio: float, years: float) -> float:
    """CRF = r(1+r)^n / ((1+r)^n - 1): the yearly payment per dollar spent once; 1/n without interest."""
    if years <= 0 or interest_ratio < 0:
        raise ValueError(f"spreading a cost needs years > 0 and interest >= 0, got {years} and {interest_ratio}")
    if interest_ratio == 0:
        return 1.0 / years
    growth: float = (1.0 + interest_ratio) ** years
    return interest_ratio * growth / (growth - 1.0)


def present_value_usd(first_usd: float, yearly_usd: float, interest_ratio: float, years: float) -> float:
    """Net present value of a first payment (negative: spent) and a constant yearly saving."""
    return first_usd + yearly_usd / recovery_factor(interest_ratio, years)


def payback_years(spent_usd: float, yearly_usd: float) -> float:
    """Years until the savings repay what was spent; infinite if there are none."""
    return spent_usd / yearly_usd if yearly_usd > 0 else math.inf


def discounted_payback_years(spent_usd: float, yearly_usd: float, interest_ratio: float) -> float:
    """Years until the discounted savings repay what was spent; infinite if they never do."""
    if spent_usd <= 0:
        return 0.0
    remaining = 1.0 - spent_usd * interest_ratio / yearly_usd if yearly_usd > 0 else 0.0
    if remaining <= 0:
        return math.inf
    return (
        payback_years(spent_usd, yearly_usd)
        if interest_ratio == 0
        else -math.log(remaining) / math.log1p(interest_ratio)
    )
