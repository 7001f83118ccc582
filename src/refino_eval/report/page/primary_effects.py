"""The main effects as the first page shows them: a table with a mark for each effect, on one axis.

Outcomes have different units, so that their common axis is in per cent of the control means; where an effect has no such
share and all have one unit, the axis has that unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from refino_eval.config.definitions import Outcome
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for, format_statistic
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.studies.forest_drawing import Axis

WIDTH, LEFT, RIGHT = 280, 14, 266
"""Width of the column with the marks, and where its axis begins and ends, in units of the drawing."""
LONGEST = 40
"""Letters of what an outcome reads, beyond which the first page leaves it to the definitions."""
DIRECTION = 56
"""Room that the name of a side of zero needs, in the same units."""

MOST = 12
"""Effects that the first page shows unfolded."""
FIRST = 6
"""Those that it shows unfolded where nothing says which matter most."""


@dataclass(frozen=True)
class MainEffect:
    """One effect with its interval.

    Attributes
    ----------
    name
        The outcome and what it reads, after the arm's name where there are several treated arms.
    estimate, interval, mean
        In the outcome's own unit, as texts; `mean` is that of the control arm, empty where there is none.
    signed
        The estimate with its sign and unit, for a sentence.
    level
        Of the confidence interval, in per cent.
    relative
        Estimate and limits divided by the control mean, which is taken as given; None unless that mean is positive.
    absolute
        Estimate and limits in the outcome's own unit, percentage points for shares.
    unit
        That unit; empty where the outcome has none.
    compatible
        The range of effects that the data are compatible with, in words.
    includes_zero
        Whether the interval includes zero.
    """

    name: str
    estimate: str
    interval: str
    mean: str
    signed: str
    level: str
    relative: tuple[float, float, float] | None
    absolute: tuple[float, float, float]
    unit: str
    compatible: str
    includes_zero: bool


def main_effect(
    frame: pd.DataFrame,
    specification: str,
    column: str,
    outcome: str,
    labels: LabelBook,
    *,
    prefix: str = "",
    about: Sequence[str] = (),
) -> MainEffect | None:
    """Return one effect with its confidence interval; None when it was not estimated or was suppressed.

    What `prefix` says is put before the name, and `about` behind the outcome.
    """
    cell = statistics_at(frame, specification, labels.treated, column)
    if not {"estimate", "std_error", "conf_low", "conf_high"} <= set(cell):
        return None
    style = NumberStyle.of(labels.language)
    entry = labels.definitions.outcomes.get(outcome)
    # The effect on a share is shown in percentage points: .01 of a share is a number that few can picture.
    points = entry is not None and labels.outcome_is_share(entry)
    unit = labels.say("summary.percentage_points") if points else entry.unit[labels.language] if entry else ""
    # A unit such as 100 000 kr would be misread behind a number, and is named before it.
    measured = any(map(str.isdigit, unit))
    behind = f" {unit}" if unit and not measured else ""
    # All three with the decimals of the standard error: more of them would be noise.
    scale = 100.0 if points else 1.0
    decimals = decimals_for(cell["std_error"] * scale, 2)
    estimate, low, high = (style.rounded(cell[key] * scale, decimals) for key in ("estimate", "conf_low", "conf_high"))
    in_unit = [labels.say("summary.measured_in", unit=unit)] if measured else []
    specified = labels.specification_of(specification)
    level = f"{(specified.level if specified else 0.95) * 100:g}"
    mean = cell.get("mean_control", math.nan)
    label = labels.outcome(outcome)
    named = ", ".join([label, *about, *in_unit])
    return MainEffect(
        name=prefix + ", ".join([label, *about, *_short_window(entry, label, labels), *in_unit]),
        estimate=estimate + behind,
        interval=labels.say("summary.interval", low=low, high=high),
        signed=", ".join(["+" * (cell["estimate"] > 0.0) + estimate + behind, *in_unit]),
        mean=_mean_text(mean, style, points=points),
        level=level,
        absolute=(cell["estimate"] * scale, cell["conf_low"] * scale, cell["conf_high"] * scale),
        unit=unit,
        compatible=prefix + labels.say("summary.compatible", outcome=named, low=low, high=high + behind, level=level),
        relative=(cell["estimate"] / mean, cell["conf_low"] / mean, cell["conf_high"] / mean) if mean > 0.0 else None,
        includes_zero=includes_zero(cell),
    )


def _short_window(entry: Outcome | None, label: str, labels: LabelBook) -> list[str]:
    """Return the window of an outcome in words, unless its label has it; one that is long or an expression is left to the definitions."""
    window = window_text(entry, labels.language, brief=True) if entry else ""
    brief = 0 < len(window) <= LONGEST and "`" not in window
    return [window] if brief and not _mentions(label, window) else []


def _mean_text(mean: float, style: NumberStyle, *, points: bool) -> str:
    """Return the control group's mean: in per cent where effects are in percentage points; the effect next to it has the unit."""
    if math.isnan(mean):
        return ""
    return style.percent(mean, 0) if points else format_statistic(style, "mean_control", mean)


