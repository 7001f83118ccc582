"""Headings over groups of columns, and footnotes by mark."""

from __future__ import annotations

from refino_eval.exhibits.formats.latex import to_latex
from refino_eval.exhibits.formats.text_formats import to_csv, to_html, to_markdown
from refino_eval.exhibits.layout.heads import Group, Noted, grouped_heads, noted, with_footnotes
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label

FAMILY, DRAWN = "Of all outcomes.", "By re-randomisation."
HEADS = grouped_heads(
    Group.of("Effect"),
    Group.of("t test", Noted("randomisation", DRAWN), Noted("Holm", FAMILY), over="p-value"),
    Group.of(Noted("q-value", FAMILY)),
)
BODY = (Row((label("Pay"), *[Cell("0.5")] * 5)),)


def table(**given):
    return with_footnotes(Table("t", "en", "T", (Part(HEADS, BODY),), ("Sample: all.",)), **given)


def test_a_heading_is_over_its_columns_alone():
    over, heads = HEADS
    assert [(cell.text, cell.span) for cell in over.cells] == [("", 1), ("", 1), ("p-value", 3), ("", 1)]
    assert sum(cell.span for cell in over.cells) == len(heads.cells) == 6
    assert len(grouped_heads(Group.of("a"), Group.of("b"))) == 1  # no row of nothing


def test_the_same_note_has_one_letter_in_reading_order():
    marked = table()
    assert [cell.text for cell in marked.parts[0].header[1].cells[3:]] == ["randomisationᵃ", "Holmᵇ", "q-valueᵇ"]
    assert marked.notes == (f"ᵃ {DRAWN}", f"ᵇ {FAMILY}", "Sample: all.")
    assert with_footnotes(marked) == marked


def test_a_heading_of_a_row_may_have_a_footnote():
    body = (noted(BODY[0], DRAWN), noted(BODY[0], ""))
    marked = with_footnotes(Table("t", "en", "T", (Part(HEADS[1:], body),)))
    assert [row.cells[0].text for row in marked.parts[0].body] == ["Payᵃ", "Pay"]
    assert marked.notes[0] == f"ᵃ {DRAWN}"  # the same as of the heading of a column


def test_marks_in_each_form():
    html = to_html(table())
    assert '<th scope="colgroup" class="center" colspan="3">p-value</th>' in html
    assert "Holm<sup>b</sup></th>" in html
    assert f"<p><sup>b</sup> {FAMILY}</p>" in html
    latex = to_latex(table())
    assert r"\multicolumn{3}{c}{p-value}" in latex
    assert r"\cmidrule(lr){3-5}" in latex
    assert rf"\textsuperscript{{b}} {FAMILY}\par" in latex
    assert "p-value Holmᵇ" in to_markdown(table())
    assert "Holm,q-value" in to_csv(table(marked=False))  # headings of a spreadsheet are names
