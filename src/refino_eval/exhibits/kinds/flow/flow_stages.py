"""The stages of the sample flow, their labels, and the figure in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from refino_eval.exhibits.layout.table import SUPPRESSED
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.number_format import NumberStyle

Counts = Mapping[str, float]
"""By column; missing where disclosure control removed a count."""


@dataclass(frozen=True)
class Stage:
    """One sample, and those taken out on the way to it: reason (tidy row) -> counts by column."""

    name: str
    counts: Counts
    out: Mapping[str, Counts]


def stages_of(frame: pd.DataFrame) -> tuple[Stage, ...]:
    """Read the tidy numbers back as stages, in their order; the first is what was delivered."""
    stages: list[Stage] = []
    out: dict[str, Counts] = {}
    for row, part in frame[frame["statistic"] == "count"].groupby("row", sort=False):
        counts = {str(column): float(value) for column, value in zip(part["column"], part["value"], strict=True)}
        if ":" in str(row):
            out[str(row)] = counts
        else:
            stages.append(Stage(str(row), counts, out))
            out = {}
    return tuple(stages)


def count_text(count: float, style: NumberStyle) -> str:
    """Return a count, or the mark of one that disclosure control removed."""
    return style.integer(count) if math.isfinite(count) else SUPPRESSED


def stage_label(name: str, labels: LabelBook) -> str:
    """Return what those at a stage are called."""
    return labels.sample(name) if name in labels.samples else labels.word(name)


def reason_label(row: str, labels: LabelBook) -> str:
    """Return why people were taken out, of a tidy row `<step>:<reason>`."""
    if row in labels.flow:
        return labels.flow[row][labels.language]
    reason = row.partition(":")[2]
    return labels.word(reason) or plain(reason)


def alt_text(stages: Sequence[Stage], labels: LabelBook) -> str:
    """Return a text on the whole flow in words, arm by arm."""
    style = NumberStyle.of(labels.language)
    arms = (*labels.treated_arms, labels.control)

    def split(counts: Counts) -> str:
        by_arm = ", ".join(f"{labels.arm(arm)} {count_text(counts[arm], style)}" for arm in arms)
        return f"{count_text(counts['all'], style)} ({by_arm})"

    sentences = []
    for stage in stages:
        out = [f"{reason_label(row, labels)}: {split(counts)}" for row, counts in stage.out.items()]
        if out:
            sentences.append(f"{labels.word('excluded')}: {'; '.join(out)}.")
        sentences.append(f"{stage_label(stage.name, labels)}: {split(stage.counts)}.")
    return labels.say("flow.alt_flow_chart", stages=" ".join(sentences))
