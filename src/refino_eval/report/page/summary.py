"""The summary: sentences that say what the numbers show, and no more.

An effect is shown with its confidence interval; one whose interval includes zero is called no detectable effect. Nothing is
called large, small, promising or proven. Whatever was tested about the design is shown, the worst first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.layout.tables_by_arm import frame_of, frames_by_arm
from refino_eval.exhibits.report_parts import DesignCheck, report_part
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.chapters import chapter_of
from refino_eval.report.page.primary_effects import (
    MainEffect,
    effects_drawing,
    effects_table,
    includes_zero,
    main_effect,
)
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.report_inputs import ReportInputs

LIMIT = 0.05
"""Level of the tests that the summary counts."""

Tables = list[tuple[str, Exhibit]]


SHOWN = 5
"""Checks of the design that the first page shows unfolded; those with a p-value below the limit are always shown."""


@dataclass(frozen=True)
class Summary:
    """The first page of a report.

    Attributes
    ----------
    lead
        The question, who is compared, and in a sentence each what was found and whether the design holds.
    effects, drawing, table
        The main effects, in one figure and in one table; both are None where there are none.
    close
        What holds for the effects together.
    checks, unfolded
        Whatever was tested about the design, the worst first, and how many of these are shown unfolded.
    costs
        What the exhibits on costs say.
    limits
        What cannot be concluded.
    """

    lead: tuple[str, ...] = ()
    effects: tuple[MainEffect, ...] = ()
    drawing: dict[str, Any] | None = None
    table: SummaryTable | None = None
    intervals: str = ""
    close: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    unfolded: int = SHOWN
    costs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lead or self.effects or self.close or self.checks or self.costs)


def summarise_numbers(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Summary:
    """Return the summary.

    Parameters
    ----------
    inputs
        The run.
    frames
        Tidy numbers by exhibit.
    labels
        What to call things, in the language of the page.

    Notes
    -----
    All primary outcomes are shown, in the order of the tables (all outcomes where none is primary): a choice among them by
    their results would be misleading.
    """
    tables = [
        (name, exhibit)
        for name, exhibit in inputs.shown(frames)
        if exhibit.effects_by_outcome and len(exhibit.comparisons) < 2
    ]
    primary = _primary(inputs, tables)
    lead: list[str] = []
    effects: list[MainEffect] = []
    close: list[str] = []
    for arm in labels.treated_arms:
        # With several treated arms each has its own findings, under its name.
        own = replace(labels, treated=arm, several=())
        prefix = f"{labels.arm(arm)}: " if len(labels.treated_arms) > 1 else ""
        lead += _people(tables, frames, own)
        lead += [prefix + text for text in _headline(tables, primary, frames, own)]
        effects += _effects(tables, primary, frames, own, prefix)
        close += [prefix + text for text in _tally(tables, frames, own)]
    checks = sorted(_checks(inputs, frames, labels), key=_concern)
    lead += _checks_lead(checks, labels)
    below = sum(check.p_value is not None and check.p_value < LIMIT for check in checks)
    costly = {name: frames[name] for name, exhibit in inputs.shown(frames) if chapter_of(exhibit) == "costs"}
    others = {name: frame for name, frame in frames.items() if name not in costly}
    levels = " / ".join(dict.fromkeys(effect.level for effect in effects))
    return Summary(
        lead=tuple(lead),
        effects=tuple(effects),
        drawing=effects_drawing(effects, labels),
        table=effects_table(effects, labels) if effects else None,
        intervals=labels.say("summary.intervals", level=levels) if effects else "",
        close=(*close, *_of_kinds(inputs, others, labels)),
        checks=tuple(check.text for check in checks),
        unfolded=max(SHOWN, below),
        costs=tuple(_of_kinds(inputs, costly, labels)),
        limits=tuple(_limits(inputs, effects, labels)),
    )


def _limits(inputs: ReportInputs, effects: list[MainEffect], labels: LabelBook) -> Iterator[str]:
    """Return what cannot be concluded from the effects shown."""
    if not effects:
        return
    if inputs.evaluation.data_class == "synthetic":
        yield labels.say("summary.limit_synthetic")
    if any(effect.includes_zero for effect in effects):
        yield labels.say("summary.reading")
    yield labels.say("summary.limit_participation")
    yield labels.say("summary.limit_people")


def _effects(
    tables: Tables, primary: set[str] | None, frames: Mapping[str, pd.DataFrame], labels: LabelBook, prefix: str
) -> list[MainEffect]:
    """Return each primary effect once (each effect where none is primary), as its first table has it."""
    effects: dict[str, MainEffect | None] = {}
    for name, exhibit in tables:
        for column, outcome in exhibit.outcome_columns.items():
            if outcome not in effects and (primary is None or outcome in primary):
                specification = exhibit.specifications_read[0]
                effects[outcome] = main_effect(frames[name], specification, column, outcome, labels, prefix=prefix)
    return [effect for effect in effects.values() if effect is not None]


def _intervals(
    tables: Tables, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> Iterator[tuple[str, float, bool]]:
    """Return each outcome once with the level of its confidence interval, and whether that includes zero."""
    seen = set()
    for name, exhibit in tables:
        specification = exhibit.specifications_read[0]
        entry = labels.specification_of(specification)
        for column, outcome in exhibit.outcome_columns.items():
            cell = statistics_at(frames[name], specification, labels.treated, column)
            if outcome not in seen and {"conf_low", "conf_high"} <= set(cell):
                seen.add(outcome)
                yield outcome, entry.level if entry else 0.95, includes_zero(cell)


def _headline(
    tables: Tables, primary: set[str] | None, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> Iterator[str]:
    """State of how many main outcomes the confidence interval excludes zero, and which these are."""
    intervals = {
        outcome: includes
        for outcome, _, includes in _intervals(tables, frames, labels)
        if primary is None or outcome in primary
    }
    if not intervals:
        return
    which = "outcomes" if primary is None else "primary"
    excluding = [outcome for outcome, includes in intervals.items() if not includes]
    names = ", ".join(labels.say("summary.quoted", label=labels.outcome(outcome)) for outcome in excluding)
    if not excluding:
        yield labels.say(f"summary.{which}_none", n=len(intervals))
    elif len(excluding) == len(intervals):
        yield labels.say(f"summary.{which}_all", n=len(intervals), outcomes=names)
    else:
        yield labels.say(f"summary.{which}_some", n=len(excluding), total=len(intervals), outcomes=names)


def _tally(tables: Tables, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[str]:
    """State how many outcomes' confidence intervals exclude zero, and how many would by chance."""
    intervals = list(_intervals(tables, frames, labels))
    levels = {level for _, level, _ in intervals}
    if len(intervals) < 2 or len(levels) != 1:
        return
    level = levels.pop()
    excluding = sum(not includes for _, _, includes in intervals)
    values = {
        "total": len(intervals), "level": f"{level * 100:g}",
        "expected": NumberStyle.of(labels.language).fixed((1.0 - level) * len(intervals), 1),
    }  # fmt: skip
    if excluding:
        yield labels.say("summary.tally", n=excluding, **values)
    else:
        yield labels.say("summary.tally_none", **values)


