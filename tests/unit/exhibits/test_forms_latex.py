r"""LaTeX without a LaTeX: balanced, rectangular, escaped, and asking for booktabs alone."""

from __future__ import annotations

import re

import pytest

from refino_eval.exhibits.formats.latex import escape, to_latex
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.render import table_of
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
KNOWN = set(
    [
        "begin",
        "end",
        "centering",
        "caption",
        "label",
        "toprule",
        "midrule",
        "bottomrule",
        "cmidrule",
        "addlinespace",
        "multicolumn",
        "par",
        "medskip",
        "smallskip",
        "small",
        "footnotesize",
        "scriptsize",
        "setlength",
        "tabcolsep",
        "textit",
        "textsuperscript",
        "raggedright",
        "tabularnewline",
        "hangindent",
        "linewidth",
        "rlap",
        "phantom",
        "usepackage",
        "times",
        "cdot",
        "infty",
        "cup",
        "emptyset",
        "geq",
        "leq",
        "neq",
        "pm",
        "to",
        "ldots",
        "textbackslash",
        "textasciitilde",
        "textasciicircum",
        "fontencoding",
        "selectfont",
        "guillemotleft",
        "guillemotright",
        "texteuro",
        "textdegree",
        "S",
        "begingroup",
        "endgroup",
        "noindent",
        "ref",
        "Sigma",
    ]
)
"""Commands of LaTeX itself and of booktabs."""
LETTERS = set("æøåÆØÅéèüöäÖÄáóôêàçÉ")


