"""The reviewer's trail of a number: what it is, whom it is about, how it was computed, who checked it, what was published.

The same trails are printed by the command line and shown by the report on click, so that the two cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import pandas as pd

from refino_eval.catalogue import references
from refino_eval.catalogue.sentences import sentence
from refino_eval.config import dependencies
from refino_eval.config.base import Language, text_in
from refino_eval.config.exhibits import Exhibit
from refino_eval.config.money.cost_benefit import Input
from refino_eval.exhibits.report_parts import report_part
from refino_eval.exhibits.tidy import Key, number_text
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook, plain, vcov_label
from refino_eval.exhibits.wording.notes import caveat_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.published.source import pages_text
from refino_eval.report.page.summary_tables import count_text, flow_label
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.locations import (
    defined_by,
    own_outcome,
    specification_name,
    words_of_part,
    words_of_place,
)
from refino_eval.text import say, say_if_any
from refino_eval.text.design_wording import worded_for

Number = tuple[float, Any, str]
"""A number's value, the people behind it, and its status."""
Definition = tuple[str, str]
"""Kind and name of a definition."""


@dataclass(frozen=True)
class Fact:
    """One line of a trail: its key, its label, its text, and the entry of the catalogue that it is about, if any."""

    key: str
    label: str
    text: str
    entry: str = ""

    def as_data(self) -> dict[str, str]:
        """Return the line as plain data, for JSON."""
        line = {"key": self.key, "label": self.label, "text": self.text}
        return line | {"catalogue_entry": self.entry} if self.entry else line


@dataclass(frozen=True)
class Section:
    """One step of a trail."""

    key: str
    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Trail:
    """The trail of one number.

    Attributes
    ----------
    exhibit, key
        The exhibit that it belongs to, and its key there.
    value
        The number, unrounded; NaN where it was removed or could not be estimated.
    what
        The number in words.
    sections
        The steps, in order.
    """

    exhibit: str
    key: Key
    value: float
    what: str
    sections: tuple[Section, ...]

    @property
    def address(self) -> str:
        """The number's name, as the command line takes it."""
        return address_of(self.exhibit, self.key)

    def as_data(self) -> dict[str, Any]:
        """Return the trail as plain data, for JSON."""
        panel, row, column, statistic = self.key
        return {
            "exhibit": self.exhibit, "panel": panel, "row": row, "column": column, "statistic": statistic,
            "value": self.value if math.isfinite(self.value) else None,
            "what": self.what,
            **{part.key: [f.as_data() for f in part.facts] for part in self.sections},
        }  # fmt: skip


def address_of(exhibit: str, key: Key) -> str:
    """Return a number's name, as the command line takes it."""
    panel, row, column, statistic = key
    return ":".join((exhibit, row, column, statistic, *([panel] if panel else [])))


