"""Layout of tables in three forms and two languages."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from refino_eval.config.base import Label
from refino_eval.config.evaluation import TableFormat
from refino_eval.exhibits.formats.text_formats import to_csv, to_html, to_html_page, to_markdown
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.render import render, table_of
from refino_eval.exhibits.wording.notes import window_text
from refino_eval.published.reading.html_tables import html_grids
from refino_eval.text import say
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
NARROW = "\N{NARROW NO-BREAK SPACE}"


def _table(
    name: str, language: str = "en", frame: pd.DataFrame | None = None, facts: dict[str, object] = toy.FACTS
) -> Table:
    numbers = FRAMES[name] if frame is None else frame
    return table_of(name, EXHIBITS[name], numbers, labels=BOOK, language=language, facts=facts)


def test_effects_in_norwegian() -> None:
    text = to_markdown(_table("table_8_1", "nb"))
    assert "| Refino | −0,010 | −0,17 | 0,003 | −0,014 |\n|  | (0,016) | (0,73) | (0,015) | (0,013) |" in text
    assert "| 95 % konfidensintervall | [−0,041; 0,022] | [−1,60; 1,26] |" in text
    assert "| Gjennomsnitt i kontrollgruppen | 0,47 | 15,6 | 0,34 | 0,23 |" in text
    assert f"| N | 4{NARROW}898 |" in text
    assert "| Faste effekter, fylke × trekkemåned | ja | ja |" in text


def test_effects_in_english() -> None:
    text = to_markdown(_table("table_8_1"))
    assert "| 95% confidence interval | [−0.041, 0.022] |" in text
    assert "All outcomes: the value in month 12 (0 is the month of random assignment)." in text
    assert "Main results: controls female (dummies); age (10 quantile groups)." in text
    assert "robust (HC1). 95% confidence intervals from the t distribution with 4,650 degrees of freedom." in text
    assert "Synthetic register" in text


def test_a_real_register_is_not_called_synthetic() -> None:
    assert "Synthetic" not in to_markdown(_table("table_8_1", facts={"data_class": "confidential"}))


def test_specifications_are_blocks_and_shared_rows_stand_once() -> None:
    body = _table("table_ii").parts[0].body
    assert [row.cells[0].text for row in body if row.role == "block"] == ["Main results", "Without controls"]
    assert [row.cells[0].text for row in body if row.role == "foot"] == [
        "Control mean",
        "N",
        "Fixed effects, county × draw month",
    ]
    frame = FRAMES["table_ii"].copy()
    frame.loc[(frame["panel"] == "none") & (frame["statistic"] == "n"), "value"] = 4000
    feet = [row.cells[0].text for row in _table("table_ii", frame=frame).parts[0].body if row.role == "foot"]
    assert feet == [*["Control mean", "N"] * 2, "Fixed effects, county × draw month"]


def test_lost_people_are_reported() -> None:
    row = {"exhibit": "table_8_1", "panel": "main", "row": "lost", "column": "any_wage", "statistic": "count", "value": 3.0,
           "n_persons": 3, "status": ""}  # fmt: skip
    frame = pd.concat([FRAMES["table_8_1"], pd.DataFrame([row])], ignore_index=True)
    assert say("itt.people_without_outcome", "en", listed="Any wage (3)") in _table("table_8_1", frame=frame).notes


def test_descriptives_layout() -> None:
    table = _table("table_2_3", "nb")
    assert [cell.span for cell in table.parts[0].header[0].cells] == [1, 2, 2, 2]
    text = to_markdown(table)
    assert "| Alder, år | 39,90 | (11,84) |" in text
    assert f"| N | 4{NARROW}901 |  | 1{NARROW}827 |  | 3{NARROW}074 |  |" in text
    assert say("descriptives.people_with_missing_values", "nb", listed="Alder (3)") in text


def test_balance_layout() -> None:
    regressions, differences = _table("table_i").parts
    assert [cell.text for cell in regressions.header[0].cells[1:]] == [f"({k})" for k in range(1, 8)]
    rows = regressions.body
    assert all(len(row.cells) == 8 for row in rows)
    for k in range(6):  # each covariate alone stands in its own column, and again in the last
        filled = [place for place, cell in enumerate(rows[2 * k].cells) if place and cell.text]
        assert filled == [k + 1, 7]
        assert rows[2 * k + 1].cells[7].text.startswith("(")
    assert [cell.text for cell in rows[-2].cells[1:]] == ["0.21"] * 7
    assert differences.body[5].cells[5].text == "<0.001"
    assert "Joint F-test: F(6; 4,672) = 1.87, p = 0.082." in _table("table_i").notes


def test_many_covariates_are_listed_instead_of_a_column_each() -> None:
    exhibit = EXHIBITS["table_i"].model_copy(update={"covariates": (*EXHIBITS["table_i"].covariates, *"abc")})
    table = table_of("table_i", exhibit, FRAMES["table_i"], labels=BOOK, language="en", facts={})
    listed = table.parts[0]
    assert len(listed.header[0].cells) == 8
    assert [cell.text for cell in listed.body[0].cells[1:]] == [
        "−0.025",
        "(0.012)",
        "−0.025",
        "(0.012)",
        "0.54",
        "0.21",
        "4,897",
    ]
    assert len(listed.body) == 10


def test_an_estimate_has_the_decimals_of_its_standard_error() -> None:
    frame = FRAMES["table_8_1"].copy()
    for estimate, error, shown in (
        (-1.2772, 0.0923, ["−1.277", "(0.092)"]),
        (-0.00088, 0.0059, ["−0.0009", "(0.0059)"]),
        (-0.000063, 0.0079, ["−0.0001", "(0.0079)"]),
        (3.7e-8, 9.2e-8, ["3.7 × 10⁻⁸", "(9.2 × 10⁻⁸)"]),
        (-1e-17, 0.0059, ["0.0000", "(0.0059)"]),
    ):
        for statistic, value in (("estimate", estimate), ("std_error", error)):
            frame.loc[(frame["statistic"] == statistic) & (frame["column"] == "any_wage"), "value"] = value
        body = _table("table_8_1", frame=frame).parts[0].body
        assert [body[k].cells[1].text.replace("\N{NO-BREAK SPACE}", " ") for k in (0, 1)] == shown


def test_no_cells_no_fixed_effects() -> None:
    book = dataclasses.replace(BOOK, strata=())
    table = table_of("table_8_1", EXHIBITS["table_8_1"], FRAMES["table_8_1"], labels=book, language="en", facts={})
    assert [cell.text for cell in table.parts[0].body[-1].cells] == ["Fixed effects", *["no"] * 4]


def test_design_has_summary_and_cells() -> None:
    summary, cells = _table("table_design").parts
    assert [cell.text for cell in summary.body[0].cells] == ["N", "4,901"]
    assert len(cells.body) == 9
    assert cells.body[0].cells[0].text == "Akershus × 2018-05"


def test_suppressed_and_inestimable_numbers_are_not_blank() -> None:
    frame = FRAMES["table_8_1"].copy()
    here = (frame["statistic"] == "estimate") & (frame["column"] == "any_wage")
    for status, mark in (("suppressed", "."), ("not_estimable", "–")):
        frame.loc[here, ["value", "status"]] = [math.nan, status]
        assert _table("table_8_1", frame=frame).parts[0].body[0].cells[1].text == mark


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize("name", [name for name, exhibit in EXHIBITS.items() if exhibit.form == "table"])
def test_every_table_is_rectangular_and_the_same_again(name: str, language: str, tmp_path: Path) -> None:
    def make() -> list[Path]:
        return render(name, EXHIBITS[name], FRAMES[name], labels=BOOK, language=language, tables_dir=tmp_path,
                      figures_dir=tmp_path, facts=toy.FACTS)  # fmt: skip

    paths = make()
    assert [path.name for path in paths] == [f"{name}.{language}.{ending}" for ending in get_args(TableFormat)]
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in make()] == before
    for part in _table(name, language).parts:
        widths = {sum(cell.span for cell in row.cells) for row in (*part.header, *part.body)}
        assert len(widths) == 1
    assert {part.name for part in tmp_path.iterdir()} == {path.name for path in paths}  # no drafts left behind


def test_csv_is_for_spreadsheets() -> None:
    rows = list(csv.reader(io.StringIO(_csv("nb")), delimiter=";"))
    assert rows[1][:3] == ["Refino", "-0,010", "-0,17"]
    assert rows[2][:2] == ["Standardfeil", "0,016"]
    english = list(csv.reader(io.StringIO(_csv("en"))))
    assert english[1][1] == "-0.010"
    assert {len(row) for row in english} == {5}


def test_labels_are_neither_formulas_nor_html() -> None:
    row = Row((Cell("=HYPERLINK(1)", align="left"), Cell("-0.5"), Cell("<img src=x>")))
    table = Table("t", "en", "<script>", (Part((Row((Cell("a"), Cell("b"), Cell("c"))),), (row,)),))
    assert list(csv.reader(io.StringIO(to_csv(table))))[1] == ["'=HYPERLINK(1)", "-0.5", "<img src=x>"]
    assert not re.search("<(img|script)", to_markdown(table))


def _csv(language: str) -> str:
    from refino_eval.exhibits.wording.number_format import NumberStyle

    style = NumberStyle.of(language, machine=True)
    return to_csv(
        table_of(
            "table_8_1",
            EXHIBITS["table_8_1"],
            FRAMES["table_8_1"],
            labels=BOOK,
            language=language,
            facts={},
            style=style,
        )
    )


class _Grid(HTMLParser):
    """Adds up the columns of each row, spans over rows included."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []
        self.carried = 0
        self.width = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.width, self.carried = self.carried, 0
        if tag in ("td", "th"):
            self.width += int(given.get("colspan") or 1)
            if given.get("rowspan") == "2":
                self.carried += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self.widths.append(self.width)


