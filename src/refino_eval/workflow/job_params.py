"""Params of an evaluation's jobs: the definitions that a job depends on, as plain data, and nothing more.

A job runs again when its params change. Jobs that compute numbers are given definitions without text, so that a
change of wording reruns only the jobs that show it; jobs that draw up exhibits are given the definitions whose text
they show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from refino_eval.config import Configuration, Definitions, Evaluation, Unit, dependencies
from refino_eval.config.plans import RegisteredPlan
from refino_eval.config.without_text import without_text
from refino_eval.config.yaml_files import read_yaml
from refino_eval.exhibits.wording.labels import flow_labels
from refino_eval.kept_results import Recorded
from refino_eval.report.page.chapters import by_chapter, chapter_of
from refino_eval.workflow.result_files import ResultFiles

Params = dict[str, Any]


@dataclass(frozen=True)
class JobParams:
    """Params of one evaluation's jobs.

    Attributes
    ----------
    configuration
        The evaluation's configuration, checked.
    plan
        The evaluation's registered plan, where there is one.
    """

    configuration: Configuration
    plan: RegisteredPlan | None = None

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation."""
        return self.configuration.evaluation

    @property
    def definitions(self) -> Definitions:
        """Every definition that the evaluation can see."""
        return self.configuration.definitions

    @property
    def files(self) -> ResultFiles:
        """Paths of the evaluation's files."""
        return ResultFiles(self.configuration)

    # --- Deliveries and people ---

    def recipe(self) -> Recorded | None:
        """Return the recipe of the synthetic register."""
        if self.evaluation.synthetic is None:
            return None
        path = f"config/synthetic/{self.evaluation.synthetic.recipe}.yaml"
        return Recorded(read_yaml(self.configuration.root / path, path))

    def source(self, register: str) -> Params:
        """Return the description of a register."""
        return without_text(self.configuration.sources[register])

    def sources(self, registers: Iterable[str]) -> Params:
        """Return the descriptions of registers."""
        return {register: self.source(register) for register in registers}

    def registers(self, names: Iterable[str]) -> Recorded:
        """Return the description of registers, with the files that each one reads and becomes."""
        return Recorded(
            {
                name: {
                    "source": self.source(name),
                    "reads": [*self.files.delivered(name), *self.files.register_codelists(name)],
                    "writes": self.files.register_files(name),
                }
                for name in names
            }
        )

    def panel_sources(self, unit: Unit) -> Params:
        """Return the descriptions of the registers that a panel reads."""
        return self.sources(self.files.panel_registers(unit))

    def draw_date(self) -> str | None:
        """Return the one date of random assignment, where the configuration states it."""
        population = self.evaluation.population
        return str(population.draw_date) if population and population.draw_date else None

    def people(self) -> Params:
        """Return what decides who is in the evaluation: population or person table, samples, arms and covariates."""
        covariates = sorted(dependencies.used_covariates(self.evaluation, self.definitions))
        shared = {
            "samples": _named(self.evaluation.samples, self.evaluation.samples, without_text),
            "arms": without_text(self.evaluation.arms),
            "covariates": _named(self.definitions.covariates, covariates, without_text),
            "dropping": self._dropping(set(covariates)),
        }
        if self.evaluation.table is not None:
            return {"table": without_text(self.evaluation.table), **shared}
        if self.evaluation.population is None:
            return shared
        registers = self.files.cohort_registers()
        return {
            "population": without_text(self.evaluation.population),
            "registers": registers,
            "sources": self.sources(registers),
            "strata": list(self.evaluation.strata),
            **shared,
        }

    def _dropping(self, covariates: set[str]) -> dict[str, list[str]]:
        """Return the controls, and absorbed covariates, without which specifications drop people."""
        dropping = {
            name: [
                *(term.covariate for term in specification.terms if term.missing == "drop"),
                *(column for column in specification.absorb if column in self.definitions.covariates),
            ]
            for name, specification in self.definitions.specifications.items()
        }
        return {name: controls for name, controls in dropping.items() if controls and covariates.issuperset(controls)}

    def linkage(self) -> Params:
        """Return how well each register is expected to link to the draws."""
        stated = {name: self.configuration.sources[name].linkage for name in self.files.registers_of_people()}
        return {name: without_text(entry) if entry is not None else None for name, entry in stated.items()}

    # --- States and outcomes ---

    def panel_columns(self, unit: Unit) -> list[str]:
        """Return the states that a panel holds."""
        return dependencies.used_states(self.evaluation, self.definitions, unit)

    def panel_states(self, unit: Unit) -> Params:
        """Return the definitions of a panel's states and of those that they are computed from."""
        return self._states(self.panel_columns(unit))

    def clock(self, unit: Unit) -> Params:
        """Return the range of event time of a clock."""
        return _plain(self.evaluation.clocks[unit]) if unit in self.evaluation.clocks else {}

    def outcome(self, name: str) -> Params:
        """Return the definition of an outcome."""
        return without_text(self.definitions.outcomes[name])

    def outcome_states(self, name: str) -> Params:
        """Return the definitions of the states behind an outcome."""
        return self._states(dependencies.outcome_states(self.definitions.outcomes[name]))

    def outcomes(self, names: Iterable[str]) -> Recorded:
        """Return the definitions of outcomes, with the panel that each one reads and the file that it becomes."""
        return Recorded(
            {
                name: {
                    "definition": self.outcome(name),
                    "states": self.outcome_states(name),
                    "panel": self.files.outcome_panel(name),
                    "writes": self.files.outcomes([name])[0],
                }
                for name in names
            }
        )

    def outcomes_table(self) -> Recorded:
        """Return what the table of all outcomes reads, the cohort first, and where it goes."""
        cohort = f"{self.files.results}/person_level/cohort.parquet"
        return Recorded({"reads": [cohort, *self.files.all_outcomes()], "writes": self.files.outcomes_table()})

    def _states(self, names: Iterable[str]) -> Params:
        return _named(self.definitions.states, dependencies.needed_states(self.definitions, list(names)), without_text)

    def comparison_with_plan(self) -> Recorded:
        """Return the registered plan, and the outcomes that it may speak of as they are now."""
        planned = self.plan.primary if self.plan else {}
        used = self.files.outcome_names()
        entries = self.definitions.outcomes
        names = [name for name in dict.fromkeys([*planned, *used]) if name in entries]
        states = [state for name in names for state in dependencies.outcome_states(entries[name])]
        return Recorded(
            {
                "plan": _plain(self.plan) if self.plan else None,
                # Role and family are text for every other job, and what the plan is about here.
                "outcomes": {
                    name: {**without_text(entries[name]), "role": entries[name].role, "family": entries[name].family}
                    for name in names
                },
                "states": self._states(states),
                "used": used,
            }
        )

    # --- Estimates ---

    def study(self) -> Params:
        """Return what every estimate needs to know of its study."""
        study = self.evaluation
        return {"arms": without_text(study.arms), "seed": self.configuration.project.seed, "design": study.design}

    def estimates(self, names: Iterable[str], digest_of: Callable[[str], str]) -> Recorded:
        """Return, for exhibits, the definitions that their numbers are computed from, and the files.

        `digest_of` returns the hash of the code behind a kind of exhibit.
        """
        return Recorded(
            {
                name: {
                    "definitions": self.estimation(name),
                    "reads": self.files.estimation_reads(name),
                    "writes": self.files.aggregate_of(name),
                    "source_digest": digest_of(self.definitions.exhibits[name].kind),
                }
                for name in names
            }
        )

    def verification(self, names: Iterable[str], digest_of: Callable[[str], str]) -> Recorded:
        """Return the same for exhibits whose numbers are estimated again, and for those that they copy numbers from."""
        made = list(names)
        copied = {other for name in made for other in self.definitions.exhibits[name].exhibits_read}
        wanted = [name for name in self.evaluation.exhibits if name in {*made, *copied}]
        return Recorded(
            {
                name: {
                    **entry,
                    "numbers": entry["writes"][0],
                    "writes": self.files.verification_of(name),
                    "copies": list(self.definitions.exhibits[name].exhibits_read),
                }
                for name, entry in self.estimates(wanted, digest_of).items()
            }
        )

    def verification_table(self) -> Recorded:
        """Return what the table of all comparisons reads, and where it goes."""
        return Recorded({"reads": self.files.verification(), "writes": f"{self.files.results}/run/verify.csv"})

    def estimation(self, exhibit: str) -> Params:
        """Return the definitions that an exhibit's numbers are computed from."""
        entry = self.definitions.exhibits[exhibit]
        among = [self.definitions.comparisons[name].among for name in entry.comparisons]

        def used(kind: str, names: Iterable[str]) -> Params:
            return _named(getattr(self.definitions, kind), sorted(set(names)), without_text)

        return {
            "exhibits": {exhibit: without_text(entry)},
            "specifications": used("specifications", entry.specifications_read),
            "subgroups": used("subgroups", [*entry.subgroups_read, *filter(None, among)]),
            "comparisons": used("comparisons", entry.comparisons),
            "costs": used("costs", entry.costs_read),
            "payments": used("payments", entry.payments_read),
            "cost_benefit": used("cost_benefit", entry.cost_benefit_read),
        }

    # --- Exhibits and report ---

    def exhibit(self, name: str) -> Params:
        """Return the definition of an exhibit with its text."""
        return _plain(self.definitions.exhibits[name])

    def chapter(self, name: str) -> str:
        """Return the chapter of an exhibit, as a heading of Snakemake's report."""
        return chapter_of(self.definitions.exhibits[name]).replace("_", " ").capitalize()

    def labels(self, exhibit: str) -> Params:
        """Return the definitions that an exhibit's text is taken from."""
        return dependencies.text_of(exhibit, self.definitions)

    def stars(self, form: str) -> list[float]:
        """Return the levels of p that are marked by a star each, in exhibits that do not say so themselves."""
        return list(self.configuration.project.stars) if form == "table" else []

    def renders(self, names: Iterable[str], digest_of: Callable[[str], str]) -> Recorded:
        """Return the definitions of exhibits and those that their text is taken from, and the files."""
        return Recorded(
            {
                name: {
                    "definition": self.exhibit(name),
                    "labels": self.labels(name),
                    "reads": self.files.aggregate_of(name)[0],
                    "writes": self.files.release_of(name),
                    "source_digest": digest_of(self.definitions.exhibits[name].kind),
                }
                for name in names
            }
        )

    def bundle(self, digest_of: Callable[[str], str]) -> Recorded:
        """Return what the documents of all tables are made of, and their files by language."""
        held = by_chapter(self.files.exhibits_of("table"), self.definitions.exhibits)
        chapters = [[name, chapter] for chapter, names in held.items() for name in names]
        tables = self.renders([name for name, _ in chapters], digest_of)
        files = self.files.bundle_files()
        return Recorded({"tables": dict(tables), "chapters": chapters, "title": self.title(), "writes": files})

    def names(self) -> Params:
        """Return what arms, samples, strata and a person table's outcomes are called."""
        study, table = self.evaluation, self.evaluation.table
        return {
            "arms": _plain(study.arms),
            "samples": {name: _plain(sample.label) for name, sample in study.samples.items()},
            "strata": list(study.strata or (table.strata if table else ())),
            "strata_labels": _named(study.strata_labels, study.strata_labels),
            "value_labels": {
                column: {value: text if isinstance(text, str) else _plain(text) for value, text in labels.items()}
                for column, labels in study.value_labels.items()
            },
            "data_class": study.data_class,
            "outcomes": _named(table.labels, table.labels) if table and study.panel is None else {},
            "weights": study.weights or "",
            "clusters": list(study.clusters),
            "design": study.design,
            "flow": {row: _plain(label) for row, label in flow_labels(study).items()},
        }

    def title(self) -> Params:
        """Return what the evaluation is called."""
        return _plain(self.evaluation.label)

    def whole_configuration(self) -> Params:
        """Return everything that was configured."""
        kinds = {kind: getattr(self.definitions, kind) for kind in Definitions.model_fields}
        project = _plain(self.configuration.project)
        # The address belongs to a machine: it may hold a token, and no number depends on it.
        project.pop("spark_address", None)
        return {
            "project": project,
            "evaluation": _plain(self.evaluation),
            "definitions": {kind: _named(entries, entries) for kind, entries in kinds.items()},
            "sources": _named(self.configuration.sources, self.configuration.sources),
        }

    def other_sources(self) -> Params:
        """Return the registers that definitions name and the evaluation does not read, for the catalogue."""
        folder = self.configuration.root / "config" / "sources"
        named = {
            getattr(entry, "register_name", None)
            for entries in (self.definitions.states, self.definitions.covariates)
            for entry in entries.values()
        }
        return {
            name: read_yaml(folder / f"{name}.yaml", f"config/sources/{name}.yaml")
            for name in sorted(str(name) for name in named - {None, *self.configuration.sources})
            if (folder / f"{name}.yaml").is_file()
        }


def _plain(model: BaseModel) -> Params:
    """Return a model as plain data: only what was written, so that a new key with a default reruns nothing."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _named(entries: Mapping[str, Any], names: Iterable[str], form: Callable[[Any], Params] = _plain) -> Params:
    """Return chosen definitions as plain data."""
    return {name: form(entries[name]) for name in names}
