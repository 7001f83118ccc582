"""Time from the draw to an event, by arm: the share without it yet, the people still followed, and the tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.exhibits.kinds.time_to_event.model import TimeToEventExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    arms_of,
    column,
    end_labels,
    event_axis,
    number_axis,
    source_line,
)
from refino_eval.exhibits.layout.style import INK, QUIET, Series
from refino_eval.exhibits.wording.arm_keys import ALL_ARMS
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BANDS = 2
"""Treated arms whose bands are drawn; of more, bands would hide the curves and stand in the numbers alone."""


def layout(
    name: str,
    exhibit: TimeToEventExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Drawing:
    """Draw both arms' Kaplan-Meier curves as steps with bands, and beneath them how many are still followed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.3 + 0.17 * max(0, len(labels.treated_arms) - 1)))
    ax = figure.subplots()
    entry = labels.definitions.outcomes.get(exhibit.outcome)
    clock = entry.clock if entry is not None else "month"
    ends: list[tuple[float, str, Series]] = []
    times: list[int] = []
    for arm, series in arms_of(labels):
        share = column(frame, "", arm, "share").dropna()
        low, high = (column(frame, "", arm, limit).reindex(share.index) for limit in ("conf_low", "conf_high"))
        if len(labels.treated_arms) <= MOST_BANDS:
            ax.fill_between(share.index, low, high, step="post", color=series.color, alpha=0.16, linewidth=0, zorder=2)
        ax.step(share.index, share, where="post", color=series.color, linestyle=series.linestyle, zorder=3)
        ends.append((float(share.iloc[-1]), labels.arm(arm, language), series))
        times += [int(time) for time in share.index]
    ax.set_ylim(0, 1.02)
    event_axis(ax, times, labels, language, clock)
    if exhibit.unit is not None:
        ax.set_xlabel(exhibit.unit[language])
    number_axis(ax.yaxis, language)
    ax.set_title(
        say(language, "Andel uten hendelsen så langt: ", "Share without the event yet: ")
        + labels.outcome(exhibit.outcome, language)
    )
    several = len(labels.treated_arms) > 1
    head = all_arms_text(frame, language) if several else comparison_text(frame, language)
    ax.text(1.0, 1.02, head, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5,
            color=QUIET)  # fmt: skip
    end_labels(ax, max(times), ends)
    _followed(ax, frame, labels, language)
    source_line(figure, data_class_note(facts, language))
    return Drawing(figure=figure, title=exhibit.title[language], alt=_alt(exhibit, frame, labels, language))


