"""`refino-eval trace`: the trail of one number."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from refino_eval.checksums import require_as_written
from refino_eval.cli.output import check_option, table_lines, width
from refino_eval.config import load_configuration
from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError
from refino_eval.exhibits.tidy import number_text
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.lookup import find_number
from refino_eval.report.trail.trails import Trail, Trails

WIDTH = 110


def trace_number(
    name: str, *, evaluation: str | None, panel: str | None, language: str, as_json: bool
) -> Iterator[str]:
    """Yield the lines of a number's trail.

    Parameters
    ----------
    name
        ``exhibit:row:column:statistic``, with the panel after another colon if there are several.
    evaluation
        The evaluation whose run is read; None for the one that `config/config.yaml` names.
    panel
        The panel, if the name does not state it.
    language
        ``nb`` or ``en``.
    as_json
        Whether to give one JSON object instead of text.
    """
    check_option("--language", language, get_args(Language))
    root = project_root()
    study = load_configuration(root, evaluation=evaluation).evaluation
    os.chdir(root)
    require_as_written(Path("results") / study.name, "aggregates", "run")
    inputs = finished_run(root, study.name)
    spoken: Language = "nb" if language == "nb" else "en"
    trails = Trails(inputs, LabelBook.of(inputs.evaluation, inputs.definitions), spoken)
    trail = trails.follow(*find_number(trails, name, panel=panel))
    if as_json:
        yield json.dumps(trail.as_data(), ensure_ascii=False, indent=2)
    else:
        yield from _lines(trail)


def number_lines(exhibit: str | None, *, evaluation: str | None) -> Iterator[str]:
    """Yield the address and the value of each number of a finished run, as `trace_number` takes it.

    Parameters
    ----------
    exhibit
        One exhibit; None for all.
    evaluation
        The evaluation whose run is read; None for the one that `config/config.yaml` names.
    """
    root = project_root()
    study = load_configuration(root, evaluation=evaluation).evaluation
    os.chdir(root)
    require_as_written(Path("results") / study.name, "aggregates", "run")
    inputs = finished_run(root, study.name)
    names = list(inputs.evaluation.exhibits)
    if exhibit is not None:
        check_option("trace --list", exhibit, names)
    rows = []
    for name in names if exhibit is None else [exhibit]:
        frame = inputs.numbers(name)
        several = frame["panel"].nunique() > 1
        for row in frame[frame["value"].notna()].to_dict("records"):
            parts = [
                name,
                *(str(row[key]) for key in ("row", "column", "statistic")),
                *([str(row["panel"])] if several else []),
            ]
            rows.append((":".join(parts), number_text(float(row["value"]))))
    yield from table_lines(("number", "value"), rows)


def finished_run(root: Path, evaluation: str) -> ReportInputs:
    """Return a run with the configuration that made its numbers, which may differ from the present one."""
    results = root / "results" / evaluation
    path = results / "run" / "run_config.yaml"
    name = path.relative_to(root).as_posix()
    if not path.is_file():
        raise UserError(
            f"The evaluation '{evaluation}' has not been run: {name} is missing. "
            f"Run: refino-eval run --evaluation {evaluation}"
        )
    return ReportInputs.of_configuration(read_yaml(path, name), results)


def _lines(trail: Trail) -> Iterator[str]:
    yield f"{trail.address} = {number_text(trail.value) or '.'}"
    yield trail.what
    for section in trail.sections:
        yield from ("", section.title)
        side = max((len(fact.label) for fact in section.facts), default=0)
        for fact in section.facts:
            head = "  " + fact.label.ljust(side) + "  "
            room = max(min(width() or WIDTH, WIDTH) - len(head), 40)
            lines = textwrap.wrap(fact.text, room, break_long_words=False, break_on_hyphens=False) or [""]
            yield (head + lines[0]).rstrip()
            yield from (" " * len(head) + line for line in lines[1:])
