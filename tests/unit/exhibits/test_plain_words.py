"""What a reader meets: no names of the program, units named, texts that break into lines."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest

from refino_eval.config.base import Label
from refino_eval.config.load import load_configuration
from refino_eval.exhibits.formats.excel import to_excel
from refino_eval.exhibits.formats.latex import to_latex
from refino_eval.exhibits.formats.text_formats import to_html
from refino_eval.exhibits.formats.widths import PROSE, column_widths
from refino_eval.exhibits.formats.word import to_word
from refino_eval.exhibits.formats.word_grid import fit
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.render import figure_notes, table_of
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import window_notes
from support import exhibits as toy

ROOT = Path(__file__).parents[3]
RAW = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
"""A name of the program, as no reader should meet it."""


BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
SAID = "The data are compatible with an effect from a to b, and by one-sided tests with none beyond c. " * 3


def _labels(data: Any, path: str = "") -> list[tuple[str, Label]]:
    """Return every text in two languages inside a model, with where it stands."""
    if isinstance(data, Label):
        return [(path, data)]
    if isinstance(data, dict):
        return [found for key, each in data.items() for found in _labels(each, f"{path}.{key}")]
    if isinstance(data, list | tuple):
        return [found for key, each in enumerate(data) for found in _labels(each, f"{path}.{key}")]
    if hasattr(type(data), "model_fields"):
        return _labels({name: getattr(data, name) for name in type(data).model_fields}, path)
    return []


@pytest.mark.parametrize("language", ["nb", "en"])
def test_no_exhibit_shows_a_name_of_the_program(language: str) -> None:
    for name, exhibit in EXHIBITS.items():
        told = {"labels": BOOK, "language": language, "facts": toy.FACTS}
        if exhibit.form == "table":
            table = table_of(name, exhibit, FRAMES[name], **told)
            cells = [cell.text for part in table.parts for row in (*part.header, *part.body) for cell in row.cells]
            texts = [table.title, *cells, *table.notes, *(part.caption for part in table.parts)]
        else:
            texts = [exhibit.title[language], *figure_notes(exhibit, FRAMES[name], **told)]
        assert [text for text in texts if RAW.search(text)] == [], name


@pytest.mark.parametrize("evaluation", ["refino", "job_corps", "reference_trial"])
def test_no_label_that_is_shipped_holds_a_name_of_the_program(evaluation: str) -> None:
    loaded = load_configuration(ROOT, evaluation=evaluation)
    texts = [*_labels(loaded.definitions, "definitions"), *_labels(loaded.evaluation, "evaluation")]
    shown = [(path, text) for path, text in texts if re.search(r"\.(label|title|unit|note)(\.|$)", path)]
    assert len(shown) > 20
    assert [path for path, text in shown if RAW.search(text.nb) or RAW.search(text.en)] == []


def test_units_that_heads_do_not_tell_stand_in_a_note() -> None:
    english = table_of("table_8_1", EXHIBITS["table_8_1"], FRAMES["table_8_1"], labels=BOOK, language="en", facts={})
    assert "Units: 'Weekly hours' in hours; the others as a share from 0 to 1." in english.notes
    norsk = table_of("table_8_1", EXHIBITS["table_8_1"], FRAMES["table_8_1"], labels=BOOK, language="nb", facts={})
    assert "Enheter: «Ukentlig arbeidstid» i timer; de andre som andel fra 0 til 1." in norsk.notes


def test_an_interval_is_from_no_distribution_that_its_numbers_do_not_name() -> None:
    frame = FRAMES["table_8_1"]
    silent = frame[frame["statistic"] != "df"]
    table = table_of("table_8_1", EXHIBITS["table_8_1"], silent, labels=BOOK, language="en", facts={})
    assert not any("distribution" in note for note in table.notes)
    assert any(note.endswith("95% confidence intervals.") for note in table.notes)


def _with_text() -> Table:
    numbers = Part(
        (Row((label(""), *(label(f"Number {k}", align="right") for k in range(6)))),),
        (Row((label("Any wage"), *(Cell(f"0.{k}", number=k / 10) for k in range(6)))),),
        "Numbers",
    )
    words = Part(
        (Row((label(""), label("What this says"))),), (Row((label("Any wage"), Cell(SAID, "left"))),), "In words"
    )
    return Table("table_card", "en", "Table 9. What the results exclude", (numbers, words))


def test_a_text_in_a_table_breaks_into_lines_in_every_form() -> None:
    table = _with_text()
    assert column_widths(table.parts[1])[1] == PROSE
    words = fit(table)[1]
    assert words.widths[1] > 4000  # twips: a column that can be read, not one word a line
    cell = docx.Document(io.BytesIO(to_word(table))).tables[1].rows[1].cells[1]
    assert "\N{NO-BREAK SPACE}" not in cell.text
    assert '<td class="left prose">' in to_html(table)
    assert re.search(r"p\{0\.\d+\\linewidth\}", to_latex(table))
    book = openpyxl.load_workbook(io.BytesIO(to_excel(table, FRAMES["table_8_1"].head(1))))
    sheet = book.worksheets[0]
    assert sheet.title == "Table 9"
    text = next(c for row in sheet.iter_rows() for c in row if c.value == SAID)
    assert text.alignment.wrap_text
    assert sheet.row_dimensions[text.row].height > 30
    assert sheet.column_dimensions["B"].width < 20  # the numbers above keep their width
    assert any(text.coordinate in merged for merged in sheet.merged_cells.ranges)


def test_marks_of_our_tables_are_commands_in_latex() -> None:
    body = Row((label("\N{EM SPACE}Akershus"), Cell("0.1 \N{BLACK LEFT-POINTING SMALL TRIANGLE}")))
    text = to_latex(Table("t", "en", "T", (Part((Row((label(""), label("x"))),), (body,)),)))
    assert text.isascii()
    assert r"\triangleleft" in text


@pytest.mark.parametrize(("evaluation", "exhibit"), [("se_klar", "table_2"), ("oppfolging_2020", "table_2_1")])
def test_notes_on_what_outcomes_read_have_no_code(evaluation: str, exhibit: str) -> None:
    configuration = load_configuration(ROOT, evaluation=evaluation)
    labels = LabelBook.of(configuration.evaluation, configuration.definitions).in_language("nb")
    notes = " ".join(window_notes(configuration.definitions.exhibits[exhibit], labels))
    assert "`" not in notes
    assert "måned" in notes
