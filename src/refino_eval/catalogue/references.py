"""What a definition refers to: periods, registers, columns, codes, thresholds, and the exhibits that use it.

The catalogue, the report and the command line describe definitions by these. Nothing here knows the list of kinds: an
outcome is described by its kind's sentence and by the fields that its definition has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from refino_eval.codes.codelists import Codelist
from refino_eval.config import definitions as d
from refino_eval.config import dependencies
from refino_eval.config.base import Language
from refino_eval.config.sources import Source
from refino_eval.expressions import expression_words as words
from refino_eval.expressions import names_in
from refino_eval.outcomes.describe import outcome_sentence

KINDS = ("states", "outcomes", "covariates", "subgroups", "specifications")
_KEYS = ("person_id", "start", "stop", "period")


@dataclass(frozen=True)
class Read:
    """One column that a definition reads, and why the delivery contains it."""

    register: str
    column: str
    delivered: str
    why: str


@dataclass(frozen=True)
class CodeRow:
    """One code that a definition names; `taken` is False for a code that is excluded."""

    column: str
    code: str
    label: str
    taken: bool


def states_of(outcome: d.Outcome, definitions: d.Definitions) -> tuple[str, ...]:
    """Return the states that an outcome reads, in order; those that exist first, since they have a label."""
    names = dependencies.outcome_states(outcome)
    return tuple(sorted(names, key=lambda name: name not in definitions.states))


def periods_of(outcome: d.Outcome) -> tuple[int, ...]:
    """Return the event times that an outcome reads, in order."""
    return outcome.read


def runs_of(times: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of consecutive periods."""
    runs: list[tuple[int, int]] = []
    for time in sorted(set(times)):
        if runs and time == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], time)
        else:
            runs.append((time, time))
    return runs


def span_text(times: Iterable[int]) -> str:
    """Write periods as short as they go: ``12``, ``1..12``, ``12, 18``."""
    return ", ".join(f"{first}" if first == last else f"{first}..{last}" for first, last in runs_of(times))


def sentence_of(outcome: d.Outcome, definitions: d.Definitions, language: Language) -> str:
    """State in one sentence what an outcome is."""
    names = states_of(outcome, definitions)
    label = definitions.states[names[0]].label[language] if names and names[0] in definitions.states else ""
    sentence = outcome_sentence(outcome, label or (names[0] if names else ""), language)
    if outcome.spell in definitions.states:
        sentence = sentence.replace(f"`{outcome.spell}`", f"«{definitions.states[outcome.spell].label[language]}»")
    if outcome.expression is None:
        return sentence
    words = expression_words(outcome.expression, definitions, language)
    return sentence.replace(f"`{outcome.expression}`", words[:1].upper() + words[1:])


def expression_words(expression: str, definitions: d.Definitions, language: Language) -> str:
    """Write an expression with the states' labels in it: ``«Half time» and not «Wage subsidy»``."""
    labels = {
        name: definitions.states[name].label[language] for name in names_in(expression) if name in definitions.states
    }
    return words.expression_words(expression, labels, language)


def spell_states(names: Iterable[str], definitions: d.Definitions) -> dict[str, d.SpellState]:
    """Return the states, among those named and what they are computed from, that read a register."""
    needed = dependencies.needed_states(definitions, list(names))
    return {name: state for name in needed if isinstance(state := definitions.states[name], d.SpellState)}


def registers_of(entry: Any, definitions: d.Definitions) -> tuple[str, ...]:
    """Return the registers that an entry reads in the end."""
    return tuple(dict.fromkeys(part.register_name for part in _readers(entry, definitions) if part.register_name))


def reads_of(entry: Any, definitions: d.Definitions, sources: Mapping[str, Source]) -> list[Read]:
    """Return the columns that an entry reads in the end, each with the reason that its source gives.

    A register whose source is not available is listed by its name alone.
    """
    reads: dict[tuple[str, str], Read] = {}
    for part in _readers(entry, definitions):
        register = part.register_name
        if register is None:
            continue
        source = sources.get(register)
        if source is None:
            reads[register, ""] = Read(register, "", "", "")
            continue
        for name in _columns_of(part):
            if name in source.columns:
                column = source.columns[name]
                reads[register, name] = Read(register, name, column.source, column.why)
    return list(reads.values())


def _columns_of(part: Any) -> list[str]:
    """Return the columns that a definition reads, if its register has them: keys, conditions, values."""
    within, main = getattr(part, "within", None), getattr(part, "main", None)
    return [
        *(("person_id",) if isinstance(part, _FIXED) else _KEYS),
        *(condition.column for condition in _conditions(part)),
        *(name for name in (getattr(part, "value", None), getattr(part, "column", None)) if isinstance(name, str)),
        *((within.key,) if within is not None else ()),
        *((main.by,) if main is not None else ()),
    ]


_FIXED = (d.ColumnCovariate, d.AgeCovariate, d.PersonDate)


def _conditions(part: Any) -> tuple[d.Condition, ...]:
    main = getattr(part, "main", None)
    return (*getattr(part, "where", ()), *(main.where if main is not None else ()))


def codes_of(
    entry: Any,
    definitions: d.Definitions,
    sources: Mapping[str, Source],
    codelists: Mapping[str, Codelist],
    language: Language,
) -> list[CodeRow]:
    """Return the codes that an entry names in the end, with their labels where the column has a code list."""
    rows: dict[tuple[str, str, bool], CodeRow] = {}
    for part in _readers(entry, definitions):
        source = sources.get(part.register_name or "")
        for column, codes, taken in _codes_named(part):
            delivered = source.columns.get(column) if source is not None else None
            codelist = codelists.get(delivered.codelist or "") if delivered is not None else None
            for code in map(str, codes):
                label = codelist.label(code, language) if codelist is not None and code in codelist.codes else ""
                rows[column, code, taken] = CodeRow(column, code, label, taken)
    return list(rows.values())


