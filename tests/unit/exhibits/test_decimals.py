"""Decimal marks of a column are beneath each other, in HTML and in LaTeX."""

from __future__ import annotations

import re

import pytest

from refino_eval.exhibits.formats.decimals import decimal_pads
from refino_eval.exhibits.formats.latex import to_latex
from refino_eval.exhibits.formats.text_formats import to_html
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label


def part(*texts, marks=()):
    cells = [Cell(text, mark=dict(marks).get(text, "")) for text in texts]
    return Part(
        (Row((label(""), label("X"))),),
        tuple(Row((label(text), cell)) for text, cell in zip(texts, cells, strict=True)),
    )


def padded(table, language):
    pads = decimal_pads(table, language)
    return [row.cells[1].shown + pads.get((place, 1), "") for place, row in enumerate(table.body)]


@pytest.mark.parametrize(
    ("texts", "language", "expected"),
    [
        (["−0,011", "(0,0065)", "4 898"], "nb", ["−0,0110)", "(0,0065)", "4 898"]),
        (["1,234.5", "0.25", "12"], "en", ["1,234.50", "0.25", "12"]),
        (["2,4 %", "[0,1; 0,2]", "ja"], "nb", ["2,4 %", "[0,1; 0,2]", "ja"]),
        (["0,5", "12,3 %"], "nb", ["0,5 %", "12,3 %"]),
        (["0,1", "0,12345"], "nb", ["0,1", "0,12345"]),  # other quantities, which are not aligned
    ],
)
def test_numbers_are_as_long_behind_the_mark(texts, language, expected):
    assert padded(part(*texts), language) == expected


def test_stars_count_where_they_take_room():
    assert padded(part("0,5", "0,7", marks=[("0,7", "**")]), "nb") == ["0,5**", "0,7**"]


def test_pads_are_invisible_and_no_part_of_the_number():
    table = Table("t", "nb", "T", (part("−0,011", "(0,0065)"),))
    html = to_html(table)
    assert '<td data-pad="0)">−0,011</td>' in html
    assert "<td>(0,0065)</td>" in html
    latex = to_latex(table)
    assert r"$-$0,011\phantom{0)}" in latex
    assert len(re.findall("phantom", latex)) == 1
