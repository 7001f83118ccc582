"""Tables of Word, Excel, HTML, CSV, Markdown and text files are read as published values, with what each number is."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook

from refino_eval.errors import UserError
from refino_eval.published.audit import audit
from refino_eval.published.reading import read_document
from refino_eval.published.reading.excel_tables import shown
from refino_eval.published.reading.head_words import head, statistic_of
from refino_eval.published.reading.printed_cells import decimal_sign, is_empty, pieces
from refino_eval.published.values import load_published, parse_printed

EXTRACTS = Path(__file__).resolve().parents[4] / "shared" / "seeds"
PUBLISHED = Path(__file__).resolve().parents[3] / "data" / "published"


def read(path: Path, content: str | bytes) -> dict[tuple[str, str, str, str], str]:
    """Return the numbers of a file by panel, row, column and statistic."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    records = read_document(path).values.to_dict("records")
    return {(r["panel"], r["row"], r["column"], r["statistic"]): r["printed"] for r in records}


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [
        ("0,35** (0,02)", ",", [("0.35**", "plain"), ("0.02", "round")]),
        ("0.35\n(0.02)", ".", [("0.35", "plain"), ("0.02", "round")]),
        ("0.35 [0.31, 0.39]", ".", [("0.35", "plain"), ("0.31", "low"), ("0.39", "high")]),
        ("(0,31; 0,39)", ",", [("0.31", "low"), ("0.39", "high")]),
        ("[-0,043, 0,020]", ",", [("-0.043", "low"), ("0.020", "high")]),
        ("(\u22120.04 to 0.02)", ".", [("-0.04", "low"), ("0.02", "high")]),
        ("1,234,567", ".", [("1 234 567", "plain")]),
        ("12.345,60", ",", [("12 345.60", "plain")]),
        ("1\u202f234", ",", [("1 234", "plain")]),
        ("1'234.5", ".", [("1 234.5", "plain")]),
        ("120 (45 %)", ".", [("120", "plain"), ("45%", "round")]),
        ("23/167 (13.8%)", ".", [("23", "plain"), ("167", "of"), ("13.8%", "round")]),
        ("0.35 \u00b1 0.02", ".", [("0.35", "plain"), ("0.02", "sigma")]),
        ("\u22120.5\u2020", ".", [("-0.5", "plain")]),
        ("0.35a", ".", [("0.35", "plain")]),
        ("0.35 1)", ".", [("0.35", "plain")]),
        ("p = .03", ".", [("0.03", "plain")]),
        ("$1,234", ".", [("1 234", "plain")]),
        ("kr 1 234,50", ",", [("1 234.50", "plain")]),
        ("0.050", ".", [("0.050", "plain")]),
        ("1.2e-3", ".", [("0.0012", "plain")]),
    ],
)
def test_numbers_of_a_cell_keep_their_published_digits(text, decimals, expected):
    result = pieces(text, decimals)
    assert [(piece.printed, piece.shape) for piece in result] == expected
    for piece in result:
        parse_printed(piece.printed)


def test_a_bound_is_no_exact_number():
    (piece,) = pieces("< .001", ".")
    assert (piece.printed, piece.qualifier) == ("0.001", "just_under")


@pytest.mark.parametrize(
    "text", ["2021\u20132023", "robust (HC1)", "1.2.3", "3, 11, 7", "yes", "12-45", "9" * 30, "1e999"]
)
def test_what_is_no_number_is_not_read_as_one(text):
    assert pieces(text, ".") is None


@pytest.mark.parametrize("text", ["", "\u2013", "-", "n/a", "N.A.", "...", "(\u2013)", "\u00a0"])
def test_cells_without_a_number_are_empty(text):
    assert is_empty(text)


