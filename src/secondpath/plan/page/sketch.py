"""The loss curve as a small SVG of our own: what is seen without JavaScript, and before it has loaded."""

from secondpath.plan.estimate import Band, Floats
from secondpath.plan.rounding import usd

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640.0, 220.0, 64.0, 26.0


def sketch(at_h: Floats, ordinary: tuple[Band, ...], season: tuple[Band, ...]) -> str:
    """SVG markup made of numbers only; colours come from the page's style sheet by class; no season, no line."""
    top = max(*(bands[-1].p90 for bands in (season, ordinary) if bands), 1.0)
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

    shades = [(season, " season")] * bool(season) + [(ordinary, "")]
    areas = "".join(f'<polygon class="band{kind}" points="{band_of(bands)}"/>' for bands, kind in shades)
    lines = "".join(f'<polyline class="line{kind}" points="{line_of(bands)}"/>' for bands, kind in shades)
    ticks = "".join(_tick(place(0.0, top * k / 4), usd(top * k / 4)) for k in range(5))
    hours = "".join(_hour(place(last * k / 4, 0.0), f"{last * k / 4:g} h") for k in range(1, 5))
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT + 14:.0f}" role="img" aria-label="Loss by hours without'
        f' internet">{areas}{lines}{ticks}{hours}</svg>'
    )


def _tick(place: str, words: str) -> str:
    x, y = place.split(",")
    return f'<text x="{float(x) - 6:.1f}" y="{float(y) + 4:.1f}" text-anchor="end">{words}</text>'


def _hour(place: str, words: str) -> str:
    x, y = place.split(",")
    return f'<text x="{float(x):.1f}" y="{float(y) + 16:.1f}" text-anchor="end">{words}</text>'
