"""Texts that a spreadsheet would calculate, or a Markdown reader would run."""

import pytest

from refino_eval.text.escaping import csv_cell, markdown_cell, markdown_row, without_tags


@pytest.mark.parametrize("text", ["=1+1", "=HYPERLINK(1)", "+cmd", "-2+3+cmd", "@SUM(A1)", "\t=1", "\r=1", "- a label"])
def test_formula_is_neutralised(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["-0.5", "-0,74**", "+3", "-1 234,5", "-0,7; (0,68)", "-1.5e-07", "-12 %", "", "a = b", "0", "-", "+"]
)
def test_number_and_ordinary_text_are_left_alone(text):
    assert csv_cell(text) == text


def test_html_is_shown_and_not_run():
    assert (
        without_tags("<script>x</script> <!-- y --> <5 and > 3") == "&lt;script>x&lt;/script> &lt;!-- y --> <5 and > 3"
    )


def test_cell_of_a_markdown_table_stays_one_cell():
    assert markdown_cell("a|b\n*c*") == "a\\|b \\*c\\*"
    assert markdown_row(["<b>", "1"]) == "| &lt;b> | 1 |"