@pytest.mark.parametrize(
    ("texts", "notation", "sign"),
    [
        (["1,234", "0.5"], "", "."),
        (["1.234", "0,5"], "", ","),
        (["1,234"], "nb", ","),
        (["1,234"], "en", "."),
        (["1.234.567"], "", ","),
        (["0,123"], "", ","),
        (["1.234,5"], "en", ","),
    ],
)
def test_the_decimal_sign_is_that_of_the_document(texts, notation, sign):
    assert decimal_sign(texts, notation) == sign


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.05, "0.0%", "5.0%"),
        (0.0128, '"("0.000")"', "(0.013)"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-3.456, "0.0;[Red](0.0)", "(3.5)"),
        (0.0004, '[<0.001]"<0.001";0.000', "<0.001"),
        (0.5, "General", "0.5"),
        (2.5, "0", "3"),
        (1500000, '0.0,,"m"', "1.5m"),
        (0.1, "0.0##", "0.1"),
        ("0.10", "General", "0.10"),
    ],
)
def test_numbers_of_a_sheet_have_the_digits_it_shows(value, form, text):
    assert shown(value, form) == text


# --- heads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "statistic"),
    [
        ("Standard error", "std_error"), ("(SE)", "std_error"), ("Standardfeil", "std_error"), ("Std. avvik", "sd"),
        ("SD", "sd"), ("p-verdi", "p_value"), ("p", "p_value"), ("t-verdi", "t_stat"), ("Gjennomsnitt", "mean"),
        ("95 % KI", "conf_interval"), ("95% confidence interval", "conf_interval"), ("Antall personer", "n"),
        ("N", "n"), ("Observations", "n"), ("Kontrollgruppens gjennomsnitt", "mean_control"), ("R\u00b2", "r_squared"),
        ("Control mean", "mean_control"), ("Effect, percentage points", "estimate"), ("Forskjell", "difference"),
        ("Andel", "share"), ("Women", ""), ("Family size", ""),
    ],
)  # fmt: skip
def test_heads_name_statistics_in_both_languages(text, statistic):
    assert statistic_of(text) == statistic


def test_a_head_states_a_size_and_a_unit():
    assert (head("Control (N = 1,101)").size, head("Control (N = 1,101)").name) == ("1,101", "Control")
    assert head("Effect, percentage points").unit == "percentage_points"
    assert head("95% confidence interval").unit == ""


# --- tables --------------------------------------------------------------------------------------------------------


def test_wide_csv_with_common_heads_groups_and_a_decimal_comma(tmp_path):
    text = (
        "Tabell 1. Kjennetegn;;;;\n;Tiltak (N = 1 200);;Kontroll (N = 800);\n;Gjennomsnitt;SD;Gjennomsnitt;SD\n"
        "Bakgrunn;;;;\nAlder;39,4;(11,9);40,2;(11,8)\nInntekt;1,59;(2,22);\u2013;\n"
    )
    values = read(tmp_path / "t.csv", text.encode("cp1252"))
    assert values == {
        ("bakgrunn", "alder", "tiltak", "mean"): "39.4",
        ("bakgrunn", "alder", "tiltak", "sd"): "11.9",
        ("bakgrunn", "alder", "kontroll", "mean"): "40.2",
        ("bakgrunn", "alder", "kontroll", "sd"): "11.8",
        ("bakgrunn", "inntekt", "tiltak", "mean"): "1.59",
        ("bakgrunn", "inntekt", "tiltak", "sd"): "2.22",
        ("", "all", "tiltak", "n"): "1 200",
        ("", "all", "kontroll", "n"): "800",
    }


REGRESSION = """<html lang="en"><body><p>Text</p><figure><figcaption>Table 4.2 Effects</figcaption><table>
<thead><tr><th></th><th colspan="2">Employed</th><th rowspan="2">Hours</th></tr><tr><th></th><th>(1)</th><th>(2)</th></tr></thead>
<tr><th scope="row" rowspan="2">Treatment</th><td>0.021<sup>*</sup></td><td>0.018</td><td>1.20<sup>a</sup></td></tr>
<tr><td>(0.011)</td><td>(0.012)</td><td>(0.50)</td></tr>
<tr><th scope="row">95% CI</th><td>[0.000, 0.042]</td><td>[-0.006, 0.042]</td><td></td></tr>
<tr><th scope="row">Observations</th><td>1,234</td><td>1,234</td><td>1,230</td></tr>
</table></figure><table><tr><td><table><tr><td>x</td><td>1</td></tr></table></td></tr></table></body></html>"""


