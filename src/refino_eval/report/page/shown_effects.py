"""Which effects the first page shows: those that the evaluation names, its primary outcomes, or the tables in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.report.page.chapters import subject_of
from refino_eval.report.page.primary_effects import MainEffect, main_effect
from refino_eval.report.report_inputs import ReportInputs

Choice = Literal["named", "primary", "outcomes"]
"""Why the effects are shown: the evaluation names them, their outcomes are primary, or nothing is named and all are."""


@dataclass(frozen=True)
class EffectColumn:
    """A column of a table of effects: the exhibit, the key of the column in it, and its outcome."""

    name: str
    exhibit: Exhibit
    key: str
    outcome: str

    @property
    def specification(self) -> str:
        """The specification that the first page shows: the table's first."""
        return self.exhibit.specifications_read[0]

    def cell(self, frames: Mapping[str, pd.DataFrame], arm: str) -> dict[str, float]:
        """Return the numbers of the effect of an arm."""
        return statistics_at(frames[self.name], self.specification, arm, self.key)


@dataclass(frozen=True)
class ShownEffects:
    """The effects of one arm against another.

    Attributes
    ----------
    labels
        Of that comparison.
    prefix
        Names the comparison before a text, where there are several.
    choice
        Why these effects are shown.
    columns
        Those shown.
    everything
        Those of all outcomes of the tables of results, each outcome once.
    """

    labels: LabelBook
    prefix: str
    choice: Choice
    columns: tuple[EffectColumn, ...]
    everything: tuple[EffectColumn, ...]

    @property
    def samples(self) -> dict[str, EffectColumn]:
        """The samples of the effects shown, each with its first effect."""
        return {column.exhibit.sample: column for column in reversed(self.columns)}

    def effects(self, frames: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, MainEffect]]:
        """Return the name of each effect in a sentence, and the effect; what was not estimated or is suppressed is left out."""
        for column in self.columns:
            about = self._distinguished(column)
            effect = main_effect(
                frames[column.name], column.specification, column.key, column.outcome, self.labels, prefix=self.prefix, about=about
            )  # fmt: skip
            if effect is not None:
                yield ", ".join((self.labels.outcome(column.outcome), *about)), effect

    def _distinguished(self, column: EffectColumn) -> tuple[str, ...]:
        """Return what distinguishes an effect from the others on the page: its sample, and its specification."""
        same = Counter((each.outcome, each.exhibit.sample) for each in self.columns)
        samples = Counter(outcome for outcome, _ in same)
        about = [inside(self.labels.sample(column.exhibit.sample))] if max(samples.values()) > 1 else []
        return (*about, *([self._specified(column)] if same[column.outcome, column.exhibit.sample] > 1 else []))

    def _specified(self, column: EffectColumn) -> str:
        """Return a specification's name and how many controls it has."""
        entry, labels = self.labels.specification_of(column.specification), self.labels
        n = len(entry.controls) if entry is not None else 0
        controls = labels.say("summary.with_controls", n=n) if n else labels.say("summary.without_controls")
        return f"{labels.specification(column.specification)} ({controls})"


def shown_effects(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> tuple[ShownEffects, ...]:
    """Return the effects of the first page, comparison by comparison."""
    tables = [
        EffectColumn(name, exhibit, key, outcome)
        for name, exhibit in inputs.shown(frames)
        if exhibit.effects_by_outcome and len(exhibit.comparisons) < 2
        for key, outcome in exhibit.outcome_columns.items()
    ]
    # Tables of what people took part in, of balance and of other definitions are not what the evaluation asks.
    results = [column for column in tables if subject_of(column.exhibit) == "results"]
    # Nor is a comparison of two treated arms, where there is no table of results.
    everything = results or [column for column in tables if column.exhibit.against is None]
    choice, columns = _chosen(inputs, tables, everything)
    chosen, every = _by_comparison(columns, labels), _by_comparison(everything, labels)
    several = len(chosen) > 1 or len(labels.treated_arms) > 1
    shown = []
    for (arm, against), of_comparison in chosen.items():
        own = replace(labels, treated=arm, control=against, several=())
        listed = of_comparison if choice == "named" else _each_outcome_once(of_comparison, frames, arm)
        held = _each_outcome_once(every.get((arm, against), ()), frames, arm)
        shown.append(ShownEffects(own, _prefix(own, labels) if several else "", choice, tuple(listed), tuple(held)))
    return tuple(shown)


def _chosen(
    inputs: ReportInputs, tables: Sequence[EffectColumn], everything: Sequence[EffectColumn]
) -> tuple[Choice, Sequence[EffectColumn]]:
    """Return the effects that the evaluation names, else those on primary outcomes, else all; and which of these they are."""
    by_key: dict[tuple[str, str], list[EffectColumn]] = {}
    for column in tables:
        by_key.setdefault((column.name, column.key), []).append(column)
    keys = [(exhibit, key) for exhibit, keys in inputs.evaluation.first_page.items() for key in keys]
    if named := [column for key in keys for column in by_key.get(key, ())]:
        return "named", named
    outcomes = inputs.definitions.outcomes
    primary = {name for name, outcome in outcomes.items() if outcome.role == "primary"}
    if on_primary := [column for column in everything if column.outcome in primary]:
        return "primary", on_primary
    return "outcomes", everything


def _by_comparison(columns: Iterable[EffectColumn], labels: LabelBook) -> dict[tuple[str, str], list[EffectColumn]]:
    """Return the columns by the treated arm and the arm that it is compared with; comparisons with the control first."""
    held: dict[tuple[str, str], list[EffectColumn]] = {}
    for column in columns:
        own = labels.comparing(column.exhibit.arm, column.exhibit.against)
        for arm in own.treated_arms:
            held.setdefault((arm, own.control), []).append(column)
    order = {arm: place for place, arm in enumerate(labels.treated_arms)}
    ordered = sorted(held, key=lambda pair: (pair[1] != labels.control, order.get(pair[0], len(order))))
    return {pair: held[pair] for pair in ordered}


def _each_outcome_once(
    columns: Iterable[EffectColumn], frames: Mapping[str, pd.DataFrame], arm: str
) -> list[EffectColumn]:
    """Return the first column of each outcome that has an interval."""
    once: dict[str, EffectColumn] = {}
    for column in columns:
        if {"conf_low", "conf_high"} <= set(column.cell(frames, arm)):
            once.setdefault(column.outcome, column)
    return list(once.values())


def _prefix(own: LabelBook, labels: LabelBook) -> str:
    treated = own.arm(own.treated)
    if own.control == labels.control:
        return f"{treated}: "
    return labels.say("summary.against", treated=treated, control=own.arm(own.control)) + ": "
