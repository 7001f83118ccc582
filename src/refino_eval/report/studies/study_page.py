"""The page of all studies, `results/index.<language>.html`: evaluations that were run, and forests of effects.

It reads the configuration files of evaluations and the small tables of their runs, and loads no definitions. Of a confidential
evaluation it shows that it was run and where its report is, and no number.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from refino_eval.config.across.forests import load_forests
from refino_eval.config.base import Label, Language, text_in
from refino_eval.config.entry_files import listed_files, study_files
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import USER_ERROR, UserError
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.html import SEARCH, scripted, write_page
from refino_eval.report.studies.forest import forest_effects
from refino_eval.report.studies.forest_drawing import SHAPES, forest_drawing
from refino_eval.text import say
from refino_eval.workflow_job import FAILED

STYLES = ("report.css", "tools.css", "search.css", "studies.css", "print.css")
REPRODUCED = ("equal", "last_digit", "within_sampling_error")


@dataclass(frozen=True)
class StudyRun:
    """An evaluation with results: what its configuration and the tables of its run say."""

    name: str
    label: Label
    design: str
    data_class: str
    people: int | None
    compared: int
    reproduced: int
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether its latest run failed, so that its results are of an earlier one."""
        return (self.folder / FAILED).is_file()

    def report(self, language: Language) -> str:
        """Return the address of its report from the page, or an empty text."""
        for part in ("release", "internal"):
            path = self.folder / part / f"report.{language}.html"
            if path.is_file():
                return f"{self.name}/{part}/{path.name}"
        return ""


def study_runs(root: Path) -> Iterator[StudyRun]:
    """Yield the evaluations of a project that have results, in order of name."""
    for name, file in sorted(study_files(listed_files(root)).items()):
        folder = root / "results" / name
        if not (folder / "run").is_dir():
            continue
        study = read_yaml(root / file, file)
        data_class = str(study.get("data_class", "confidential"))
        confidential = data_class == "confidential"
        verdicts: Counter[str] = (
            Counter() if confidential else Counter(row["verdict"] for row in _rows(folder / "run/comparison.csv"))
        )
        yield StudyRun(
            name=name,
            label=Label.model_validate(study["label"]),
            design="inputs" if study.get("entry") == "inputs" else str(study.get("design", "randomised")),
            data_class=data_class,
            people=None if confidential else _people(folder / "run/flow.csv"),
            compared=sum(verdicts.values()) - verdicts["input"] - verdicts["not_computed"],
            reproduced=sum(verdicts[verdict] for verdict in REPRODUCED),
            folder=folder,
        )


def write_study_page(root: Path) -> list[Path]:
    """Write the page in both languages, and return the files.

    Raises
    ------
    UserError
        When `config/forests.yaml` is invalid.
    """
    runs, forests = list(study_runs(root)), load_forests(root)
    results, published = root / "results", root / "data" / "published"
    classes = {run.name: run.data_class for run in runs}
    effects = {name: forest_effects(forest, results, published, classes) for name, forest in forests.items()}
    written = []
    for language in get_args(Language):
        drawn = [
            {
                "title": forest.title[language],
                "note": "" if forest.note is None else forest.note[language],
                "left_out": ", ".join(effects[name][1]),
                "sources": [
                    f"{row.label[language]}: {text_in(row.published.source, language)}"
                    for row in forest.rows
                    if row.published is not None
                ],
                "synthetic": any(effect.synthetic for effect in effects[name][0]),
                "drawings": [forest_drawing(forest, effects[name][0], language, shape) for shape in SHAPES],
            }
            for name, forest in forests.items()
            if effects[name][0]
        ]
        written.append(
            write_page(
                results / f"index.{language}.html",
                "studies.html.j2",
                language,
                styles=STYLES,
                studies=[_shown(run, language) for run in runs],
                forests=drawn,
                other="en" if language == "nb" else "nb",
                **scripted(SEARCH, language),
            )
        )
    return written


def _shown(run: StudyRun, language: Language) -> dict[str, Any]:
    """Return one evaluation as the page shows it."""
    style = NumberStyle.of(language)
    return {
        "label": run.label[language],
        "name": run.name,
        "failed": say("studies.failed", language) if run.failed else "",
        "report": run.report(language),
        "design": say(f"studies.design_{run.design}", language),
        "data": say(f"studies.data_{run.data_class}", language),
        "people": "" if run.people is None else style.integer(run.people),
        "reproduced": say("studies.reproduced_of", language, reproduced=run.reproduced, compared=run.compared)
        if run.compared
        else "",
    }


def _people(path: Path) -> int | None:
    """Return the number of people in the analysed sample, from the flow of people."""
    left = {row["step"]: int(row["persons"]) for row in _rows(path) if not row["reason"]}
    return left.get("analysed")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


if __name__ == "__main__":
    try:
        write_study_page(Path.cwd())
    except UserError as error:
        print(*error.problems, sep="\n")
        sys.exit(USER_ERROR)
