"""A forest as SVG: effects with their intervals by horizon, each a text and a mark on one axis.

Drawn twice: with texts next to the marks for a wide screen and paper, and above them for a narrow one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from refino_eval.config.across.forests import Forest
from refino_eval.config.base import Language
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.studies.forest import ForestEffect, Heterogeneity, by_horizon
from refino_eval.text import say

HEAD, LINE = 34, 24
STEPS = (1, 2, 2.5, 5)


@dataclass(frozen=True)
class Shape:
    """A form of the drawing: its width, where its axis begins and ends, the height of a row and of its foot.

    In a `stacked` one the text of an effect is above its mark.
    """

    name: str
    width: int
    left: int
    right: int
    row: int
    foot: int
    legend: tuple[tuple[int, int], ...]
    most_ticks: int
    stacked: bool


SHAPES = (
    Shape("wide", 940, 400, 730, 24, 46, ((0, 0), (190, 0), (280, 0)), 9, stacked=False),
    Shape("narrow", 340, 12, 328, 54, 94, ((0, 22), (0, 40), (110, 40)), 5, stacked=True),
)
"""The forms, the widest first."""


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

    def at(self, value: float, left: float, right: float) -> float:
        """Return the horizontal position of a value on an axis from `left` to `right`."""
        return round(left + (right - left) * (value - self.low) / (self.high - self.low), 1)


def forest_drawing(
    forest: Forest, effects: list[ForestEffect], language: Language, shape: Shape = SHAPES[0]
) -> dict[str, Any]:
    """Return what the template of a forest draws: positions, marks and texts, and the same in words.

    Parameters
    ----------
    forest
        Its definition.
    effects
        As `forest_effects` returns them, at least one.
    language
        ``nb`` or ``en``.
    shape
        The form of the drawing.
    """
    style = NumberStyle.of(language)
    axis = Axis.of([v for e in effects for v in (e.low, e.estimate, e.high) if math.isfinite(v)])
    rows: list[dict[str, Any]] = []
    y = HEAD
    for horizon, own, among in by_horizon(effects):
        rows.append(
            {"y": y, "head": say("studies.month", language, month=horizon), "among": _among(among, style, language)}
        )
        y += LINE
        for effect in own:
            rows.append({"y": y, "head": "", **_row(effect, axis, style, language, shape, y)})
            y += shape.row
        y += LINE // 2
    # Every second tick, or every third, where all would be too close.
    step = math.ceil(len(axis.ticks) / shape.most_ticks)
    ticks = [tick for tick in axis.ticks if round(tick / (axis.ticks[1] - axis.ticks[0])) % step == 0]
    return {
        "rows": rows,
        "ticks": [
            {
                "x": axis.at(tick, shape.left, shape.right),
                "text": style.fixed(tick, 0 if float(tick).is_integer() else 1),
            }
            for tick in ticks
        ],
        "zero": axis.at(0.0, shape.left, shape.right),
        "top": HEAD - LINE // 2,
        "bottom": y - LINE // 2,
        "height": y + shape.foot,
        "width": shape.width,
        "middle": (shape.left + shape.right) / 2,
        "unit": forest.unit[language],
        "shape": shape.name,
        "stacked": shape.stacked,
        "legend": shape.legend,
        "described": " ".join(
            f"{row['head']}." if row["head"] else f"{row['label']}, {row['detail']}: {row['value']}." for row in rows
        ),
    }


def _row(
    effect: ForestEffect, axis: Axis, style: NumberStyle, language: Language, shape: Shape, y: int
) -> dict[str, Any]:
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
    left, right = shape.left, shape.right
    return {
        "label": effect.row.label[language],
        "detail": f"{effect.row.outcome[language]}{people}",
        "value": value,
        "mark": y + 27 if shape.stacked else y - 4,
        "x": axis.at(effect.estimate, left, right),
        "low": axis.at(low, left, right) if has_interval else None,
        "high": axis.at(high, left, right) if has_interval else None,
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
