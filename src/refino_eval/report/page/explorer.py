"""The explorer's data: every effect of assignment by outcome and specification, in every unit that makes sense.

It holds aggregates only, and only those that the page shows in its tables too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from refino_eval.config.definitions import Outcome, SpellState
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import window_text
from refino_eval.report.page.charts import panel_of, period
from refino_eval.report.report_inputs import ReportInputs

EFFECT = ("estimate", "std_error", "conf_low", "conf_high", "mean_control", "mean_treated", "n")
TESTED = ("p_value_ri", "p_value_fwer", "q_value")

Unit = dict[str, Any]


def explorer_of(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> dict[str, Any] | None:
    """Return what the explorer switches between; None where no effect was estimated.

    Parameters
    ----------
    inputs
        The run.
    frames
        Tidy numbers by exhibit.
    labels
        What to call things, in the language of the page.
    """
    outcomes: dict[str, dict[str, Any]] = {}
    for name, exhibit in inputs.shown(frames):
        if not exhibit.effects_by_outcome or len(exhibit.comparisons) > 1:
            continue
        combinations = product(labels.treated_arms, exhibit.outcome_columns.items(), exhibit.specifications_read)
        for arm, (column, outcome), specification in combinations:
            cell = statistics_at(frames[name], specification, arm, column)
            if "estimate" not in cell:
                continue
            choice = _outcome(outcome, arm, labels, exhibit.title[labels.language])
            entry = outcomes.setdefault(choice["name"], choice)
            entry["specifications"].setdefault(specification, _effect(cell, name, specification, labels))
    if not outcomes:
        return None
    _add_tests(outcomes, inputs, frames, labels)
    names = dict.fromkeys(s for entry in outcomes.values() for s in entry["specifications"])
    return {
        "outcomes": list(outcomes.values()),
        "specifications": {name: labels.specification(name) for name in names},
        "paths": _paths(inputs, frames, labels),
    }


def _effect(cell: Mapping[str, float], exhibit: str, specification: str, labels: LabelBook) -> dict[str, Any]:
    entry = labels.specification_of(specification)
    interval = labels.word("conf").format(level=f"{(entry.level if entry else 0.95) * 100:g}")
    return {
        **{key: cell[key] for key in EFFECT if key in cell},
        "exhibit": exhibit,
        "interval": interval,
        "tests": [[labels.word("p_value"), cell["p_value"]]] if "p_value" in cell else [],
    }


def named(outcome: str, arm: str, labels: LabelBook) -> str:
    """Return an outcome's name in the explorer: with several treated arms, each arm is a separate choice."""
    return outcome if len(labels.treated_arms) == 1 else f"{outcome}:{arm}"


def _outcome(name: str, arm: str, labels: LabelBook, group: str) -> dict[str, Any]:
    entry = labels.definitions.outcomes.get(name)
    whose = "" if len(labels.treated_arms) == 1 else f" ({labels.arm(arm)})"
    return {
        "name": named(name, arm, labels),
        "label": labels.outcome(name) + whose,
        "about": window_text(entry, labels.language) if entry is not None else "",
        "group": group,
        "state": entry.state if entry is not None else None,
        "summed": entry is not None and OUTCOME_KINDS[entry.kind].adds_up,
        "units": units_of(entry, labels),
        "specifications": {},
    }


def units_of(entry: Outcome | None, labels: LabelBook) -> list[Unit]:
    """Return the units that an effect on an outcome can be shown in, the usual one first.

    A share is shown in percentage points or as a share; an amount in its reported unit and, where its state is divided
    (100,000 kr), undivided; all in per cent of the control mean.
    """

    def unit(key: str, label: str, **more: object) -> Unit:
        return {"key": key, "label": label, **more}

    if entry is None:
        units = [unit("own", labels.say("report.unit_unknown"), scale=1.0)]
    elif labels.outcome_is_share(entry):
        units = [
            unit("points", labels.say("report.percentage_points"), level="%", scale=100.0),
            unit("share", labels.say("report.share"), scale=1.0),
        ]
    else:
        units = [unit("own", entry.unit[labels.language], scale=1.0)]
        state = labels.definitions.states.get(entry.state or "")
        if isinstance(state, SpellState) and state.divide_by != 1:
            undivided = without_number(entry.unit[labels.language], state.divide_by)
            units += [unit("undivided", undivided, scale=state.divide_by)] if undivided else []
    return [*units, unit("relative", labels.say("report.percent_of_control"), relative=True)]


def without_number(label: str, number: float) -> str:
    """Return a unit without the number in it (``100 000 kr`` to ``kr``), or nothing where the number is not in it."""
    digits = r"[ \u00a0\u202f.,]?".join(f"{number:.0f}")
    shorter, found = re.subn(rf"(?<!\d){digits}(?!\d)", "", label)
    return " ".join(shorter.split()) if found else ""


def _add_tests(
    outcomes: Mapping[str, dict[str, Any]], inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> None:
    """Add the p-values of other tests to the usual one, under the specification that they were computed with."""
    for name, exhibit in inputs.shown(frames):
        if not exhibit.tests_by_outcome or len(exhibit.comparisons) > 1:
            continue
        combinations = product(labels.treated_arms, exhibit.outcome_columns.items(), exhibit.specifications_read)
        for arm, (column, outcome), specification in combinations:
            choice = outcomes.get(named(outcome, arm, labels), {})
            effect = choice.get("specifications", {}).get(specification)
            if effect is not None:
                cell = statistics_at(frames[name], specification, column, arm)
                effect["tests"] += [[labels.word(test), cell[test]] for test in TESTED if test in cell]


def _paths(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> list[dict[str, Any]]:
    """Return every path over event time, of effects and of means, with what distinguishes them."""
    paths = []
    for name, exhibit in inputs.shown(frames):
        if not isinstance(exhibit, StatesExhibit):
            continue
        for state in exhibit.states:
            panel = panel_of(exhibit, frames[name], state, labels, as_figure=False)
            if panel is not None:
                specification = getattr(exhibit, "specification", None)
                paths.append({
                    **panel,
                    "exhibit": name,
                    "summed": exhibit.cumulate_from is not None,
                    "specification": specification,
                    "under": labels.specification(specification) if specification else "",
                    "axis": labels.word(exhibit.clock),
                    "period": period(exhibit, labels),
                })  # fmt: skip
    return paths
