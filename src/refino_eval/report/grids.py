"""The report's own small tables, as rows of text for the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.base import text_in
from refino_eval.config.evaluation import Evaluation, SampleStep, Step
from refino_eval.config.exhibits import IttExhibit, PathsExhibit
from refino_eval.exhibits.labels import LabelBook, plain
from refino_eval.exhibits.notes import say, window_text
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.published import VERDICTS
from refino_eval.report.inputs import ReportInputs
from refino_eval.report.words import WORDS, word

Align = str


@dataclass(frozen=True)
class Grid:
    """A small table: headings, rows of text, the side each column stands to, and a class for each row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sides: tuple[Align, ...]
    classes: tuple[str, ...] = ()
    caption: str = ""


def flow_grid(inputs: ReportInputs, labels: LabelBook, language: str) -> Grid | None:
    """Return the sample flow: who went out, why, and who remained."""
    flow = inputs.table("flow")
    if flow is None:
        return None
    reasons = _reasons(inputs.evaluation)
    several = len(labels.treated_arms) > 1
    treated = [f"arm_{arm}" for arm in labels.treated_arms] if several else ["treated"]
    keys = ("persons", *treated, "control")
    rows, classes = [], []
    for record in flow.to_dict("records"):
        step, reason = str(record["step"]), str(record["reason"])
        counts = tuple(_count(record[key], language) for key in keys)
        if reason:
            rows.append((_reason(reason, reasons, language), *counts))
            classes.append("out" if step != "joined" else "")
        else:
            rows.append((_step(step, labels, language), *counts))
            classes.append("total")
    arms = [labels.arm(arm, language) for arm in (*labels.treated_arms, labels.control)]
    return Grid(("", word("persons", language), *arms), tuple(rows), ("left", *["right"] * len(keys)), tuple(classes))


def _reasons(evaluation: Evaluation) -> dict[str, Step | SampleStep]:
    steps: list[Step | SampleStep] = list(evaluation.population.steps) if evaluation.population is not None else []
    steps += [step for sample in evaluation.samples.values() for step in sample.steps]
    return {step.reason: step for step in steps}


def _reason(reason: str, reasons: Mapping[str, Step | SampleStep], language: str) -> str:
    return reasons[reason].label[language] if reason in reasons else plain(reason)


def _step(step: str, labels: LabelBook, language: str) -> str:
    if step in labels.samples:
        return labels.sample(step, language)
    return word(step, language) if step in ("delivered", "population") else plain(step)


def quality_grid(inputs: ReportInputs, language: str) -> Grid | None:
    """Return rows delivered, used and rejected, by register."""
    quality = inputs.table("quality")
    if quality is None:
        return None
    keys = [key for key in ("delivered", "clean", "rejected", "people") if key in quality.columns]
    rows = tuple(
        (str(record["register"]), *(_count(record[key], language) for key in keys))
        for record in quality.to_dict("records")
    )
    head = (word("register", language), *(word(key, language) for key in keys))
    return Grid(head, rows, ("left", *["right"] * len(keys)))


def rules_grid(inputs: ReportInputs, language: str) -> Grid | None:
    """Return the rules that rejected rows."""
    rules = inputs.table("quality_rules")
    if rules is None:
        return None
    rows = tuple(
        (
            str(record["register"]),
            _rule(str(record["rule"]), language),
            _count(record["rows"], language),
            _count(record["people"], language),
        )
        for record in rules.to_dict("records")
    )
    head = tuple(word(key, language) for key in ("register", "rule", "rows", "people"))
    return Grid(head, rows, ("left", "left", "right", "right"), caption=word("rules", language))


def plan_grid(inputs: ReportInputs, language: str) -> Grid | None:
    """Return how the primary outcomes differ from the registered plan; None when they do not, or there is none."""
    changes = inputs.table("plan")
    if changes is None:
        return None
    rows = tuple(
        (
            _outcome_label(str(record["outcome"]), inputs, language),
            word(f"plan_{record['change']}", language),
            str(record["registered_sha256"])[:12],
            str(record["current_sha256"])[:12],
            str(record["fields"]),
        )
        for record in changes.to_dict("records")
    )
    head = tuple(word(key, language) for key in ("outcome", "plan_change", "plan_then", "plan_now", "plan_fields"))
    return Grid(head, rows, ("left",) * 5, caption=word("plan", language))


def _outcome_label(name: str, inputs: ReportInputs, language: str) -> str:
    entry = inputs.definitions.outcomes.get(name)
    return entry.label[language] if entry is not None else plain(name)


def _rule(rule: str, language: str) -> str:
    """Say a rule in words; a rule may name its column after a colon."""
    name, _, column = rule.partition(":")
    said = word(f"rule_{name}", language) if f"rule_{name}" in WORDS else plain(name)
    return f"{said} ({column})" if column else said


def comparison_grid(comparison: pd.DataFrame | None, titles: Mapping[str, str], language: str) -> Grid | None:
    """Return the verdicts by exhibit."""
    if comparison is None:
        return None
    rows = []
    for exhibit, part in comparison.groupby("exhibit", sort=False):
        counts = part["verdict"].value_counts()
        rows.append(
            (
                titles.get(str(exhibit), _exhibit(str(exhibit), language)),
                *(str(int(counts.get(v, 0))) for v in VERDICTS),
                str(len(part)),
            )
        )
    totals = comparison["verdict"].value_counts()
    everything = say(language, "I alt", "In all")
    rows.append((everything, *(str(int(totals.get(v, 0))) for v in VERDICTS), str(len(comparison))))
    head = (word("exhibit", language), *(word(v, language) for v in VERDICTS), word("cells", language))
    classes = (*[""] * (len(rows) - 1), "total")
    return Grid(head, tuple(rows), ("left", *["right"] * (len(VERDICTS) + 1)), classes)