def test_html_grid_is_whole_with_headings_over_two_rows() -> None:
    html = to_html(_table("table_i"))
    assert 'rowspan="2"' in html
    grid = _Grid()
    grid.feed(html.split("</table>")[0])
    assert set(grid.widths) == {8}


def test_a_heading_stands_over_all_unheaded_rows_beneath_it() -> None:
    beneath = Row((label(""), Cell("(1)")), role="beneath")
    body = (Row((label("a"), Cell("1"))), beneath, beneath, Row((label("b"), Cell("2"))), beneath)
    html = to_html(Table("t", "en", "T", (Part((Row((label(""), label("x"))),), body),)))
    assert re.findall(r'rowspan="(\d)"', html) == ["3", "2"]


def test_html_escapes_and_heads() -> None:
    table = Table(
        exhibit="t", language="en", title="A <b> & c",
        parts=(Part((Row((label(""), label("<x>", align="right"))),), (Row((label("r|s"), Cell("1 000 000 kr"))),)),),
        notes=("<script>alert(1)</script>",),
    )  # fmt: skip
    html = to_html(table)
    assert "<figcaption>A &lt;b&gt; &amp; c</figcaption>" in html
    assert '<th scope="col">&lt;x&gt;</th>' in html
    assert '<th scope="row" class="left">r|s</th>' in html
    assert "<script" not in html
    assert "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}kr" in html
    assert "r\\|s" in to_markdown(table)
    assert "<figcaption" not in to_html(table, titled=False)
    assert re.search(r"<details><summary>.*\(1\)</summary>", to_html(table, fold=0))
    assert "<details" not in to_html(table, fold=1)


