"""The explorer's data: every effect of the draw by outcome and specification, in every unit that makes sense.

Aggregates only, and those alone that the page shows elsewhere too: what the explorer switches between is in its tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from refino_eval.config.definitions import Outcome, SpellState
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import say, window_text
from refino_eval.report.page.charts import panel_of, period
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.trails import indexed

TOLD = ("estimate", "std_error", "conf_low", "conf_high", "mean_control", "mean_treated", "n")
TESTED = ("p_value_ri", "p_value_fwer", "q_value")

Unit = dict[str, Any]


def explorer_of(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> dict[str, Any] | None:
    """Return what the explorer switches between; None where no effect was estimated.

    Parameters
    ----------
    inputs
        The run.
    frames
        Tidy numbers by exhibit.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    """
    outcomes: dict[str, dict[str, Any]] = {}
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, IttExhibit) or name not in frames:
            continue
        numbers = indexed(frames[name])
        places = product(labels.treated_arms, exhibit.columns.items(), exhibit.specifications)
        for arm, (column, outcome), specification in places:
            place = (specification, arm, column)
            cell = {s: numbers[(*place, s)][0] for s in (*TOLD, "p_value") if (*place, s) in numbers}
            if not math.isfinite(cell.get("estimate", math.nan)):
                continue
            told = _outcome(outcome, arm, labels, language, exhibit.title[language])
            entry = outcomes.setdefault(told["name"], told)
            entry["specifications"].setdefault(specification, _effect(cell, name, specification, labels, language))
    if not outcomes:
        return None
    _add_tests(outcomes, inputs, frames, labels, language)
    names = dict.fromkeys(s for entry in outcomes.values() for s in entry["specifications"])
    return {
        "outcomes": list(outcomes.values()),
        "specifications": {name: labels.specification(name, language) for name in names},
        "paths": _paths(inputs, frames, labels, language),
    }


def _effect(
    cell: Mapping[str, float], exhibit: str, specification: str, labels: LabelBook, language: str
) -> dict[str, Any]:
    told = {key: cell[key] for key in TOLD if math.isfinite(cell.get(key, math.nan))}
    p = cell.get("p_value", math.nan)
    entry = labels.specification_of(specification)
    interval = labels.word("conf", language).format(level=f"{(entry.level if entry else 0.95) * 100:g}")
    return {
        **told,
        "exhibit": exhibit,
        "interval": interval,
        "tests": [[labels.word("p_value", language), p]] if math.isfinite(p) else [],
    }


def named(outcome: str, arm: str, labels: LabelBook) -> str:
    """Return an outcome's name in the explorer: with several treated arms, each arm's effect is a choice of its own."""
    return outcome if len(labels.treated_arms) == 1 else f"{outcome}:{arm}"


def _outcome(name: str, arm: str, labels: LabelBook, language: str, group: str) -> dict[str, Any]:
    entry = labels.definitions.outcomes.get(name)
    whose = "" if len(labels.treated_arms) == 1 else f" ({labels.arm(arm, language)})"
    return {
        "name": named(name, arm, labels),
        "label": labels.outcome(name, language) + whose,
        "about": window_text(entry, language) if entry is not None else "",
        "group": group,
        "state": entry.state if entry is not None else None,
        "summed": entry is not None and entry.kind in ("sum_over", "months_in"),
        "units": units_of(entry, labels, language),
        "specifications": {},
    }


def units_of(entry: Outcome | None, labels: LabelBook, language: str) -> list[Unit]:
    """Return the units that an effect on an outcome can be told in, the usual one first.

    A share is told in percentage points or as itself; an amount in its reported unit and, where its state divides (100,000
    kr), in what it is made of; all in per cent of the control mean.
    """
    points = {
        "key": "points",
        "label": say(language, "prosentpoeng", "percentage points"),
        "level": "%",
        "scale": 100.0,
    }
    units: list[Unit] = []
    if entry is not None and labels.outcome_is_share(entry):
        units = [points, {"key": "share", "label": say(language, "andel", "share"), "scale": 1.0}]
    else:
        units = [
            {
                "key": "own",
                "label": entry.unit[language] if entry is not None else say(language, "egen enhet", "own unit"),
                "scale": 1.0,
            }
        ]
        state = labels.definitions.states.get(entry.state or "") if entry is not None else None
        if entry is not None and isinstance(state, SpellState) and state.divide_by != 1:
            bare = without_number(entry.unit[language], state.divide_by)
            units += [{"key": "bare", "label": bare, "scale": state.divide_by}] if bare else []
    relative = {
        "key": "relative",
        "label": say(language, "% av kontrollgruppens gjennomsnitt", "% of the control mean"),
        "relative": True,
    }
    return [*units, relative]


def without_number(label: str, number: float) -> str:
    """Return a unit without the number in it (``100 000 kr`` to ``kr``), or nothing where the number is not in it."""
    digits = r"[ \u00a0\u202f.,]?".join(f"{number:.0f}")
    shorter, found = re.subn(rf"(?<!\d){digits}(?!\d)", "", label)
    return " ".join(shorter.split()) if found else ""


def _add_tests(
    outcomes: Mapping[str, dict[str, Any]],
    inputs: ReportInputs,
    frames: Mapping[str, pd.DataFrame],
    labels: LabelBook,
    language: str,
) -> None:
    """Put the p-values of other tests beside the usual one, under the specification that they were made by."""
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, TestsExhibit) or name not in frames:
            continue
        numbers = indexed(frames[name])
        for arm, (column, outcome), statistic in product(labels.treated_arms, exhibit.columns.items(), TESTED):
            told = outcomes.get(named(outcome, arm, labels), {})
            effect = told.get("specifications", {}).get(exhibit.specification)
            value = numbers.get((exhibit.specification, column, arm, statistic), (math.nan,))[0]
            if effect is not None and math.isfinite(value):
                effect["tests"].append([labels.word(statistic, language), value])


def _paths(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> list[dict[str, Any]]:
    """Return every path over event time, of effects and of means, with what tells them apart."""
    found = []
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, StatesExhibit) or name not in frames:
            continue
        for state in exhibit.states:
            panel = panel_of(exhibit, frames[name], state, labels, language)
            if panel is not None:
                specification = getattr(exhibit, "specification", None)
                found.append({
                    **panel,
                    "exhibit": name,
                    "summed": exhibit.cumulate_from is not None,
                    "specification": specification,
                    "under": labels.specification(specification, language) if specification else "",
                    "axis": labels.word(exhibit.clock, language),
                    "period": period(exhibit, language),
                })  # fmt: skip
    return found
