"""What the report says about exhibits of kind `late`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.tidy import Key, statistics_at
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for


def formula(
    exhibit: LateExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression behind a number: the reduced form, the first stage, or two-stage least squares."""
    if outcome is None or specification is None:
        return ""
    take_up = exhibit.take_up or "take_up"
    if key[1] == "draw":
        return regression(outcome, specification, labels)
    if key[1] == "first_stage":
        return regression(take_up, specification, labels)
    # The first-stage formula has the same controls and fixed effects; treatment takes the place of take-up in it.
    controls = regression(outcome, specification, labels).partition(" ~ ")[2].removeprefix(labels.treated)
    terms = controls.removeprefix(" + ") if controls.startswith(" + ") else f"1{controls}"
    return f"{outcome} ~ {terms} | {take_up} ~ {labels.treated}"


def methods(exhibit: LateExhibit, labels: LabelBook) -> str:
    """Return a paragraph on the LATE and its assumption."""
    return labels.say("methods.late", arm=labels.arm(labels.treated))


def summary(exhibit: LateExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say how much assignment moved people into the programme, which an ITT must be read against."""
    column = next(iter(exhibit.columns))
    cell = statistics_at(frame, exhibit.specification, "first_stage", column)
    if not {"mean_treated", "mean_control"} <= set(cell):
        return []
    style = NumberStyle.of(labels.language)
    return [
        labels.say(
            "summary.take_up", programme=labels.outcome(exhibit.take_up) if exhibit.take_up else labels.say("summary.took_part"),
            treated=labels.arm(labels.treated), control=labels.arm(labels.control),
            share_treated=style.percent(cell["mean_treated"], 0), share_control=style.percent(cell["mean_control"], 0),
        )
    ]  # fmt: skip


def other_effects(exhibit: LateExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[str]:
    """Return the LATE of each outcome with its confidence interval."""
    if exhibit.by is not None:
        return
    style = NumberStyle.of(labels.language)
    entry = labels.specification_of(exhibit.specification)
    said = []
    for key, outcome in exhibit.columns.items():
        cell = statistics_at(frame, exhibit.specification, "take_up", key)
        if {"estimate", "std_error", "conf_low", "conf_high"} <= set(cell):
            decimals = decimals_for(cell["std_error"], 2)
            estimate, low, high = (
                style.rounded(cell[name], decimals) for name in ("estimate", "conf_low", "conf_high")
            )
            interval = labels.say("summary.interval", low=low, high=high)
            said.append(f"{labels.say('summary.quoted', label=labels.outcome(outcome))} {estimate} {interval}")
    if said:
        level = f"{(entry.level if entry else 0.95) * 100:g}"
        yield labels.say("late.sentence", effects="; ".join(said), level=level)
