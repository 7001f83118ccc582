"""From tidy numbers to files: one function, whatever the exhibit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import FOLDER, Exhibit
from refino_eval.exhibits.formats.write import TABLE_FORMS, Laid, write_table
from refino_eval.exhibits.layout.drawing import PICTURES, Drawing, draw_watermark, empty_drawing, save_figure
from refino_eval.exhibits.layout.heads import with_footnotes
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.layout.tables_by_arm import table_by_arm, table_by_comparison
from refino_eval.exhibits.tidy import reason_not_made, tidy_text, validate, write_text
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import EN_DASH, exhibit_notes, stars_note, watermark_text
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.exhibits.wording.reasons import reason_text
from refino_eval.text.design_wording import worded_for

EMPTY = Part((Row((label(""),)),), (Row((Cell(EN_DASH, align="left"),)),))
"""The grid of a table that could not be computed."""

LOADS = ("exhibits/kinds/{kind}/layout.py",)
"""What this module imports by name: `digest` follows it like an import."""


def layout_of(kind: str) -> ModuleType:
    """Return the module that lays out a kind: its `layout` makes the table or the drawing, its `notes` a figure's lines."""
    return import_module(f"{FOLDER}.{kind}.layout")


def render(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    tables_dir: Path | str,
    figures_dir: Path | str,
    facts: Mapping[str, Any],
    formats: Sequence[str] | None = None,
) -> list[Path]:
    """Write one exhibit in one language.

    Parameters
    ----------
    exhibit_name
        For instance ``"table_8_1"``; the files are `<exhibit_name>.<language>.<format>`, but the numbers behind a figure,
        which have no language, `<exhibit_name>.csv`.
    exhibit
        Its definition.
    tidy_frame
        Its tidy numbers.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    tables_dir, figures_dir
        Where tables and figures go; made when they are not there.
    facts
        What else is known: `data_class`; `notes`, a list of texts or `Label`s; `stars`, levels of p.
    formats
        Of a table, keys of `writing.TABLE_FORMS`; of a figure, `figures.PICTURES` and ``"csv"``. Default: all.

    Returns
    -------
    list of Path
        The files written, each at once or not at all.
    """
    frame = validate(tidy_frame)
    labels = labels.comparing(exhibit.arm, exhibit.against)
    if exhibit.form == "table":
        laid = laid_out(exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        return write_table(laid, Path(tables_dir), formats=tuple(TABLE_FORMS) if formats is None else formats)
    wanted = (*PICTURES, "csv") if formats is None else formats
    stem, written = f"{exhibit_name}.{language}", []
    if "csv" in wanted:
        written.append(Path(figures_dir) / f"{exhibit_name}.csv")
        write_text(written[0], tidy_text(frame))
    with house_style(stem):
        drawing = drawing_of(exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        pictures = [name for name in wanted if name in PICTURES]
        return [*save_figure(drawing, Path(figures_dir), stem, formats=pictures), *written]


def laid_out(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Laid:
    """Lay out a table for every form it may be written in (see `render`)."""
    make = partial(table_of, exhibit_name, exhibit, tidy_frame, labels=labels, language=language, facts=facts)
    return Laid(lambda style: make(style=style), tidy_frame, language)


def table_of(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle | None = None,
) -> Table:
    """Lay out a table without writing it (see `render`); the report shows the same one."""
    with worded_for(labels.design):
        return _table_of(exhibit_name, exhibit, tidy_frame, labels=labels, language=language, facts=facts, style=style)


def _table_of(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle | None,
) -> Table:
    labels = labels.comparing(exhibit.arm, exhibit.against).in_language(language)
    if (reason := reason_not_made(tidy_frame)) is not None:
        notes = (labels.say("notes.not_made", reason=reason_text(reason, labels.language)),)
        mark = watermark_text(facts, labels.language)
        return Table(exhibit_name, language, exhibit.title[language], (EMPTY,), notes, mark)
    levels = tuple(facts.get("stars", ())) if exhibit.stars is None else exhibit.stars
    style = replace(
        style or NumberStyle.of(language), stars=tuple(sorted(levels, reverse=True)), decimals=exhibit.decimal_places
    )
    if len(exhibit.comparisons) == 1:
        labels = labels.compared(exhibit.comparisons[0])
    page = Page(exhibit_name, labels, facts, style)
    layout = layout_of(exhibit.kind).layout
    if len(labels.treated_arms) > 1 and exhibit.several_arms == "apart":
        layout = partial(table_by_arm, layout)
    if len(exhibit.comparisons) > 1:
        table = table_by_comparison(layout, exhibit, tidy_frame, page)
    else:
        table = layout(exhibit, tidy_frame, page)
    return _with_notes_on_signs(with_footnotes(table, marked=not style.machine), page)


def _with_notes_on_signs(table: Table, page: Page) -> Table:
    """Add what a dash and stars mean, where a table has them."""
    cells = [cell for part in table.parts for row in part.body for cell in row.cells]
    notes = table.notes
    if any(cell.text == EN_DASH for cell in cells):
        notes = (*notes, page.labels.say("notes.cannot_be_computed"))
    if any(cell.mark for cell in cells):
        notes = (*notes, stars_note(page.style, page.labels.language))
    return replace(table, notes=notes, watermark=watermark_text(page.facts, page.labels.language))


def drawing_of(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Drawing:
    """Draw a figure without writing it (see `render`)."""
    with worded_for(labels.design):
        drawing = _drawing_of(exhibit_name, exhibit, tidy_frame, labels=labels, language=language, facts=facts)
        draw_watermark(drawing.figure, watermark_text(facts, language))
    return drawing


def _drawing_of(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Drawing:
    labels = labels.comparing(exhibit.arm, exhibit.against).in_language(language)
    if (reason := reason_not_made(tidy_frame)) is not None:
        return empty_drawing(
            exhibit.title[language], labels.say("notes.not_made", reason=reason_text(reason, labels.language))
        )
    if exhibit.comparisons:
        labels = labels.compared(exhibit.comparisons[0])
    drawing: Drawing = layout_of(exhibit.kind).layout(
        exhibit, tidy_frame, Page(exhibit_name, labels, facts, NumberStyle.of(language))
    )
    return drawing


def figure_notes(
    exhibit: Exhibit, tidy_frame: pd.DataFrame, *, labels: LabelBook, language: str, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the lines under a figure; the notes of a table are part of it."""
    labels = labels.in_language(language)
    if (reason := reason_not_made(tidy_frame)) is not None:
        return (labels.say("notes.not_made", reason=reason_text(reason, labels.language)),)
    if exhibit.comparisons:
        labels = labels.compared(exhibit.comparisons[0])
    own_notes = getattr(layout_of(exhibit.kind), "notes", None)
    with worded_for(labels.design):
        kind_notes = own_notes(exhibit, tidy_frame, labels) if own_notes is not None else []
        return exhibit_notes(exhibit, tidy_frame, labels, facts, kind_notes)