def check(text: str) -> None:
    """Fail on anything that LaTeX would stumble over."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", code):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    bare = re.sub(r"\\[{}$&#%_\\]", "", code.replace(r"\\", ""))
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[#^]", bare)
    assert set(re.findall(r"\\([A-Za-z]+)", code)) - KNOWN - {"alpha", "chi"} == set()
    assert {mark for mark in code if ord(mark) > 126} <= LETTERS
    for spec, body in re.findall(r"\\begin\{tabular\}\{@\{\}([^@]*)@\{\}\}\n(.*?)\\end\{tabular\}\}", code, re.DOTALL):
        columns = len(re.sub(r"p\{[^}]*\}", "p", spec))
        for line in body.splitlines():
            if line.endswith(r"\\"):
                line = re.sub(r"\\begin\{tabular\}\[b\].*?\\end\{tabular\}", "", line)
                spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
                assert len(re.findall(r"(?<!\\)&", line)) + 1 + sum(n - 1 for n in spans) == columns, line


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize("name", [name for name, exhibit in EXHIBITS.items() if exhibit.form == "table"])
def test_every_table_is_sound(name: str, language: str) -> None:
    facts = {**toy.FACTS, "stars": (0.9, 0.5)}
    text = to_latex(table_of(name, EXHIBITS[name], FRAMES[name], labels=BOOK, language=language, facts=facts))
    check(text)
    assert text.count(r"\caption{") == 1
    assert rf"\label{{tab:{name}}}" in text


def test_numbers_rules_and_notes() -> None:
    table = table_of(
        "table_8_1", EXHIBITS["table_8_1"], FRAMES["table_8_1"], labels=BOOK, language="nb", facts=toy.FACTS
    )
    text = to_latex(table)
    row = r"Refino & $-$0,010\phantom{)} & $-$0,17\phantom{)} & 0,003\phantom{)} & $-$0,014\phantom{)} \\"
    assert row in text  # as long behind the mark as the standard errors in parentheses
    assert r"N & 4\,898 & 4\,898" in text
    assert r"95 \% konfidensintervall & {[}$-$0,041; 0,022]" in text
    lines = text.splitlines()
    order = [
        next(k for k, line in enumerate(lines) if line.startswith(rule))
        for rule in (r"\toprule", r"\midrule", r"\bottomrule")
    ]
    assert order == sorted(order)
    assert lines[lines.index(r"\bottomrule") + 2].startswith(r"\begin{minipage}")
    assert text.count(r"\midrule") == 2  # beneath the heading, above the foot


def test_stars_hang_outside_the_column() -> None:
    row = Row((label("a"), Cell("0.1", number=0.1, mark="**")))
    text = to_latex(Table("t", "en", "T", (Part((Row((label(""), label("x", align="right"))),), (row,)),)))
    assert r"a & 0.1\rlap{\textsuperscript{**}} \\" in text


def test_escapes() -> None:
    assert escape(r"50 % & #1_a $ {x} ~ ^ \b") == (
        r"50 \% \& \#1\_a \$ \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}b"
    )
    assert escape("−1\N{NARROW NO-BREAK SPACE}000 «å» <0.001 R²") == (
        r"$-$1\,000 {\fontencoding{T1}\selectfont\guillemotleft}å{\fontencoding{T1}\selectfont\guillemotright}"
        r" $<$0.001 R\textsuperscript{2}"
    )


def test_a_long_table_goes_on_in_another_float_and_loses_no_row() -> None:
    rows = tuple(Row((label(f"cell {k}"), Cell(str(k)))) for k in range(125))
    header = (Row((label(""), label("N", align="right"))),)
    text = to_latex(Table("long", "en", "Long", (Part(header, rows[:5], "a"), Part(header, rows[5:], "b")), ("note",)))
    check(text)
    assert text.count(r"\begin{table}") == 4
    assert text.count(r"\caption{") == 1
    assert [int(n) for n in re.findall(r"^cell (\d+) &", text, re.MULTILINE)] == list(range(125))
    assert text.count("(continued)") == 3
    assert text.rstrip().endswith("\\end{minipage}\n\\end{table}")


@pytest.mark.parametrize("rows", [20, 40])
def test_notes_without_room_under_the_grid_follow_it_as_text(rows: int) -> None:
    body = tuple(Row((label(f"row {k}"), Cell("1"))) for k in range(rows))
    table = Table("t", "en", "T", (Part((Row((label(""), label("x"))),), body),), notes=tuple(["A note. " * 40] * 4))
    text = to_latex(table)
    check(text)
    floats = re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.DOTALL)
    assert ("A note." in floats[-1]) == (rows == 20)
    assert text.count("A note.") == 160
    assert ("\\ref{tab:t}" in text) == (rows != 20)
    # No float is higher than a page: 44 lines of small type.
    assert max(part.count(r"\\") for part in floats) <= 48


def test_headings_over_columns_break_where_these_end() -> None:
    head = Row((label(""), label("Effect of assignment, percentage points", span=2)))
    names = Row((label(""), label("Estimate"), label("SE")))
    text = to_latex(Table("t", "en", "T", (Part((head, names), (Row((label("y"), Cell("0.1"), Cell("0.2"))),)),)))
    check(text)
    assert r"\multicolumn{2}{l}{\begin{tabular}[b]{@{}l@{}}Effect of" in text


def test_greek_capitals_are_commands() -> None:
    power = r"3.7~$\times$~10\textsuperscript{$-$}\textsuperscript{8}"
    assert escape("3.7\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁸") == power
    assert escape("\N{GREEK CAPITAL LETTER SIGMA}w\N{SUPERSCRIPT THREE}") == r"$\Sigma$w\textsuperscript{3}"


def test_columns_of_names_break_into_lines_where_no_page_would_hold_them() -> None:
    name = "Arbetslivsressurs and a second provider of the same area"
    row = Row((label("Oslo"), *[Cell(name, align="left")] * 3, Cell("1,017")))
    head = Row((label(""), *[label("Provider at the start")] * 3, label("People", align="right")))
    table = Table("t", "en", "T", (Part((head,), (row,)),))
    tex = to_latex(table)
    assert r"\begin{tabular}{@{}lp{10em}p{10em}p{10em}r@{}}" in tex
    assert "% wide" not in tex
    assert tex.count(r"\raggedright ") == 3
    assert r"1,017 \\" in tex
    narrow = Row((label("Oslo"), Cell(name, align="left"), Cell("1,017")))
    assert "p{" not in to_latex(Table("t", "en", "T", (Part((Row((label(""),) * 3),), (narrow,)),)))
    last = to_latex(Table("t", "en", "T", (Part((Row((label(""),) * 4),), (Row(row.cells[:4]),)),)))
    assert rf"\raggedright {name} \tabularnewline" in last
