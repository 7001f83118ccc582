"""The summary: sentences that say what the numbers show, and no more.

An effect is shown with its confidence interval; one whose interval includes zero is called no detectable effect. Nothing is
called large, small, promising or proven. Whatever was tested about the design is shown, the worst first. A question that the
evaluation has no answer to (what it cost, whether the design holds) is answered by saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.report_parts import report_part
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.chapters import NUMBERED, subject_of
from refino_eval.report.page.design_validity import checks_by_concern, validity
from refino_eval.report.page.primary_effects import FIRST, Forest, MainEffect, forest_of, includes_zero, reach_of
from refino_eval.report.page.shown_effects import EffectColumn, ShownEffects, shown_effects
from refino_eval.report.report_inputs import ReportInputs

QUOTED = 3
"""Effects that a sentence names, at most."""

Frames = Mapping[str, pd.DataFrame]


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
    intervals, marks
        How to read that table, and its marks.
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
    marks: str = ""
    validity: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lead or self.effects or self.findings or self.checks or self.costs)


def summarise_numbers(inputs: ReportInputs, frames: Frames, labels: LabelBook) -> Summary:
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
    The effects shown are those that the evaluation names for the first page, or its primary outcomes, in the order of the
    tables. Where nothing is named all are shown: a choice among them by their results would be misleading.
    """
    if not inputs.evaluation.has_people:
        return _of_inputs(inputs, frames, labels)
    costly = {name: frames[name] for name, exhibit in inputs.shown(frames) if subject_of(exhibit) == "costs"}
    others = {name: frame for name, frame in frames.items() if name not in costly}
    shown = shown_effects(inputs, frames, labels)
    effects = tuple(effect for each in shown for _, effect in each.effects(frames))
    forest = forest_of(effects, labels, unfolded=FIRST if _nothing_named(shown) else None)
    findings = list(_of_effects(inputs, shown, frames))
    if not effects:
        findings += _of_kinds(inputs, frames, labels, "other_effects")
    asked = bool(findings)
    checks = checks_by_concern(inputs, frames, labels)
    return Summary(
        lead=tuple(_lead(inputs, shown, frames, labels, asked=asked)),
        findings=(*findings, *_of_kinds(inputs, others, labels)),
        effects=effects,
        forest=forest,
        intervals=" ".join(_reading(forest, effects, shown, labels)) if forest else "",
        marks=labels.say(f"summary.marks{'_units' if forest.in_units else ''}") if forest else "",
        validity=tuple(validity(checks, labels)),
        checks=tuple(check.text for check in checks),
        costs=tuple(_of_kinds(inputs, costly, labels))
        or (labels.say("summary.costs_in_tables" if costly else "summary.no_costs"),),
        limits=tuple(_limits(effects, labels)),
    )


def _of_effects(inputs: ReportInputs, shown: Sequence[ShownEffects], frames: Frames) -> Iterator[str]:
    """State what was found on the effects that the page shows."""
    for each in shown:
        yield from _findings(each, frames)
    # A count of intervals is a stopgap where no test takes all outcomes together.
    if not any(exhibit.tests_by_outcome for _, exhibit in inputs.shown(frames)):
        for each in shown:
            yield from (each.prefix + text for text in _tally(each, frames))


def _of_inputs(inputs: ReportInputs, frames: Frames, labels: LabelBook) -> Summary:
    """Return the summary of an evaluation without people: what follows from its inputs."""
    return Summary(
        lead=(labels.say("summary.from_inputs"),),
        findings=tuple(_of_kinds(inputs, frames, labels)),
        limits=(labels.say("summary.limit_inputs"),),
    )


def _nothing_named(shown: Sequence[ShownEffects]) -> bool:
    return any(each.choice == "outcomes" for each in shown)


def _lead(
    inputs: ReportInputs, shown: Sequence[ShownEffects], frames: Frames, labels: LabelBook, *, asked: bool
) -> Iterator[str]:
    """State the question, how many people are compared, and how they came into their arms."""
    compared = [(each, lines) for each in shown if (lines := list(_people(each, frames)))]
    yield from questions([each.labels for each, _ in compared])
    for _, lines in compared:
        yield from lines
    if not shown:
        yield from _everybody(inputs, labels, asked=asked)
    if any(each.columns for each in shown):
        yield labels.say("summary.kind_of_effects")
    for each in shown[:1]:
        yield from _strata(each, frames)
    yield from _period(inputs, frames, labels)


