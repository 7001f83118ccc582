"""The report as one self-contained HTML page: no network, no other files, and complete without its scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.config.base import Language
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.formats.text_formats import to_html
from refino_eval.exhibits.render import figure_notes, table_of
from refino_eval.exhibits.tidy import reason_not_made
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import watermark_text
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.html import asset, write_page
from refino_eval.report.page import summary_tables
from refino_eval.report.page.chapters import by_chapter
from refino_eval.report.page.charts import chart_of
from refino_eval.report.page.comparison import Comparison, compare_in_words
from refino_eval.report.page.explanations import explanations
from refino_eval.report.page.explorer import explorer_of
from refino_eval.report.page.methods import methods_of
from refino_eval.report.page.summary import summarise_numbers
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.page_data import TrailData
from refino_eval.report.trail.trails import Trails
from refino_eval.text import texts_of
from refino_eval.text.design_wording import worded_for

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST = 40
"""Rows beyond which a part of a table is folded away."""

STYLES = ("report.css", "contents.css", "tools.css", "charts.css", "print.css")
SCRIPTS = ("numbers.js", "contents.js", "tables.js", "trail.js", "charts.js", "explorer.js", "comparison.js")
"""The page's scripts, in running order."""


@dataclass(frozen=True)
class Shown:
    """One exhibit as the page shows it; `body` is HTML made and escaped by the exhibits, `verdicts` against published numbers."""

    name: str
    title: str
    form: str
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
    charts: dict[str, Any] = field(default_factory=dict)


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
    with worded_for(inputs.evaluation.design):
        return _written(inputs, language, out_path)


def _written(inputs: ReportInputs, language: Language, out_path: Path) -> Path:
    page = _page(inputs, language)
    facts = {"data_class": inputs.evaluation.data_class, "profile": inputs.profile}
    labels, frames = page.labels, page.frames
    chapters: dict[str, list[Shown]] = {
        chapter: [_shown(name, page) for name in names]
        for chapter, names in by_chapter(frames, inputs.definitions.exhibits).items()
    }
    # What each chapter without exhibits shows; one that has nothing to show is left out.
    made = {name: frame for name, frame in frames.items() if reason_not_made(frame) is None}
    explorer = explorer_of(inputs, made, labels)
    contents: dict[str, Any] = {
        "summary": summarise_numbers(inputs, made, labels),
        "flow": summary_tables.flow_table(inputs, labels, language),
        "explorer": explorer,
        "methods": methods_of(inputs, labels),
        "comparison": page.comparison,
        "definitions": list(summary_tables.definitions_tables(inputs, language)),
        "provenance": summary_tables.provenance_tables(inputs.provenance(), language),
    }
    quality = summary_tables.quality_table(inputs, language)
    scripts = [asset(name) for name in SCRIPTS]
    catalogue = f"catalogue.{language}.html"
    return write_page(
        out_path,
        "report.html.j2",
        language,
        styles=STYLES,
        title=inputs.evaluation.label[language],
        data_class=inputs.evaluation.data_class,
        watermark=watermark_text(facts, language),
        profile=inputs.profile,
        scripts=scripts,
        script_sources=" ".join(map(_source, scripts)),
        order=_order(chapters, contents, quality=quality is not None),
        chapters=chapters,
        contents=contents,
        quality=quality,
        linkage=summary_tables.linkage_table(inputs, labels, language),
        rules=summary_tables.rules_table(inputs, language),
        plan=summary_tables.plan_table(inputs, labels, language),
        verified=summary_tables.verified_line(inputs, language),
        explained=explanations((exhibit for _, exhibit in inputs.shown(made)), language, inputs.evaluation.design),
        catalogue=catalogue if (inputs.release_dir / catalogue).is_file() else "",
        example=page.trails.numbers[0][1] if page.trails.numbers else "",
        data=_embedded(_data(page, explorer)),
    )


def _page(inputs: ReportInputs, language: Language) -> _Page:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions).in_language(language)
    names = [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]
    return _Page(
        inputs=inputs,
        language=language,
        labels=labels,
        frames={name: inputs.numbers(name) for name in names},
        trails=TrailData(Trails(inputs, labels, language)),
        comparison=compare_in_words(inputs, frozenset(names), labels, language),
    )


def _order(chapters: Mapping[str, Any], contents: Mapping[str, Any], *, quality: bool) -> list[str]:
    """Return the chapters that have something to show, in order; the explorer follows the results."""
    order = ["summary", "flow", *(name for name in chapters if name not in ("flow", "methods"))]
    order.insert(order.index("results") + 1 if "results" in order else len(order), "explorer")
    order += ["methods", "comparison", "definitions", "provenance"]
    filled = {*chapters, "methods", *(name for name, content in contents.items() if content)}
    return [name for name in order if name in filled or (name == "provenance" and quality)]


def _shown(name: str, page: _Page) -> Shown:
    from markupsafe import Markup

    exhibit, frame = page.inputs.definitions.exhibits[name], page.frames[name]
    labels, language = page.labels, page.language
    # The banner names the class of the data once for the whole page; single files name it each.
    facts: dict[str, Any] = {"stars": page.inputs.stars}
    notes: tuple[str, ...] = ()
    if exhibit.form == "table":
        table = table_of(name, exhibit, frame, labels=labels, language=language, facts=facts)
        body = to_html(table, titled=False, fold=LONGEST, marks=lambda cell: page.trails.marks(name, cell))
    else:
        body = inline_svg(page.inputs.figure(name, language))
        notes = figure_notes(exhibit, frame, labels=labels, language=language, facts=facts)
        made = reason_not_made(frame) is None
        chart = chart_of(exhibit, frame, labels) if made and isinstance(exhibit, StatesExhibit) else None
        if chart is not None:
            page.charts[name] = chart
    return Shown(
        name=name,
        title=exhibit.title[language],
        form=exhibit.form,
        body=Markup(body),
        notes=notes,
        verdicts=page.comparison.line(name) if page.comparison is not None else "",
        chart=name in page.charts,
    )


def _data(page: _Page, explorer: dict[str, Any] | None) -> dict[str, Any]:
    """Return all that the scripts read: aggregates and texts, never data on a person."""
    style = NumberStyle.of(page.language)
    return {
        "language": page.language,
        "marks": {"decimal": style.decimal, "thousands": style.thousands, "minus": style.minus},
        "words": texts_of("script", page.language),
        "trails": page.trails.as_data(),
        "charts": page.charts,
        "explorer": explorer,
    }


def _embedded(data: dict[str, Any]) -> Markup:
    """Return data for a script element, such that no text in it can end the element."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _source(script: str) -> str:
    """Return a script's name in the page's security policy: its hash, so that no other script runs."""
    digest = hashlib.sha256(f"\n{script}".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def inline_svg(svg: str) -> str:
    """Return an SVG file for use inside a page: without prologue, and as wide as the page allows."""
    svg = svg[svg.index("<svg") :]
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head)
    return f"{head}>{rest}"
