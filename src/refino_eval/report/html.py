"""One self-contained HTML page: no network, no script, nothing beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.exhibits.forms import to_html
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.render import TABLES, figure_notes, table_of
from refino_eval.exhibits.tidy import write_text
from refino_eval.report import grids
from refino_eval.report.inputs import ReportInputs
from refino_eval.report.summary import summarise_numbers
from refino_eval.report.words import word

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


LONGEST = 40
"""Rows beyond which a part of a table is folded away."""


@dataclass(frozen=True)
class Shown:
    """One exhibit as the page shows it; `body` is HTML made and escaped by the exhibits."""

    name: str
    title: str
    kind: str
    body: Any
    notes: tuple[str, ...]
    verdicts: str
    printed: grids.Grid | None


def build_report(inputs: ReportInputs, *, language: str, out_path: Path) -> Path:
    """Write the report of a run in one language.

    Parameters
    ----------
    inputs
        The run.
    language
        ``"nb"`` or ``"en"``.
    out_path
        The page; written at once or not at all.

    Returns
    -------
    Path
        `out_path`.
    """
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    names = [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]
    frames = {name: inputs.numbers(name) for name in names}
    comparison = inputs.table("comparison")
    titles = {name: exhibit.title[language] for name, exhibit in inputs.definitions.exhibits.items()}
    beside = f"catalogue.{language}.html"
    page = _environment().get_template("report.html.j2").render(
        catalogue=beside if (inputs.release_dir / beside).is_file() else "",
        language=language,
        evaluation=inputs.evaluation,
        title=inputs.evaluation.label[language],
        word=lambda key: word(key, language),
        style=_asset("report.css"),
        summary=summarise_numbers(inputs, frames, labels, language),
        flow=grids.flow_grid(inputs, labels, language),
        exhibits=[_shown(name, frames[name], inputs, labels, comparison, language) for name in names],
        comparison=grids.comparison_grid(comparison, titles, language),
        quality=grids.quality_grid(inputs, language),
        rules=grids.rules_grid(inputs, language),
        definitions=grids.definitions_grid(inputs, labels, language),
        plan=grids.plan_grid(inputs, language),
        provenance=grids.provenance_grids(inputs.provenance(), language),
    )  # fmt: skip
    write_text(out_path, re.sub(r"\n\s*\n+", "\n", page))
    return out_path


def _shown(
    name: str,
    frame: pd.DataFrame,
    inputs: ReportInputs,
    labels: LabelBook,
    comparison: pd.DataFrame | None,
    language: str,
) -> Shown:
    from markupsafe import Markup

    exhibit = inputs.definitions.exhibits[name]
    # The banner says it once for the whole page; single files say it each.
    facts: dict[str, Any] = {}
    if exhibit.kind in TABLES:
        table = table_of(name, exhibit, frame, labels=labels, language=language, facts=facts)
        body, notes, kind = to_html(table, titled=False, fold=LONGEST), (), "table"
    else:
        body, kind = inline_svg(inputs.figure(name, language)), "figure"
        notes = figure_notes(exhibit, frame, labels=labels, language=language, facts=facts)  # type: ignore[assignment]
    part = comparison[comparison["exhibit"] == name] if comparison is not None else None
    told = part is not None and len(part) > 0
    return Shown(
        name=name,
        title=exhibit.title[language],
        kind=kind,
        body=Markup(body),
        notes=notes,
        verdicts=grids.verdict_line(part, language) if told and part is not None else "",
        printed=grids.printed_grid(part, name, inputs, labels, language) if told and part is not None else None,
    )


def inline_svg(svg: str) -> str:
    """Return an SVG file as it may stand inside a page: no prologue, and as wide as the page lets it be."""
    svg = svg[svg.index("<svg") :]
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head)
    return f"{head}>{rest}"


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = str(files("refino_eval.report").joinpath("templates"))
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(name: str) -> Markup:
    from markupsafe import Markup

    return Markup(files("refino_eval.report").joinpath("assets", name).read_text(encoding="utf-8"))