def _codes_named(part: Any) -> list[tuple[str, tuple[d.Scalar, ...], bool]]:
    """Return the codes that a definition names: column, codes, and whether they are taken or left out."""
    conditions = _conditions(part)
    named = [(condition.column, condition.is_in or (), True) for condition in conditions]
    named += [(condition.column, condition.not_in or (), False) for condition in conditions]
    return [*named, (part.column, part.equals or (), True)] if isinstance(part, d.ColumnCovariate) else named


def thresholds_of(entry: Any, definitions: d.Definitions) -> list[str]:
    """Return the comparisons that decide: conditions with a limit, and the expressions of derived states."""
    texts = [entry.expression] if isinstance(entry, d.Outcome) and entry.expression else []
    states: list[d.State] = [entry] if isinstance(entry, d.SpellState | d.DerivedState) else []
    if isinstance(entry, d.Outcome):
        names = dependencies.needed_states(definitions, list(states_of(entry, definitions)))
        states = [definitions.states[name] for name in names]
        texts += [f"{key} {value:g}" for key, value in rule_fields(entry).items() if isinstance(value, int | float)]
    for state in states:
        if isinstance(state, d.DerivedState):
            texts.append(state.expression)
        for condition in _conditions(state):
            texts += [f"{condition.column} >= {condition.at_least:g}"] if condition.at_least is not None else []
            texts += [f"{condition.column} <= {condition.at_most:g}"] if condition.at_most is not None else []
    return list(dict.fromkeys(texts))


_COMMON_FIELDS = frozenset(
    ("label", "description", "kind", "state", "at", "window", "times", "clock", "missing", "unit", "role", "version", "changed",
     "reason", "deprecated", "examples", "family", "expression")
)  # fmt: skip


def rule_fields(outcome: d.Outcome) -> dict[str, Any]:
    """Return the fields of an outcome that belong to its kind alone, as written: ``{'at_least': 6}``."""
    written = outcome.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {key: value for key, value in written.items() if key not in _COMMON_FIELDS and value is not None}


def reached_by(exhibit: str, definitions: d.Definitions) -> set[tuple[str, str]]:
    """Return every definition that an exhibit is based on, as (kind, name), directly or through others."""
    entry = definitions.exhibits[exhibit]
    outcomes, specifications, subgroups = entry.outcomes, entry.specifications_read, entry.subgroups_read
    states = [name for names in entry.states_read.values() for name in names]
    for name in outcomes:
        if name in definitions.outcomes:
            states += states_of(definitions.outcomes[name], definitions)
    covariates = [*entry.covariates_read, *(split for split in entry.splits if split in definitions.covariates)]
    covariates += [definitions.subgroups[name].covariate for name in subgroups if name in definitions.subgroups]
    for name in specifications:
        if name in definitions.specifications:
            covariates += dependencies.specification_covariates(definitions.specifications[name], definitions)
    names = {
        "outcomes": outcomes, "states": [*states, *dependencies.needed_states(definitions, states)], "covariates": covariates,
        "subgroups": subgroups, "specifications": specifications,
    }  # fmt: skip
    return {(kind, name) for kind, listed in names.items() for name in listed}


def users_of(definitions: d.Definitions, exhibits: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Return, for every definition that some exhibit is based on, these exhibits in the order given."""
    users: dict[tuple[str, str], list[str]] = {}
    for exhibit in exhibits:
        if exhibit in definitions.exhibits:
            for key in reached_by(exhibit, definitions):
                users.setdefault(key, []).append(exhibit)
    return users


def example_text(example: d.Example) -> str:
    """Write the spells of a worked example in one line; made-up people, half-open spells."""
    parts = [f"draw {example.draw}"]
    for register, rows in example.spells.items():
        for row in rows:
            values = dict(row)
            begin, end = values.pop("start", None), values.pop("stop", None)
            when = [f"[{begin}, {end or '…'})"] if begin is not None else []
            parts.append(f"{register} " + " ".join([*when, *(f"{k}={v}" for k, v in values.items())]))
    return "; ".join(parts)


def _covariates(names: Iterable[str], definitions: d.Definitions) -> list[Any]:
    """Return covariates that are made from registers, and those behind expressions."""
    found = [definitions.covariates[name] for name in names if name in definitions.covariates]
    return [part for entry in found for part in ([entry] if entry.register_name else _readers(entry, definitions))]


def _readers(entry: Any, definitions: d.Definitions) -> list[Any]:
    """Return the definitions behind an entry that name a register."""
    if isinstance(entry, d.Outcome):
        return _with_dates(spell_states(states_of(entry, definitions), definitions).values())
    if isinstance(entry, d.DerivedState):
        return _with_dates(spell_states(names_in(entry.expression), definitions).values())
    if isinstance(entry, d.SpellState):
        return _with_dates([entry])
    if isinstance(entry, d.Subgroup):
        return _covariates([entry.covariate], definitions)
    if isinstance(entry, d.Specification):
        return _covariates(dependencies.specification_covariates(entry, definitions), definitions)
    if isinstance(entry, d.ExpressionCovariate):
        return _covariates(entry.covariates, definitions)
    return [entry] if hasattr(entry, "register_name") else []


def _with_dates(states: Iterable[d.SpellState]) -> list[Any]:
    """Return states with the days of a person's life that they read."""
    return [part for state in states for part in (state, *state.missing.dates)]
