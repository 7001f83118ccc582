"""The audit's thresholds from both sides, one cause for several complaints, who is to blame, and what readers are shown."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from refino_eval.config.base import Label
from refino_eval.errors import UserError
from refino_eval.published.audit import Finding, audit
from refino_eval.published.audit.audit_document import one_cause
from refino_eval.published.audit.comparisons.model_consistency import error_bounds
from refino_eval.published.audit.document import document_of
from refino_eval.published.audit.findings_report import Audited, fitting, to_markdown, to_text
from refino_eval.published.audit.inferred_relations import mostly
from refino_eval.published.audit.shares_and_counts import deviation_range
from refino_eval.published.audit.slips import neighbours
from refino_eval.published.intervals import Interval, point, stands_for
from refino_eval.published.relations import Check, Relation
from refino_eval.published.source import PublishedSource, load_source
from refino_eval.published.values import COLUMNS, load_published, parse_printed

DATA = Path(__file__).parents[3] / "data" / "published"


def table(text: str, units: dict[str, str] | None = None) -> pd.DataFrame:
    """Read lines of `exhibit/panel/row/column/statistic = print`; units are given by row."""
    rows = []
    for number, line in enumerate(text.strip().splitlines(), start=1):
        key, _, printed = line.partition(" = ")
        parts = key.strip().split("/")
        rows.append((*parts, printed.strip(), "", str(number), (units or {}).get(parts[2], "")))
    return pd.DataFrame(rows, columns=[*COLUMNS, "unit"])


def found(
    text: str,
    *relations: dict[str, object],
    units: dict[str, str] | None = None,
    names: dict[str, Label] | None = None,
) -> tuple[Finding, ...]:
    given = tuple(Relation.model_validate({"why": "It must.", **relation}) for relation in relations)
    return audit(table(text, units), given, name="paper", names=names)


# --- thresholds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "half"),
    [("9 900", 0), ("9 000", 0), ("10 000", 5000), ("12 300", 50), ("-12 300", 50), ("12 340", 0), ("10 010", 0)],
)
def test_a_count_may_be_rounded_from_ten_thousand_on_when_it_ends_in_two_zeros(text: str, half: int) -> None:
    shown = stands_for(parse_printed(text), statistic="n")
    assert (shown.high - shown.low) / 2 == half


def test_other_whole_numbers_may_be_rounded_to_their_last_digit() -> None:
    assert stands_for(parse_printed("9 900"), statistic="value") == Interval(Fraction(9850), Fraction(9950))


def test_deviation_of_a_binary_variable_may_divide_by_n_minus_one() -> None:
    half, fifth = point(Fraction(1, 2)), point(Fraction(1, 5))
    assert deviation_range(half, 21) == Interval(Fraction(1, 4), Fraction(21, 80))
    assert deviation_range(fifth, 5) == Interval(Fraction(4, 25), Fraction(1, 5))
    assert deviation_range(half, None) == deviation_range(half, 20) == Interval(Fraction(1, 4), Fraction(5, 19))
    assert deviation_range(half, 1) == deviation_range(half, None)  # one person has no deviation to divide


@pytest.mark.parametrize(
    ("n", "sd", "complains"), [("21", "0.51", False), ("21", "0.52", True), ("2000", "0.51", True)]
)
def test_only_small_groups_may_have_a_larger_deviation(n: str, sd: str, complains: bool) -> None:
    binary = {"kind": "binary", "of": ["t//row/*/*"]}
    text = f"t//all/a/n = {n}\nt//row/a/mean = 0.50\nt//row/a/sd = ({sd})"
    assert [f.rule for f in found(text, binary)] == (["binary_sd"] if complains else [])


def checked(holds: bool, at: str = "1", half: str = "0") -> Check:
    relation = Relation.model_validate({"kind": "same", "why": "x", "is": "t//a/b/n", "of": ["t//a/c/n"]})
    middle, width = Fraction(at), Fraction(half)
    shown = Interval(middle - width, middle + width)
    return Check(relation, ("t", "", "a", "b", "n"), (), (), shown, shown, holds)


@pytest.mark.parametrize(
    ("holding", "failing", "least", "ratio", "expected"),
    [(3, 0, 3, 3, True), (2, 0, 3, 3, False), (3, 1, 3, 3, True), (5, 2, 3, 3, False), (6, 2, 3, 3, True),
     (2, 2, 2, 1, True), (2, 3, 2, 1, False)],
)  # fmt: skip
def test_relation_is_inferred_if_it_mostly_holds(
    holding: int, failing: int, least: int, ratio: int, expected: bool
) -> None:
    checks = [checked(True)] * holding + [checked(False)] * failing
    assert mostly(checks, least=least, ratio=ratio) is expected


def test_relation_that_holds_by_coincidence_is_not_inferred() -> None:
    # 0.5 +- 0.5 fits anything near; 10 +- 0.5 hardly does.
    assert not mostly([checked(True, "0.5", "0.5")] * 9, least=1, ratio=1)
    assert mostly([checked(True, "10", "0.5")] * 9, least=1, ratio=1)


@pytest.mark.parametrize(("wrong", "told"), [(1, 1), (2, 2), (3, 0)])
def test_differences_are_inferred_from_three_times_as_many_rows_as_fail(wrong: int, told: int) -> None:
    rows = [(20 + 3 * k, 10 + k) for k in range(8)]
    lines = []
    for k, (a, b) in enumerate(rows):
        gap = a - b + (7 + 2 * k if k < wrong else 0)  # not all by one factor
        lines += [f"t//r{k}/a/mean = {a},00", f"t//r{k}/b/mean = {b},00", f"t//r{k}/gap/mean = {gap},00"]
    assert [f.rule for f in found("\n".join(lines))] == ["differences"] * told


# --- what stars say of standard errors -----------------------------------------------------------------------------

LEVELS = {"kind": "stars", "of": ["*/*/*/*/estimate"], "levels": ["0.1", "0.05", "0.01"]}
TENTHS = tuple(Fraction(level) for level in ("0.1", "0.05", "0.01"))


def starred(*prints: str, sizes: tuple[str, ...] = ()) -> str:
    """Return models of one regressor of interest and four others, which make them sisters."""
    lines = []
    for model, text in enumerate(prints):
        size = sizes[model] if sizes else "26 294"
        lines += [f"t//woman/m{model}/estimate = {text}", f"t//all/m{model}/n = {size}"]
        lines += [f"t//x{k}/m{model}/estimate = 0,{k + 1}10***" for k in range(4)]
    return "\n".join(lines)


def test_stars_bound_the_standard_error_from_both_sides() -> None:
    cells = document_of(
        table("t//a/x/estimate = -0,0732\nt//b/x/estimate = 0,0181***\nt//c/x/estimate = 0,0369**")
    ).cells
    bare, three, two = cells.values()
    least, greatest = error_bounds(bare, TENTHS)
    assert float(least) == pytest.approx(0.07315 / 1.81246, abs=1e-6)
    assert greatest is None
    assert error_bounds(three, TENTHS)[0] == 0
    assert float(error_bounds(three, TENTHS)[1] or 0) == pytest.approx(0.01815 / 2.5758, abs=1e-6)
    least, greatest = error_bounds(two, TENTHS)
    assert (float(least), float(greatest or 0)) == pytest.approx((0.03685 / 3.16927, 0.03695 / 1.95996), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "asks", "allow"),
    [
        # Sisters: at most 0.0481.. / 2.576 = 0.0187. No star at |0,0732|: at least 0.0404.
        ("-0,0732", "at least 0.04036", "at most 0.01869"),
        ("-0,0510", None, None),  # at least 0.0281, one and a half times 0.0187 and a trifle
        ("-0,0500", None, None),  # 0.0276 is less than that
        ("-0,0732***", None, None),  # at most 0.0284
        ("-0,0732*", None, None),  # at least 0.0328 and at most 0.0445
    ],
)
def test_missing_star_requires_a_larger_error_than_siblings_have(
    text: str, asks: str | None, allow: str | None
) -> None:
    told = [f for f in found(starred(text, "-0,0481***", "-0,0474***", "-0,0470***"), LEVELS) if f.rule == "stars_size"]
    least, _ = error_bounds(document_of(table(f"t//a/x/estimate = {text}")).of("estimate")[0], TENTHS)
    contradicts = least > Fraction(3, 2) * Fraction("0.04815") / Fraction("2.5758")
    assert bool(told) is contradicts
    if asks is not None and allow is not None:
        (one,) = told
        assert (one.column, one.certainty, one.fits) == ("m0", "likely", "-0.00732")
        assert asks in one.explanation.en
        assert allow in one.explanation.en


def test_three_stars_require_a_smaller_error_than_siblings_have() -> None:
    (one,) = found(starred("0,0181***", "0,0369**", "0,0410**", "0,0372**"), LEVELS)
    assert (one.rule, one.column, one.certainty, one.fits) == ("stars_size", "m0", "likely", "")
    assert "at most 0.00705" in one.explanation.en
    assert "at least 0.01163" in one.explanation.en
    assert found(starred("0,0281***", "0,0369**", "0,0410**", "0,0372**"), LEVELS) == ()  # 0.0109 contradicts nobody
    # One sister alone, or samples of other sizes, are no witness.
    assert found(starred("0,0181***", "0,0369**"), LEVELS) == ()
    assert found(starred("0,0181***", "0,0369**", "0,0410**", sizes=("26 294", "9 000", "9 000")), LEVELS) == ()


# --- one cause -----------------------------------------------------------------------------------------------------

A, B, C = (("t", "", row, "x", "value") for row in "abc")


def item(rule: str, *cells: tuple[str, ...]) -> Finding:
    return Finding("d", *cells[0], rule, "1", "", "likely", "1", Label(nb="nb", en="en"), cells=cells)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (item("products", A), item("sums", A), ["products+sums"]),
        (item("products", A, B), item("sums", B), ["products+sums"]),
        (item("products", A), item("sums", B, A), ["products", "sums"]),  # the number at fault is another
        (item("swap", A, B), item("sums", C, B), ["swap+sums"]),  # a spoiled print explains all that it touches
        (item("swap", A, B), item("swap", B, C), ["swap"]),
        (item("sums", A), item("sums", A), ["sums"]),
        (item("sums", A, B, C), item("sums", B, C), ["sums"]),
        (item("sums", A, B), item("sums", B, C), ["sums", "sums"]),
        (item("sample", A, B), item("impossible", A), ["sample", "impossible"]),  # of tables, not of numbers
    ],
)
def test_one_cause_is_one_finding(first: Finding, second: Finding, left: list[str]) -> None:
    assert ["+".join((f.rule, *f.also)) for f in one_cause([first, second])] == left


def test_a_rule_that_is_explained_twice_is_named_once() -> None:
    (one,) = one_cause([item("products", A, B), item("sums", A), item("sums", B), item("order", B)])
    assert one.also == ("sums", "order")


SUMS = [
    {"kind": "sum", "is": f"t//whole/{column}/value", "of": [f"t//one/{column}/value", f"t//two/{column}/value"]}
    for column in "ab"
]
CROSSED = """
t//one/a/value = 301,5
t//two/a/value = 110,5
t//whole/a/value = 312,0
t//one/b/value = 201,5
t//two/b/value = 120,5
t//whole/b/value = 422,0
"""


def test_exchange_repairs_failures_and_breaks_no_relation() -> None:
    (one,) = found(CROSSED, *SUMS)
    assert (one.rule, one.certainty) == ("swap", "likely")
    # The text repeats the two numbers where they stand: then they do not stand in each other's places.
    repeated = [{"kind": "same", "is": f"text//one/{c}/value", "of": [f"t//one/{c}/value"]} for c in "ab"]
    repeated += [{"kind": "same", "is": f"text//whole/{c}/value", "of": [f"t//whole/{c}/value"]} for c in "ab"]
    more = (
        "text//one/a/value = 301,5\ntext//one/b/value = 201,5\ntext//whole/a/value = 312,0\ntext//whole/b/value = 422,0"
    )
    told = found(CROSSED + more, *SUMS, *repeated)
    assert told
    assert {f.rule for f in told} == {"sums"}


def test_the_number_that_most_failures_share_is_to_blame() -> None:
    sums = [
        {"kind": "sum", "is": f"t//whole_{k}/x/value", "of": [f"t//part_{k}/x/value", "t//late/x/value"]} for k in "ab"
    ]
    text = "t//whole_a/x/value = 512\nt//part_a/x/value = 100,0\nt//whole_b/x/value = 623\nt//part_b/x/value = 211,0\n"
    (one,) = found(text + "t//late/x/value = 215,0", *sums)
    assert (one.row, one.fits) == ("late", "[411.45, 412.55]")  # and not the first that is read
    assert found(text + "t//late/x/value = 412,0", *sums) == ()


def test_a_number_that_holds_elsewhere_is_not_to_blame_however_many_contradict_it() -> None:
    same = [{"kind": "same", "is": f"t//{name}/x/value", "of": ["t//kept/x/value"]} for name in ("r", "s", "u")]
    text = "t//r/x/value = 412\nt//s/x/value = 538\nt//u/x/value = 215\nt//kept/x/value = 215"
    assert sorted(f.row for f in found(text, *same)) == ["r", "s"]


def test_an_unsupported_number_is_to_blame_before_one_that_fails_more_often_and_holds_elsewhere() -> None:
    parts = {"a": ["late", "kept"], "b": ["late", "part_b", "kept"], "c": ["part_c", "kept"], "d": ["part_d", "kept"]}
    sums = [
        {"kind": "sum", "is": f"t//whole_{k}/x/value", "of": [f"t//{row}/x/value" for row in rows], "why": f"Sum {k}."}
        for k, rows in parts.items()
    ]
    true = {"late": 412, "kept": 150, "part_b": 211, "part_c": 305, "part_d": 108}
    true |= {f"whole_{k}": sum(true[row] for row in rows) for k, rows in parts.items()}
    shown = true | {"late": 215, "whole_c": 471}  # "kept" takes part in three failures, "late" in two
    told = found("\n".join(f"t//{row}/x/value = {value},0" for row, value in shown.items()), *sums)
    assert [f.row for f in told] == ["late", "whole_c"]
    assert told[0].fits == "[411.9, 412.1]"


def test_failures_are_separate_where_every_number_is_supported() -> None:
    pairs = [("r", "kept"), ("s", "kept"), ("r2", "r"), ("s2", "s"), ("u", "kept")]
    same = [{"kind": "same", "is": f"t//{a}/x/value", "of": [f"t//{b}/x/value"], "why": f"{a}."} for a, b in pairs]
    shown = {"r": 412, "r2": 412, "s": 538, "s2": 538, "kept": 215, "u": 215}
    told = found("\n".join(f"t//{row}/x/value = {value}" for row, value in shown.items()), *same)
    assert [f.row for f in told] == ["r", "s"]


# --- a number beside its place -------------------------------------------------------------------------------------

BESIDE = [
    {"kind": "product", "is": f"t//{row}/{column}/value", "of": [f"src//{row}/{column}/value"], "factor": -1, "exact": True}
    for row in ("nav", "other") for column in ("wage", "school")
]  # fmt: skip


def costs(nav: tuple[str, str], other: tuple[str, str]) -> str:
    numbers = {"nav": ("32 761", "15 600"), "other": ("0", "139 602")}
    lines = [
        f"src//{row}/{c}/value = {n}"
        for row, pair in numbers.items()
        for c, n in zip(("wage", "school"), pair, strict=True)
    ]
    shown = {"nav": nav, "other": other}
    return "\n".join([*lines, *(f"t//{row}/{c}/value = {n}" for row, pair in shown.items()
                                for c, n in zip(("wage", "school"), pair, strict=True))])  # fmt: skip


def test_a_number_in_the_neighbouring_column_is_one_finding() -> None:
    assert found(costs(("-32 761", "-15 600"), ("0", "-139 602")), *BESIDE) == ()
    (one,) = found(costs(("0", "-15 600"), ("0", "-32 761")), *BESIDE)
    assert (one.rule, one.row, one.column, one.certainty) == ("displaced", "nav", "wage", "certain")
    assert [key[2:4] for key in one.cells] == [("nav", "wage"), ("other", "school")]
    assert one.fits == "-32761; -139602"
    # Another number there is another mistake, as is one that too few digits show.
    assert [f.rule for f in found(costs(("0", "-15 600"), ("0", "-35 761")), *BESIDE)] == ["products", "products"]
    few = costs(("0", "-15 600"), ("0", "-32 761")).replace("32 761", "12")
    assert [f.rule for f in found(few, *BESIDE)] == ["products", "products"]


def test_a_stray_number_has_one_home() -> None:
    both = costs(("0", "-15 600"), ("-5", "-32 761")).replace(
        "src//other/wage/value = 0", "src//other/wage/value = 32 761"
    )
    assert sorted(f.rule for f in found(both, *BESIDE)) == ["displaced", "products"]


def test_imprecisely_implied_number_is_not_looked_for_elsewhere() -> None:
    rough = [
        {"kind": "product", "is": f"t//{row}/x/value", "of": [f"src//{row}/{part}/value" for part in ("months", "cost")],
         "why": f"{row}."} for row in ("a", "b")
    ]  # fmt: skip
    text = "src//a/months/value = 2\nsrc//a/cost/value = 512\nsrc//b/months/value = 7\nsrc//b/cost/value = 913\n"
    text += "t//a/x/value = 17\nt//b/x/value = 1113"  # two months, rounded, at 512 are 768 to 1281
    assert [f.rule for f in found(text, *rough)] == ["products", "products"]


def test_neighbours_are_a_row_and_a_column_apart_at_most() -> None:
    text = "\n".join(f"t//r{r}/c{c}/value = {r}{c}7" for r in range(3) for c in range(3)) + "\nt/p/r0/c1/value = 5"
    document = document_of(table(text))

    def at(row: int, column: int, panel: str = "") -> tuple[str, ...]:
        return ("t", panel, f"r{row}", f"c{column}", "value")

    assert neighbours(document, at(0, 0), at(0, 1))
    assert neighbours(document, at(0, 0), at(1, 1))
    assert not neighbours(document, at(0, 0), at(0, 2))
    assert not neighbours(document, at(0, 0), at(2, 1))
    assert not neighbours(document, at(0, 0), at(0, 0))
    assert not neighbours(document, at(0, 0), at(0, 1, "p"))


def test_one_reason_that_fails_throughout_a_row_is_one_finding() -> None:
    each = [
        {
            "kind": "product",
            "is": f"t//saved/{c}/value",
            "of": [f"t//gain/{c}/value"],
            "factor": "0.1",
            "why": "A tenth.",
        }
        for c in "ab"
    ]
    text = "t//gain/a/value = 5201\nt//gain/b/value = 7303\nt//saved/a/value = {}\nt//saved/b/value = 1207"
    (one,) = found(text.format("601"), *each)
    assert (one.rule, one.printed) == ("products", "601; 1207")
    (one,) = found(text.format("520"), *each)  # it holds in one place, so the other is a slip
    assert one.column == "b"
    assert one.printed == "1207"


# --- years ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "unit", "printed", "exact"),
    [
        ("a", "year", "2010", True),
        ("year", "", "2010", True),
        ("year_of_start", "", "2010", True),
        ("months_first_year", "", "2010", False),  # months, however they are named
        ("year", "", "2 010", False),  # nobody groups a year's digits
        ("year", "kroner", "2010", False),
        ("year", "", "9010", False),
    ],
)
def test_a_year_is_exact_by_its_unit_or_its_name(row: str, unit: str, printed: str, exact: bool) -> None:
    (cell,) = document_of(table(f"t//{row}/x/value = {printed}", {row: unit})).cells.values()
    assert (cell.range.point is not None) is exact
    assert (cell.interval(cut=True).point is not None) is exact


def test_a_wrong_year_is_certain() -> None:
    same = {"kind": "same", "is": "text//year_of_june/x/value", "of": ["t//year/x/value"]}
    (one,) = found("t//year/x/value = 2020\ntext//year_of_june/x/value = 2019", same)
    assert (one.certainty, one.fits) == ("certain", "2020")
    three = [{"kind": "same", "is": f"text//{k}/year/value", "of": ["t//year/x/value"]} for k in "ab"]
    (one,) = found("t//year/x/value = 2020\ntext//a/year/value = 2019\ntext//b/year/value = 2019", *three)
    assert "factor" not in one.explanation.en  # of 1.00, which tells nothing
    told = {f.certainty for f in audit(load_published(DATA / "refin_2014.csv"), ()) if f.rule == "repeats"}
    assert told <= {"certain"}


# --- what readers are shown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exhibit", "nb", "en"),
    [("table_4_4", "Tabell 4.4", "Table 4.4"), ("table_iii", "Tabell III", "Table III"), ("table_v1", "Tabell V1", "Table V1"),
     ("figure_8_1", "Figur 8.1", "Figure 8.1"), ("text_5", "Kapittel 5", "Chapter 5"), ("paper_table_3", None, None),
     ("t", None, None)],
)  # fmt: skip
def test_exhibit_has_its_published_name(exhibit: str, nb: str | None, en: str | None) -> None:
    assert (PublishedSource().exhibit_name(exhibit, "nb"), PublishedSource().exhibit_name(exhibit, "en")) == (nb, en)


def test_a_document_may_number_and_name_its_exhibits_otherwise() -> None:
    review = load_source(DATA / "omrade_2024.source.yaml")
    assert review.exhibit_name("table_4_7", "nb") == "Tabell 4-7"
    assert review.exhibit_name("text_4_4", "en") == "Chapter 4.4"
    assert load_source(DATA / "se_klar.source.yaml").exhibit_name("text_method", "en") == "Section on method"


@pytest.mark.parametrize("path", sorted(DATA.glob("*.source.yaml")), ids=lambda path: path.name.partition(".")[0])
def test_every_exhibit_of_the_documents_has_a_name(path: Path) -> None:
    source = load_source(path)
    names = [source.exhibit_name(exhibit, "nb") for exhibit in source.exhibits]
    assert None not in names
    assert len(set(names)) == len(names)
    assert set(source.pages) <= set(source.exhibits)


def test_invalid_source_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "paper.source.yaml"
    assert load_source(path) == PublishedSource()
    path.write_text("titel: A paper\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"paper.source.yaml: the key 'titel'"):
        load_source(path)
    path.write_text("title: [\n", encoding="utf-8")
    with pytest.raises(UserError, match="not valid YAML"):
        load_source(path)


def test_locations_are_named_as_in_the_document() -> None:
    text = "table_1_2//a/x/n = 12,5\ntext_4//b/x/value = 1\ntable_1_2//b/x/value = 3"
    same = {"kind": "same", "is": "text_4//b/x/value", "of": ["table_1_2//b/x/value"]}
    findings = found(text, same)
    source = PublishedSource(numbered_by="-", title="A paper")
    findings = found(text, same, names=source.exhibit_names(["table_1_2", "text_4"]))
    paper = (Audited("paper", 3, findings, source),)
    shown = to_text(paper, "nb")
    assert "1. Tabell 1-2: Umulig verdi (sikkert)" in shown
    assert "Tabell 1-2 › a › x › antall personer er «12,5»" in shown
    assert "Kapittel 4 › b › x › verdi er publisert som «1»" in shown
    assert "Tabell 1-2 › b › x › verdi «3»" in " ".join(shown.split())
    assert "## A paper" in to_markdown(paper, "en")
    assert "| Table 1-2 › a › x › number of people |" in to_markdown(paper, "en")
    assert fitting(replace(findings[0], fits="none, *"), "nb") == "ingen, *"
