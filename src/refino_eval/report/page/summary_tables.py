"""The report's own small tables, as rows of text for the template: sample flow, data quality, definitions, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refino_eval.catalogue import references
from refino_eval.catalogue.sentences import sentence
from refino_eval.config.base import Language, spoken, text_in
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.notes import window_text
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.text import say, say_if_any


@dataclass(frozen=True)
class SummaryTable:
    """A small table: headings, rows of text, the side of each column, and a class for each row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sides: tuple[str, ...]
    classes: tuple[str, ...] = ()
    caption: str = ""


def heads(language: str, *keys: str) -> tuple[str, ...]:
    """Return the headings of some columns."""
    return tuple(say(f"report.{key}", language) for key in keys)


def flow_table(inputs: ReportInputs, labels: LabelBook, language: str) -> SummaryTable | None:
    """Return the sample flow: who was removed, why, and who remained."""
    flow = inputs.table("flow")
    if flow is None:
        return None
    several = len(labels.treated_arms) > 1
    treated = [f"arm_{arm}" for arm in labels.treated_arms] if several else ["treated"]
    columns = ("persons", *treated, "control")
    rows, classes = [], []
    for record in flow.to_dict("records"):
        step, reason = str(record["step"]), str(record["reason"])
        counts = tuple(count_text(record[column], language) for column in columns)
        rows.append((flow_label(step, reason, labels, language), *counts))
        # People without a reason for leaving are those who remain; joining adds people and removes nobody.
        classes.append("total" if not reason else "" if step == "joined" else "out")
    arms = (labels.arm(arm) for arm in (*labels.treated_arms, labels.control))
    head = ("", *heads(language, "persons"), *arms)
    return SummaryTable(head, tuple(rows), ("left", *["right"] * len(columns)), tuple(classes))


def flow_label(step: str, reason: str, labels: LabelBook, language: str) -> str:
    """Return what a line of the sample flow is called: the reason for leaving, or the sample that remains."""
    if reason:
        label = labels.flow.get(f"{step}:{reason}")
        return label[language] if label is not None else labels.word(reason)
    if step in labels.samples:
        return labels.sample(step)
    return say_if_any(f"report.{step}", language) or plain(step)


def quality_table(inputs: ReportInputs, language: str) -> SummaryTable | None:
    """Return rows delivered, used and rejected, and how the people link to the draws, by register."""
    quality = inputs.table("quality")
    if quality is None:
        return None
    columns = [
        column
        for column in ("delivered", "clean", "rejected", "people", "found", "ids_only_there")
        if column in quality.columns
    ]
    rows = tuple(
        (inputs.register_label(str(record["register"]), language), *(count_text(record[c], language) for c in columns))
        for record in quality.to_dict("records")
    )
    return SummaryTable(heads(language, "register", *columns), rows, ("left", *["right"] * len(columns)))


def linkage_table(inputs: ReportInputs, labels: LabelBook, language: str) -> SummaryTable | None:
    """Return the share of the people who are found in each register, in all and by arm, and what is expected."""
    linkage = inputs.table("linkage")
    if linkage is None:
        return None
    style = NumberStyle.of(language)
    rows = []
    for record in linkage.to_dict("records"):
        shares = (_share_found(record, group) for group in ("", "treated", "control"))
        expected = str(record["expected"])
        rows.append((
            inputs.register_label(str(record["register"]), language),
            style.percent(float(expected), 0) if expected else "",
            *(style.percent(share) if share is not None else "" for share in shares),
            count_text(record["ids_only_there"], language),
        ))  # fmt: skip
    arms = (
        labels.word("treated") if len(labels.treated_arms) > 1 else labels.arm(labels.treated),
        labels.arm(labels.control),
    )
    head = (*heads(language, "register", "expected", "found"), *arms, *heads(language, "ids_only_there"))
    return SummaryTable(head, tuple(rows), ("left", *["right"] * 5), caption=say("report.linkage", language))


def _share_found(record: Mapping[Any, Any], group: str) -> float | None:
    """Return the share of a group (all, treated or control) who are found in a register; None where there is nobody."""
    people, found = (f"{group}", f"{group}_found") if group else ("people", "found")
    counts = str(record[found]), str(record[people])
    # A disclosure mark in place of a count hides the share as well.
    return int(counts[0]) / int(counts[1]) if all(map(str.isdigit, counts)) and int(counts[1]) else None


def rules_table(inputs: ReportInputs, language: str) -> SummaryTable | None:
    """Return the rules that rejected rows; a rule may name its column after a colon."""
    rules = inputs.table("quality_rules")
    if rules is None:
        return None
    rows = []
    for record in rules.to_dict("records"):
        name, _, column = str(record["rule"]).partition(":")
        reason = say_if_any(f"report.rule_{name}", language) or plain(name)
        rows.append((
            inputs.register_label(str(record["register"]), language), f"{reason} ({column})" if column else reason,
            count_text(record["rows"], language), count_text(record["people"], language),
        ))  # fmt: skip
    head = heads(language, "register", "rule", "rows", "people")
    return SummaryTable(head, tuple(rows), ("left", "left", "right", "right"), caption=say("report.rules", language))


