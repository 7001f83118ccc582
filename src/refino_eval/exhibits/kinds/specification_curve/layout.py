"""The effect under every declared choice: estimates in order above, the choices behind each of them below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.specification_curve.model import SpecificationCurveExhibit
from refino_eval.exhibits.layout.drawing import Drawing, number_axis, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import GRID, INK, QUIET, TREATED
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.notes import data_class_note, window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic
from refino_eval.text import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFECT = ("estimate", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Choices:
    """One kind of choice: its name, its values, and the value that each variant (in order of estimates) took."""

    name: str
    values: tuple[str, ...]
    taken: tuple[int, ...]


def layout(exhibit: SpecificationCurveExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the estimates from the smallest to the largest, with intervals, over a dashboard of the choices."""
    labels = page.labels
    from matplotlib.figure import Figure

    ordered = variants(frame)
    choices = [each for each in choices_of(ordered, exhibit, labels) if len(each.values) > 1]
    lines = sum(len(each.values) + 1 for each in choices)
    figure = Figure(figsize=(7.6, 3.0 + 0.19 * lines))
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2.6, 0.19 * max(lines, 1))})
    _curve(top, ordered, _alpha(exhibit, labels))
    number_axis(top.yaxis, labels.language)
    top.set_title(_heading(exhibit, labels))
    top.text(0.0, 1.02, _unit(exhibit, labels), transform=top.transAxes, va="bottom", fontsize=8.0, color=QUIET)
    _dashboard(bottom, choices, len(ordered))
    _median(top, frame, len(ordered), labels.language)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(frame, choices, labels.language))


def variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the estimated variants in increasing order: panel (specification), row (outcome), column (sample), numbers."""
    part = frame[(frame["panel"] != "summary") & frame["statistic"].isin(EFFECT)]
    wide = part.pivot(index=["panel", "row", "column"], columns="statistic", values="value").dropna()
    return wide.reset_index().sort_values(["estimate", "panel", "row", "column"], ignore_index=True)


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


def _curve(ax: Axes, ordered: pd.DataFrame, alpha: float) -> None:
    places = range(len(ordered))
    ax.axhline(0, color=INK, linewidth=0.9, zorder=1)
    ax.vlines(
        places, ordered["conf_low"], ordered["conf_high"], color=TREATED.color, linewidth=1.0, alpha=0.55, zorder=2
    )
    for clear, fill in ((False, "white"), (True, TREATED.color)):
        part = [place for place in places if (ordered["p_value"].iloc[place] < alpha) == clear]
        ax.plot(
            part, ordered["estimate"].iloc[part], linestyle="none", marker="o", markersize=4.0, markerfacecolor=fill,
            markeredgecolor=TREATED.color, markeredgewidth=0.9, zorder=3,
        )  # fmt: skip
    reach = 1.08 * float(ordered[["conf_low", "conf_high"]].abs().to_numpy().max()) if len(ordered) else 1.0
    ax.set_ylim(-(reach or 1.0), reach or 1.0)
    ax.tick_params(bottom=False, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(-0.8, max(len(ordered) - 0.2, 0.8))


def _median(ax: Axes, frame: pd.DataFrame, count: int, language: str) -> None:
    """Draw the median, and say beside it how many variants there are and how many are significant."""
    style = NumberStyle.of(language)
    summary = frame[frame["panel"] == "summary"].set_index("column")["value"]
    ax.axhline(summary["median"], color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    median = format_statistic(style, "estimate", float(summary["median"]))
    share = style.percent(float(summary["significant"]), 0)
    text = say("specification_curve.summary_line", language, count=count, median=median, share=share)
    ax.text(1.0, 1.02, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5, color=QUIET)


def _dashboard(ax: Axes, choices: Sequence[Choices], count: int) -> None:
    line, ticks, names, heads = 0, [], [], []
    for each in choices:
        heads.append((line, each.name))
        for k, value in enumerate(each.values):
            line += 1
            ticks.append(line)
            names.append(value)
            ax.axhline(line, color=GRID, linewidth=0.7, zorder=1)
            chosen = [place for place in range(count) if each.taken[place] == k]
            ax.plot(
                chosen,
                [line] * len(chosen),
                linestyle="none",
                marker="s",
                markersize=3.2,
                color=TREATED.color,
                zorder=2,
            )
        line += 1
    ax.set_yticks(ticks, names, fontsize=7.5)
    for at, text in heads:
        ax.annotate(
            text, (0, at), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8.0, fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    ax.set_ylim(max(line, 1) - 0.4, -0.6)
    ax.grid(False)
    ax.tick_params(left=False, bottom=False, labelbottom=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    if not choices:
        ax.set_axis_off()


def _heading(exhibit: SpecificationCurveExhibit, labels: LabelBook) -> str:
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
    return [
        labels.say("specification_curve.curve_explained", level=level),
        labels.say("specification_curve.curve_is_no_test"),
    ]


def _alt(frame: pd.DataFrame, choices: Sequence[Choices], language: str) -> str:
    style = NumberStyle.of(language)
    summary = frame[frame["panel"] == "summary"].set_index("column")["value"]
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