def _everybody(inputs: ReportInputs, labels: LabelBook, *, asked: bool) -> Iterator[str]:
    """State the question and how many people there are, where no effect shows them: those of the sample flow's last line."""
    pooled = inputs.evaluation.arms.pooled
    treated = [labels.arm(arm) for arm in labels.treated_arms] if pooled is None else [pooled.label[labels.language]]
    arms = {"treated": labels.listed(treated, any_of=True), "control": labels.arm(labels.control)}
    if asked:
        yield labels.say("summary.question", **arms)
    flow = inputs.table("flow")
    if flow is not None and flow[["treated", "control"]].iloc[-1].str.isdigit().all():
        style = NumberStyle.of(labels.language)
        n_treated, n_control = (style.integer(int(flow[name].iloc[-1])) for name in ("treated", "control"))
        yield labels.say("summary.people", **arms, n_treated=n_treated, n_control=n_control)


def questions(comparisons: Sequence[LabelBook]) -> Iterator[str]:
    """State the question of comparisons of two arms each: once for all arms that are compared with the same one."""
    against: dict[str, list[str]] = {}
    for labels in comparisons:
        treated = against.setdefault(labels.arm(labels.control), [])
        if labels.arm(labels.treated) not in treated:
            treated.append(labels.arm(labels.treated))
    for control, treated in against.items():
        named = comparisons[0].listed(treated, any_of=True)
        yield comparisons[0].say("summary.question", treated=named, control=control)


def _people(shown: ShownEffects, frames: Frames) -> Iterator[str]:
    """State how many people are compared in each sample that the page shows."""
    labels = shown.labels
    arms = {"treated": labels.arm(labels.treated), "control": labels.arm(labels.control)}
    style = NumberStyle.of(labels.language)
    for sample, column in reversed(shown.samples.items()):
        cell = column.cell(frames, labels.treated)
        if not {"n_treated", "n_control"} <= set(cell):
            continue
        counts = {name: style.integer(cell[name]) for name in ("n_treated", "n_control")}
        text = labels.say("summary.people", **arms, **counts)
        # The widest sample goes without saying.
        yield f"{labels.sample(sample)}: {text}" if sample != "analysed" else text


def _strata(shown: ShownEffects, frames: Frames) -> Iterator[str]:
    """State within how many strata assignment was random, or a comparison is made, as the first regression has them."""
    labels = shown.labels
    for column in shown.columns[:1]:
        cells = column.cell(frames, labels.treated).get("n_cells")
        if cells is not None and cells > 1 and labels.strata:
            n = NumberStyle.of(labels.language).integer(cells)
            yield labels.say("summary.strata", n=n, strata=labels.cells())


def _period(inputs: ReportInputs, frames: Frames, labels: LabelBook) -> Iterator[str]:
    """State from when to when people were assigned, where an exhibit counts them by month."""
    for name, exhibit in inputs.shown(frames):
        period = report_part(exhibit.kind, "period")
        months = period(exhibit, frames[name]) if period is not None else None
        if months is not None:
            first, last = (f"{labels.say(f'summary.month_{int(month[5:])}')} {month[:4]}" for month in months)
            yield labels.say("summary.period", first=first, last=last)
            return


def _reading(
    forest: Forest, effects: Sequence[MainEffect], shown: Sequence[ShownEffects], labels: LabelBook
) -> Iterator[str]:
    """State how to read the table of effects, and why it has these effects."""
    levels = " / ".join(dict.fromkeys(effect.level for effect in effects))
    yield labels.say("summary.intervals", level=levels)
    if shown[0].choice == "named":
        yield labels.say("summary.shown_named")
    elif _nothing_named(shown) and len(forest.rows) > forest.unfolded:
        yield labels.say("summary.shown_first", n=forest.unfolded)


def _findings(shown: ShownEffects, frames: Frames) -> Iterator[str]:
    """State of how many effects the confidence interval excludes zero, and what the data rule out."""
    named = list(shown.effects(frames))
    effects = [effect for _, effect in named]
    reach = reach_of(effects, shown.labels)
    yield from (shown.prefix + text for text in _headline(shown, named))
    yield from [shown.prefix + reach] if reach else [effect.compatible for effect in effects[:1]]