def _followed(ax: Axes, frame: pd.DataFrame, labels: LabelBook, language: str) -> None:
    """Write under the axis how many people of each arm are at risk at each tick."""
    style = NumberStyle.of(language)
    head = say(language, "Fortsatt fulgt", "Still followed")
    ax.annotate(head, (0, 0), xycoords="axes fraction", xytext=(-6, -46), textcoords="offset points", ha="left", fontsize=8.0,
                color=INK, annotation_clip=False)  # fmt: skip
    for line, (arm, series) in enumerate(arms_of(labels)):
        n = column(frame, "", arm, "n")
        down = -59 - 12 * line
        for tick in ax.get_xticks():
            if tick in n.index:
                ax.annotate(
                    style.integer(n[tick]), (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, down),
                    textcoords="offset points", ha="center", fontsize=7.5, color=series.color, annotation_clip=False,
                )  # fmt: skip
        ax.annotate(
            labels.arm(arm, language), (1, 0), xycoords="axes fraction", xytext=(14, down), textcoords="offset points",
            ha="left", fontsize=7.5, color=series.color, fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def all_arms_text(frame: pd.DataFrame, language: str) -> str:
    """Say the log-rank test of all arms."""
    p = frame[(frame["row"] == "log_rank") & (frame["column"] == ALL_ARMS) & (frame["statistic"] == "p_value")]["value"]
    if p.empty or not math.isfinite(p.iloc[0]):
        return ""
    told = NumberStyle.of(language).p_value(float(p.iloc[0]))
    return say(language, f"Log-rank, alle grupper: p = {told}", f"Log-rank, all arms: p = {told}").replace("= <", "< ")


def comparison_text(frame: pd.DataFrame, language: str, panel: str = "") -> str:
    """Say the hazard ratio with its interval, and the log-rank test."""
    style = NumberStyle.of(language)
    values = frame[frame["panel"] == panel].set_index(["row", "column", "statistic"])["value"]
    ratio = values.get(("cox", "hazard_ratio", "estimate"), math.nan)
    if not math.isfinite(ratio):
        return ""
    low, high = (style.fixed(values["cox", "hazard_ratio", limit], 2) for limit in ("conf_low", "conf_high"))
    p = style.p_value(float(values["log_rank", "difference", "p_value"]))
    gap = ";" if style.decimal == "," else ","
    text = say(
        language,
        f"Hasardrate {style.fixed(ratio, 2)} [{low}{gap} {high}] · log-rank p = {p}",
        f"Hazard ratio {style.fixed(ratio, 2)} [{low}{gap} {high}] · log-rank p = {p}",
    )
    return text.replace("= <", "< ")


def notes(exhibit: TimeToEventExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say what is drawn, what the tests compare, and who is not in it."""
    style = NumberStyle.of(language)
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    counts = frame[frame["statistic"] == "count"].set_index(["row", "column"])["value"]
    told = "; ".join(
        f"{labels.arm(arm, language)} {style.integer(counts['ended', arm])} "
        + say(language, "av", "of")
        + f" {style.integer(counts['people', arm])}"
        for arm, _ in arms_of(labels)
    )
    if len(labels.treated_arms) > MOST_BANDS:
        beside = (" Intervallene står i tallene bak figuren.", " The intervals are in the numbers behind the figure.")
    else:
        beside = ("", "")
    lines = [
        say(
            language,
            f"Kaplan-Meier med {level} % intervaller (log-log-skala) for alle trukne i hver gruppe, uten hensyn til cellene. Hendelsen er "
            f"sett hos: {told}. De andre er fulgt så lenge opplysningene rekker.{beside[0]}",
            f"Kaplan-Meier with {level}% intervals (log-log scale) for everybody drawn to each arm, without regard to cells. The event "
            f"is seen for: {told}. The others are followed for as long as the data reach.{beside[1]}",
        ),
        say(
            language,
            "Log-rank-testen og hasardraten (Cox, Efron) sammenlikner personer i samme celle. Hasardrate over 1: hendelsen kommer "
            "raskere for dem som er trukket til tiltaket.",
            "The log-rank test and the hazard ratio (Cox, Efron) compare people of the same cell. A hazard ratio above 1: the event "
            "comes sooner to those drawn to treatment.",
        ),
    ]
    if len(labels.treated_arms) > 1:
        compared = {arm: comparison_text(frame, language, arm) for arm in labels.treated_arms}
        against = labels.arm(labels.control, language)
        listed = "; ".join(
            f"{labels.arm(arm, language)} {text[:1].lower()}{text[1:]}" for arm, text in compared.items() if text
        )
        lines.append(say(language, f"Hver gruppe mot {against}: {listed}.", f"Each arm against {against}: {listed}."))
    if entry is not None and entry.controls:
        lines.append(specification_note(exhibit.specification, entry, labels, language))
    lost = counts.get(("lost", "all"), 0)
    if lost:
        count = style.integer(lost)
        lines.append(
            say(
                language,
                f"{count} personer uten opplysning er utelatt.",
                f"{count} people without a value are left out.",
            )
        )
    return lines


def _alt(exhibit: TimeToEventExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> str:
    style = NumberStyle.of(language)
    entry = labels.definitions.outcomes.get(exhibit.outcome)
    clock = entry.clock if entry is not None else "month"
    period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[clock]
    parts = []
    for arm, _ in arms_of(labels):
        share = column(frame, "", arm, "share").dropna()
        shown = [t for t in (6, 12, 24) if t in share.index] or [int(share.index[-1])]
        levels = ", ".join(f"{period} {t}: {style.percent(float(share[t]), 0)}" for t in shown)
        parts.append(f"{labels.arm(arm, language)} – {levels}")
    head = say(
        language,
        f"Trappediagram over andelen uten hendelsen ({labels.outcome(exhibit.outcome, language)}) etter tid siden trekking. ",
        f"Step chart of the share without the event ({labels.outcome(exhibit.outcome, language)}) by time since the draw. ",
    )
    last = all_arms_text(frame, language) if len(labels.treated_arms) > 1 else comparison_text(frame, language)
    return f"{head}{'; '.join(parts)}. {last}."