def test_the_page_of_a_single_table_has_its_style_and_is_read_back() -> None:
    table = _table("table_8_1", "nb")
    page = to_html_page(table)
    assert page.startswith('<!DOCTYPE html>\n<html lang="nb">')
    assert f"<title>{table.title}</title>" in page
    assert f"<figcaption><h1>{table.title}</h1></figcaption>" in page
    assert ".exhibit.table tbody td {" in page
    assert "size: A4;" in page
    assert not re.search(r"<link|<script|src=|url\(", page)
    (grid,) = html_grids(page.encode(), "page").grids
    assert (grid.caption, len(grid.rows)) == (table.title, sum(len(part.header + part.body) for part in table.parts))
    wide = dataclasses.replace(
        table, parts=tuple(Part((Row((label(""),) * 40),), (Row((Cell("0.123"),) * 40),)) for _ in "1")
    )
    assert "size: A4 landscape;" in to_html_page(wide)


def test_entries_stay_whole_in_print_where_an_upright_page_has_room() -> None:
    interval = Cell("[−0.0128, 0.0127]")
    for columns, names in ((5, ' class="whole"'), (7, ""), (9, ' class="dense"'), (20, ' class="dense"')):
        rows = (Row((label("Fixed effects, county by month"), *[interval] * columns)),)
        table = Table("t", "en", "T", (Part((Row((label(""), *[label("y")] * columns)),), rows),))
        assert f"<table{names} " in to_html(table), columns


@pytest.mark.parametrize(
    ("outcome", "language", "brief", "shown"),
    [
        ("any_wage_month_12", "en", False, "the value in month −12 (0 is the month of random assignment)"),
        ("any_wage_month_12", "en", True, "month −12"),
        ("any_wage_months_12", "nb", True, "sum av måned −2 til 12"),
    ],
)
def test_a_window_is_written_with_minus_signs(outcome: str, language: str, brief: bool, shown: str) -> None:
    entry = BOOK.definitions.outcomes[outcome]
    moved = entry.model_copy(update={"at": -12} if entry.window is None else {"window": (-2, 12)})
    assert window_text(moved, language, brief=brief) == shown


def test_labels_fall_back_to_the_name() -> None:
    assert BOOK.outcome("unheard_of") == "Unheard of"
    assert BOOK.covariate("age") == "Age, years"
    assert BOOK.arm("refino") == "Refino"
    assert BOOK.in_language("nb").cells() == "fylke × trekkemåned"
    bare = toy.LabelBook(definitions=BOOK.definitions, treated="a", control="b", arms={}, strata=("draw_month",))
    assert bare.cells() == say("labels.stratum_draw_month", "en")
    assert BOOK.state_is_share("any_wage")
    assert not BOOK.state_is_share("weekly_hours")
    assert Label(nb="a", en="b")["en"] == "b"


def test_a_list_in_a_sentence_ends_with_and() -> None:
    assert BOOK.listed(["a"]) == "a"
    assert BOOK.in_language("nb").listed(["a", "b"]) == "a og b"
    assert BOOK.in_language("en").listed(["a", "b", "c"]) == "a, b and c"
