"""The report's own small tables, as rows of text for the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refino_eval.catalogue import references
from refino_eval.catalogue.sentences import sentence
from refino_eval.config.base import Language, text_in
from refino_eval.config.evaluation import Evaluation, SampleStep, Step
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.notes import say, window_text
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.published.source import PublishedSource
from refino_eval.report.page.words import WORDS, word
from refino_eval.report.report_inputs import ReportInputs

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
        (_register(record, inputs, language), *(_count(record[key], language) for key in keys))
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
            _register(record, inputs, language),
            _rule(str(record["rule"]), language),
            _count(record["rows"], language),
            _count(record["people"], language),
        )
        for record in rules.to_dict("records")
    )
    head = tuple(word(key, language) for key in ("register", "rule", "rows", "people"))
    return Grid(head, rows, ("left", "left", "right", "right"), caption=word("rules", language))


def _register(record: Mapping[Any, Any], inputs: ReportInputs, language: str) -> str:
    """Return what a register is called, or its name where its source is not at hand."""
    name = str(record["register"])
    return inputs.sources[name].label[language] if name in inputs.sources else name


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


def printed_exhibit(name: str, language: Language) -> str:
    """Return what a document calls an exhibit that is not defined here: `table_iii` is Table III, `text_8_1` Text 8.1."""
    return PublishedSource().exhibit_name(name, language) or plain(name)


def definitions_grids(inputs: ReportInputs, labels: LabelBook, language: Language) -> list[Grid]:
    """Return the outcomes, states and characteristics that the exhibits rest on, each with its meaning as defined."""
    users = references.users_of(inputs.definitions, inputs.evaluation.exhibits)
    definitions = inputs.definitions
    grids = []
    for kind in ("outcomes", "states", "covariates"):
        rows = []
        for name, entry in getattr(definitions, kind).items():
            if (kind, name) not in users:
                continue
            unit = f" ({entry.unit[language]})" if entry.unit is not None else ""
            reads = (
                window_text(entry, language)
                if kind == "outcomes"
                else sentence(entry, definitions, inputs.sources, language)
            )
            rows.append((entry.label[language] + unit, reads, text_in(entry.description, language)))
        head = tuple(word(key, language) for key in (kind[:-1], "reads", "meaning"))
        if rows:
            grids.append(Grid(head, tuple(rows), ("left",) * 3, caption=word(kind, language)))
    return grids


def engines_line(inputs: ReportInputs, language: str) -> str:
    """Say how many numbers other engines computed again, and what came of it; nothing where none did."""
    table = inputs.table("verify")
    again = table[table["engine"] != ""] if table is not None else None
    if again is None or again.empty:
        return ""
    style = NumberStyle.of(language)
    numbers = len(again.drop_duplicates(["exhibit", "panel", "row", "column", "statistic"]))
    counts = again["verdict"].value_counts().sort_index()
    told = ", ".join(f"{word(str(verdict), language)} {style.integer(int(n))}" for verdict, n in counts.items())
    engines = ", ".join(sorted(set(again["engine"])))
    many = say(language, "tall", "number" if numbers == 1 else "numbers")
    return say(
        language,
        f"Andre programmer regnet {style.integer(numbers)} {many} om igjen: {told} ({engines}).",
        f"Other engines computed {style.integer(numbers)} {many} again: {told} ({engines}).",
    )


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