def test_html_with_spans_keeps_stars_and_drops_footnote_marks(tmp_path):
    values = read(tmp_path / "page.html", REGRESSION)
    assert values["", "treatment", "employed_1", "estimate"] == "0.021*"
    assert values["", "treatment", "employed_2", "std_error"] == "0.012"
    assert values["", "treatment", "hours", "estimate"] == "1.20"
    assert values["", "treatment", "employed_2", "conf_low"] == "-0.006"
    assert values["", "all", "hours", "n"] == "1 230"
    document = read_document(tmp_path / "page.html")
    assert document.names["table_4_2"].nb == "Tabell 4.2"
    assert set(document.values["exhibit"]) == {"table_4_2", "table_2_of_file"}


def word_file() -> bytes:
    document = Document()
    document.add_paragraph("Table 3. Sample", style="Caption")
    table = document.add_table(rows=5, cols=4)
    rows = [
        ("", "Arm", "", "p-value"), ("", "Treatment (N = 167)", "Control (N = 101)", ""), ("Women, %", "45.2", "44.8", "0.85"),
        ("Age (SD)", "39.4 (11.9)", "40.2 (11.8)", "0.32"), ("N", "167", "101", ""),
    ]  # fmt: skip
    for cells, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(cells.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 3).merge(table.cell(1, 3))
    document.add_paragraph("Table 4. A picture of a table")
    empty = document.add_table(rows=1, cols=2)
    empty.cell(0, 0).text = "only words"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_word_with_merged_cells_and_captions(tmp_path):
    values = read(tmp_path / "paper.docx", word_file())
    assert values["", "women", "arm_treatment", "share"] == "45.2"
    assert values["", "age_sd", "arm_control", "mean"] == "40.2"
    assert values["", "age_sd", "arm_control", "sd"] == "11.8"
    assert values["", "all", "arm_control", "n"] == "101"
    assert values["", "women", "p_value", "p_value"] == "0.85"
    document = read_document(tmp_path / "paper.docx")
    assert set(document.values["source_line"]) >= {"table 1, row 3", "table 1, row 5"}
    # What holds no number is named, with its place.
    assert [(each.place, each.reason) for each in document.unread] == [("table 2", "no_numbers")]


def excel_file() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "Results"
    lines = [("Table 1. Shares",), (None, "Share", "Number"), ("North", 0.05, 12), ("South", 0.125, 30), (),
             ("Table 2. Effects",), (None, "Effect", "Standard error"), ("Wage", -0.0123, 0.0065)]  # fmt: skip
    for line in lines:
        sheet.append(line)
    for cell in ("B3", "B4"):
        sheet[cell].number_format = "0.0%"
    sheet["B8"].number_format, sheet["C8"].number_format = "0.000", '"("0.0000")"'
    sheet["E2"], sheet["F2"], sheet["E3"], sheet["F3"], sheet["E4"], sheet["F4"] = (
        "Group",
        "Mean",
        "Men",
        1.5,
        "Women",
        2,
    )
    sheet["E5"] = "All people"
    book.create_sheet("Empty")["A1"] = "=1+1"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_excel_reads_each_table_of_a_sheet_with_the_digits_shown(tmp_path):
    values = read(tmp_path / "book.xlsx", excel_file())
    assert values["", "north", "share", "share"] == "5.0%"
    assert values["", "south", "number", "count"] == "30"
    assert values["", "wage", "effect", "estimate"] == "-0.012"
    assert values["", "wage", "effect", "std_error"] == "0.0065"
    document = read_document(tmp_path / "book.xlsx")
    assert "sheet \u201cResults\u201d, B2, B3" in set(document.values["source_line"])
    assert ("sheet \u201cEmpty\u201d, A1", "formula_without_value") in {(e.place, e.reason) for e in document.unread}