class Trails:
    """Follows the numbers of one run in one language; sections that several numbers share are made once."""

    def __init__(self, inputs: ReportInputs, labels: LabelBook, language: Language) -> None:
        self.inputs, self.labels, self.language = inputs, labels.in_language(language), language
        self.definitions = inputs.definitions
        self.style = NumberStyle.of(language)
        self._frames: dict[str, dict[Key, Number]] = {}
        self._shared: dict[tuple[str, ...], Section] = {}
        self._records: dict[str, _Records | None] = {}
        self._words: dict[tuple[str, str], str] = {}
        self._flows: dict[str, tuple[Fact, ...]] = {}
        self._registers_of: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._places: dict[str, dict[tuple[str, ...], list[tuple[str, float]]]] = {}

    def of_exhibit(self, inputs: ReportInputs, labels: LabelBook) -> Trails:
        """Return the trails of an exhibit that sees a part of the definitions; shared sections remain shared."""
        part = copy(self)
        part.inputs, part.labels, part.definitions = inputs, labels, inputs.definitions
        return part

    def numbers(self, exhibit: str) -> dict[Key, Number]:
        """Return an exhibit's numbers by key."""
        if exhibit not in self._frames:
            frame = self.inputs.numbers(exhibit)
            names = ("panel", "row", "column", "statistic", "value", "n_persons", "status")
            records = zip(*(frame[name].tolist() for name in names), strict=True)
            self._frames[exhibit] = {(p, r, c, s): (float(v), n, status) for p, r, c, s, v, n, status in records}
        return self._frames[exhibit]

    def follow(self, exhibit: str, key: Key) -> Trail:
        """Return the trail of a number that exists, worded for the design of the study.

        Parameters
        ----------
        exhibit
            Its exhibit's name.
        key
            Panel, row, column and statistic.
        """
        with worded_for(self.labels.design):
            return self._followed(exhibit, key)

    def _followed(self, exhibit: str, key: Key) -> Trail:
        entry = self.definitions.exhibits[exhibit]
        labels = self.labels.comparing(entry.arm, entry.against)
        value, persons, status = self.numbers(exhibit)[key]
        specification = specification_name(entry, key, self.definitions)
        defined = defined_by(entry, key, self.definitions)
        # Where an exhibit is about several samples, the key names the number's.
        sample = next((part for part in key[:3] if part in entry.samples_read), entry.sample)
        sections = (
            self._number(exhibit, entry, key, status),
            self._definition(entry, key, defined),
            self._sample(entry, sample, persons),
            self._specification(entry, key, specification, labels),
            self.code,
            self._published_inputs(entry, key)
            if not entry.about_people
            else self._with_model(entry, key, self._inputs(self._registers(sample, defined, specification))),
            self._verified(exhibit, key),
            self._published(exhibit, key),
        )
        return Trail(exhibit, key, value, words_of_place(key, entry, labels), sections)

    def say(self, key: str, /, **values: object) -> str:
        """Return a text in the language of the trails."""
        return say(key, self.language, **values)

    def _section(self, key: str, facts: Iterable[tuple[str, ...]]) -> Section:
        """Return a section of the facts that have a text: key, text, and the entry of the catalogue if there is one."""
        made = tuple(Fact(name, self.say(f"trail.fact_{name}"), text, *entry) for name, text, *entry in facts if text)
        return Section(key, self.say(f"trail.section_{key}"), made)

    def _number(self, name: str, entry: Exhibit, key: Key, status: str) -> Section:
        same = [
            f"{self._word(name, statistic, entry)} {self.style.of_text(number_text(value))}"
            for statistic, value in self._at_place(name, key[:3])
            if math.isfinite(value)
        ]
        return self._section("number", [
            ("exhibit", entry.title[self.language]),
            ("status", (say_if_any(f"trail.status_{status}", self.language) or plain(status)) if status else ""),
            ("caveat", caveat_note(entry, self.labels)),
            ("same_estimate", "; ".join(same)),
        ])  # fmt: skip

    def _at_place(self, exhibit: str, place: tuple[str, str, str]) -> list[tuple[str, float]]:
        """Return the statistics of one place of an exhibit: its panel, row and column."""
        if exhibit not in self._places:
            places: dict[tuple[str, ...], list[tuple[str, float]]] = {}
            for key, (value, _, _) in self.numbers(exhibit).items():
                places.setdefault(key[:3], []).append((key[3], value))
            self._places[exhibit] = places
        return self._places[exhibit][place]

    def _word(self, exhibit: str, part: str, entry: Exhibit) -> str:
        if (exhibit, part) not in self._words:
            self._words[exhibit, part] = words_of_part(part, entry, self.labels)
        return self._words[exhibit, part]

    def _definition(self, entry: Exhibit, key: Key, defined: tuple[Definition, ...]) -> Section:
        copied = report_part(entry.kind, "copied")
        is_copied = copied is not None and copied(entry, key)
        if is_copied or not entry.about_people:
            text = self.say("trail.copied_input") if is_copied else self.say("trail.computed_from_inputs")
            return self._section("definition", [("note", text)])
        outcome = own_outcome(entry, key)
        shared = ("definition", str(defined), str(outcome))
        if shared not in self._shared:
            facts: list[tuple[str, ...]] = [fact for kind, name in defined for fact in self._described(kind, name)]
            if not facts and outcome is not None:
                # A person table holds its outcomes ready-made: there is a column instead of a definition.
                table = self.inputs.evaluation.person_table
                label = f"{self.labels.outcome(outcome)} ({outcome})"
                facts = [("outcome", label), ("column", table.outcomes.get(outcome, "") if table is not None else "")]
            self._shared[shared] = self._section("definition", facts or [("note", self.say("trail.no_definition"))])
        return self._shared[shared]

    def _described(self, kind: str, name: str) -> Iterator[tuple[str, ...]]:
        """Describe one definition, and of an outcome also the states that it is based on."""
        entry = getattr(self.definitions, kind)[name]
        described = text_in(getattr(entry, "description", ""), self.language)
        unit = getattr(entry, "unit", None)
        yield (
            {"outcomes": "outcome", "states": "state"}.get(kind, "characteristic"),
            f"{entry.label[self.language]} ({name})",
            f"{kind}-{name}",
        )
        if kind == "outcomes":
            yield "computed", references.sentence_of(entry, self.definitions, self.language)
            yield "described", described
            for state in dependencies.needed_states(
                self.definitions, list(references.states_of(entry, self.definitions))
            ):
                label = self.definitions.states[state].label[self.language]
                yield "reads", f"{label} ({state}): {self._sentence(self.definitions.states[state])}", f"states-{state}"
        else:
            yield "computed", self._sentence(entry)
            yield "described", described
        yield "unit", unit[self.language] if unit is not None else ""

    def _sentence(self, entry: Any) -> str:
        return sentence(entry, self.definitions, self.inputs.sources, self.language)

    def _sample(self, entry: Exhibit, sample: str, persons: Any) -> Section:
        if not entry.about_people:
            return self._section("sample", [("note", self.say("trail.no_people"))])
        count = "" if pd.isna(persons) or persons == "" else self.style.integer(int(persons))
        shared = ("sample", sample, count)
        if shared not in self._shared:
            head = self._section("sample", [("name", self.labels.sample(sample)), ("people", count)])
            if sample not in self._flows:
                # The way from delivery to sample has one label, at its first line.
                self._flows[sample] = tuple(
                    Fact(f"step_{number}", self.say("trail.fact_flow") if number == 0 else "", line)
                    for number, line in enumerate(self._flow(sample))
                )
            self._shared[shared] = Section(head.key, head.title, (*head.facts, *self._flows[sample]))
        return self._shared[shared]

    def _flow(self, sample: str) -> Iterator[str]:
        """Say who was delivered, and who was removed on the way to a sample."""
        flow = self.inputs.table("flow")
        within = set(self._within(sample))
        for record in flow.to_dict("records") if flow is not None else ():
            step, reason = str(record["step"]), str(record["reason"])
            if step in self.labels.samples and step not in within:
                continue
            sign = "\N{MINUS SIGN}" if reason else "="
            count = count_text(record["persons"], self.language)
            yield f"{sign} {count}: {flow_label(step, reason, self.labels, self.language)}"

    def _within(self, sample: str) -> Iterator[str]:
        """Return a sample and the samples that it is part of."""
        name: str | None = sample
        while name is not None and name in self.inputs.evaluation.samples:
            yield name
            name = self.inputs.evaluation.samples[name].within

    def _specification(self, entry: Exhibit, key: Key, name: str | None, labels: LabelBook) -> Section:
        treated = next((part for part in key[:3] if part in labels.treated_arms), labels.treated)
        labels = replace(labels, treated=treated)
        named = [part for part in key[0].split(":") if part in entry.comparisons] or list(entry.comparisons[:1])
        for comparison in named[:1]:
            labels, treated = _of_comparison(labels, comparison)
        specification = labels.specification_of(name) if name is not None else None
        outcome = own_outcome(entry, key)
        own_formula = report_part(entry.kind, "formula")
        if own_formula is not None:
            formula = own_formula(entry, key, outcome, specification, labels)
        elif outcome is not None and specification is not None:
            formula = regression(outcome, specification, labels)
        else:
            formula = ""
        arms = {"treated": labels.arm(treated), "control": labels.arm(labels.control)}
        compared = self.say("trail.versus", **arms) if formula else ""
        if specification is None or name is None:
            note = "" if formula else self.say("trail.no_regression")
            return self._section("specification", [("formula", formula), ("arms", compared), ("note", note)])
        return self._section("specification", [
            ("name", f"{specification.label[self.language]} ({name})", f"specifications-{name}"),
            ("formula", formula),
            ("arms", compared),
            ("controls", specification_note(name, specification, labels)),
            ("vcov", vcov_label(specification.vcov, self.language)),
            ("level", self.style.percent(specification.level, 0)),
        ])  # fmt: skip

    @cached_property
    def _provenance(self) -> dict[str, Any]:
        return self.inputs.provenance()

    @cached_property
    def code(self) -> Section:
        """The section about the program, which is the same for all numbers of a run."""
        record = self._provenance
        code, packages = record.get("code") or {}, record.get("packages") or {}
        commit = code.get("commit") or self.say("trail.not_under_version_control")
        digests = (record.get("source_digests") or {}).items()
        return self._section("code", [
            ("commit", self.say("trail.modified", commit=commit) if code.get("modified") else commit),
            ("digest", "; ".join(f"{rule} {digest}" for rule, digest in digests)),
            ("version", "; ".join(f"{name} {packages[name]}" for name in ("refino-eval", "numpy") if packages.get(name))),
            ("configuration", str(record.get("configuration_sha256") or "")),
            ("seed", str(record.get("seed") or "")),
        ])  # fmt: skip

    def _registers(self, sample: str, defined: tuple[Definition, ...], specification: str | None) -> tuple[str, ...]:
        """Return the registers behind a number: of the draws, its definitions, its controls and its sample."""
        asked = (sample, defined, specification)
        if asked not in self._registers_of:
            self._registers_of[asked] = tuple(dict.fromkeys(self._read(*asked)))
        return self._registers_of[asked]

    def _read(self, sample: str, defined: tuple[Definition, ...], specification: str | None) -> list[str]:
        study, definitions = self.inputs.evaluation, self.definitions
        parts = [getattr(definitions, kind)[name] for kind, name in defined]
        controls = self.labels.specification_of(specification) if specification is not None else None
        parts += [controls] if controls is not None else []
        for part_of in self._within(sample):
            for step in study.samples[part_of].steps:
                parts += [definitions.covariates[name] for name in step.complete if name in definitions.covariates]
        draws = [study.population.register_name] if study.population is not None else []
        read = [register for part in parts for register in references.registers_of(part, definitions)]
        return [*draws, *read]

    def _published_inputs(self, entry: Exhibit, key: Key) -> Section:
        """Return the files of published numbers that a calculation starts from, and the inputs of a programme."""
        models = [self.definitions.costs[name].published for name in entry.costs_read]
        models += [self.definitions.cost_benefit[name].published for name in entry.cost_benefit_read]
        names = dict.fromkeys([*models, *entry.published_read])
        facts = tuple(Fact("file", f"data/published/{name}.csv", "") for name in names if name)
        facts += tuple(self._model_inputs(entry, key))
        return Section(
            "inputs", self.say("trail.section_inputs"), facts or self._note(self.say("trail.inputs_in_configuration"))
        )

    def _with_model(self, entry: Exhibit, key: Key, section: Section) -> Section:
        """Return delivered files with the inputs of the model that estimates are valued by, if any."""
        return replace(section, facts=(*section.facts, *self._model_inputs(entry, key)))

    def _model_inputs(self, entry: Exhibit, key: Key) -> Iterator[Fact]:
        """Return the inputs of the programme that a number is about: value or published number, source, uncertainty."""
        for model in (self.definitions.cost_benefit[name] for name in entry.cost_benefit_read):
            about = {part: part for part in key[:3] if part in model.programmes}
            about |= {part: part for part in [getattr(entry, "programme", "")] if part in model.programmes}
            about |= {part: model.scenarios[part].programme for part in key[:3] if part in model.scenarios}
            for programme in about.values():
                for name, given in model.inputs_of(programme).items():
                    yield Fact(
                        "input", say(f"cost_benefit.input_{name}", self.language), input_text(given, self.language)
                    )

    def _inputs(self, registers: tuple[str, ...]) -> Section:
        """Return the delivered files of some registers (or the person table) with their checksums."""
        shared = ("inputs", *registers)
        if shared not in self._shared:
            table = self.inputs.evaluation.table
            patterns = [
                (f"{self.inputs.register_label(name, self.language)}: ", pattern)
                for name in registers
                if name in self.inputs.sources
                for pattern in self.inputs.sources[name].files
            ]
            patterns += [("", file) for file in table.files] if table is not None else []
            facts = tuple(
                Fact("file", f"{register}{delivered['file']}", str(delivered["sha256"]))
                for register, pattern in patterns
                for delivered in self._provenance.get("delivery") or []
                if fnmatch(str(delivered["file"]), pattern)
            )
            title = self.say("trail.section_inputs")
            self._shared[shared] = Section("inputs", title, facts or self._note(self.say("trail.no_checksums")))
        return self._shared[shared]

    def _note(self, text: str) -> tuple[Fact, ...]:
        return (Fact("note", self.say("trail.fact_note"), text),)

    def _rows_of(self, table: str) -> _Records | None:
        """Return the rows of a table of the run by the number that they are about; None where there is no such table."""
        if table not in self._records:
            self._records[table] = _by_key(self.inputs.table(table))
        return self._records[table]

    def _verified(self, exhibit: str, key: Key) -> Section:
        checks = self._rows_of("verify")
        checks_made = checks.get((exhibit, *key), []) if checks is not None else []
        if checks_made:
            facts = tuple(map(self._engine, checks_made))
        else:
            facts = self._note(
                self.say("trail.no_verification") if checks is None else self.say("trail.not_recomputed")
            )
        return Section("verified", self.say("trail.section_verified"), facts)

    def _engine(self, record: Mapping[str, str]) -> Fact:
        """State what one engine computed, or the reason why none recomputed the number."""
        verdict = self.say(f"trail.verdict_{record['verdict']}")
        if not record["engine"]:
            reason = self.say(f"trail.reason_{record.get('reason') or 'no_regression'}")
            return Fact("note", self.say("trail.fact_note"), f"{verdict}: {reason}")
        return Fact("engine", record["engine"], f"{verdict}: {record['engine_value']} (|Δ| = {record['difference']})")

    def _published(self, exhibit: str, key: Key) -> Section:
        facts: list[tuple[str, str]] = []
        for record in (self._rows_of("comparison") or {}).get((exhibit, *key), []):
            distance = record["distance_in_se"]
            text = "" if distance in ("", "nan") else self.style.fixed(float(distance), 2)
            facts += [
                ("printed", record["printed"]),
                ("pages", pages_text(record.get("pages", "").replace("nan", ""), self.language)),
                ("ours", self.style.of_text(record["obtained_rounded"])),
                ("verdict", self.say(f"comparison.verdict_{record['verdict']}")),
                ("reason", record.get(f"reason_{self.language}", "").replace("nan", "")),
                ("distance", self.say("trail.standard_errors", distance=text) if text else ""),
            ]
        return self._section("published", facts or [("note", self.say("trail.no_published_number"))])


