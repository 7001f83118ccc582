"""Texts that a spreadsheet would calculate, or a Markdown reader would run."""

import io
import re
from pathlib import Path

import pandas as pd
import pytest

import refino_eval
from refino_eval.csv_output import csv_cell, frame_as_written, frame_csv
from refino_eval.text.escaping import markdown_cell, markdown_row, without_tags


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


def test_frame_is_written_without_formulas_and_read_as_it_was():
    frame = pd.DataFrame({"row": ["=1+1", "Oslo", "-0,7", "@x"], "value": [-1.5, 2.0, None, 0.1], "n": [1, 2, 3, 4]})
    text = frame_csv(frame)
    assert text.splitlines() == ["row,value,n", "'=1+1,-1.5,1", "Oslo,2.0,2", '"-0,7",,3', "'@x,0.1,4"]
    pd.testing.assert_frame_equal(frame_as_written(pd.read_csv(io.StringIO(text))), frame)


def test_results_are_written_as_csv_by_one_module():
    """Deliveries of the synthetic register are data, and hold what they hold."""
    package = Path(refino_eval.__file__).parent
    files = [*package.rglob("*.py"), *(package.parents[1] / "workflow/scripts").glob("*.py")]
    writers = {path.name for path in files if re.search(r"\.to_csv\(|csv\.(Dict)?[wW]riter\(", path.read_text("utf-8"))}
    assert writers == {"csv_output.py", "calibration.py", "generator.py"}
