"""The loss curve as a small SVG of our own: what is seen without JavaScript, and before it has loaded."""

from secondpath.plan.estimate import Band, Floats
from secondpath.plan.rounding import usd

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640.0, 220.0, 64.0, 26.0


def sketch(at_h: Floats, ordinary: tuple[Band, ...], season: tuple[Band, ...]) -> str:
    """SVG markup made of numbers only; colours come from the page's style sheet by class."""
    top = max(season[-1].p90, ordinary[-1].p90, 1.0)
    last = float(at_h[-1])

    def place(hour: float, dollars: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - 8.0) * hour / last
        return f"{x:.1f},{(_HEIGHT - _BOTTOM) * (1.0 - dollars / top) + 6.0:.1f}"

    def band_of(bands: tuple[Band, ...]) -> str:
        there = [place(float(h), b.p90) for h, b in zip(at_h, bands, strict=True)]
        back = [place(float(h), b.p10) for h, b in zip(at_h, bands, strict=True)]
        return " ".join(there + back[::-1])

    def line_of(bands: tuple[Band, ...]) -> str:
        return " ".join(place(float(h), b.p50) for h, b in zip(at_h, bands, strict=True))

    ticks = "".join(_tick(place(0.0, top * k / 4), usd(top * k / 4)) for k in range(5))
    hours = "".join(_hour(place(last * k / 4, 0.0), f"{last * k / 4:g} h") for k in range(1, 5))
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT + 14:.0f}" role="img" aria-label="Loss by hours without'
        f' internet"><polygon class="band season" points="{band_of(season)}"/><polygon class="band"'
        f' points="{band_of(ordinary)}"/><polyline class="line season" points="{line_of(season)}"/><polyline'
        f' class="line" points="{line_of(ordinary)}"/>{ticks}{hours}</svg>'
    )


def _tick(place: str, words: str) -> str:
    x, y = place.split(",")
    return f'<text x="{float(x) - 6:.1f}" y="{float(y) + 4:.1f}" text-anchor="end">{words}</text>'


def _hour(place: str, words: str) -> str:
    x, y = place.split(",")
    return f'<text x="{float(x):.1f}" y="{float(y) + 16:.1f}" text-anchor="end">{words}</text>'
