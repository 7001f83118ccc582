"""The effect under every declared choice: estimates in order above, the choices behind each of them below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.exhibits.kinds.specification_curve.model import SpecificationCurveExhibit
from refino_eval.exhibits.layout.drawing import Drawing, number_axis, source_line
from refino_eval.exhibits.layout.style import GRID, INK, QUIET, TREATED
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.notes import data_class_note, say, window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFECT = ("estimate", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Choices:
    """One kind of choice: its name, its values, and the value that each variant (in order of estimates) took."""

    name: str
    values: tuple[str, ...]
    taken: tuple[int, ...]


def layout(
    name: str,
    exhibit: SpecificationCurveExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Drawing:
    """Draw the estimates from the smallest to the largest, with intervals, over a dashboard of the choices."""
    from matplotlib.figure import Figure

    told = variants(frame)
    choices = [each for each in choices_of(told, exhibit, labels, language) if len(each.values) > 1]
    lines = sum(len(each.values) + 1 for each in choices)
    figure = Figure(figsize=(7.6, 3.0 + 0.19 * lines))
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2.6, 0.19 * max(lines, 1))})
    _curve(top, told, _alpha(exhibit, labels))
    number_axis(top.yaxis, language)
    top.set_title(_heading(exhibit, labels, language))
    top.text(
        0.0, 1.02, _unit(exhibit, labels, language), transform=top.transAxes, va="bottom", fontsize=8.0, color=QUIET
    )
    _dashboard(bottom, choices, len(told))
    _median(top, frame, len(told), language)
    source_line(figure, data_class_note(facts, language))
    return Drawing(figure=figure, title=exhibit.title[language], alt=_alt(frame, choices, language))


def variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the estimated variants in increasing order: panel (specification), row (outcome), column (sample), numbers."""
    part = frame[(frame["panel"] != "summary") & frame["statistic"].isin(EFFECT)]
    wide = part.pivot(index=["panel", "row", "column"], columns="statistic", values="value").dropna()
    return wide.reset_index().sort_values(["estimate", "panel", "row", "column"], ignore_index=True)


def choices_of(
    told: pd.DataFrame, exhibit: SpecificationCurveExhibit, labels: LabelBook, language: str
) -> list[Choices]:
    """Return what was chosen: definition and window of the outcome (or the outcome itself), controls, sample."""
    found = []
    outcomes = [exhibit.columns[key] for key in told["row"]]
    entries = [labels.definitions.outcomes.get(name) for name in outcomes]
    by_state = all(entry is not None and entry.state is not None for entry in entries)
    pairs = {
        (entry.state, window_text(entry, language)): name
        for name, entry in zip(outcomes, entries, strict=True)
        if entry
    }
    if by_state and len(pairs) == len(set(outcomes)):
        states = [labels.state(entry.state or "", language) for entry in entries if entry is not None]
        windows = [_window(window_text(entry, language)) for entry in entries if entry is not None]
        found.append(_choices(say(language, "Definisjon", "Definition"), states))
        found.append(_choices(say(language, "Vindu", "Window"), windows))
    else:
        found.append(
            _choices(say(language, "Utfall", "Outcome"), [labels.outcome(name, language) for name in outcomes])
        )
    controls = [labels.specification(panel, language) for panel in told["panel"]]
    found.append(_choices(say(language, "Spesifikasjon", "Specification"), controls))
    found.append(_choices(say(language, "Utvalg", "Sample"), [labels.sample(c, language) for c in told["column"]]))
    return found


def _window(text: str) -> str:
    """Return a window without what a reader of months knows: `the value in month 12`."""
    return text.partition(" (")[0]


def _choices(name: str, taken: Sequence[str]) -> Choices:
    values = tuple(sorted(dict.fromkeys(taken)))
    return Choices(name, values, tuple(values.index(each) for each in taken))


def _alpha(exhibit: SpecificationCurveExhibit, labels: LabelBook) -> float:
    levels = [entry.level for name in exhibit.specifications if (entry := labels.specification_of(name)) is not None]
    return 1 - min(levels, default=0.95)