def _primary(inputs: ReportInputs, tables: Tables) -> set[str] | None:
    """Return the primary outcomes of the tables; None where none is primary."""
    outcomes = inputs.definitions.outcomes
    names = {outcome for _, exhibit in tables for outcome in exhibit.outcome_columns.values() if outcome in outcomes}
    return {name for name in names if outcomes[name].role == "primary"} or None


def _people(tables: Tables, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[str]:
    """State the question, and how many people are compared in the first table."""
    for name, exhibit in tables[:1]:
        column = next(iter(exhibit.outcome_columns))
        cell = statistics_at(frames[name], exhibit.specifications_read[0], labels.treated, column)
        if {"n_treated", "n_control"} <= set(cell):
            style = NumberStyle.of(labels.language)
            yield labels.say("summary.question", treated=labels.arm(labels.treated), control=labels.arm(labels.control))
            yield labels.say(
                "summary.people", n_treated=style.integer(cell["n_treated"]), n_control=style.integer(cell["n_control"]),
                treated=labels.arm(labels.treated), control=labels.arm(labels.control),
            )  # fmt: skip


def _of_kinds(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[str]:
    """Return what kinds of exhibits add to the summary; exhibits that say the same say it once, others under their titles."""
    said: dict[str, dict[tuple[str, ...], str]] = {}
    for name, exhibit in inputs.shown(frames):
        sentences = report_part(exhibit.kind, "summary")
        if sentences is None or len(exhibit.comparisons) > 1:
            # A sentence would have to name the comparison; the table shows them all.
            continue
        texts: list[str] = []
        for own in _arms(exhibit, labels):
            prefix = f"{labels.arm(own.treated)}: " if len(labels.treated_arms) > 1 else ""
            texts += [prefix + text for text in sentences(exhibit, frames[name], own)]
        if texts:
            said.setdefault(exhibit.kind, {}).setdefault(tuple(texts), exhibit.title[labels.language])
    for by_texts in said.values():
        for texts_said, title in by_texts.items():
            prefix = f"{_headed(title)} " if len(by_texts) > 1 else ""
            yield from (prefix + text for text in texts_said)


def _headed(title: str) -> str:
    """Return a title as the head of a line."""
    return title if title.endswith((".", "?", "!")) else f"{title}."


def _arms(exhibit: Exhibit, labels: LabelBook) -> list[LabelBook]:
    """Return the labels of an exhibit for each of its treated arms."""
    labels = labels.comparing(exhibit.arm, exhibit.against)
    return [replace(labels, treated=arm, several=(arm,)) for arm in labels.treated_arms]


def _checks(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[DesignCheck]:
    """Return everything that was tested about the design and its validity."""
    yield from _linkage_checks(inputs, labels)
    with_checks = [
        (name, exhibit)
        for name, exhibit in inputs.shown(frames)
        if report_part(exhibit.kind, "design_checks") is not None
    ]
    kinds = Counter(exhibit.kind for _, exhibit in with_checks)
    for name, exhibit in with_checks:
        # Titles distinguish two tables of balance.
        title = f"{_headed(exhibit.title[labels.language])} " if kinds[exhibit.kind] > 1 else ""
        for check in _checks_of(exhibit, frames[name], labels.comparing(exhibit.arm, exhibit.against)):
            yield replace(check, text=title + check.text)


def _checks_of(exhibit: Exhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the checks of one exhibit, of each treated arm under its name where it has a table for each."""
    checks = report_part(exhibit.kind, "design_checks")
    assert checks is not None
    if len(exhibit.comparisons) > 1:
        for name in exhibit.comparisons:
            alone, entry = exhibit.model_copy(update={"comparisons": (name,)}), labels.definitions.comparisons[name]
            for check in _checks_of(alone, frame_of(frame, name), labels):
                yield replace(check, text=f"{entry.label[labels.language]}. {check.text}")
        return
    if len(labels.treated_arms) == 1 or exhibit.several_arms != "apart":
        yield from checks(exhibit, frame, labels)
        return
    for part, own in frames_by_arm(frame, labels):
        for check in checks(exhibit, part, own):
            yield replace(check, text=f"{labels.arm(own.treated)}. {check.text}")


def _linkage_checks(inputs: ReportInputs, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the register that links worst, relative to what its source expects, and the one in which the arms differ most."""
    linkage = inputs.table("linkage")
    if linkage is None:
        return
    names = [inputs.register_label(str(name), labels.language) for name in linkage["register"]]
    # A disclosure mark in place of a count becomes missing.
    frame = linkage.drop(columns="register").apply(pd.to_numeric, errors="coerce")
    percent = NumberStyle.of(labels.language).percent
    share, treated, control = (
        frame[found] / frame[people]
        for found, people in (("found", "people"), ("treated_found", "treated"), ("control_found", "control"))
    )
    relative, gap = (share / frame["expected"]).dropna(), (treated - control).abs().dropna()
    if len(relative):
        worst = int(relative.idxmin())
        yield DesignCheck(labels.say(
            "summary.check_linkage", register=names[worst], share=percent(share[worst]),
            expected=percent(frame.loc[worst, "expected"]),
        ))  # fmt: skip
    if len(gap):
        widest = int(gap.idxmax())
        yield DesignCheck(labels.say(
            "summary.check_linkage_by_arm", register=names[widest],
            share_treated=percent(treated[widest]), share_control=percent(control[widest]),
        ))  # fmt: skip


def _concern(check: DesignCheck) -> tuple[int, float]:
    """Order checks: tests below the limit, what is shown without a test, and the other tests, by their p-values."""
    if check.p_value is None:
        return 1, 0.0
    return (0 if check.p_value < LIMIT else 2), check.p_value


def _checks_lead(checks: list[DesignCheck], labels: LabelBook) -> Iterator[str]:
    """State how many tests of the design have a p-value below the limit, and how many would by chance."""
    style = NumberStyle.of(labels.language)
    p_values = [check.p_value for check in checks if check.p_value is not None]
    below, limit = sum(p < LIMIT for p in p_values), style.fixed(LIMIT, 2)
    if p_values and below == len(p_values):
        yield labels.say("summary.checks_all", n=below, limit=limit)
    elif below:
        expected = style.fixed(LIMIT * len(p_values), 1)
        yield labels.say("summary.checks_some", n=below, total=len(p_values), limit=limit, expected=expected)
    elif p_values:
        yield labels.say("summary.checks_none", n=len(p_values), limit=limit)
