"""An outcome's time window drawn on the axis of event time, as SVG."""

from __future__ import annotations

from refino_eval.catalogue.references import runs_of
from refino_eval.config.base import Language
from refino_eval.config.evaluation import Clock
from refino_eval.text import say

WIDTH, LEFT, TOP = 640.0, 14.0, 22.0
GAPS = {"month": (6, 12, 24), "week": (26, 52, 104, 208, 520)}
"""Distances between ticks; the first that gives at most ten gaps is used."""


def window_svg(times: tuple[int, ...], clock: Clock | None, unit: str, alternative: str, language: Language) -> str:
    """Draw which periods are read on the axis of event time.

    Parameters
    ----------
    times
        Event times read.
    clock
        The evaluation's clock, which is the axis; without one the axis covers what is read and the draw.
    unit
        ``month`` or ``week``.
    alternative
        The window in words: the picture's text alternative.
    language
        ``nb`` or ``en``.

    Returns
    -------
    str
        An SVG element; its colours come from the page's style sheet.
    """
    from markupsafe import escape

    first, last = min(0, *times), max(0, *times)
    if clock is not None:
        first, last = min(first, clock.first), max(last, clock.last)
    step = (WIDTH - 2 * LEFT) / (last - first + 1)

    def x(time: float) -> str:
        return f"{LEFT + (time - first) * step:.1f}"

    shapes = [f'<line class="axis" x1="{LEFT:g}" y1="{TOP + 16:g}" x2="{WIDTH - LEFT:g}" y2="{TOP + 16:g}"/>']
    for begin, end in runs_of(times):
        # At least three units wide, so that one week in a long window can be seen.
        width = max((end - begin + 1) * step, 3)
        shapes.append(f'<rect class="read" x="{x(begin)}" y="{TOP:g}" width="{width:.1f}" height="16" rx="1.5"/>')
        text = minus(f"{begin}" if begin == end else f"{begin}–{end}")
        shapes.append(f'<text class="span" x="{x((begin + end + 1) / 2)}" y="{TOP - 6:g}">{text}</text>')
    gap = next((gap for gap in GAPS[unit] if (last - first) / gap <= 10), 10_000)
    ticks = {0, *(time for time in range(first - first % gap, last + 1, gap) if time >= first)}
    for time in sorted(ticks):
        middle = x(time + 0.5)
        kind, top = ("draw", TOP - 2) if time == 0 else ("tick", TOP + 16)
        shapes.append(f'<line class="{kind}" x1="{middle}" y1="{top:g}" x2="{middle}" y2="{TOP + 21:g}"/>')
        shapes.append(f'<text x="{middle}" y="{TOP + 34:g}">{minus(str(time))}</text>')
    axis = say(f"catalogue.{unit}_axis", language)
    return (
        f'<svg class="window" viewBox="0 0 {WIDTH:g} 74" role="img" aria-label="{escape(alternative)}">{"".join(shapes)}'
        f'<text class="name" x="{WIDTH / 2:g}" y="70">{axis}</text></svg>'
    )


def minus(text: str) -> str:
    """Return a number's text with a true minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")