def plan_table(inputs: ReportInputs, labels: LabelBook, language: str) -> SummaryTable | None:
    """Return how the primary outcomes differ from the registered plan; None when they do not, or there is no plan."""
    changes = inputs.table("plan")
    if changes is None:
        return None
    rows = tuple(
        (
            labels.outcome(str(record["outcome"])), say(f"report.plan_{record['change']}", language),
            str(record["registered_sha256"])[:12], str(record["current_sha256"])[:12], str(record["fields"]),
        )
        for record in changes.to_dict("records")
    )  # fmt: skip
    head = heads(language, "outcome", "plan_change", "plan_then", "plan_now", "plan_fields")
    return SummaryTable(head, rows, ("left",) * 5, caption=say("report.plan", language))


def definitions_tables(inputs: ReportInputs, language: Language) -> Iterator[SummaryTable]:
    """Return the outcomes, states and characteristics that the exhibits are based on, each with its definition."""
    definitions = inputs.definitions
    users = references.users_of(definitions, inputs.evaluation.exhibits)
    for kind in ("outcomes", "states", "covariates"):
        rows: tuple[tuple[str, ...], ...] = tuple(
            (
                entry.label[language],
                entry.unit[language] if entry.unit is not None else "",
                window_text(entry, language)
                if kind == "outcomes"
                else sentence(entry, definitions, inputs.sources, language),
                # A description in English alone would be a foreign text in the report.
                text_in(entry.description, language) if spoken(entry.description, language) == language else "",
            )
            for name, entry in getattr(definitions, kind).items()
            if (kind, name) in users
        )
        if rows:
            head = heads(language, kind[:-1], "unit", "reads", "meaning")
            width = 4 if any(row[3] for row in rows) else 3
            rows = tuple(row[:width] for row in rows)
            yield SummaryTable(head[:width], rows, ("left",) * width, caption=say(f"report.{kind}", language))


def verified_line(inputs: ReportInputs, language: str) -> str:
    """State how many numbers were recomputed with other software, and the result; nothing where none were."""
    table = inputs.table("verify")
    recomputed = table[table["engine"] != ""] if table is not None else None
    if recomputed is None or recomputed.empty:
        return ""
    style = NumberStyle.of(language)
    numbers = len(recomputed.drop_duplicates(["exhibit", "panel", "row", "column", "statistic"]))
    counts = recomputed["verdict"].value_counts().sort_index()
    verdicts = ", ".join(
        f"{say(f'trail.verdict_{name}', language)} {style.integer(int(n))}" for name, n in counts.items()
    )
    engines = ", ".join(sorted(set(recomputed["engine"])))
    return say("report.verified", language, n=style.integer(numbers), verdicts=verdicts, engines=engines)


def provenance_tables(record: Mapping[str, Any], language: str) -> list[SummaryTable]:
    """Return what was recorded of the run: single values in one table, each list of files in its own."""
    facts: list[tuple[str, str]] = []
    lists: list[SummaryTable] = []
    for key, value in record.items():
        label = _recorded(key, language)
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            keys = list(value[0])
            sides = tuple("right" if isinstance(value[0][key], (int, float)) else "left" for key in keys)
            rows = tuple(tuple(_value(entry.get(key), language) for key in keys) for entry in value)
            head = tuple(_recorded(key, language) for key in keys)
            lists.append(SummaryTable(head, rows, sides, caption=label))
        elif isinstance(value, Mapping):
            text = "; ".join(f"{_recorded(str(k), language)} {_value(v, language)}" for k, v in value.items())
            facts.append((label, text))
        else:
            facts.append((label, _value(value, language, group=key != "seed")))
    return [SummaryTable(("", ""), tuple(facts), ("left", "left")), *lists] if facts else lists


def count_text(text: object, language: str) -> str:
    """Write a count, or what is in its place (a disclosure mark) as it is."""
    shown = str(text)
    return NumberStyle.of(language).integer(int(shown)) if shown.lstrip("-").isdigit() else shown


def _recorded(key: str, language: str) -> str:
    # Names of packages and rules are shown as they are.
    return say_if_any(f"report.record_{key}", language) or key


def _value(value: object, language: str, *, group: bool = True) -> str:
    if value is None or value == "":
        return say("report.unknown", language)
    if isinstance(value, bool):
        return say("report.yes" if value else "report.no", language)
    return count_text(value, language) if isinstance(value, int) and group else str(value)