def _curve(ax: Axes, told: pd.DataFrame, alpha: float) -> None:
    places = range(len(told))
    ax.axhline(0, color=INK, linewidth=0.9, zorder=1)
    ax.vlines(places, told["conf_low"], told["conf_high"], color=TREATED.color, linewidth=1.0, alpha=0.55, zorder=2)
    for clear, fill in ((False, "white"), (True, TREATED.color)):
        part = [place for place in places if (told["p_value"].iloc[place] < alpha) == clear]
        ax.plot(
            part, told["estimate"].iloc[part], linestyle="none", marker="o", markersize=4.0, markerfacecolor=fill,
            markeredgecolor=TREATED.color, markeredgewidth=0.9, zorder=3,
        )  # fmt: skip
    reach = 1.08 * float(told[["conf_low", "conf_high"]].abs().to_numpy().max()) if len(told) else 1.0
    ax.set_ylim(-(reach or 1.0), reach or 1.0)
    ax.tick_params(bottom=False, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(-0.8, max(len(told) - 0.2, 0.8))


def _median(ax: Axes, frame: pd.DataFrame, count: int, language: str) -> None:
    """Draw the median, and say beside it how many variants there are and how many are significant."""
    style = NumberStyle.of(language)
    summary = frame[frame["panel"] == "summary"].set_index("column")["value"]
    ax.axhline(summary["median"], color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    median = format_statistic(style, "estimate", float(summary["median"]))
    share = style.percent(float(summary["significant"]), 0)
    text = say(
        language,
        f"{count} varianter · median {median} · {share} signifikante",
        f"{count} variants · median {median} · {share} significant",
    )
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


def _heading(exhibit: SpecificationCurveExhibit, labels: LabelBook, language: str) -> str:
    return labels.word("effect_of", language).format(arm=labels.arm(labels.treated, language))


def _unit(exhibit: SpecificationCurveExhibit, labels: LabelBook, language: str) -> str:
    if exhibit.scale == "control_sd":
        return say(language, "standardavvik i kontrollgruppen", "control standard deviations")
    entries = [labels.definitions.outcomes.get(name) for name in exhibit.columns.values()]
    units = list(dict.fromkeys(entry.unit[language] for entry in entries if entry is not None))
    return ", ".join(units) if units else plain("")


def notes(exhibit: SpecificationCurveExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say how to read the curve, and what it is not."""
    level = f"{(1 - _alpha(exhibit, labels)) * 100:g}"
    single = []
    if len(exhibit.specifications) == 1:
        single.append(say(language, "spesifikasjon", "specification"))
    return [
        say(
            language,
            f"Hvert punkt er effekten under ett sett valg, med {level} % intervall; fylt punkt der nullhypotesen forkastes. Merkene under "
            "viser valgene. Stiplet linje er medianen.",
            f"Each point is the effect under one set of choices, with a {level}% interval; filled where the null is rejected. The "
            "marks below show the choices. The dashed line is the median.",
        ),
        say(
            language,
            "Variantene deler personer og er ikke uavhengige: kurven viser hvor mye svaret avhenger av valgene, og er ingen test.",
            "The variants share their people and are not independent: the curve shows how far the answer hangs on the choices, "
            "and is no test.",
        ),
    ]


def _alt(frame: pd.DataFrame, choices: Sequence[Choices], language: str) -> str:
    style = NumberStyle.of(language)
    summary = frame[frame["panel"] == "summary"].set_index("column")["value"]
    shown = {key: format_statistic(style, "estimate", float(summary[key])) for key in ("lowest", "median", "highest")}
    count, share = style.integer(summary["estimated"]), style.percent(float(summary["significant"]), 0)
    varied = "; ".join(f"{each.name.lower()}: {', '.join(each.values)}" for each in choices)
    return say(
        language,
        f"Spesifikasjonskurve med {count} varianter i stigende rekkefølge: fra {shown['lowest']} til {shown['highest']}, median "
        f"{shown['median']}; {share} er signifikante. Det som varierer: {varied}.",
        f"Specification curve with {count} variants in increasing order: from {shown['lowest']} to {shown['highest']}, median "
        f"{shown['median']}; {share} are significant. What varies: {varied}.",
    )