def _exhibit(name: str, language: str) -> str:
    """Return what a document calls an exhibit that is not defined here: `table_iii` is Table III."""
    kind, _, rest = name.partition("_")
    if kind not in ("table", "figure") or not rest:
        return plain(name)
    called = {"table": say(language, "Tabell", "Table"), "figure": say(language, "Figur", "Figure")}[kind]
    roman = set(rest) <= set("ivx")
    return f"{called} {rest.upper() if roman else rest.replace('_', '.')}"


def verdict_line(part: pd.DataFrame, language: str) -> str:
    """Say the verdicts of one exhibit in a line, for instance ``12 equal, 6 within sampling error``."""
    counts = part["verdict"].value_counts()
    return ", ".join(f"{int(counts[v])} {word(v, language)}" for v in VERDICTS if counts.get(v, 0))


def printed_grid(part: pd.DataFrame, name: str, inputs: ReportInputs, labels: LabelBook, language: str) -> Grid:
    """Return one exhibit's printed numbers beside ours."""
    rows, classes = [], []
    for record in part.to_dict("records"):
        distance = str(record["distance_in_se"])
        shown = NumberStyle.of(language).fixed(float(distance), 1) if distance not in ("", "nan") else ""
        what = _what(
            {key: str(record[key]) for key in ("panel", "row", "column", "statistic")}, name, inputs, labels, language
        )
        ours = str(record["obtained_rounded"])
        ours = (
            ours.replace(".", ",").replace("-", "\N{MINUS SIGN}")
            if language == "nb"
            else ours.replace("-", "\N{MINUS SIGN}")
        )
        rows.append((what, str(record["printed"]), ours, word(str(record["verdict"]), language), shown))
        classes.append(f"verdict-{record['verdict']}")
    head = tuple(word(key, language) for key in ("number", "printed", "obtained", "verdict", "distance"))
    return Grid(head, tuple(rows), ("left", "right", "right", "left", "right"), tuple(classes))


def _what(key: Mapping[str, str], name: str, inputs: ReportInputs, labels: LabelBook, language: str) -> str:
    """Say which number a key means: panel, row, column and statistic, as far as they tell numbers apart."""
    exhibit = inputs.definitions.exhibits.get(name)
    statistic = labels.word(key["statistic"], language)
    if isinstance(exhibit, IttExhibit):
        column = labels.outcome(exhibit.columns.get(key["column"], key["column"]), language)
        spec = labels.specification(key["panel"], language) if len(exhibit.specifications) > 1 else ""
        return _join(spec, column, statistic)
    if isinstance(exhibit, PathsExhibit):
        period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[exhibit.clock]
        column = labels.arm(key["column"], language)
        return _join(labels.state(key["panel"], language), f"{period} {key['row']}", column, statistic)
    row = labels.covariate(key["row"], language, unit=False)
    return _join(row, labels.arm(key["column"], language), statistic)


def _join(*parts: str) -> str:
    return " · ".join(dict.fromkeys(part for part in parts if part))


def definitions_grid(inputs: ReportInputs, labels: LabelBook, language: str) -> Grid | None:
    """Return the outcomes used: label, what they read, and their meaning as defined."""
    used = dict.fromkeys(
        outcome
        for name in inputs.evaluation.exhibits
        if isinstance(exhibit := inputs.definitions.exhibits[name], IttExhibit)
        for outcome in exhibit.columns.values()
    )
    rows = []
    for name in used:
        entry = inputs.definitions.outcomes.get(name)
        if entry is not None:
            unit = entry.unit[language]
            rows.append(
                (
                    f"{entry.label[language]} ({unit})",
                    window_text(entry, language),
                    text_in(entry.description, language),
                )
            )
    if not rows:
        return None
    head = tuple(word(key, language) for key in ("outcome", "reads", "meaning"))
    return Grid(head, tuple(rows), ("left", "left", "left"))


def provenance_grids(record: Mapping[str, Any], language: str) -> list[Grid]:
    """Return what was recorded of the run: single values in one grid, each list of files or packages in its own."""
    facts: list[tuple[str, str]] = []
    grids: list[Grid] = []
    for key, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            keys = list(value[0])
            sides = tuple("right" if isinstance(value[0][k], (int, float)) else "left" for k in keys)
            rows = tuple(tuple(_fact(entry.get(k), language) for k in keys) for entry in value)
            grids.append(Grid(tuple(word(k, language) for k in keys), rows, sides, caption=word(key, language)))
        elif isinstance(value, Mapping):
            shown = "; ".join(f"{word(str(k), language)} {_fact(v, language)}" for k, v in value.items())
            facts.append((word(key, language), shown))
        else:
            facts.append((word(key, language), _fact(value, language, group=key != "seed")))
    return [Grid(("", ""), tuple(facts), ("left", "left")), *grids] if facts else grids


def _fact(value: object, language: str, *, group: bool = True) -> str:
    if value is None or value == "":
        return word("unknown", language)
    if isinstance(value, bool):
        return word("yes" if value else "no", language)
    if isinstance(value, int) and group:
        return NumberStyle.of(language).integer(value)
    return str(value)


def _count(text: object, language: str) -> str:
    """Write a count, or what stands in its place (a disclosure mark) as it is."""
    shown = str(text)
    return NumberStyle.of(language).integer(int(shown)) if shown.lstrip("-").isdigit() else shown
