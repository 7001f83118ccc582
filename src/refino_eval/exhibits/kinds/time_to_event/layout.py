"""Time from the draw to an event, by arm: the share without it yet, the people still followed, and the tests."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.covariances import is_clustered
from refino_eval.exhibits.keys import ALL_ARMS, COEFFICIENTS
from refino_eval.exhibits.kinds.time_to_event.model import TimeToEventExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    arms_of,
    column,
    counts_beneath,
    end_labels,
    event_axis,
    head_panel,
    number_axis,
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import QUIET, Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import control_name, data_class_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say

NORMAL = 1.959963984540054
"""Quantile of the normal distribution for 95 % confidence intervals."""
MOST_BANDS = 2
"""Treated arms whose bands are drawn; of more, bands would hide the curves and stand in the numbers alone."""


def layout(exhibit: TimeToEventExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw both arms' Kaplan-Meier curves as steps with bands, and beneath them how many are still followed."""
    labels = page.labels
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.3 + 0.17 * max(0, len(labels.treated_arms) - 1)))
    ax = figure.subplots()
    entry = labels.definitions.outcomes.get(exhibit.outcome)
    clock = entry.clock if entry is not None else "month"
    ends: list[tuple[float, str, Series]] = []
    times: list[float] = []
    for arm, series in arms_of(labels):
        observed = column(frame, "", arm, "share")
        times += observed.index.tolist()
        share = 100 * observed.dropna()
        if share.empty:
            continue
        low, high = (100 * column(frame, "", arm, limit).reindex(share.index) for limit in ("conf_low", "conf_high"))
        if len(labels.treated_arms) <= MOST_BANDS:
            ax.fill_between(share.index, low, high, step="post", color=series.color, alpha=0.16, linewidth=0, zorder=2)
        ax.step(share.index, share, where="post", color=series.color, linestyle=series.linestyle, zorder=3)
        ends.append((float(share.iloc[-1]), labels.arm(arm), series))
    ax.set_ylim(0, 102)
    event_axis(ax, times, labels, clock, unit=None if exhibit.unit is None else exhibit.unit[labels.language])
    number_axis(ax.yaxis, labels.language)
    title = labels.say("time_to_event.title_share_without_event", outcome=labels.outcome(exhibit.outcome))
    head_panel(ax, 0, 1, title, labels.word("per_cent"))
    several = len(labels.treated_arms) > 1
    head = all_arms_text(frame, labels.language) if several else comparison_text(frame, labels.language)
    ax.text(1.0, 1.02, head, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5,
            color=QUIET)  # fmt: skip
    end_labels(ax, ends)
    counts = [(labels.arm(arm), column(frame, "", arm, "n"), series.color) for arm, series in arms_of(labels)]
    counts_beneath(ax, labels.say("time_to_event.number_at_risk"), counts, labels.language)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def all_arms_text(frame: pd.DataFrame, language: str) -> str:
    """Return a text on the log-rank test of all arms."""
    p = frame[(frame["row"] == "log_rank") & (frame["column"] == ALL_ARMS) & (frame["statistic"] == "p_value")]["value"]
    if p.empty or not math.isfinite(p.iloc[0]):
        return ""
    displayed = NumberStyle.of(language).p_value(float(p.iloc[0]))
    return say("time_to_event.log_rank_all_arms", language, p=displayed).replace("= <", "< ")


def comparison_text(frame: pd.DataFrame, language: str, panel: str = "") -> str:
    """Return a text on the hazard ratio with its interval, and the log-rank test."""
    style = NumberStyle.of(language)
    values = frame[frame["panel"] == panel].set_index(["row", "column", "statistic"])["value"]
    ratio = values.get(("cox", "hazard_ratio", "estimate"), math.nan)
    if not math.isfinite(ratio):
        return ""
    low, high = (style.fixed(values["cox", "hazard_ratio", limit], 2) for limit in ("conf_low", "conf_high"))
    p = style.p_value(float(values["log_rank", "difference", "p_value"]))
    gap = ";" if style.decimal == "," else ","
    text = say(
        "time_to_event.hazard_ratio_and_log_rank",
        language,
        ratio=style.fixed(ratio, 2),
        low=low,
        gap=gap,
        high=high,
        p=p,
    )
    return text.replace("= <", "< ")


