"""The report as one self-contained HTML page: no network, no other files, and complete without its scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refino_eval.config.base import Language
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.formats.text_formats import to_html
from refino_eval.exhibits.formats.widths import lies_on_paper
from refino_eval.kept_results import KeptParts
from refino_eval.report.html import scripted, write_page
from refino_eval.report.page.charts import arm_style, chart_of
from refino_eval.report.page.inline_figures import DrawnSmall, InlineFigures
from refino_eval.report.page.report_contents import ReportContents, ReportExhibit, report_contents
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.page_data import ExhibitTrails, TrailData
from refino_eval.report.trail.trails import Trails
from refino_eval.text.design_wording import worded_for

TALL = 0.95
"""Height of a figure in parts of its width, beyond which it has a printed page to itself."""

LONGEST = 40
"""Rows beyond which a part of a table is folded away."""

STYLES = ("report.css", "contents.css", "tools.css", "search.css", "charts.css", "summary.css", "print.css")
SCRIPTS = (
    "numbers.js", "contents.js", "links.js", "tables.js", "trail.js", "charts.js", "explorer.js", "comparison.js", "search.js",
)  # fmt: skip
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
    shape: str


@dataclass
class _Page:
    """What the exhibits of one page share: trails, the catalogue next to the page if there is one, kept parts, charts and figures."""

    contents: ReportContents
    made: Trails
    trails: TrailData
    catalogue: str
    kept: KeptParts
    charts: dict[str, Any] = field(default_factory=dict)
    figures: InlineFigures = field(default_factory=InlineFigures)


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
    return write_report(report_contents(inputs, language), out_path)


def write_report(contents: ReportContents, out_path: Path, kept: KeptParts | None = None) -> Path:
    """Write a report as one HTML page, of which the parts of unchanged exhibits may be kept, and return its path."""
    with worded_for(contents.inputs.evaluation.design):
        return _written(contents, out_path, kept or KeptParts())


def _written(contents: ReportContents, out_path: Path, kept: KeptParts) -> Path:
    from markupsafe import Markup

    inputs, language = contents.inputs, contents.language
    catalogue = f"catalogue.{language}.html"
    trails = Trails(inputs, contents.labels, language)
    page = _Page(
        contents,
        trails,
        TrailData(trails.code),
        catalogue if (inputs.release_dir / catalogue).is_file() else "",
        kept,
    )
    chapters = {chapter: [_shown(exhibit, page) for exhibit in held] for chapter, held in contents.chapters.items()}
    return write_page(
        out_path,
        "report.html.j2",
        language,
        styles=STYLES,
        title=contents.title,
        data_class=inputs.evaluation.data_class,
        watermark=contents.watermark,
        mark=contents.mark,
        profile=inputs.profile,
        order=contents.order,
        depths=contents.depths,
        see_also=contents.see_also,
        flow_is_drawn=contents.flow_is_drawn,
        chapters=chapters,
        contents={name: getattr(contents, name) for name in contents.order if hasattr(contents, name)},
        quality=contents.quality,
        linkage=contents.linkage,
        rules=contents.rules,
        plan=contents.plan,
        verified=contents.verified,
        explained=contents.explained,
        catalogue=page.catalogue,
        example=next(iter(page.trails.addresses), ""),
        ids=page.trails.addresses,
        **scripted(SCRIPTS, language, _data(page)),
        figure_style=Markup(page.figures.style + arm_style(contents.labels)),
        glyphs=Markup(page.figures.shared),
    )


def _shape(figure: str) -> str:
    """Return the class of a figure that is taller than wide, and needs a page to itself on paper."""
    across = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', figure)
    return "tall" if across and float(across[2]) > TALL * float(across[1]) else ""


def _shown(exhibit: ReportExhibit, page: _Page) -> Shown:
    from markupsafe import Markup

    part = page.kept.of(lambda: exhibit.made_from, lambda: _part(exhibit, page))
    body = page.trails.placed(part["trails"], part["body"]) if "trails" in part else page.figures.placed(part["figure"])
    if part["chart"] is not None:
        page.charts[exhibit.name] = part["chart"]
    return Shown(
        name=exhibit.name,
        title=exhibit.title,
        form=exhibit.definition.form,
        body=Markup(body),
        notes=tuple(part["notes"]),
        verdicts=exhibit.verdicts,
        chart=part["chart"] is not None,
        shape=part["shape"],
    )


def _part(exhibit: ReportExhibit, page: _Page) -> dict[str, Any]:
    """Return what the page shows of an exhibit, as plain data that another page can hold; the notes of a table are in its body."""
    if exhibit.table is not None:
        trails = ExhibitTrails(page.made.of_exhibit(exhibit.inputs, exhibit.labels), exhibit.name)
        body = to_html(exhibit.table, titled=False, fold=LONGEST, marks=trails.marks)
        shape = "lies" if lies_on_paper(exhibit.table) else ""
        return {"body": body, "trails": trails.as_part(), "shape": shape, "chart": None, "notes": []}
    figure = DrawnSmall().as_part(exhibit.inputs.figure(exhibit.name, exhibit.labels.language))
    chart = (
        chart_of(exhibit.definition, exhibit.frame, exhibit.labels)
        if exhibit.made and isinstance(exhibit.definition, StatesExhibit)
        else None
    )
    return {"figure": figure, "shape": _shape(figure["text"]), "chart": chart, "notes": exhibit.notes}


def _data(page: _Page) -> dict[str, Any]:
    """Return what the scripts read besides their words: aggregates and texts, never data on a person."""
    return {
        "trails": page.trails.as_data(),
        "charts": page.charts,
        "explorer": page.contents.explorer,
        "catalogue": page.catalogue,
    }
