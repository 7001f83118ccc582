"""Run an evaluation of a person table or a panel through the rooms in one process: no workflow, the same functions that its rules call."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from refino_eval.config import dependencies, load_configuration
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import render
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.months.panel_file import read_panel, write_panel
from refino_eval.outcomes.build import derive_outcomes
from refino_eval.published.compare import compare
from refino_eval.published.values import load_published
from refino_eval.trial import flow_frame, read_person_table, write_cohort, write_outcome

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """What a run leaves: the cohort, tidy numbers by exhibit, files rendered, and the comparison."""

    configuration: object
    cohort: pd.DataFrame
    outcomes: pd.DataFrame
    flow: pd.DataFrame
    tidy: dict
    rendered: list
    files: PersonFiles
    study: Study

    def numbers(self, exhibit):
        return self.tidy[exhibit].set_index(["panel", "row", "column", "statistic"])["value"].sort_index()

    def comparison(self):
        evaluation = self.configuration.evaluation
        published = load_published(ROOT / "data" / "published" / f"{evaluation.published}.csv")
        return compare(published, pd.concat(self.tidy.values(), ignore_index=True), data_class=evaluation.data_class)


def project_with(folder, evaluation):
    """Make a project of nothing but definitions and one evaluation, given as YAML."""
    root = folder / "project"
    shutil.copytree(ROOT / "config" / "definitions", root / "config" / "definitions")
    shutil.copy(ROOT / "config" / "config.yaml", root / "config" / "config.yaml")
    (root / "config" / "evaluations").mkdir()
    name = yaml.safe_load(evaluation)["name"]
    (root / "config" / "evaluations" / f"{name}.yaml").write_text(evaluation, encoding="utf-8")
    return root, name


def run_in_rooms(root, name, folder, *, draw=(), only=None):
    """Run an evaluation: everything, or the exhibits named; exhibits are drawn up in the languages of `draw`."""
    configuration = load_configuration(root, evaluation=name)
    study, definitions = configuration.evaluation, configuration.definitions
    wanted = sorted(dependencies.used_covariates(study, definitions))
    covariates = {covariate: definitions.covariates[covariate] for covariate in wanted}
    folder.mkdir(parents=True, exist_ok=True)
    read = _panel if study.entry == "panel" else _table
    data, paths, panels = read(
        configuration, folder, {"samples": study.samples, "arms": study.arms, "covariates": covariates}
    )
    write_cohort(data.cohort.frame, folder / "cohort.parquet")
    flow = flow_frame(data.cohort.flow)
    flow.to_csv(folder / "flow.csv", index=False)
    files = PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels=panels, flow=folder / "flow.csv")
    about = Study.of(definitions, study.arms, configuration.project.seed)
    tidy, rendered = {}, []
    for exhibit in only or study.exhibits:
        tidy[exhibit] = aggregate(exhibit, definitions.exhibits[exhibit], files=files, study=about)
        if draw:
            labels = LabelBook.of(study, definitions)
            for language in draw:
                options = {"labels": labels, "language": language, "facts": {"data_class": study.data_class}}
                out = {"tables_dir": folder, "figures_dir": folder}
                rendered += render(exhibit, definitions.exhibits[exhibit], tidy[exhibit], **options, **out)
    return Run(configuration, data.cohort.frame, getattr(data, "outcomes", None), flow, tidy, rendered, files, about)


def _table(configuration, folder, people):
    table = configuration.evaluation.person_table
    data = read_person_table(configuration.root / configuration.data_folder, table=table, **people)
    paths = {outcome: folder / f"{outcome}.parquet" for outcome in table.outcomes}
    for outcome, path in paths.items():
        write_outcome(data.outcomes, outcome, path)
    return data, paths, {}


def _panel(configuration, folder, people):
    study, definitions = configuration.evaluation, configuration.definitions
    unit = study.clock_unit
    data = read_panel(
        configuration.root / configuration.data_folder,
        panel=study.panel,
        unit=unit,
        clock=study.clocks[unit],
        states=dependencies.used_states(study, definitions, unit),
        definitions=definitions,
        **people,
    )
    path = folder / f"panel_{unit}.parquet"
    write_panel(data.panel, path)
    names = dependencies.used_outcomes(study, definitions)
    paths = {name: folder / f"{name}.parquet" for name in names}
    outcomes = {name: definitions.outcomes[name] for name in names}
    derive_outcomes(path, outcomes, out_paths=paths, definitions=definitions)
    return data, paths, {unit: path}