def _mentions(label: str, window: str) -> bool:
    """Return whether a label names the period that the outcome reads; that it begins at 1 may go without saying."""
    read, mentioned = re.findall(r"\d+", window), re.findall(r"\d+", label)
    return bool(read) and read[-1] in mentioned and set(read[:-1]) - {"1"} <= set(mentioned)


def includes_zero(cell: Mapping[str, float]) -> bool:
    """Return whether an effect's confidence interval includes zero."""
    return cell["conf_low"] <= 0.0 <= cell["conf_high"]


@dataclass(frozen=True)
class Mark:
    """Where an effect and its limits stand on the axis, and whether the interval excludes zero."""

    x: float
    low: float
    high: float
    filled: bool


@dataclass(frozen=True)
class Forest:
    """A table of effects with a mark in each row.

    Attributes
    ----------
    head
        Of the columns, that of the marks last.
    rows
        Texts of each row, and its mark; None where the effect has no place on the axis.
    ticks
        Of the axis: place and text.
    zero
        Place of zero on it.
    unfolded
        Rows that are shown at once.
    width
        Of the drawing.
    directions
        What the sides of zero mean; empty where one of them has no room on the axis.
    in_units
        Whether the axis is in the outcomes' unit, rather than in per cent of the control means.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], Mark | None], ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float
    unfolded: int = MOST
    width: int = WIDTH
    directions: tuple[str, ...] = ()
    in_units: bool = False

    @property
    def as_table(self) -> SummaryTable:
        """The texts alone of the rows that are shown at once, for a document without drawings."""
        texts = tuple(texts for texts, _ in self.rows[: self.unfolded])
        return SummaryTable(self.head[:-1], texts, ("left", *["right"] * (len(self.head) - 2)))


def forest_of(effects: Sequence[MainEffect], labels: LabelBook, *, unfolded: int | None = None) -> Forest | None:
    """Return the effects as rows of a table with their marks, `unfolded` of them at once; None where there are no effects."""
    if not effects:
        return None
    style = NumberStyle.of(labels.language)
    in_units = _are_in_one_unit(effects)
    places = [effect.absolute if in_units else _percent(effect.relative) for effect in effects]
    drawn = [value for values in places if values is not None for value in values]
    axis = Axis.of(drawn or [1.0])
    rows = tuple(
        (_texts(effect, style, share=not in_units), _mark(axis, values, filled=not effect.includes_zero))
        for effect, values in zip(effects, places, strict=True)
    )
    keys = ("outcome", "control_mean", "estimate", "limits", *(() if in_units else ("relative",)))
    axis_name = labels.say("summary.axis_units", unit=effects[0].unit) if in_units else labels.say("summary.axis")
    head = (*(labels.say(f"summary.head_{key}") for key in keys), axis_name)
    ticks = _ticks(axis, style) if drawn else ()
    zero = axis.at(0.0, LEFT, RIGHT)
    roomy = bool(drawn) and min(zero, WIDTH - zero) >= DIRECTION
    directions = tuple(labels.say(f"summary.axis_{side}") for side in ("lower", "higher")) if roomy else ()
    return Forest(head, rows, ticks, zero, unfolded=unfolded or MOST, directions=directions, in_units=in_units)


def _are_in_one_unit(effects: Sequence[MainEffect]) -> bool:
    """Return whether the axis is in the outcomes' unit: they share one, and not all effects are shares of a mean."""
    return any(effect.relative is None for effect in effects) and len({effect.unit for effect in effects}) == 1


def _texts(effect: MainEffect, style: NumberStyle, *, share: bool) -> tuple[str, ...]:
    texts = (effect.name, effect.mean, effect.estimate, effect.interval)
    return (*texts, style.percent(effect.relative[0]) if effect.relative is not None else "") if share else texts


def _ticks(axis: Axis, style: NumberStyle) -> tuple[tuple[float, str], ...]:
    texts = (style.fixed(tick, 0 if float(tick).is_integer() else 1) for tick in axis.ticks)
    return tuple((axis.at(tick, LEFT, RIGHT), text) for tick, text in zip(axis.ticks, texts, strict=True))


def reach_of(effects: Sequence[MainEffect], labels: LabelBook) -> str:
    """State, in per cent of the control means, the range that no interval leaves; empty with fewer than two such effects."""
    shares = [effect.relative for effect in effects if effect.relative is not None]
    if len(shares) < 2 or len(shares) < len(effects):
        return ""
    percent = NumberStyle.of(labels.language).percent
    low, high = min(share[1] for share in shares), max(share[2] for share in shares)
    return labels.say("summary.reach", n=len(shares), low=percent(low), high=percent(high))


def _mark(axis: Axis, values: tuple[float, float, float] | None, *, filled: bool) -> Mark | None:
    if values is None:
        return None
    x, low, high = (axis.at(value, LEFT, RIGHT) for value in values)
    return Mark(x, low, high, filled)


def _percent(shares: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    return None if shares is None else (100.0 * shares[0], 100.0 * shares[1], 100.0 * shares[2])