_Records = dict[tuple[str, ...], list[Mapping[str, str]]]


def _by_key(table: pd.DataFrame | None) -> _Records | None:
    """Return the rows of a table of the run by exhibit, panel, row, column and statistic."""
    if table is None:
        return None
    rows: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for record in table.to_dict("records"):
        key = tuple(str(record[name]) for name in ("exhibit", "panel", "row", "column", "statistic"))
        rows.setdefault(key, []).append({str(name): str(value) for name, value in record.items()})
    return rows


def _of_comparison(labels: LabelBook, name: str) -> tuple[LabelBook, str]:
    """Return the labels of a comparison, and the name of its treatment as the formula has it."""
    labels, entry = labels.compared(name), labels.definitions.comparisons.get(name)
    if entry is None or entry.treated is None:
        return labels, labels.treated
    arms = {**labels.arms, entry.treated: labels.arms[labels.treated]}
    return replace(labels, arms=arms, treated=entry.treated), entry.treated


def input_text(given: Input, language: Language) -> str:
    """Return the value of an input of a model, or the key of the published number, with its factor, unit and source."""
    style = NumberStyle.of(language)
    value = str(given.published) if given.value is None else style.of_text(f"{given.value:.12g}")
    factor = "" if given.times == 1.0 else f" \N{MULTIPLICATION SIGN} {style.of_text(f'{given.times:g}')}"
    source = "" if given.source is None else f". {text_in(given.source, language)}"
    return f"{value}{factor} ({say(f'model_inputs.unit_{given.unit}', language)}){source}"
