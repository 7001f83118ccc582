"""The reviewer's trail of a number: what it is, whom it is about, how it was made, who checked it, what was printed.

One function makes it. The command line prints it and the report shows it on click, so the two cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import pandas as pd

from refino_eval.catalogue import references
from refino_eval.catalogue.sentences import sentence
from refino_eval.config import checks
from refino_eval.config.base import Language, text_in
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.tidy import number_text
from refino_eval.exhibits.wording.labels import VCOV_LABELS, LabelBook
from refino_eval.exhibits.wording.notes import say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.published import VERDICTS
from refino_eval.report.page.words import word
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.formulas import formula_of
from refino_eval.report.trail.locations import Key, defined_by, own_outcome, specification_name, words_of_place

CHECKED_KEYS = ("exhibit", "panel", "row", "column", "statistic")


@dataclass(frozen=True)
class Fact:
    """One line of a trail: what it is by name and in words, and what is said."""

    key: str
    label: str
    text: str


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
        Where it stands.
    value
        The number, unrounded; NaN where it was taken out or could not be estimated.
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
        panel, row, column, statistic = self.key
        return ":".join((self.exhibit, row, column, statistic, *([panel] if panel else [])))

    def as_data(self) -> dict[str, Any]:
        """Return the trail as plain data, for JSON."""
        panel, row, column, statistic = self.key
        return {
            "exhibit": self.exhibit, "panel": panel, "row": row, "column": column, "statistic": statistic,
            "value": self.value if math.isfinite(self.value) else None,
            "what": self.what,
            **{part.key: [{"key": f.key, "label": f.label, "text": f.text} for f in part.facts] for part in self.sections},
        }  # fmt: skip


class Trails:
    """Follows the numbers of one run in one language; what several numbers share is found once."""

    def __init__(self, inputs: ReportInputs, labels: LabelBook, language: Language) -> None:
        self.inputs, self.labels, self.language = inputs, labels, language
        self.definitions = inputs.definitions
        self.style = NumberStyle.of(language)
        self._frames: dict[str, dict[Key, tuple[float, Any, str]]] = {}
        self._shared: dict[tuple[str, ...], Section] = {}

    def numbers(self, exhibit: str) -> dict[Key, tuple[float, Any, str]]:
        """Return an exhibit's numbers by key: value, people behind it, status."""
        if exhibit not in self._frames:
            self._frames[exhibit] = indexed(self.inputs.numbers(exhibit))
        return self._frames[exhibit]

    def follow(self, exhibit: str, key: Key) -> Trail:
        """Return the trail of a number that is there.

        Parameters
        ----------
        exhibit
            Its name.
        key
            Panel, row, column and statistic.
        """
        entry = self.definitions.exhibits[exhibit]
        value, persons, status = self.numbers(exhibit)[key]
        specification = specification_name(entry, key, self.definitions)
        named = defined_by(entry, key, self.definitions)
        registers = self._registers(entry, named, specification)
        sections = (
            self._number(exhibit, entry, key, status),
            self._definition(entry, key, named),
            self._sample(entry, persons),
            self._specification(entry, key, specification),
            self._code(),
            self._inputs(registers),
            self._verified(exhibit, key),
            self._published(exhibit, key),
        )
        what = words_of_place(key, entry, self.labels, self.language)
        return Trail(exhibit, key, value, what, sections)

    def say(self, nb: str, en: str) -> str:
        """Return the sentence of the language."""
        return say(self.language, nb, en)

    def _section(self, key: str, facts: Iterable[tuple[str, str]]) -> Section:
        told = tuple(Fact(name, word(f"trail_{name}", self.language), text) for name, text in facts if text)
        return Section(key, word(f"trail_{key}", self.language), told)

    def _number(self, name: str, entry: Exhibit, key: Key, status: str) -> Section:
        panel, row, column, _ = key
        beside = [
            f"{self.labels.word(k[3], self.language)} {self._exact(v)}"
            for k, (v, _, _) in self.numbers(name).items()
            if k[:3] == (panel, row, column) and math.isfinite(v)
        ]
        return self._section(
            "number",
            [
                ("exhibit", entry.title[self.language]),
                ("status", word(f"status_{status}", self.language) if status else ""),
                ("beside", "; ".join(beside)),
            ],
        )

    def _exact(self, value: float) -> str:
        return number_text(value).replace(".", self.style.decimal).replace("-", self.style.minus)

    def _definition(self, entry: Exhibit, key: Key, named: tuple[tuple[str, str], ...]) -> Section:
        shared = ("definition", str(named), str(own_outcome(entry, key)))
        if shared not in self._shared:
            facts: list[tuple[str, str]] = []
            for kind, name in named:
                facts += self._described(kind, name)
            outcome = own_outcome(entry, key)
            if not facts and outcome is not None:
                facts = [
                    ("outcome", f"{self.labels.outcome(outcome, self.language)} ({outcome})"),
                    ("own_column", self._own_column(outcome)),
                ]
            self._shared[shared] = self._section("definition", facts or [("note", self._no_definition())])
        return self._shared[shared]

    def _own_column(self, outcome: str) -> str:
        table = self.inputs.evaluation.person_table
        return "" if table is None else table.outcomes.get(outcome, "")

    def _no_definition(self) -> str:
        return self.say(
            "Tallet gjelder trekningen selv, ikke et utfall.", "The number is about the draw itself, not an outcome."
        )

    def _described(self, kind: str, name: str) -> list[tuple[str, str]]:
        """Tell one definition, and of an outcome the states that it reads."""
        entry = getattr(self.definitions, kind)[name]
        label = entry.label[self.language]
        if kind == "outcomes":
            told = references.sentence_of(entry, self.definitions, self.language)
            states = [
                f"{self.definitions.states[state].label[self.language]} ({state}): "
                + sentence(self.definitions.states[state], self.definitions, self.inputs.sources, self.language)
                for state in checks.needed_states(self.definitions, list(references.states_of(entry, self.definitions)))
            ]
        else:
            told, states = sentence(entry, self.definitions, self.inputs.sources, self.language), []
        described = text_in(getattr(entry, "description", ""), self.language)
        facts = [
            ({"outcomes": "outcome", "states": "state"}.get(kind, "characteristic"), f"{label} ({name})"),
            ("computed", told),
        ]
        facts += [("described", described)] + [("reads", text) for text in states]
        unit = getattr(entry, "unit", None)
        return [*facts, ("unit", unit[self.language] if unit is not None else "")]

    def _sample(self, entry: Exhibit, persons: Any) -> Section:
        count = "" if pd.isna(persons) or persons == "" else self.style.integer(int(persons))
        shared = ("sample", entry.sample, count)
        if shared not in self._shared:
            steps = [(f"step_{k}", line) for k, line in enumerate(self._flow(entry.sample))]
            self._shared[shared] = Section(
                "sample",
                word("trail_sample", self.language),
                (
                    Fact("name", word("trail_name", self.language), self.labels.sample(entry.sample, self.language)),
                    *([Fact("people", word("trail_people", self.language), count)] if count else []),
                    *(
                        Fact(key, word("trail_flow", self.language) if key == "step_0" else "", text)
                        for key, text in steps
                    ),
                ),
            )
        return self._shared[shared]

    def _flow(self, sample: str) -> list[str]:
        """Say who was delivered and who was taken out on the way to a sample."""
        flow = self.inputs.table("flow")
        if flow is None:
            return []
        within = self._within(sample)
        lines = []
        for record in flow.to_dict("records"):
            step, reason = str(record["step"]), str(record["reason"])
            if step in self.labels.samples and step not in within:
                continue
            count = str(record["persons"])
            shown = self.style.integer(int(count)) if count.lstrip("-").isdigit() else count
            if reason:
                label = self.labels.flow.get(f"{step}:{reason}")
                told = label[self.language] if label is not None else self.labels.word(reason, self.language)
                lines.append(f"\N{MINUS SIGN} {shown}: {told}")
            else:
                told = (
                    self.labels.sample(step, self.language)
                    if step in self.labels.samples
                    else word(step, self.language)
                )
                lines.append(f"= {shown}: {told}")
        return lines

    def _within(self, sample: str) -> set[str]:
        found: set[str] = set()
        name: str | None = sample
        while name is not None and name in self.inputs.evaluation.samples:
            found.add(name)
            name = self.inputs.evaluation.samples[name].within
        return found

    def _specification(self, entry: Exhibit, key: Key, name: str | None) -> Section:
        known = self.labels.specification_of(name) if name is not None else None
        formula = formula_of(entry, key, self.definitions, self.labels)
        if known is None or name is None:
            text = self.say("Ingen regresjon.", "No regression.") if not formula else ""
            return self._section("specification", [("formula", formula), ("note", text)])
        return self._section(
            "specification",
            [
                ("called", f"{known.label[self.language]} ({name})"),
                ("formula", formula),
                ("controls", specification_note(name, known, self.labels, self.language)),
                ("vcov", VCOV_LABELS[known.vcov][self.language]),
                ("level", self.style.percent(known.level, 0)),
            ],
        )

    @cached_property
    def _provenance(self) -> dict[str, Any]:
        return self.inputs.provenance()

    def _code(self) -> Section:
        record = self._provenance
        code = record.get("code") or {}
        commit = code.get("commit") or self.say("ikke under versjonskontroll", "not under version control")
        if code.get("modified"):
            commit += self.say(" (endret siden)", " (modified since)")
        digests = "; ".join(f"{rule} {digest}" for rule, digest in (record.get("source_digests") or {}).items())
        packages = record.get("packages") or {}
        return self._section(
            "code",
            [
                ("commit", commit),
                ("digest", digests),
                (
                    "version",
                    "; ".join(f"{name} {packages[name]}" for name in ("refino-eval", "numpy") if packages.get(name)),
                ),
                ("configuration", str(record.get("configuration_sha256") or "")),
                ("seed", str(record.get("seed") or "")),
            ],
        )

    def _registers(
        self, entry: Exhibit, named: tuple[tuple[str, str], ...], specification: str | None
    ) -> tuple[str, ...]:
        """Return the registers behind a number: of what it speaks of, of its controls, of its sample, and of the draws."""
        study, definitions = self.inputs.evaluation, self.definitions
        parts = [getattr(definitions, kind)[name] for kind, name in named]
        known = self.labels.specification_of(specification) if specification is not None else None
        parts += [known] if known is not None else []
        for sample in self._within(entry.sample):
            for step in study.samples[sample].steps:
                parts += [definitions.covariates[name] for name in step.complete if name in definitions.covariates]
        found = [study.population.register_name] if study.population is not None else []
        return tuple(
            dict.fromkeys(
                [*found, *(register for part in parts for register in references.registers_of(part, definitions))]
            )
        )

    def _inputs(self, registers: tuple[str, ...]) -> Section:
        shared = ("inputs", *registers)
        if shared not in self._shared:
            delivered = self._provenance.get("delivery") or []
            table = self.inputs.evaluation.person_table
            patterns = [
                (name, pattern)
                for name in registers
                if name in self.inputs.sources
                for pattern in self.inputs.sources[name].files
            ]
            patterns += [("", table.file)] if table is not None else []
            facts = [
                Fact(
                    "file",
                    f"{register}: {each['file']}" if register else str(each["file"]),
                    str(each["sha256"]),
                )
                for register, pattern in patterns
                for each in delivered
                if fnmatch(str(each["file"]), pattern)
            ]
            nothing = self.say(
                "Kontrollsummer er ikke registrert for denne kjøringen.", "No checksums were recorded for this run."
            )
            note = [Fact("note", "", nothing)] if not facts else []
            self._shared[shared] = Section("inputs", word("trail_inputs", self.language), tuple(facts or note))
        return self._shared[shared]

    @cached_property
    def _checks(self) -> Mapping[tuple[str, ...], list[Mapping[str, str]]] | None:
        return _by_key(self.inputs.table("verify"))

    @cached_property
    def _prints(self) -> Mapping[tuple[str, ...], list[Mapping[str, str]]] | None:
        return _by_key(self.inputs.table("comparison"))

    def _verified(self, exhibit: str, key: Key) -> Section:
        if self._checks is None:
            text = self.say(
                "Denne kjøringen har ingen kontroll med andre programmer.", "This run has no check by other engines."
            )
            return self._section("verified", [("note", text)])
        found = self._checks.get((exhibit, *key), [])
        if not found:
            text = self.say(
                "Ikke blant tallene som er regnet om igjen.", "Not among the numbers that were computed again."
            )
            return self._section("verified", [("note", text)])
        return Section("verified", word("trail_verified", self.language), tuple(map(self._engine, found)))

    def _engine(self, record: Mapping[str, str]) -> Fact:
        """Say what one engine found; a number that none could make has no engine."""
        verdict, engine = word(record.get("verdict", ""), self.language), record.get("engine", "")
        if not engine:
            return Fact("note", word("trail_note", self.language), verdict)
        told = f"{verdict}: {record.get('engine_value', '')} (|Δ| = {record.get('difference', '')})"
        return Fact("engine", engine, told)

    def _published(self, exhibit: str, key: Key) -> Section:
        found = (self._prints or {}).get((exhibit, *key), [])
        if not found:
            text = self.say("Intet trykt tall svarer til dette.", "No printed number answers to this one.")
            return self._section("published", [("note", text)])
        facts: list[tuple[str, str]] = []
        for record in found:
            verdict = record["verdict"]
            facts += [
                ("printed", record["printed"]),
                ("ours", self._as_printed(record["obtained_rounded"])),
                ("verdict", word(verdict, self.language) if verdict in VERDICTS else verdict),
                ("distance", self._distance(record["distance_in_se"])),
            ]
        return self._section("published", facts)

    def _as_printed(self, text: str) -> str:
        return text.replace(".", self.style.decimal).replace("-", self.style.minus)

    def _distance(self, text: str) -> str:
        if text in ("", "nan"):
            return ""
        return self.style.fixed(float(text), 2) + self.say(" standardfeil", " standard errors")


def indexed(frame: pd.DataFrame) -> dict[Key, tuple[float, Any, str]]:
    """Return tidy numbers by key: value, people behind it, status."""
    columns = [frame[name].tolist() for name in ("panel", "row", "column", "statistic", "value", "n_persons", "status")]
    return {(p, r, c, s): (float(v), n, status) for p, r, c, s, v, n, status in zip(*columns, strict=True)}


def _by_key(table: pd.DataFrame | None) -> dict[tuple[str, ...], list[Mapping[str, str]]] | None:
    if table is None:
        return None
    found: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for record in table.to_dict("records"):
        found.setdefault(tuple(str(record[name]) for name in CHECKED_KEYS), []).append(
            {str(name): str(value) for name, value in record.items()}
        )
    return found