def _headline(shown: ShownEffects, named: Sequence[tuple[str, MainEffect]]) -> Iterator[str]:
    """State of how many effects the confidence interval excludes zero, and which these are, with sign and size."""
    if not named:
        return
    labels, total = shown.labels, len(named)
    excluding = [(name, effect) for name, effect in named if not effect.includes_zero]
    quoted = [
        labels.say("summary.quoted_effect", label=name, amount=effect.signed) for name, effect in excluding[:QUOTED]
    ]
    rest = len(excluding) - len(quoted)
    names = ", ".join(quoted) + labels.say("summary.and_more", n=rest) if rest else labels.listed(quoted or [""])
    if not excluding:
        yield labels.say(f"summary.{shown.choice}_none", n=total)
    elif len(excluding) == total:
        yield labels.say(f"summary.{shown.choice}_all", n=total, outcomes=names)
    else:
        yield labels.say(f"summary.{shown.choice}_some", n=len(excluding), total=total, outcomes=names)


def _tally(shown: ShownEffects, frames: Frames) -> Iterator[str]:
    """State how many outcomes' confidence intervals exclude zero, and how many would by chance."""
    labels, columns = shown.labels, shown.everything
    levels = {_level(column, labels) for column in columns}
    # The outcomes of several samples are not one family.
    if len(columns) < 2 or len(levels) != 1 or len(shown.samples) > 1:
        return
    level = levels.pop()
    expected = NumberStyle.of(labels.language).fixed((1.0 - level) * len(columns), 1)
    if shown.columns == columns:
        # The headline has counted the same intervals.
        yield labels.say("summary.by_chance", expected=expected)
        return
    excluding = sum(not includes_zero(column.cell(frames, labels.treated)) for column in columns)
    values = {"total": len(columns), "level": f"{level * 100:g}", "expected": expected}
    if excluding:
        yield labels.say("summary.tally", n=excluding, **values)
    else:
        yield labels.say("summary.tally_none", **values)


def _level(column: EffectColumn, labels: LabelBook) -> float:
    entry = labels.specification_of(column.specification)
    return entry.level if entry else 0.95


def _limits(effects: Sequence[MainEffect], labels: LabelBook) -> Iterator[str]:
    """Return what cannot be concluded from the numbers shown."""
    if any(effect.includes_zero for effect in effects):
        yield labels.say("summary.reading")
    if effects:
        yield labels.say("summary.limit_participation")
    yield labels.say("summary.limit_people")


def _of_kinds(inputs: ReportInputs, frames: Frames, labels: LabelBook, part: str = "summary") -> Iterator[str]:
    """Return what kinds of exhibits add to the summary; exhibits that say the same say it once, others under their titles."""
    said: dict[str, dict[tuple[str, ...], str]] = {}
    for name, exhibit in inputs.shown(frames):
        texts = tuple(_sentences(exhibit, frames[name], labels, part))
        if texts:
            said.setdefault(exhibit.kind, {}).setdefault(texts, exhibit.title[labels.language])
    for by_texts in said.values():
        subjects = [_subject(title) for title in by_texts.values()]
        for texts, subject in zip(by_texts, subjects, strict=True):
            # Titles that are the same distinguish nothing.
            colon = " \N{EN DASH}" if ":" in subject else ":"
            prefix = f"{subject}{colon} " if subjects.count(subject) < len(subjects) else ""
            yield from (prefix + text for text in texts)


def _sentences(exhibit: Exhibit, frame: pd.DataFrame, labels: LabelBook, part: str) -> Iterator[str]:
    """Return what one exhibit adds to the summary, of each treated arm under its name where there are several."""
    sentences = report_part(exhibit.kind, part)
    if sentences is None or len(exhibit.comparisons) > 1:
        # A sentence would have to name the comparison; the table shows them all.
        return
    for own in _arms(exhibit, labels):
        prefix = f"{labels.arm(own.treated)}: " if len(labels.treated_arms) > 1 else ""
        yield from (prefix + text for text in sentences(exhibit, frame, own))


def _arms(exhibit: Exhibit, labels: LabelBook) -> list[LabelBook]:
    """Return the labels of an exhibit for each of its treated arms."""
    labels = labels.comparing(exhibit.arm, exhibit.against)
    return [replace(labels, treated=arm, several=(arm,)) for arm in labels.treated_arms]


def _subject(title: str) -> str:
    """Return what a title is about: without its number in a publication, and without further sentences such as on units."""
    match = NUMBERED.match(title)
    return re.split(r"[.?!] (?=[A-ZÆØÅ])", title[match.end() + 2 :] if match else title)[0].rstrip(".?!")
