"""The summary: sentences that say what the numbers show, and no more.

An effect is shown with its confidence interval; one whose interval includes zero is called no detectable effect. Nothing is
called large, small, promising or proven. Whatever was tested about the design is shown, the worst first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.layout.tables_by_arm import frame_of, frames_by_arm
from refino_eval.exhibits.report_parts import DesignCheck, report_part
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.chapters import NUMBERED, subject_of
from refino_eval.report.page.primary_effects import Forest, MainEffect, forest_of, includes_zero, main_effect, reach_of
from refino_eval.report.report_inputs import ReportInputs

LIMIT = 0.05
"""Level of the tests that the summary counts."""

Tables = list[tuple[str, Exhibit]]


WORST = 3
"""Checks of the design with a p-value below the limit that the first page quotes, and outcomes that it names, at most."""


@dataclass(frozen=True)
class Summary:
    """The first page of a report.

    Attributes
    ----------
    lead
        The question, who is compared, and how they came into their arms.
    findings
        In a sentence each: what was found, what the data rule out, and what holds for all outcomes together.
    effects, forest
        The main effects, and their table with a mark each; None where there are none.
    intervals
        How to read that table.
    validity
        In a sentence: how many tests of the design there are and how many have small p-values; then the worst of them.
    checks
        Whatever was tested about the design, the worst first, then what is shown without a test.
    costs
        What the exhibits on costs say.
    limits
        What cannot be concluded.
    """

    lead: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    effects: tuple[MainEffect, ...] = ()
    forest: Forest | None = None
    intervals: str = ""
    validity: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lead or self.effects or self.findings or self.checks or self.costs)


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
    # Tables of what people took part in, of balance and of other definitions are not what the evaluation asks.
    tables = [(name, exhibit) for name, exhibit in tables if subject_of(exhibit) == "results"] or tables
    arms = [_of_arm(arm, tables, _primary(inputs, tables), frames, labels) for arm in labels.treated_arms]
    effects = tuple(effect for arm in arms for effect in arm.effects)
    checks = sorted(_checks(inputs, frames, labels), key=_concern)
    costly = {name: frames[name] for name, exhibit in inputs.shown(frames) if subject_of(exhibit) == "costs"}
    others = {name: frame for name, frame in frames.items() if name not in costly}
    levels = " / ".join(dict.fromkeys(effect.level for effect in effects))
    forest = forest_of(effects, labels)
    # A count of intervals is a stopgap where no test takes all outcomes together.
    tested = any(exhibit.tests_by_outcome for _, exhibit in inputs.shown(frames))
    tallies = () if tested else tuple(text for arm in arms for text in arm.tallies)
    lead = tuple(text for arm in arms for text in arm.lead)
    findings = tuple(text for arm in arms for text in arm.findings)
    return Summary(
        lead=(*lead, *_randomisation(inputs, tables, frames, labels)),
        findings=(*findings, *tallies, *_of_kinds(inputs, others, labels)),
        effects=effects,
        forest=forest,
        intervals=labels.say(f"summary.intervals{'_units' if forest.in_units else ''}", level=levels) if forest else "",
        validity=tuple(_validity(checks, labels)),
        checks=tuple(check.text for check in checks),
        costs=tuple(_of_kinds(inputs, costly, labels)),
        limits=tuple(_limits(effects, labels)),
    )


@dataclass(frozen=True)
class _OfArm:
    """What the summary says about one treated arm; with several, each has its own findings, under its name."""

    lead: tuple[str, ...]
    findings: tuple[str, ...]
    effects: tuple[MainEffect, ...]
    tallies: tuple[str, ...]


def _of_arm(
    arm: str, tables: Tables, primary: set[str] | None, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> _OfArm:
    own = replace(labels, treated=arm, several=())
    prefix = f"{labels.arm(arm)}: " if len(labels.treated_arms) > 1 else ""
    effects = _effects(tables, primary, frames, own, prefix)
    reach = reach_of(effects, own)
    ruled_out = [prefix + reach] if reach else [effect.compatible for effect in effects[:1]]
    headline = (prefix + text for text in _headline(tables, primary, frames, own))
    return _OfArm(
        lead=tuple(_people(tables, frames, own)),
        findings=(*headline, *ruled_out),
        effects=tuple(effects),
        tallies=tuple(prefix + text for text in _tally(tables, frames, own)),
    )


def _limits(effects: Sequence[MainEffect], labels: LabelBook) -> Iterator[str]:
    """Return what cannot be concluded from the effects shown."""
    if not effects:
        return
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
    quoted = [labels.say("summary.quoted", label=labels.outcome(outcome)) for outcome in excluding[:WORST]]
    rest = len(excluding) - len(quoted)
    names = ", ".join(quoted) + (labels.say("summary.and_more", n=rest) if rest else "")
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


def _randomisation(
    inputs: ReportInputs, tables: Tables, frames: Mapping[str, pd.DataFrame], labels: LabelBook
) -> Iterator[str]:
    """State within how many strata assignment was random, or a comparison is made, as the first regression has them; and when."""
    for name, exhibit in tables[:1]:
        column = next(iter(exhibit.outcome_columns))
        cells = statistics_at(frames[name], exhibit.specifications_read[0], labels.treated_arms[0], column).get(
            "n_cells"
        )
        if cells is not None and cells > 1 and labels.strata:
            style = NumberStyle.of(labels.language)
            yield labels.say("summary.strata", n=style.integer(cells), strata=labels.cells())
    yield from _period(inputs, frames, labels)


def _period(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[str]:
    """State from when to when people were assigned, where an exhibit counts them by month."""
    for name, exhibit in inputs.shown(frames):
        period = report_part(exhibit.kind, "period")
        months = period(exhibit, frames[name]) if period is not None else None
        if months is not None:
            first, last = (f"{labels.say(f'summary.month_{int(month[5:])}')} {month[:4]}" for month in months)
            yield labels.say("summary.period", first=first, last=last)
            return


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
            prefix = f"{_subject(title)}: " if len(by_texts) > 1 else ""
            yield from (prefix + text for text in texts_said)


def _subject(title: str) -> str:
    """Return what a title is about: without its number in a publication, and without further sentences such as on units."""
    match = NUMBERED.match(title)
    return re.split(r"[.?!] (?=[A-ZÆØÅ])", title[match.end() + 2 :] if match else title)[0].rstrip(".?!")


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


def _concern(check: DesignCheck) -> tuple[bool, float]:
    """Order checks: tests by their p-values, then what is shown without a test."""
    return check.p_value is None, check.p_value or 0.0


def _validity(checks: list[DesignCheck], labels: LabelBook) -> Iterator[str]:
    """State how many tests of the design have a p-value below the limit and how many would by chance; then quote the worst.

    Without a test, the first of the other checks is quoted.
    """
    style = NumberStyle.of(labels.language)
    tests = [check for check in checks if check.p_value is not None]
    worst = [check.text for check in tests if check.p_value is not None and check.p_value < LIMIT]
    limit = style.fixed(LIMIT, 2)
    if not tests:
        yield from (check.text for check in checks[:1])
        return
    if len(worst) == len(tests):
        yield labels.say("summary.checks_all", n=len(worst), limit=limit)
    elif worst:
        expected = style.fixed(LIMIT * len(tests), 1)
        yield labels.say("summary.checks_some", n=len(worst), total=len(tests), limit=limit, expected=expected)
    else:
        yield labels.say("summary.checks_none", n=len(tests), limit=limit)
    yield from worst[:WORST] or [labels.say("summary.checks_least", check=tests[0].text)]
