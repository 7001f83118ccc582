"""One self-contained HTML page: no network, nothing beside it, and whole without its scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.config.base import Language
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.formats.text_formats import to_html
from refino_eval.exhibits.render import figure_notes, table_of
from refino_eval.exhibits.tidy import write_text
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page import summary_tables
from refino_eval.report.page.chapters import by_chapter
from refino_eval.report.page.charts import chart_of
from refino_eval.report.page.comparison import Comparison, compare_in_words
from refino_eval.report.page.explanations import explanations
from refino_eval.report.page.explorer import explorer_of
from refino_eval.report.page.methods import methods_of
from refino_eval.report.page.script_words import SCRIPT_WORDS
from refino_eval.report.page.summary import summarise_numbers
from refino_eval.report.page.words import WORDS, word
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.page_data import TrailData
from refino_eval.report.trail.trails import Trails

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


LONGEST = 40
"""Rows beyond which a part of a table is folded away."""

BLANK_LINES = re.compile(r"\n\s*\n+")

STYLES = ("report.css", "contents.css", "tools.css", "charts.css", "print.css")
SCRIPTS = ("numbers.js", "contents.js", "tables.js", "trail.js", "charts.js", "explorer.js", "comparison.js")
"""The page's scripts, in running order; each does one thing and says so in its head."""


@dataclass(frozen=True)
class Shown:
    """One exhibit as the page shows it; `body` is HTML made and escaped by the exhibits, `verdicts` against the print."""

    name: str
    title: str
    kind: str
    body: Any
    notes: tuple[str, ...]
    verdicts: str
    chart: bool


@dataclass
class _Page:
    """What the parts of one page share."""

    inputs: ReportInputs
    language: Language
    labels: LabelBook
    frames: Mapping[str, pd.DataFrame]
    trails: TrailData
    comparison: Comparison | None
    charts: dict[str, Any]


def build_report(inputs: ReportInputs, *, language: Language, out_path: Path) -> Path:
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
    page = _page(inputs, language)
    chapters = [
        (chapter, [_shown(name, page) for name in names])
        for chapter, names in by_chapter(page.frames, inputs.definitions.exhibits).items()
    ]
    flow, quality, provenance = (
        summary_tables.flow_grid(inputs, page.labels, language),
        summary_tables.quality_grid(inputs, language),
        summary_tables.provenance_grids(inputs.provenance(), language),
    )
    explorer = explorer_of(inputs, page.frames, page.labels, language)
    scripts = [_asset(name) for name in SCRIPTS]
    beside = f"catalogue.{language}.html"
    text = _environment().get_template("report.html.j2").render(
        catalogue=beside if (inputs.release_dir / beside).is_file() else "",
        language=language,
        evaluation=inputs.evaluation,
        title=inputs.evaluation.label[language],
        word=lambda key: word(key, language),
        told=lambda key: word(key, language) if key in WORDS else "",
        style=styles(STYLES),
        scripts=scripts,
        script_sources=" ".join(map(_source, scripts)),
        summary=summarise_numbers(inputs, page.frames, page.labels, language),
        flow=flow,
        chapters=dict(chapters),
        order=_order(dict(chapters), flow=flow is not None, explorer=explorer is not None, comparison=page.comparison is not None, provenance=bool(provenance or quality)),
        comparison=page.comparison,
        methods=methods_of(inputs, page.labels, language),
        quality=quality,
        rules=summary_tables.rules_grid(inputs, language),
        definitions=summary_tables.definitions_grids(inputs, page.labels, language),
        plan=summary_tables.plan_grid(inputs, language),
        provenance=provenance,
        engines=summary_tables.engines_line(inputs, language),
        explained=explanations((inputs.definitions.exhibits[name].kind for name in page.frames), language),
        explorer=explorer,
        example=page.trails.numbers[0][1] if page.trails.numbers else "",
        data=_embedded(_data(page, explorer)),
    )  # fmt: skip
    write_text(out_path, BLANK_LINES.sub("\n", text))
    return out_path


def _page(inputs: ReportInputs, language: Language) -> _Page:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    names = [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]
    return _Page(
        inputs=inputs,
        language=language,
        labels=labels,
        frames={name: inputs.numbers(name) for name in names},
        trails=TrailData(Trails(inputs, labels, language)),
        comparison=compare_in_words(inputs, frozenset(names), labels, language),
        charts={},
    )


def _order(chapters: Mapping[str, Any], *, flow: bool, explorer: bool, comparison: bool, provenance: bool) -> list[str]:
    """Return the chapters that hold something, in order; those without exhibits have their place among the others."""
    order = [
        "summary",
        *(["flow"] if flow or "flow" in chapters else []),
        *(name for name in chapters if name not in ("flow", "methods")),
    ]
    if explorer:
        after = order.index("results") + 1 if "results" in order else len(order)
        order.insert(after, "explorer")
    order += ["methods", *(["comparison"] if comparison else []), "definitions"]
    return [*order, *(["provenance"] if provenance else [])]


def _shown(name: str, page: _Page) -> Shown:
    from markupsafe import Markup

    exhibit, frame, language, labels = (
        page.inputs.definitions.exhibits[name],
        page.frames[name],
        page.language,
        page.labels,
    )
    # The banner says it once for the whole page; single files say it each.
    facts: dict[str, Any] = {"stars": page.inputs.stars}
    notes: tuple[str, ...] = ()
    if exhibit.form == "table":
        table = table_of(name, exhibit, frame, labels=labels, language=language, facts=facts)
        body = to_html(table, titled=False, fold=LONGEST, marks=lambda cell: page.trails.marks(name, cell))
    else:
        body = inline_svg(page.inputs.figure(name, language))
        notes = figure_notes(exhibit, frame, labels=labels, language=language, facts=facts)
        chart = chart_of(exhibit, frame, labels, language) if isinstance(exhibit, StatesExhibit) else None
        if chart is not None:
            page.charts[name] = chart
    return Shown(
        name=name,
        title=exhibit.title[language],
        kind=exhibit.form,
        body=Markup(body),
        notes=notes,
        verdicts=page.comparison.line(name) if page.comparison is not None else "",
        chart=name in page.charts,
    )


def _data(page: _Page, explorer: dict[str, Any] | None) -> dict[str, Any]:
    """Return all that the scripts read: aggregates and words, never a person."""
    style = NumberStyle.of(page.language)
    return {
        "language": page.language,
        "marks": {"decimal": style.decimal, "thousands": style.thousands, "minus": style.minus},
        "words": {key: text[page.language] for key, text in SCRIPT_WORDS.items()},
        "trails": page.trails.as_data(),
        "charts": page.charts,
        "explorer": explorer,
    }


def _embedded(data: dict[str, Any]) -> Markup:
    """Return data as it may stand in a script element: no text of it can end the element."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def styles(names: tuple[str, ...]) -> Markup:
    """Return style sheets as one text."""
    from markupsafe import Markup

    return Markup("").join(map(_asset, names))


def _source(script: str) -> str:
    """Return a script's name in the page's security policy: its hash, so that no other script runs."""
    digest = hashlib.sha256(f"\n{script}".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


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

    text = files("refino_eval.report").joinpath("assets", name).read_text(encoding="utf-8")
    # As the page will hold it, since a script is known to the page by its hash.
    return Markup(BLANK_LINES.sub("\n", text))
