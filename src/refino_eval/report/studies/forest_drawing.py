"""A forest as SVG: effects with their intervals by horizon, each a line of text and a mark on one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from refino_eval.config.across.forests import Forest
from refino_eval.config.base import Language
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.studies.forest import ForestEffect, Heterogeneity, by_horizon
from refino_eval.text import say

WIDTH, LEFT, RIGHT = 940, 400, 730
"""Width of the drawing, and where its axis begins and ends."""
ROW, HEAD, FOOT = 24, 34, 46
STEPS = (1, 2, 2.5, 5)


@dataclass(frozen=True)
class Axis:
    """A linear axis with round ticks that includes zero and all effects."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: list[float]) -> Axis:
        """Return the axis of some values."""
        low, high = min([0.0, *values]), max([0.0, *values])
        wanted = (high - low or 1.0) / 6.0
        power = 10.0 ** math.floor(math.log10(wanted))
        step = next((s * power for s in STEPS if s * power >= wanted), 10.0 * power)
        first, last = math.floor(low / step), math.ceil(high / step)
        return cls(first * step, last * step, tuple(k * step for k in range(first, last + 1)))

    def at(self, value: float, left: float = LEFT, right: float = RIGHT) -> float:
        """Return the horizontal position of a value on an axis from `left` to `right`."""
        return round(left + (right - left) * (value - self.low) / (self.high - self.low), 1)


def forest_drawing(forest: Forest, effects: list[ForestEffect], language: Language) -> dict[str, Any]:
    """Return what the template of a forest draws: positions, marks and texts.

    Parameters
    ----------
    forest
        Its definition.
    effects
        As `forest_effects` returns them, at least one.
    language
        ``nb`` or ``en``.
    """
    style = NumberStyle.of(language)
    axis = Axis.of([v for e in effects for v in (e.low, e.estimate, e.high) if math.isfinite(v)])
    rows: list[dict[str, Any]] = []
    y = HEAD
    for horizon, own, among in by_horizon(effects):
        rows.append(
            {"y": y, "head": say("studies.month", language, month=horizon), "among": _among(among, style, language)}
        )
        y += ROW
        for effect in own:
            rows.append({"y": y, "head": "", **_row(effect, axis, style, language)})
            y += ROW
        y += ROW // 2
    return {
        "rows": rows,
        "ticks": [
            {"x": axis.at(tick), "text": style.fixed(tick, 0 if float(tick).is_integer() else 1)} for tick in axis.ticks
        ],
        "zero": axis.at(0.0),
        "top": HEAD - ROW // 2,
        "bottom": y - ROW // 2,
        "height": y + FOOT,
        "width": WIDTH,
        "middle": (LEFT + RIGHT) / 2,
        "unit": forest.unit[language],
    }


def _row(effect: ForestEffect, axis: Axis, style: NumberStyle, language: Language) -> dict[str, Any]:
    """Return one effect: its texts, and its mark by design and origin."""
    low, high = effect.low, effect.high
    has_interval = math.isfinite(low) and math.isfinite(high)
    dash = ";" if style.decimal == "," else ","
    limits = f" [{style.fixed(low, 1)}{dash} {style.fixed(high, 1)}]" if has_interval else ""
    if effect.is_range:
        value = say("studies.range", language, low=style.fixed(low, 0), high=style.fixed(high, 0))
    else:
        value = style.fixed(effect.estimate, 1) + (limits or f" ({say('studies.no_standard_error', language)})")
    people = "" if effect.n is None else f", N = {style.integer(effect.n)}"
    origin = "synthetic" if effect.synthetic else "own" if effect.row.own is not None else "published"
    return {
        "label": effect.row.label[language],
        "detail": f"{effect.row.outcome[language]}{people}",
        "value": value,
        "x": axis.at(effect.estimate),
        "low": axis.at(low) if has_interval else None,
        "high": axis.at(high) if has_interval else None,
        "design": effect.row.design,
        "origin": origin,
        "is_range": effect.is_range,
    }


def _among(among: Heterogeneity | None, style: NumberStyle, language: Language) -> str:
    if among is None:
        return ""
    return say(
        "studies.heterogeneity", language,
        q=style.fixed(among.q, 1), df=among.df, p=style.p_value(among.p_value), share=style.percent(among.i_squared, 0),
    )  # fmt: skip
