"""Paths of everything that goes into an evaluation's jobs and comes out of them, from the project's root."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from refino_eval.config import Configuration, Definitions, Evaluation, Unit, dependencies
from refino_eval.config.definitions import SeriesCovariate
from refino_eval.registers.register_files import find_files

IN_BROWSERS = (".html", ".svg", ".png")
"""Endings of the files of a table or figure that the workflow is planned by; those of other formats are written next to them."""

NOT_MADE = "not_made"
"""Statistic of an exhibit that could not be computed (see `exhibits.tidy`, which takes long to load)."""


@dataclass(frozen=True)
class ResultFiles:
    """Paths of one evaluation's deliveries, intermediate files and results.

    Attributes
    ----------
    configuration
        The evaluation's configuration, checked.
    """

    configuration: Configuration

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation."""
        return self.configuration.evaluation

    @property
    def definitions(self) -> Definitions:
        """Every definition that the evaluation can see."""
        return self.configuration.definitions

    @property
    def results(self) -> str:
        """Folder of the evaluation's results."""
        return self.configuration.results_folder.as_posix()

    @property
    def pages_folder(self) -> str:
        """Folder of tables, figures and report: `release`, or `internal` for confidential data."""
        return f"{self.results}/{self.evaluation.pages_folder}"

    def exhibit(self, name: str) -> Any:
        """Return the definition of an exhibit."""
        return self.definitions.exhibits[name]

    # --- What goes in ---

    def delivered(self, register: str) -> list[str]:
        """Return the files that a register is read from, id lists included; a synthetic delivery has a manifest."""
        if self.evaluation.synthetic is not None:
            return self.manifest()
        source, folder = self.configuration.sources[register], self.configuration.data_folder
        lists = [folder / rule.file for rule in source.rules if rule.rule == "person_not_listed"]
        return [str(path) for path in [*find_files(source, folder), *(path for path in lists if path.is_file())]]

    def table_files(self) -> list[str]:
        """Return the files of a person table or a panel."""
        table = self.evaluation.table
        return [f"{self.configuration.data_folder}/{file}" for file in table.files] if table else []

    def manifest(self) -> list[str]:
        """Return the manifest of a synthetic delivery."""
        return [f"{self.evaluation.data}/manifest.json"] if self.evaluation.synthetic is not None else []

    def codelists(self) -> list[str]:
        """Return all code lists and price indices."""
        root = self.configuration.root
        return sorted(path.relative_to(root).as_posix() for path in (root / "config" / "codelists").glob("*.csv"))

    def register_codelists(self, register: str) -> list[str]:
        """Return the code lists that a register's columns are checked against."""
        columns = self.configuration.sources[register].columns.values()
        return _codelists(column.codelist for column in columns)

    def covariate_indices(self) -> list[str]:
        """Return the price indices of the evaluation's covariates."""
        names = dependencies.used_covariates(self.evaluation, self.definitions)
        return _indices(self.definitions.covariates[name] for name in names)

    def panel_indices(self, unit: Unit) -> list[str]:
        """Return the price indices of a panel's states."""
        states = dependencies.used_states(self.evaluation, self.definitions, unit)
        return _indices(self.definitions.states[name] for name in dependencies.needed_states(self.definitions, states))

    def published(self) -> list[str]:
        """Return the published values that the evaluation is compared with."""
        return [f"data/published/{self.evaluation.published}.csv"] if self.evaluation.published else []

    def all_published(self) -> list[str]:
        """Return every file of published values that the evaluation, its exhibits, costs or models name."""
        named = (file for name in self.evaluation.exhibits for file in self.exhibit_published(name))
        return list(dict.fromkeys([*self.published(), *named]))

    def published_source(self) -> list[str]:
        """Return the file next to the published values that describes them, if there is one."""
        path = f"data/published/{self.evaluation.published}.source.yaml"
        return [path] if self.evaluation.published and (self.configuration.root / path).is_file() else []

    # --- What lies between ---

    def clean(self, registers: Iterable[str]) -> list[str]:
        """Return the clean rows of registers."""
        return [f"{self.results}/person_level/clean/{register}.parquet" for register in registers]

    def cohort_registers(self) -> list[str]:
        """Return the registers that the cohort is made from."""
        population = self.evaluation.population
        if population is None:
            return []
        names = dependencies.used_covariates(self.evaluation, self.definitions)
        entries = [self.definitions.covariates[name] for name in names]
        places = {entry.place.register_name for entry in entries if isinstance(entry, SeriesCovariate)}
        registers = {entry.register_name for entry in entries if entry.register_name is not None}
        return sorted({population.register_name, *registers, *places})

    def registers_of_people(self) -> list[str]:
        """Return the registers with rows about people, which are linked to those of the evaluation."""
        sources = self.configuration.sources
        return [name for name in self.evaluation.sources if sources[name].temporality != "series"]

    def panel_registers(self, unit: Unit) -> list[str]:
        """Return the registers that a panel reads."""
        states = dependencies.used_states(self.evaluation, self.definitions, unit)
        return dependencies.state_registers(self.definitions, states)

    def panel_clean(self, unit: Unit) -> list[str]:
        """Return the clean registers that a panel reads."""
        return self.clean(self.panel_registers(unit))

    def panels(self, units: Iterable[str]) -> list[str]:
        """Return panels."""
        return [f"{self.results}/person_level/panel_{unit}.parquet" for unit in units]

    def panel_parts(self, unit: Unit, parts: int) -> list[str]:
        """Return the parts that a panel is put together from; none when one job makes it."""
        folder = f"{self.results}/person_level/panel_{unit}_parts"
        return [f"{folder}/{part}_of_{parts}.parquet" for part in range(1, parts + 1)] if parts > 1 else []

    def outcome_panel(self, outcome: str) -> str:
        """Return the panel that an outcome is computed from; a list of one would reach the script as a list."""
        return self.panels([self.definitions.outcomes[outcome].clock])[0]

    def outcomes(self, names: Iterable[str] | None = None) -> list[str]:
        """Return the files of outcomes, by default of all that the evaluation uses."""
        return [f"{self.results}/person_level/outcomes/{name}.parquet" for name in names or self.outcome_names()]

    def all_outcomes(self) -> list[str]:
        """Return the files of all outcomes that the evaluation uses; none if it uses none."""
        return [path for name in self.outcome_names() for path in self.outcomes([name])]

    def cohort(self) -> str | list[str]:
        """Return the cohort; nothing for an evaluation without people. A list of one would reach the script as a list."""
        return f"{self.results}/person_level/cohort.parquet" if self.evaluation.has_people else []

    def outcomes_of_everybody(self) -> list[str]:
        """Return the file of all outcomes, if there are people."""
        return [self.outcomes_table()] if self.evaluation.has_people else []

    def outcomes_table(self) -> str:
        """Return the file of all outcomes, one row a person."""
        return f"{self.results}/person_level/outcomes.parquet"

    def outcome_names(self) -> list[str]:
        """Return the outcomes that the evaluation uses."""
        return dependencies.used_outcomes(self.evaluation, self.definitions)

    # --- What one exhibit reads ---

    def exhibit_outcomes(self, name: str) -> list[str]:
        """Return the outcome files of an exhibit."""
        outcomes = self.exhibit(name).outcomes
        return self.outcomes(outcomes) if outcomes else []

    def exhibit_panels(self, name: str) -> list[str]:
        """Return the panels of an exhibit."""
        return self.panels(self.exhibit(name).panels)

    def exhibit_aggregates(self, name: str) -> list[str]:
        """Return the numbers of other exhibits that an exhibit is computed from."""
        return self._aggregates_of(self.exhibit(name).exhibits_read)

    def exhibit_clean(self, name: str) -> list[str]:
        """Return the clean registers of an exhibit."""
        return self.clean(self.exhibit(name).registers_read)

    def exhibit_published(self, name: str) -> list[str]:
        """Return the published values that an exhibit or its costs name."""
        exhibit, definitions = self.exhibit(name), self.definitions
        files = {definitions.costs[entry].published for entry in exhibit.costs_read}
        files |= {definitions.cost_benefit[entry].published for entry in exhibit.cost_benefit_read}
        files |= set(exhibit.published_read)
        return [f"data/published/{file}.csv" for file in sorted(filter(None, files))]

    def exhibit_flow(self, name: str) -> list[str]:
        """Return the flow of people, for an exhibit that shows it."""
        return [f"{self.results}/run/flow.csv"] if self.exhibit(name).reads_flow else []

    # --- What comes out ---

    def not_made(self) -> Iterator[str]:
        """Yield a message for each exhibit that could not be computed, also if an earlier run found that."""
        for name in self.evaluation.exhibits:
            path = self.configuration.root / self.aggregate_of(name)[0]
            if not path.is_file():
                continue
            with path.open(encoding="utf-8", newline="") as stream:
                row = next(csv.DictReader(stream), {})
            if row.get("statistic") == NOT_MADE:
                yield f"The exhibit '{name}' could not be made and is shown empty: {row['status']}"

    def aggregates(self) -> list[str]:
        """Return the tidy numbers of every exhibit."""
        return self._aggregates_of(self.evaluation.exhibits)

    def verified_aggregates(self, names: Iterable[str]) -> list[str]:
        """Return the numbers of exhibits that are estimated again, and of those that they copy numbers from."""
        wanted = [other for name in names for other in (name, *self.exhibit(name).exhibits_read)]
        return self._aggregates_of(dict.fromkeys(wanted))

    def verification_of(self, name: str) -> str:
        """Return the table of an exhibit's numbers beside what other engines make of them."""
        return f"{self.results}/run/verification/{name}.csv"

    def verification(self) -> list[str]:
        """Return these tables of every exhibit."""
        return [self.verification_of(name) for name in self.evaluation.exhibits]

    def aggregate_of(self, name: str) -> list[str]:
        """Return the tidy numbers of an exhibit: as CSV and as parquet."""
        return [f"{self.results}/aggregates/{name}.{ending}" for ending in ("csv", "parquet")]

    def estimation_reads(self, name: str) -> dict[str, Any]:
        """Return what an exhibit's numbers are computed from, by the kind of file."""
        return {
            "cohort": self.cohort(),
            "outcomes": self.exhibit_outcomes(name),
            "panels": self.exhibit_panels(name),
            "aggregates": self.exhibit_aggregates(name),
            "clean": self.exhibit_clean(name),
            "published": self.exhibit_published(name),
            "flow": self.exhibit_flow(name),
        }

    def estimation_inputs(self, names: Iterable[str], kind: str) -> list[str]:
        """Return the files of a kind that some exhibits' numbers are computed from, except those that they are."""
        made = {path for name in names for path in self.aggregate_of(name)}
        return list(dict.fromkeys(p for name in names for p in self.estimation_reads(name)[kind] if p not in made))

    def register_files(self, name: str) -> list[str]:
        """Return the files that a register becomes: clean rows, rejects, and counts."""
        return [
            f"{self.results}/person_level/clean/{name}.parquet",
            f"{self.results}/person_level/rejects/{name}.parquet",
            f"{self.results}/run/ingest/{name}.json",
        ]

    def linkage(self) -> list[str]:
        """Return the table of how many people each register has."""
        return [f"{self.results}/run/linkage.csv"] if self.evaluation.entry == "spells" else []

    def register_counts(self) -> list[str]:
        """Return the counts of all registers."""
        return [f"{self.results}/run/ingest/{name}.json" for name in self.evaluation.sources]

    def record_files(self) -> dict[str, list[str]]:
        """Return what a run records of itself and that may be kept, by what it is."""
        names = {"comparison": ["comparison.csv"]}
        if self.evaluation.entry == "spells":
            names |= {"plan": ["plan.csv"], "quality": ["quality.csv", "quality_rules.csv"]}
        if self.evaluation.synthetic is not None:
            names |= {"calibration": ["calibration.csv", "calibration.md"]}
        return {record: [f"{self.results}/run/{name}" for name in files] for record, files in names.items()}

    def catalogue_files(self) -> dict[str, list[str]]:
        """Return the files of the catalogue of definitions by language."""
        return {
            language: [f"{self.pages_folder}/catalogue.{language}.{ending}" for ending in ("html", "md")]
            for language in self.configuration.project.languages
        }

    def report_files(self) -> dict[str, dict[str, str]]:
        """Return the files of the report by form and language; a PDF is printed from the page, by no job."""
        return {
            form: {
                language: f"{self.pages_folder}/report.{language}.{form}"
                for language in self.configuration.project.languages
            }
            for form in self.configuration.project.formats.report
            if form != "pdf"
        }

    def reports(self) -> list[str]:
        """Return the report in every form and language."""
        return [path for by_language in self.report_files().values() for path in by_language.values()]

    def bundle_files(self) -> dict[str, list[str]]:
        """Return the documents of all tables, by language."""
        endings = self.configuration.project.formats.bundles
        return {
            language: [f"{self.pages_folder}/tables.{language}.{ending}" for ending in endings]
            for language in self.configuration.project.languages
        }

    def _aggregates_of(self, names: Iterable[str]) -> list[str]:
        return [f"{self.results}/aggregates/{name}.csv" for name in names]

    def in_exhibits(self, names_of: Callable[[Any], Iterable[str]]) -> list[str]:
        """Return, in alphabetical order, the names that a function finds in the evaluation's exhibits."""
        return sorted({found for name in self.evaluation.exhibits for found in names_of(self.exhibit(name))})

    def all_panels(self) -> list[str]:
        """Return the panels that some exhibit reads."""
        return self.panels(self.in_exhibits(lambda exhibit: exhibit.panels))

    def run(self) -> list[str]:
        """Return what every run records of itself."""
        names = ["comparison.csv", "verify.csv", "provenance.json", "run_config.yaml"]
        if self.evaluation.has_people:
            names.insert(0, "flow.csv")
        if self.evaluation.entry == "spells":
            names += ["linkage.csv", "plan.csv"]
        if self.evaluation.entry in ("spells", "panel"):
            names += ["quality.csv", "quality_rules.csv"]
        if self.evaluation.synthetic is not None:
            names += ["calibration.csv"]
        return [f"{self.results}/run/{name}" for name in names]

    def planned(self, until: str | None = None) -> list[str]:
        """Return what a run makes, up to a target (`outcomes`, `aggregates`) or all: at least one file of each job."""
        has_panel = self.evaluation.entry in ("spells", "panel")
        panels = {self.outcome_panel(name) for name in self.outcome_names()} if has_panel else set()
        made = [*self.manifest(), *self.clean(self.evaluation.sources)]
        made += [path for path in [self.cohort()] if isinstance(path, str)]
        made += [*sorted(panels), *self.all_outcomes()]
        if until != "aggregates":
            made += self.outcomes_of_everybody()
        if until == "outcomes":
            return made
        made += [path for path in self.all_panels() if path not in panels]
        made += self.aggregates()
        return made if until == "aggregates" else [*made, *self.run(), *self.release()]

    def exhibits_of(self, form: str) -> list[str]:
        """Return the evaluation's tables, or its figures, in its order."""
        return [name for name in self.evaluation.exhibits if self.exhibit(name).form == form]

    def formats(self, form: str) -> list[str]:
        """Return the formats that tables, or figures, are written in."""
        formats = self.configuration.project.formats
        return list(formats.tables if form == "table" else formats.figures)

    def release_of(self, name: str) -> list[str]:
        """Return the tables or figures of an exhibit."""
        form = self.exhibit(name).form
        stem, formats = f"{self.pages_folder}/{form}s/{name}", self.formats(form)
        # The numbers behind a figure are the same in every language.
        once = form == "figure" and "csv" in formats
        endings = [ending for ending in formats if not (once and ending == "csv")]
        paths = [
            f"{stem}.{language}.{ending}" for language in self.configuration.project.languages for ending in endings
        ]
        return [*paths, f"{stem}.csv"] if once else paths

    def stated_of(self, name: str) -> list[str]:
        """Return the files of a table or figure that Snakemake knows of: what browsers show, or else one file.

        The job records the others as well (`checksums.py`), with what they contain.
        """
        files = self.release_of(name)
        return [path for path in files if path.endswith(IN_BROWSERS)] or files[:1]

    def rendered(self) -> list[str]:
        """Return the tables and figures of every exhibit."""
        return [path for name in self.evaluation.exhibits for path in self.release_of(name)]

    def report_figures(self) -> list[str]:
        """Return the figures that the report shows; it draws up its tables itself."""
        return [path for name in self.exhibits_of("figure") for path in self.release_of(name) if path.endswith(".svg")]

    def report_pictures(self) -> list[str]:
        """Return the figures that the report in Word shows; none if it is not wanted."""
        wanted = "docx" in self.configuration.project.formats.report
        figures = self.exhibits_of("figure") if wanted else []
        return [path for name in figures for path in self.release_of(name) if path.endswith(".png")]

    def pages(self, *names: str) -> list[str]:
        """Return pages in every language, for instance `report.html` as `release/report.nb.html`."""
        parts = [name.rsplit(".", 1) for name in names]
        return [
            f"{self.pages_folder}/{stem}.{language}.{ending}"
            for language in self.configuration.project.languages
            for stem, ending in parts
        ]

    def catalogue(self) -> list[str]:
        """Return the pages of definitions; they say nothing about people, whatever the class of the data."""
        return self.pages("catalogue.html", "catalogue.md")

    def bundled(self) -> list[str]:
        """Return the tidy numbers of all tables."""
        return self._aggregates_of(self.exhibits_of("table"))

    def bundles(self) -> list[str]:
        """Return the files that hold all tables at once."""
        return [path for paths in self.bundle_files().values() for path in paths] if self.exhibits_of("table") else []

    def release(self) -> list[str]:
        """Return all tables, figures and pages; those of confidential data are in `internal/` and stay in the secure zone."""
        return [*self.rendered(), *self.bundles(), *self.reports(), *self.catalogue()]

    def stated_release(self) -> list[str]:
        """Return those of them that Snakemake knows of."""
        stated = [path for name in self.evaluation.exhibits for path in self.stated_of(name)]
        return [*stated, *self.bundles(), *self.reports(), *self.catalogue()]


def _codelists(names: Iterable[str | None]) -> list[str]:
    return [f"config/codelists/{name}.csv" for name in sorted({name for name in names if name is not None})]


def _indices(entries: Iterable[Any]) -> list[str]:
    """Return the price indices that definitions deflate by."""
    deflated = (getattr(entry, "deflate", None) for entry in entries)
    return _codelists(deflate.index for deflate in deflated if deflate is not None)