def notes(exhibit: TimeToEventExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what is drawn, what the tests compare, and who is not in it."""
    style = NumberStyle.of(labels.language)
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    counts = frame[frame["statistic"] == "count"].set_index(["row", "column"])["value"]
    ended = "; ".join(
        labels.say(
            "time_to_event.events_in_arm",
            arm=labels.arm(arm),
            ended=style.integer(counts["ended", arm]),
            people=style.integer(counts["people", arm]),
        )
        for arm, _ in arms_of(labels)
    )
    lines = [
        labels.say("time_to_event.kaplan_meier_explained", level=level, ended=ended),
        *([labels.say("time_to_event.intervals_not_drawn")] if len(labels.treated_arms) > MOST_BANDS else []),
        labels.say("time_to_event.hazard_ratio_explained"),
    ]
    if len(labels.treated_arms) > 1:
        compared = {arm: comparison_text(frame, labels.language, arm) for arm in labels.treated_arms}
        against = labels.arm(labels.control)
        listed = "; ".join(f"{labels.arm(arm)} {text[:1].lower()}{text[1:]}" for arm, text in compared.items() if text)
        how = "joint_model" if exhibit.comparison == "joint" else "each_arm_compared"
        lines.append(labels.say(f"time_to_event.{how}", against=against, listed=listed))
    if entry is not None and entry.controls:
        lines.append(specification_note(exhibit.specification, entry, labels))
    if entry is not None and is_clustered(entry.vcov):
        lines.append(
            labels.say("time_to_event.clustered", cluster=" x ".join(labels.column(name) for name in labels.clusters))
        )
    lines += _control_notes(frame, labels)
    lost = counts.get(("lost", "all"), 0)
    if lost:
        lines.append(labels.say("time_to_event.people_without_outcome", n=style.integer(lost)))
    return lines


def _control_notes(frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return a note for each comparison with the hazard ratios of the controls and their 95 % intervals."""
    style, lines = NumberStyle.of(labels.language), list[str]()
    displayed = frame[frame["row"].str.startswith(f"{COEFFICIENTS}:")]
    for panel in dict.fromkeys(displayed["panel"]):
        values = displayed[displayed["panel"] == panel].set_index(["row", "statistic"])["value"]
        parts = []
        for row in dict.fromkeys(row for row, _ in values.index):
            estimate, error = values[row, "estimate"], values[row, "std_error"]
            ratio, low, high = (style.fixed(math.exp(estimate + z * error), 2) for z in (0.0, -NORMAL, NORMAL))
            gap = ";" if style.decimal == "," else ","
            parts.append(f"{control_name(row.partition(':')[2], labels)} {ratio} [{low}{gap} {high}]")
        text = labels.say("time_to_event.control_hazard_ratios", listed="; ".join(parts))
        lines.append(f"{labels.arm(panel)}: {text}" if panel else text)
    return lines


def _alt(exhibit: TimeToEventExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    entry = labels.definitions.outcomes.get(exhibit.outcome)
    clock = entry.clock if entry is not None else "month"
    period = labels.word(f"period_{clock}") if exhibit.unit is None else exhibit.unit[labels.language]
    parts = []
    for arm, _ in arms_of(labels):
        share = column(frame, "", arm, "share").dropna()
        if share.empty:
            continue
        displayed = [t for t in (6, 12, 24) if t in share.index and exhibit.unit is None] or [share.index[-1]]
        levels = ", ".join(f"{period} {t:g}: {style.percent(float(share[t]), 0)}" for t in displayed)
        parts.append(f"{labels.arm(arm)} – {levels}")
    head = labels.say("time_to_event.alt_step_chart", outcome=labels.outcome(exhibit.outcome), levels="; ".join(parts))
    last = (
        all_arms_text(frame, labels.language)
        if len(labels.treated_arms) > 1
        else comparison_text(frame, labels.language)
    )
    return f"{head} {last}."
