"""What one additional person with an outcome costs: outcomes as rows, in a block for each way to count the cost."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from refino_eval.exhibits.kinds.cost_per_outcome.model import CostPerOutcomeExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.notes import specification_note

UNITS = ("drawn", "participant")


def layout(exhibit: CostPerOutcomeExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the difference in the outcome, in cost, their ratio and its set."""
    labels, numbers, style = page.labels, Numbers.of(frame, page.style), page.style
    entry = labels.specification_of(exhibit.specification)
    level = f"{100 * (entry.level if entry else 0.95):g}"
    heads = [labels.say(f"cost_per_outcome.{head}") for head in ("difference_points", "difference_cost", "ratio")]
    heads.append(labels.say("cost_per_outcome.set", level=level))
    header = Row((label(""), *(label(head, align="right") for head in heads)))
    body = []
    for unit in UNITS:
        body.append(Row((label(labels.say(f"cost_per_outcome.{unit}"), span=len(heads) + 1),), role="block"))
        for key, outcome in exhibit.columns.items():
            effect = numbers.cell("effect", key, "effect", "estimate", write=lambda value: style.fixed(100 * value, 2))
            cost = numbers.cell(unit, "cost", "difference", "estimate", write=style.integer)
            ratio = numbers.cell(unit, key, "ratio", "estimate", write=_thousands(page))
            body.append(Row((label(labels.outcome(outcome)), effect, cost, ratio, _set(unit, key, numbers, page))))
            errors = (
                numbers.cell(
                    "effect",
                    key,
                    "effect",
                    "std_error",
                    pattern=style.beneath,
                    write=lambda value: style.fixed(100 * value, 2),
                ),
                numbers.cell(unit, "cost", "difference", "std_error", pattern=style.beneath, write=style.integer),
            )
            body.append(Row((label(""), *errors, Cell(""), Cell("")), role="beneath"))
    notes = [
        labels.say(
            "cost_per_outcome.explained", treated=labels.arm(labels.treated), control=labels.arm(labels.control)
        ),
        labels.say("cost_per_outcome.two_costs"),
    ]
    if entry is not None:
        notes.append(specification_note(exhibit.specification, entry, labels))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)


def _thousands(page: Page) -> Callable[[float], str]:
    return lambda value: page.style.integer(round(value, -3))


def _set(unit: str, key: str, numbers: Numbers, page: Page) -> Cell:
    """Return the set of ratios that are not rejected; it is unbounded where the difference may be none."""
    low, high = (numbers.values.get((unit, key, "ratio", name), (math.nan, "")) for name in ("conf_low", "conf_high"))
    if low[1] == "ratio_line":
        return Cell(page.labels.say("unit_costs.excludes_nothing"))
    if math.isnan(low[0]) or math.isnan(high[0]):
        return numbers.cell(unit, key, "ratio", "conf_low")
    write = _thousands(page)
    form = "rays" if low[1] == "ratio_rays" else "interval"
    text = page.labels.say(f"unit_costs.{form}", low=write(low[0]), high=write(high[0]))
    return Cell(text, key=(unit, key, "ratio", "conf_low"))
