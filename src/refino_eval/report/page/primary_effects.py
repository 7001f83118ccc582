"""The main effects as the first page shows them: a sentence, a row of a table and a mark in one figure each.

The outcomes have different units, so that the figure has one axis only in per cent of the control means.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for, format_statistic
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.studies.forest_drawing import Axis

WIDTH, LEFT, RIGHT = 400, 20, 380
"""Width of the drawing, such that its letters are legible on a phone, and where its axis begins and ends."""
LINE, MARK, GAP, FOOT = 15, 16, 8, 40
LONGEST = 64
"""Letters in a line of the drawing."""


@dataclass(frozen=True)
class MainEffect:
    """One effect with its interval.

    Attributes
    ----------
    name
        The outcome and what it reads, after the arm's name where there are several treated arms.
    estimate, interval, mean
        In the outcome's own unit, as texts; `mean` is that of the control arm, empty where there is none.
    level
        Of the confidence interval, in per cent.
    relative
        Estimate and limits divided by the control mean, which is taken as given; None unless that mean is positive.
    sentence
        The effect in words.
    includes_zero
        Whether the interval includes zero.
    """

    name: str
    estimate: str
    interval: str
    mean: str
    level: str
    relative: tuple[float, float, float] | None
    sentence: str
    includes_zero: bool


def main_effect(
    frame: pd.DataFrame, specification: str, column: str, outcome: str, labels: LabelBook, *, prefix: str = ""
) -> MainEffect | None:
    """Return one effect with its confidence interval; None when it was not estimated or was suppressed."""
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
    estimate, low, high = (style.fixed(cell[key] * scale, decimals) for key in ("estimate", "conf_low", "conf_high"))
    about = [labels.outcome(outcome), *([window_text(entry, labels.language).split(" (")[0]] if entry else [])]
    about += [labels.say("summary.measured_in", unit=unit)] if measured else []
    specified = labels.specification_of(specification)
    level = f"{(specified.level if specified else 0.95) * 100:g}"
    zero = includes_zero(cell)
    values = {
        "outcome": ", ".join(about), "estimate": estimate + behind, "low": low, "high": high, "level": level,
        "conclusion": labels.say("summary.includes_zero" if zero else "summary.excludes_zero"),
    }  # fmt: skip
    mean = cell.get("mean_control", math.nan)
    text = "" if math.isnan(mean) else style.percent(mean, 0) if points else format_statistic(style, "mean_control", mean) + behind  # fmt: skip
    sentence = labels.say("summary.effect_and_mean", mean=text, **values) if text else labels.say("summary.effect", **values)  # fmt: skip
    return MainEffect(
        name=prefix + ", ".join(about),
        estimate=estimate + behind,
        interval=labels.say("summary.interval", low=low, high=high),
        mean=text,
        level=level,
        relative=(cell["estimate"] / mean, cell["conf_low"] / mean, cell["conf_high"] / mean) if mean > 0.0 else None,
        sentence=prefix + sentence,
        includes_zero=zero,
    )


def includes_zero(cell: Mapping[str, float]) -> bool:
    """Return whether an effect's confidence interval includes zero."""
    return cell["conf_low"] <= 0.0 <= cell["conf_high"]


def effects_table(effects: Sequence[MainEffect], labels: LabelBook) -> SummaryTable:
    """Return the effects as rows: control mean, estimate and interval, in units and in per cent of the control mean."""
    style = NumberStyle.of(labels.language)
    rows = []
    for effect in effects:
        relative = [style.percent(share) for share in effect.relative or ()]
        shown = (
            [relative[0], labels.say("summary.interval", low=relative[1], high=relative[2])] if relative else ["", ""]
        )
        rows.append((effect.name, effect.mean, effect.estimate, effect.interval, *shown))
    head = ("outcome", "control_mean", "estimate", "limits", "relative", "relative_limits")
    return SummaryTable(tuple(labels.say(f"summary.head_{key}") for key in head), tuple(rows), ("left", *["right"] * 5))


def effects_drawing(effects: Sequence[MainEffect], labels: LabelBook) -> dict[str, Any] | None:
    """Return what the template draws: each effect in per cent of its control mean, on one axis; None where there is no such effect."""
    drawn = [(effect, effect.relative) for effect in effects if effect.relative is not None]
    if not drawn:
        return None
    style = NumberStyle.of(labels.language)
    axis = Axis.of([100.0 * share for _, relative in drawn for share in relative])
    rows, y = [], LINE
    for effect, relative in drawn:
        estimate, low, high = (axis.at(100.0 * share, LEFT, RIGHT) for share in relative)
        share = labels.say("summary.share_of_mean", share=style.percent(relative[0]), mean=effect.mean)
        value = f"{effect.estimate} {effect.interval} · {share}"
        lines = [*textwrap.wrap(effect.name, LONGEST), value]
        texts = [{"y": y + LINE * k, "text": text} for k, text in enumerate(lines)]
        y += LINE * (len(lines) - 1) + MARK
        rows.append({
            "name": texts[:-1], "value": texts[-1], "y": y - 2, "x": estimate, "low": low, "high": high,
            "filled": not effect.includes_zero,
        })  # fmt: skip
        y += MARK + GAP
    bottom = y - LINE
    ticks = [
        {"x": axis.at(tick, LEFT, RIGHT), "text": style.fixed(tick, 0 if float(tick).is_integer() else 1)}
        for tick in axis.ticks
    ]
    return {
        "rows": rows, "ticks": ticks, "zero": axis.at(0.0, LEFT, RIGHT), "bottom": bottom, "width": WIDTH,
        "height": bottom + FOOT, "middle": (LEFT + RIGHT) / 2, "described": " ".join(effect.sentence for effect, _ in drawn),
    }  # fmt: skip
