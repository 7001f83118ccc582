"""The catalogue's entries: every definition in words, with its facts, codes, columns, worked examples and users.

The HTML page and the Markdown file are two views of these. They show definitions only, never people, so that the
catalogue may be shown whatever the class of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refino_eval.catalogue import references
from refino_eval.catalogue.example_results import ExampleResults
from refino_eval.catalogue.sentences import sentence
from refino_eval.catalogue.window_drawing import minus, window_svg
from refino_eval.codes.codelists import Codelist
from refino_eval.config import definitions as d
from refino_eval.config import dependencies
from refino_eval.config.base import Language, spoken, text_in
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Source
from refino_eval.outcomes.describe import window_words
from refino_eval.outcomes.examples import Key
from refino_eval.text import say

PARTS = ("outcomes", "states", "covariates", "subgroups", "specifications")
"""Kinds of definitions in the order of the page: outcomes first, which readers come for."""


@dataclass(frozen=True)
class CatalogueInputs:
    """What the catalogue is made of.

    Attributes
    ----------
    evaluation, definitions
        The study, and everything defined (its own definitions merged in).
    sources
        Registers by name: the evaluation's, and others that definitions refer to.
    codelists
        Code lists by name.
    results
        Results of the worked examples, by kind and name; an entry without results is shown as not run.
    """

    evaluation: Evaluation
    definitions: d.Definitions
    sources: Mapping[str, Source]
    codelists: Mapping[str, Codelist]
    results: Mapping[Key, ExampleResults]


@dataclass(frozen=True)
class EntryTable:
    """A table of an entry.

    Attributes
    ----------
    title, head, rows
        Its texts.
    code, english
        Columns in code type, and in English whatever the page's language.
    wrong
        Rows whose worked example came out wrong.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[int, ...] = ()
    english: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One definition as the catalogue shows it; `users` are exhibits by name and title (without a name: not an exhibit)."""

    kind: str
    name: str
    label: str
    words: str
    description: str
    spoken: str
    users: tuple[tuple[str, str], ...]
    role: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[EntryTable, ...]
    picture: str

    @property
    def anchor(self) -> str:
        """The entry's id on the page."""
        return f"{self.kind}-{self.name}"

    @property
    def used(self) -> bool:
        """Whether the evaluation uses the definition."""
        return bool(self.users)


def entries(inputs: CatalogueInputs, kind: str, language: Language) -> list[Entry]:
    """Return the definitions of one kind, those that the evaluation uses first, each group in the file's order."""
    users = references.users_of(inputs.definitions, inputs.evaluation.exhibits)
    for name in dependencies.used_covariates(inputs.evaluation, inputs.definitions):
        if ("covariates", name) not in users:
            users["covariates", name] = [say("catalogue.sample", language)]
    defined = getattr(inputs.definitions, kind)
    made = [
        _entry(inputs, (kind, name), entry, users.get((kind, name), []), language) for name, entry in defined.items()
    ]
    return sorted(made, key=lambda entry: not entry.used)


def ready_outcomes(evaluation: Evaluation, language: Language) -> list[tuple[str, str, str]]:
    """Return the outcomes that a person table holds: name, label and column."""
    table = evaluation.person_table
    if table is None:
        return []
    labels = {name: label[language] for name, label in table.labels.items()}
    return [(name, labels.get(name, ""), column) for name, column in table.outcomes.items()]


def examples_line(inputs: CatalogueInputs, language: Language) -> str:
    """State how many worked examples were run, and how many came out right."""
    run = [result for result in inputs.results.values() if result.run]
    total = sum(len(result.problems) for result in run)
    rest = sum(len(result.problems) for result in inputs.results.values() if not result.run)
    right = total - sum(result.wrong for result in run)
    return say("catalogue.examples_checked", language, n=total, right=right, rest=rest)


def _entry(inputs: CatalogueInputs, key: Key, entry: Any, users: list[str], language: Language) -> Entry:
    definitions, sources = inputs.definitions, inputs.sources
    described = getattr(entry, "description", "")
    titles = {name: exhibit.title[language] for name, exhibit in definitions.exhibits.items()}
    words, picture, facts = "", "", list(_facts(entry, definitions, language))
    if isinstance(entry, d.Outcome):
        window = window_words(entry, language)
        words = references.sentence_of(entry, definitions, language)
        picture = window_svg(entry.read, inputs.evaluation.clocks.get(entry.clock), entry.clock, window, language)
        facts = [*_outcome_facts(entry, definitions, window, language), *facts, *_history(entry, language)]
    else:
        words = sentence(entry, definitions, sources, language)
    return Entry(
        kind=key[0],
        name=key[1],
        label=entry.label[language],
        words=words,
        description=text_in(described, language),
        spoken=spoken(described, language),
        users=tuple((user if user in titles else "", titles.get(user, user)) for user in users),
        role=entry.role if isinstance(entry, d.Outcome) else "",
        facts=tuple((say(f"catalogue.{name}", language), value) for name, value in facts if value),
        tables=tuple(_tables(inputs, key, entry, language)),
        picture=picture,
    )


