"""The effect under every declared choice: estimates in order above, the choices behind each of them below."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from refino_eval.exhibits.kinds.specification_curve.model import SpecificationCurveExhibit
from refino_eval.exhibits.layout.drawing import LETTERS, Drawing, number_axis, source_line, treated_series
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import GRID, INK, QUIET
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.notes import data_class_note, window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic
from refino_eval.text import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EFFECT = ("estimate", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Choices:
    """One kind of choice: its name, its values, and the value that each variant (in order of estimates) took."""

    name: str
    values: tuple[str, ...]
    taken: tuple[int, ...]


ABREAST = 4
"""No more panels than this are side by side."""


def layout(exhibit: SpecificationCurveExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel for each outcome: its estimates from the smallest to the largest, over a dashboard of the choices."""
    labels = page.labels
    from matplotlib.figure import Figure

    ordered = variants(frame)
    names, *choices = choices_of(ordered, exhibit, labels)
    choices = [each for each in choices if len(each.values) > 1]
    rows = sum(len(each.values) + 1.4 for each in choices)
    # Panels in the order of the definition, not of the alphabet.
    order = [name for key in exhibit.columns for name in _panel_names(key, ordered, names)]
    panels = [names.values.index(name) for name in dict.fromkeys(order)]
    lines = -(-len(panels) // ABREAST)
    tall, low = 1.9, 0.17 * max(rows, 1)
    height = 0.45 + (tall + low + 0.35) * lines
    figure = Figure(figsize=(7.6, height))
    grid = figure.subplots(
        2 * lines, min(len(panels), ABREAST), squeeze=False, sharex="col" if lines == 1 else False,
        height_ratios=[tall, low] * lines,
    )  # fmt: skip
    alpha, reach = _alpha(exhibit, labels), _reach(ordered)
    median = float(_summary(frame).get("median", math.nan))
    for place, panel in enumerate(panels):
        line, column = divmod(place, ABREAST)
        top, bottom = grid[2 * line, column], grid[2 * line + 1, column]
        mine = [k for k in range(len(ordered)) if names.taken[k] == panel]
        _curve(top, ordered.iloc[mine], alpha, exhibit, treated_series(labels).color)
        top.axhline(median, color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        top.set_ylim(-reach, reach)
        number_axis(top.yaxis, labels.language)
        title = f"{LETTERS[place]}. {names.values[panel]}" if len(panels) > 1 else names.values[panel]
        width = 84 // min(len(panels), ABREAST)
        top.set_title("\n".join(textwrap.wrap(title, width, break_long_words=False)), fontsize=9.0, pad=5)
        top.tick_params(labelleft=column == 0)
        _dashboard(bottom, choices, mine, named=column == 0, color=treated_series(labels).color)
    for spare in grid[-2:, len(panels) % ABREAST or ABREAST :].ravel():
        if lines > 1:
            spare.set_axis_off()
    _head(figure, height, exhibit, frame, len(ordered), labels)
    source_line(figure, data_class_note(page.facts, labels.language))
    alt = _alt(frame, [names, *choices], labels.language)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt)


def _panel_names(key: str, ordered: pd.DataFrame, names: Choices) -> list[str]:
    """Return the name of the panel that an outcome is in, or nothing where none of its variants was estimated."""
    return [names.values[names.taken[place]] for place in np.flatnonzero(ordered["row"] == key)[:1]]


def _reach(ordered: pd.DataFrame) -> float:
    """Return how far from zero the intervals of all variants reach: panels have one scale."""
    reach = 1.08 * float(ordered[["conf_low", "conf_high"]].abs().to_numpy().max()) if len(ordered) else 1.0
    return reach or 1.0


def variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the estimated variants in increasing order: panel (specification), row (outcome), column (sample), numbers.

    Samples that are nearly the same as another are left out.
    """
    shown = (frame["panel"] != "summary") & ~frame["column"].isin(repeated_samples(frame))
    part = frame[shown & frame["statistic"].isin(EFFECT)]
    wide = part.pivot(index=["panel", "row", "column"], columns="statistic", values="value").dropna()
    return wide.reset_index().sort_values(["estimate", "panel", "row", "column"], ignore_index=True)


def repeated_samples(frame: pd.DataFrame) -> list[str]:
    """Return the samples that are nearly the same as another of the curve."""
    return list(frame.loc[(frame["panel"] == "summary") & (frame["row"] == "repeated"), "column"])


def choices_of(ordered: pd.DataFrame, exhibit: SpecificationCurveExhibit, labels: LabelBook) -> list[Choices]:
    """Return what was chosen: definition and window of the outcome (or the outcome itself), controls, sample."""
    outcomes = [exhibit.columns[key] for key in ordered["row"]]
    controls = [labels.specification(panel) for panel in ordered["panel"]]
    samples = [labels.sample(column) for column in ordered["column"]]
    return [
        *_outcome_choices(outcomes, labels),
        _choices(labels.say("specification_curve.choice_specification"), controls),
        _choices(labels.say("specification_curve.choice_sample"), samples),
    ]


def _outcome_choices(outcomes: Sequence[str], labels: LabelBook) -> list[Choices]:
    """Return definition and window of the outcomes where these two identify them, otherwise the outcomes themselves."""
    entries = [labels.definitions.outcomes.get(name) for name in outcomes]
    specified = [entry for entry in entries if entry is not None and entry.state is not None]
    windows = [window_text(entry, labels.language) for entry in specified]
    pairs = {(entry.state, window) for entry, window in zip(specified, windows, strict=True)}
    if len(specified) < len(outcomes) or len(pairs) < len(set(outcomes)):
        named = [labels.outcome(name) for name in outcomes]
        return [_choices(labels.say("specification_curve.choice_outcome"), named)]
    states = [labels.state(entry.state or "") for entry in specified]
    return [
        _choices(labels.say("specification_curve.choice_definition"), states),
        _choices(labels.say("specification_curve.choice_window"), list(map(_window, windows))),
    ]


def _window(text: str) -> str:
    """Return a window without what a reader of months knows: `the value in month 12`."""
    return text.partition(" (")[0]


def _choices(name: str, taken: Sequence[str]) -> Choices:
    values = tuple(sorted(dict.fromkeys(taken)))
    return Choices(name, values, tuple(values.index(each) for each in taken))


def _alpha(exhibit: SpecificationCurveExhibit, labels: LabelBook) -> float:
    levels = [entry.level for name in exhibit.specifications if (entry := labels.specification_of(name)) is not None]
    return 1 - min(levels, default=0.95)


def _curve(ax: Axes, ordered: pd.DataFrame, alpha: float, exhibit: SpecificationCurveExhibit, color: str) -> None:
    """Draw the variants of one outcome; a diamond is the specification and sample that the exhibit names first."""
    places = np.arange(len(ordered))
    ax.axhline(0, color=INK, linewidth=0.9, zorder=1)
    ax.vlines(places, ordered["conf_low"], ordered["conf_high"], color=color, linewidth=1.0, alpha=0.55, zorder=2)
    first = (ordered["panel"] == exhibit.specifications[0]) & (ordered["column"] == exhibit.samples_read[0])
    clear = ordered["p_value"] < alpha
    for main, marker, size in ((False, "o", 3.8), (True, "D", 4.4)):
        for significant, fill in ((False, "white"), (True, color)):
            part = ((first == main) & (clear == significant)).to_numpy()
            ax.plot(
                places[part], ordered["estimate"][part], linestyle="none", marker=marker, markersize=size,
                markerfacecolor=fill, markeredgecolor=color, markeredgewidth=0.9, zorder=3,
            )  # fmt: skip
    ax.tick_params(bottom=False, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(-0.8, max(len(ordered) - 0.2, 0.8))


def _summary(frame: pd.DataFrame) -> pd.Series:
    return frame[(frame["panel"] == "summary") & (frame["row"] == "all")].set_index("column")["value"]


def _head(
    figure: Figure,
    height: float,
    exhibit: SpecificationCurveExhibit,
    frame: pd.DataFrame,
    count: int,
    labels: LabelBook,
) -> None:
    """Write what is drawn, in which unit, and a summary of all variants."""
    style, summary = NumberStyle.of(labels.language), _summary(frame)
    heading = ", ".join(filter(None, (_heading(labels), _unit(exhibit, labels))))
    figure.suptitle(heading, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    median = format_statistic(style, "estimate", float(summary["median"]))
    share = style.percent(float(summary["significant"]), 0)
    text = labels.say("specification_curve.summary_line", count=count, median=median, share=share)
    figure.text(0.99, 1 - 0.125 / height, text, ha="right", va="top", fontsize=8.0, color=QUIET)


def _dashboard(ax: Axes, choices: Sequence[Choices], variants: Sequence[int], *, named: bool, color: str) -> None:
    """Mark which choices each variant of a panel made; the first panel of a line names them."""
    line, ticks, names, heads, marks = 0.0, [], [], [], []
    for each in choices:
        heads.append((line, each.name))
        for k, value in enumerate(each.values):
            line += 1
            ticks.append(line)
            names.append(value)
            marks += [(place, line) for place, variant in enumerate(variants) if each.taken[variant] == k]
        line += 1.4
    ends = (-0.8, max(len(variants) - 0.2, 0.8))
    ax.hlines(ticks, *ends, color=GRID, linewidth=0.7, zorder=1)
    across, down = zip(*marks, strict=True) if marks else ((), ())
    ax.plot(across, down, linestyle="none", marker="s", markersize=3.2, color=color, zorder=2)
    ax.set_yticks(ticks, names if named else [], fontsize=7.5)
    for at, text in heads if named else ():
        ax.annotate(
            text, (0, at), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8.0, fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    ax.set_xlim(*ends)
    ax.set_ylim(max(line, 1) - 0.4, -0.6)
    ax.grid(False)
    ax.tick_params(left=False, bottom=False, labelbottom=False, labelleft=named)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    if not choices:
        ax.set_axis_off()


def _heading(labels: LabelBook) -> str:
    return labels.word("effect_of").format(arm=labels.arm(labels.treated))


def _unit(exhibit: SpecificationCurveExhibit, labels: LabelBook) -> str:
    if exhibit.scale == "control_sd":
        return labels.say("specification_curve.unit_control_standard_deviations")
    entries = [labels.definitions.outcomes.get(name) for name in exhibit.columns.values()]
    units = list(dict.fromkeys(entry.unit[labels.language] for entry in entries if entry is not None))
    return ", ".join(units) if units else plain("")


def notes(exhibit: SpecificationCurveExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say how to read the curve, and what it is not."""
    level = f"{(1 - _alpha(exhibit, labels)) * 100:g}"
    repeated = [labels.sample(name) for name in repeated_samples(frame)]
    listed = ", ".join(labels.say("specification_curve.quoted", name=name) for name in repeated)
    return [
        labels.say(
            "specification_curve.curve_explained", level=level, main=labels.specification(exhibit.specifications[0])
        ),
        *([labels.say("specification_curve.samples_alike", n=len(repeated), samples=listed)] if repeated else []),
        labels.say("specification_curve.curve_is_no_test"),
    ]


def _alt(frame: pd.DataFrame, choices: Sequence[Choices], language: str) -> str:
    style = NumberStyle.of(language)
    summary = _summary(frame)
    texts = {key: format_statistic(style, "estimate", float(summary[key])) for key in ("lowest", "median", "highest")}
    count, share = style.integer(summary["estimated"]), style.percent(float(summary["significant"]), 0)
    varied = "; ".join(f"{each.name.lower()}: {', '.join(each.values)}" for each in choices)
    return say(
        "specification_curve.alt_curve",
        language,
        count=count,
        lowest=texts["lowest"],
        highest=texts["highest"],
        median=texts["median"],
        share=share,
        varied=varied,
    )