def test_markdown_table(tmp_path):
    text = "# Report\n\n**Tabell 2.1. Kontorer**\n\n| Fylke | Andel | Antall personer |\n| :-- | --: | --: |\n| Oslo | 35,1 % | 712 |\n"
    values = read(tmp_path / "report.md", text)
    assert values == {("", "oslo", "andel", "share"): "35.1%", ("", "oslo", "antall_personer", "n"): "712"}
    assert set(read_document(tmp_path / "report.md").values["exhibit"]) == {"table_2_1"}


def test_markdown_bold_is_no_star(tmp_path):
    text = "Table 1. Effects\n\n|  | Effect | t |\n|---|---|---|\n| **Wage** | 0.35** | 2.6 |\n| Hours | **1.20** | 1.0 |\n| Jobs | 0.9\\*\\*\\* | 3 |\n"
    values = read(tmp_path / "t.md", text)
    assert [values["", row, "effect", "estimate"] for row in ("wage", "hours", "jobs")] == ["0.35**", "1.20", "0.9***"]
    assert "line 5" in set(read_document(tmp_path / "t.md").values["source_line"])


def test_a_contradiction_in_a_word_file_is_found_and_named_as_in_the_document(tmp_path):
    document = Document()
    document.add_paragraph("Table 5. Effects on employment")
    table = document.add_table(rows=2, cols=4)
    for cells, texts in zip(
        table.rows, [("", "Effect", "SE", "t"), ("Job offer", "-0.70", "0.21", "3.33")], strict=True
    ):
        for cell, text in zip(cells.cells, texts, strict=True):
            cell.text = text
    path = tmp_path / "paper.docx"
    document.save(str(path))
    result = read_document(path)
    (finding,) = audit(result.values, names=result.names)
    assert (finding.rule, finding.certainty, finding.source_line) == ("t_stat", "certain", "table 1, row 2")
    assert finding.explanation.en.startswith("Table 5 \u203a Job offer \u203a Effect \u203a ")
    assert {(quote.text, quote.place) for quote in finding.quotes} == {
        ("-0.70", "table 1, row 2"),
        ("0.21", "table 1, row 2"),
        ("3.33", "table 1, row 2"),
    }


def test_a_p_value_below_a_bound_fits_shares_however_far_apart(tmp_path):
    text = ";Treatment (N = 500);Control (N = 500);p-value\nStarted, %;75.7;0.1;{}\n"
    found = {}
    for p in ("<0.001", "0.04"):
        (tmp_path / "t.csv").write_text(text.format(p), encoding="utf-8")
        found[p] = {finding.rule for finding in audit(read_document(tmp_path / "t.csv").values)}
    assert "two_shares" not in found["<0.001"]
    assert "two_shares" in found["0.04"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.pdf", b"%PDF", "are not read"),
        ("x.docx", b"no archive", "not a Word document"),
        ("x.xlsx", b"no archive", "not an Excel workbook"),
        ("x.html", b"", "not an HTML page"),
        ("x.csv", b"a,b\x00", "not a text file"),
        ("x.md", b"words alone", "no table of numbers"),
    ],
)
def test_files_that_cannot_be_read_are_reported(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says):
        read_document(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "least", "named"), [("refino_2023", 0.99, 0.8), ("oppfolging_2020", 0.99, 0.95), ("se_klar", 0.99, 0.8)]
)
def test_tables_of_real_reports_are_read_as_they_were_transcribed(name, least, named):
    extract = EXTRACTS / f"{name}.txt"
    if not extract.is_file():
        pytest.skip("the source documents are not here")

    def bag(records, *, statistic):
        return Counter(
            (r["exhibit"], r["statistic"] if statistic else "", abs(parse_printed(r["printed"]).value)) for r in records
        )

    published = load_published(PUBLISHED / f"{name}.csv")
    published = published[published["exhibit"].str.startswith("table") & (published["statistic"] != "stated")]
    records, mine = published.to_dict("records"), read_document(extract).values.to_dict("records")
    for statistic, share in ((False, least), (True, named)):
        both = bag(records, statistic=statistic) & bag(mine, statistic=statistic)
        assert both.total() >= share * len(records), (both.total(), len(records))