def _facts(entry: Any, definitions: d.Definitions, language: Language) -> Iterator[tuple[str, str]]:
    """Return what every kind of entry may have: what decides, its unit and its range."""
    yield "decides", "; ".join(references.thresholds_of(entry, definitions))
    unit, limits = getattr(entry, "unit", None), getattr(entry, "range", None)
    yield "unit", unit[language] if unit is not None else ""
    yield "range", " – ".join(_number(limit, language) for limit in limits) if limits else ""


def _outcome_facts(
    outcome: d.Outcome, definitions: d.Definitions, window: str, language: Language
) -> Iterator[tuple[str, str]]:
    """Return what only an outcome has, before what it shares with the others."""
    names = references.states_of(outcome, definitions)
    labels = [definitions.states[n].label[language] if n in definitions.states else n for n in names]
    yield "kind", outcome.kind + "".join(f", {key} {value}" for key, value in references.rule_fields(outcome).items())
    yield "reads", window
    yield "states_read", "; ".join(f"{label} ({name})" for name, label in zip(names, labels, strict=True))
    yield "missing", say(f"catalogue.missing_{outcome.missing}", language)
    yield "family", outcome.family or ""


def _history(outcome: d.Outcome, language: Language) -> Iterator[tuple[str, str]]:
    version = str(outcome.version)
    if outcome.changed:
        version = say("catalogue.changed", language, version=version, date=outcome.changed)
    yield "version", f"{version}: {outcome.reason}" if outcome.reason else version
    yield "deprecated", outcome.deprecated or ""


def _tables(inputs: CatalogueInputs, key: Key, entry: Any, language: Language) -> Iterator[EntryTable]:
    """Return an entry's tables that have rows: codes, columns read, worked examples."""

    def table(
        title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], **types: tuple[int, ...]
    ) -> EntryTable:
        head = tuple(say(f"catalogue.{column}", language) for column in columns)
        return EntryTable(say(f"catalogue.{title}", language), head, tuple(rows), **types)

    codes = [
        (row.column, row.code, row.label, say("catalogue.counts" if row.taken else "catalogue.counts_not", language))
        for row in references.codes_of(entry, inputs.definitions, inputs.sources, inputs.codelists, language)
    ]
    if codes:
        yield table("codes", ("column", "code", "label", "result"), codes, code=(0, 1))
    reads = [
        (_register(read.register, inputs, language), read.column, read.delivered, read.why)
        for read in references.reads_of(entry, inputs.definitions, inputs.sources)
    ]
    if reads:
        yield table("columns", ("register", "column", "delivered", "why"), reads, code=(1, 2), english=(3,))
    results = inputs.results.get(key)
    examples = _examples(getattr(entry, "examples", ()), results, language)
    if examples:
        wrong = tuple(number for number, problem in enumerate(results.problems) if problem) if results else ()
        yield table("examples", ("why", "spells", "expected", "result"), examples, english=(0,), wrong=wrong)


def _register(name: str, inputs: CatalogueInputs, language: Language) -> str:
    return f"{inputs.sources[name].label[language]} ({name})" if name in inputs.sources else name


def _examples(
    examples: tuple[d.Example, ...], results: ExampleResults | None, language: Language
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number, example in enumerate(examples):
        problem = results.problems[number] if results is not None else ""
        outcome = "not_run" if results is None or not results.run else "wrong" if problem else "right"
        result = say(f"catalogue.example_{outcome}", language)
        expected = (
            say("catalogue.value_missing", language) if example.expect is None else _number(example.expect, language)
        )
        if example.at is not None:
            expected += f" (t\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{minus(str(example.at))})"
        given = references.example_text(example)
        rows.append((example.why, given, expected, f"{result}: {problem}" if problem else result))
    return rows


def _number(value: float, language: Language) -> str:
    text = minus(f"{value:g}")
    return text.replace(".", ",") if language == "nb" else text
