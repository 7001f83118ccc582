"""Effects on many outcomes: a row for each, where a column for each would not fit a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from refino_eval.exhibits.keys import ALL_ARMS
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, label
from refino_eval.exhibits.wording.labels import LabelBook


def listed_parts(
    exhibit: IttExhibit, specifications: list[str], numbers: Numbers, labels: LabelBook
) -> tuple[Part, ...]:
    """Lay out a grid for each specification: outcomes as rows, one after another or arm by arm."""
    return tuple(_part(exhibit, spec, specifications, numbers, labels) for spec in specifications)


def _part(exhibit: IttExhibit, spec: str, specifications: list[str], numbers: Numbers, labels: LabelBook) -> Part:
    entry = labels.specification_of(spec)
    interval = labels.word("conf").format(level=f"{(entry.level if entry else 0.95) * 100:g}")
    several = len(labels.treated_arms) > 1
    words = [labels.word(word) for word in ("estimate", "std_error")]
    words += ["t"] if exhibit.t_stat else []
    tests = _tests(numbers, spec, labels.treated_arms, exhibit)
    words += [interval, *(labels.word(word) for word in (*tests, "mean_treated", "mean_control", "n"))]
    if several:
        words.append(labels.word("all_arms_p"))
    header = Row((label(""), *(label(word, align="right") for word in words)))
    body: list[Row] = []
    for arm in labels.treated_arms:
        if several:
            body.append(Row((label(labels.arm(arm), span=len(words) + 1),), role="block"))
        for key, outcome in exhibit.columns.items():
            cells = [*_cells(exhibit, numbers, spec, arm, key, tests)]
            if several:
                # The test is of all arms at once, and shown next to the first.
                first = arm == labels.treated
                cells.append(numbers.cell(spec, ALL_ARMS, key, "p_value") if first else Cell(""))
            body.append(Row((label(labels.outcome(outcome)), *cells)))
    caption = labels.specification(spec) if len(specifications) > 1 else ""
    return Part(header=(header,), body=tuple(body), caption=caption)


def _tests(numbers: Numbers, spec: str, arms: Sequence[str], exhibit: IttExhibit) -> tuple[str, ...]:
    """Return the p-values to show: that of the randomisation test too, where clusters are few."""
    values = (numbers.value(spec, arm, key, "p_value_ri") for arm in arms for key in exhibit.columns)
    return ("p_value", "p_value_ri") if any(map(math.isfinite, values)) else ("p_value",)


def _cells(
    exhibit: IttExhibit, numbers: Numbers, spec: str, arm: str, key: str, tests: tuple[str, ...]
) -> tuple[Cell, ...]:
    return (
        numbers.estimate(spec, arm, key),
        numbers.cell(spec, arm, key, "std_error", pattern=numbers.style.beneath),
        *([numbers.cell(spec, arm, key, "t_stat")] if exhibit.t_stat else []),
        numbers.interval(spec, arm, key),
        *(numbers.cell(spec, arm, key, statistic) for statistic in (*tests, "mean_treated", "mean_control", "n")),
    )
