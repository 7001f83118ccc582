"""Share still in a programme by time since the start, with the number of people who can still be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.exhibits.kinds.spell_survival.model import SpellSurvivalExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    column,
    end_labels,
    event_axis,
    head_panel,
    number_axis,
    panels,
    source_line,
)
from refino_eval.exhibits.layout.style import CONTROL, QUIET, TREATED, Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note, say
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_HEIGHT = 0.075
"""Height of a line of numbers at risk, as a share of the axis."""


def layout(
    name: str,
    exhibit: SpellSurvivalExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Drawing:
    """Draw the curves of up to two programmes in one panel, of more in a panel each."""
    states = [state for state in exhibit.states if not column(frame, "", state, "share").dropna().empty]
    groups = [states] if len(states) <= 2 else [[state] for state in states]
    figure, axes = panels(len(groups))
    for place, (ax, group) in enumerate(zip(axes, groups, strict=True)):
        shown = list(zip(group, (TREATED, CONTROL), strict=False))
        if not group:
            ax.text(0.5, 0.5, say(language, "Ingen begynte i tiltaket", "Nobody started the programme"), ha="center")
            ax.set_axis_off()
            continue
        title = labels.state(group[0], language) if len(groups) > 1 else ""
        _panel(ax, exhibit, frame, shown, labels, language)
        unit = say(language, "prosent av dem som begynte i tiltaket", "per cent of those who started the programme")
        head_panel(ax, place, len(groups), title, unit)
    source_line(figure, data_class_note(facts, language))
    return Drawing(figure=figure, title=exhibit.title[language], alt=_alt(exhibit, states, frame, labels, language))


def _panel(
    ax: Axes,
    exhibit: SpellSurvivalExhibit,
    frame: pd.DataFrame,
    shown: list[tuple[str, Series]],
    labels: LabelBook,
    language: str,
) -> None:
    ends, last = [], 0
    for state, series in shown:
        share, low, high = (
            100 * column(frame, "", state, statistic) for statistic in ("share", "conf_low", "conf_high")
        )
        share = share.dropna()
        # The share of a month holds until the next: a step, not a slope.
        ax.fill_between(
            share.index, low.reindex(share.index), high.reindex(share.index), step="post",
            color=series.color, alpha=0.16, linewidth=0, zorder=2,
        )  # fmt: skip
        ax.step(share.index, share, where="post", color=series.color, linestyle=series.linestyle, zorder=3)
        ends.append((float(share.iloc[-1]), labels.state(state, language), series))
        last = max(last, int(share.index[-1]))
    ax.set_ylim(0, 102)
    event_axis(ax, range(last + 1), labels, language, exhibit.clock)
    ax.set_xlabel(labels.word(f"{exhibit.clock}_since_start", language))
    number_axis(ax.yaxis, language)
    end_labels(ax, last, ends)
    _at_risk(ax, frame, shown, language)


def _at_risk(ax: Axes, frame: pd.DataFrame, shown: list[tuple[str, Series]], language: str) -> None:
    """Write beneath the axis how many people each point of the curves rests on."""
    style = NumberStyle.of(language)
    ticks = [int(tick) for tick in ax.get_xticks()]
    top = -0.27
    options: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "fontsize": 7.5, "va": "center"}
    ax.text(0.0, top, say(language, "antall som følges hit", "people followed to here"), color=QUIET,
            **{**options, "transform": ax.transAxes})  # fmt: skip
    for line, (state, series) in enumerate(shown, start=1):
        counts = column(frame, "", state, "n")
        for tick in ticks:
            if tick in counts.index:
                ax.text(
                    tick, top - line * ROW_HEIGHT, style.integer(float(counts[tick])), color=series.color, ha="center",
                    **options,
                )  # fmt: skip


def notes(exhibit: SpellSurvivalExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say who is followed, when a stay ends, how people not seen to the end count, and the middle stay."""
    style = NumberStyle.of(language)
    periods = {"month": say(language, "måneder", "months"), "week": say(language, "uker", "weeks")}[exhibit.clock]
    period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[exhibit.clock]
    lines = [
        say(
            language,
            f"Alle som begynte i tiltaket, uansett trekkegruppe, fulgt fra {period}en de begynte (0) til den første {period}en uten en "
            "dag i det; den som er der til siste observasjon, teller så lenge de kan følges (Kaplan-Meier). Bånd: "
            f"{100 * exhibit.level:g} % intervall.",
            f"Everybody who started the programme, whatever their arm, followed from the {period} of the start (0) to the first "
            f"{period} without a day in it; whoever is still there when last seen counts as long as they are followed "
            f"(Kaplan-Meier). Bands: {100 * exhibit.level:g}% intervals.",
        )
    ]
    if exhibit.gap:
        many = exhibit.gap > 1
        lines.append(
            say(
                language,
                f"Et opphold på høyst {exhibit.gap} {periods if many else period} avslutter ikke deltakelsen.",
                f"A break of at most {exhibit.gap} {periods if many else period} does not end the stay.",
            )
        )
    for state in exhibit.states:
        part = frame[frame["column"] == state].set_index(["row", "statistic"])["value"]
        count, back = (float(part.get((row, "count"), 0.0)) for row in ("starters", "returned"))
        median = part.get(("median", "value"), float("nan"))
        reached = pd.notna(median)
        name = labels.state(state, language)
        text = say(language, f"{name}: {style.integer(count)} begynte", f"{name}: {style.integer(count)} started")
        if reached:
            text += say(
                language,
                f"; halvparten er ute etter {style.integer(float(median))} {periods}",
                f"; half have left after {style.integer(float(median))} {periods}",
            )
        if back:
            text += say(
                language,
                f"; {style.integer(back)} kom tilbake etter at de sluttet, og teller som sluttet",
                f"; {style.integer(back)} came back after they had left, and count as having left",
            )
        lines.append(text + ".")
    return lines


def _alt(
    exhibit: SpellSurvivalExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook, language: str
) -> str:
    """Say the share still there after some round times."""
    style = NumberStyle.of(language)
    sentences = [
        say(
            language,
            "Trappekurver for andelen som fremdeles er i tiltaket, med intervaller.",
            "Step curves of the share still in the programme, with intervals.",
        )
    ]
    for state in states:
        share = column(frame, "", state, "share").dropna()
        told = [time for time in (3, 6, 12) if time in share.index]
        period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[exhibit.clock]
        levels = ", ".join(f"{period} {time}: {style.percent(float(share[time]))}" for time in told)
        if levels:
            sentences.append(f"{labels.state(state, language)}: {levels}.")
    return " ".join(sentences)
