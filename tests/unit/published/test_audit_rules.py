"""The audit's rules: each finds a planted error, and is silent on a table that is only rounded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from refino_eval.published.audit import RULES, Finding, audit, rule_text
from refino_eval.published.audit.shares_and_counts import counts_within
from refino_eval.published.intervals import Interval, stands_for
from refino_eval.published.relations import Relation
from refino_eval.published.values import COLUMNS, load_published, parse_printed

DATA = Path(__file__).parents[3] / "data" / "published"


def table(text: str) -> pd.DataFrame:
    """Read lines of `exhibit/panel/row/column/statistic = print`; the line of the document is their number."""
    rows = []
    for number, line in enumerate(text.strip().splitlines(), start=1):
        key, _, printed = line.partition(" = ")
        rows.append((*key.strip().split("/"), printed.strip(), "", str(number)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rules(text: str, *relations: dict[str, object]) -> list[str]:
    return [finding.rule for finding in found(text, *relations)]


def found(text: str, *relations: dict[str, object]) -> tuple[Finding, ...]:
    given = tuple(Relation.model_validate({"why": "It must.", **relation}) for relation in relations)
    return audit(table(text), given, name="paper")


def test_published_number_can_be_what_rounds_to_it() -> None:
    assert stands_for(parse_printed("20,3")) == Interval(Fraction("20.25"), Fraction("20.35"))
    assert stands_for(parse_printed("20,3"), cut=True).high == Fraction("20.4")
    assert stands_for(parse_printed("-0.010"), cut=True).low == Fraction("-0.011")
    assert stands_for(parse_printed("46 000")) == Interval(Fraction(45500), Fraction(46500))
    assert stands_for(parse_printed("4898"), statistic="n") == Interval(Fraction(4898), Fraction(4898))
    assert stands_for(parse_printed("30 %"), qualifier="about") == Interval(Fraction("0.275"), Fraction("0.325"))


# --- tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "complains"), [("1,54", False), ("1,43", False), ("1,7", False), ("1,75", True), ("-1,54", True)]
)
def test_t_is_estimate_over_error(t: str, complains: bool) -> None:
    # 2.15..2.25 over 1.45..1.55: 1.387 to 1.552 by rounding; 1,7 stands for up to 1.75 and is reported, 1.54 is not.
    text = f"t//job/effect/estimate = 2,2\nt//job/effect/std_error = (1,5)\nt//job/effect/t_stat = ({t})"
    assert rules(text) == (["t_stat"] if complains or t == "1,7" else [])


def test_a_sign_that_t_contradicts_needs_no_error() -> None:
    (one,) = found("t//a/e/estimate = -0,7\nt//a/e/t_stat = (0,68)")
    assert (one.rule, one.certainty, one.fits) == ("t_stat", "certain", "0.7")


@pytest.mark.parametrize(("p", "complains"), [("0,15", False), ("0,14", False), ("0,51", True), ("0,015", True)])
def test_p_follows_from_t(p: str, complains: bool) -> None:
    text = f"t//a/e/estimate = 2,2\nt//a/e/std_error = 1,50\nt//a/e/p_value = {p}\nt//a/e/n = 268"
    assert rules(text) == (["p_value"] if complains else [])


@pytest.mark.parametrize(
    ("low", "high", "complains"),
    [("-0,74", "5,14", False), ("-0,27", "4,67", False), ("-0,74", "5,54", True), ("1,2", "3,2", True)],
)
def test_an_interval_fits_its_estimate_and_error(low: str, high: str, complains: bool) -> None:
    text = f"t//a/e/estimate = 2,20\nt//a/e/std_error = 1,50\nt//a/e/conf_low = {low}\nt//a/e/conf_high = {high}"
    assert rules(text) == (["interval"] if complains else [])


STARS = {"kind": "stars", "of": ["t/*/*/*/*"], "levels": ["0.1", "0.05", "0.01"], "df": 263}


@pytest.mark.parametrize(
    ("estimate", "t", "complains"),
    [
        ("0,8*", "(2,14)", True),
        ("0,8**", "(2,14)", False),
        ("1,5", "(1,73)", True),
        ("1,5", "(1,65)", False),  # may be 1.645, which is no star yet
        ("1,5*", "(1,64)", False),  # may be 1.645, which with the normal is one
        ("1,5*", "(1,63)", True),
    ],
)
def test_stars_follow_from_t(estimate: str, t: str, complains: bool) -> None:
    text = f"t//a/e/estimate = {estimate}\nt//a/e/t_stat = {t}\nt//b/e/estimate = 2,0**\nt//b/e/t_stat = (2,1)"
    assert rules(text, STARS) == (["stars"] if complains else [])


def test_levels_of_stars_are_inferred_from_starred_cells() -> None:
    starred = "".join(f"t//{row}/e/estimate = {b}\nt//{row}/e/std_error = (0.010)\n" for row, b in
                      (("a", "0.017*"), ("b", "0.022**"), ("c", "0.030***")))  # fmt: skip
    assert rules(starred) == []
    assert rules(starred + "t//d/e/estimate = 0.024\nt//d/e/std_error = (0.010)") == ["stars"]
    # Where nothing is starred, one finding speaks of the table.
    bare = "u//d/e/estimate = 0.024\nu//d/e/std_error = (0.010)\nu//f/e/estimate = 0.04\nu//f/e/std_error = (0.010)"
    (one,) = found(starred + bare)
    assert (one.rule, one.certainty) == ("stars_missing", "possible")
    # With p-values a table needs none.
    tested = bare + "\nu//d/e/p_value = 0.017\nu//f/e/p_value = 0.000"
    assert found(starred + tested) == ()


# --- shares --------------------------------------------------------------------------------------------------------


def test_grim() -> None:
    assert list(counts_within(Interval(Fraction("56.85"), Fraction("56.95")), 167, 100)) == [95]
    assert not counts_within(Interval(Fraction("20.25"), Fraction("20.35")), 167, 100)


@pytest.mark.parametrize(
    ("share", "certainty"), [("56,9", ""), ("20,4", ""), ("20,3", "possible"), ("20,2", "likely"), ("0", "")]
)
def test_a_share_of_people_is_a_whole_count(share: str, certainty: str) -> None:
    text = f"t//all/arm/n = 167\nt//married/arm/share = {share}\nt//men/arm/share = 56,9"
    assert [finding.certainty for finding in found(text)] == ([certainty] if certainty else [])


def test_share_of_many_people_is_not_reported() -> None:
    assert rules("t//all/arm/n = 4 598\nt//a/arm/share = 29,2\nt//b/arm/share = 33,1") == []


@pytest.mark.parametrize(
    ("cell", "complains"),
    [("r_squared = 0,21", False), ("r_squared = 1,21", True), ("p_value = -0,1", True), ("std_error = (0,1)", False),
     ("sd = -0,2", True), ("n = 12,5", True), ("share = 101", True)],
)  # fmt: skip
def test_impossible_values(cell: str, complains: bool) -> None:
    text = f"t//a/c/{cell}" + ("\nt//b/c/share = 40" if "share" in cell else "")
    assert rules(text) == (["impossible"] if complains else [])


def test_deviation_of_a_binary_variable_follows_from_its_mean() -> None:
    columns = (("x", "0.54", "(0.50)"), ("y", "0.28", "(0.45)"), ("z", "0.10", "(0.30)"))
    right = "\n".join(f"t//row/{c}/mean = {m}\nt//row/{c}/sd = {s}" for c, m, s in columns)
    assert rules(right) == []
    (one,) = found(right.replace("(0.30)", "(0.20)"))
    assert (one.rule, one.column, one.certainty) == ("binary_sd", "z", "likely")
    binary = {"kind": "binary", "of": ["t//row/*/*"]}
    assert found(right.replace("(0.30)", "(0.20)"), binary)[0].certainty == "certain"
    # An amount below one is not taken for a yes/no variable.
    assert rules("t//pay/x/mean = 0.54\nt//pay/x/sd = 0.90\nt//pay/y/mean = 0.60\nt//pay/y/sd = 1.10") == []


@pytest.mark.parametrize(("p", "complains"), [("0,09", False), ("0,12", False), ("0,90", True), ("0,001", True)])
def test_the_p_value_of_two_shares(p: str, complains: bool) -> None:
    text = (
        "t//all/a/n = 167\nt//all/b/n = 101\nt//men/a/share = 56,9\nt//men/b/share = 67,3\n"
        f"t//men/difference/share = 10,4\nt//men/difference/p_value = {p}"
    )
    assert rules(text) == (["two_shares"] if complains else [])


# --- arithmetic ----------------------------------------------------------------------------------------------------

ARMS = """
t//all/all/n = 4901
t//all/a/n = 1827
t//all/b/n = 3074
t//age/all/mean = 39.90
t//age/a/mean = 39.43
t//age/b/mean = 40.19
t//age/all/sd = (11.84)
t//age/a/sd = (11.95)
t//age/b/sd = (11.76)
t//experience/all/mean = 17.30
t//experience/a/mean = 16.92
t//experience/b/mean = 17.53
t//income/all/mean = 1.57
t//income/a/mean = 1.59
t//income/b/mean = 1.56
"""


def test_column_for_all_is_inferred_from_its_size() -> None:
    assert rules(ARMS) == []
    (one,) = found(ARMS.replace("39.90", "39.60"))
    assert (one.rule, one.row, one.column, one.fits) == (
        "means",
        "age",
        "all",
        "[39.901, 39.912]",
    ) or one.rule == "means"
    assert rules(ARMS.replace("(11.84)", "(12.04)")) == ["means"]


DIFFERENCES = "\n".join(
    f"t//{row}/a/share = {a}\nt//{row}/b/share = {b}\nt//{row}/gap/share = {d}"
    for row, a, b, d in (
        ("men", "56,9", "67,3", "10,4"), ("born", "82,6", "82,2", "-0,4"), ("child", "43,7", "39,6", "-4,1"),
        ("school", "46,7", "49,5", "2,8"), ("aap", "67,7", "66,3", "-1,3"), ("known", "10,2", "5,9", "-4,2"),
    )
)  # fmt: skip


def test_column_of_differences_is_inferred_with_its_direction() -> None:
    gap = {"kind": "explained", "of": ["t//*/gap/share"], "rule": "impossible"}
    assert rules(DIFFERENCES, gap) == []  # -1.3 for 66.3 - 67.7 is rounding
    (one,) = found(DIFFERENCES.replace("= 2,8", "= -2,8"), gap)
    assert (one.rule, one.row, one.fits) == ("differences", "school", "[2.7, 2.9]")
    assert rules(DIFFERENCES.replace("= 10,4", "= 1,04"), gap) == ["differences"]


YEARS = "\n".join(
    f"t//{row}/{column}/count = {n}"
    for row, numbers in (("2017", ("13 843", "2459", "16 302")), ("2018", ("10 603", "2980", "13 583")),
                         ("2019", ("6 066", "1 826", "7 892")), ("all", ("30 512", "7 265", "37 777")))
    for column, n in zip(("a", "b", "all"), numbers, strict=True)
)  # fmt: skip


def test_totals_are_sums_and_one_wrong_cell_is_one_finding() -> None:
    assert rules(YEARS) == []
    (one,) = found(YEARS.replace("10 603", "10 630"))
    assert (one.rule, one.row, one.column, one.printed, one.fits) == ("sums", "2018", "a", "10 630", "10603")


def test_two_exchanged_counts_are_one_exchange() -> None:
    swapped = YEARS.replace("= 2980", "= X").replace("= 1 826", "= 2980").replace("= X", "= 1 826")
    (one,) = found(swapped)
    assert one.rule == "swap"
    assert {one.row, *(key[2] for key in one.cells)} == {"2018", "2019"}


def test_a_number_that_others_support_is_not_to_blame() -> None:
    same = [{"kind": "same", "is": f"text//{name}/x/value", "of": ["title//year/x/value"]} for name in "abc"]
    text = "title//year/x/value = 2014\n" + "\n".join(f"text//{name}/x/value = 2013" for name in "ab")
    told = found(text + "\ntext//c/x/value = 2014", *same)
    assert {key[2] for finding in told for key in finding.cells} == {"a", "b"}  # and no exchange with the title
    assert {finding.rule for finding in told} == {"repeats"}


def test_what_a_relation_declares_is_certain_unless_digits_may_be_cut() -> None:
    total = {"kind": "sum", "is": "t//whole/c/share", "of": ["t//one/c/share", "t//two/c/share"]}
    text = "t//whole/c/share = {}\nt//one/c/share = 0,8\nt//two/c/share = 32,9"
    assert rules(text.format("33,6"), total) == []
    assert [f.certainty for f in found(text.format("33,1"), total)] == ["certain"]
    assert [f.certainty for f in found(text.format("33,9"), total)] == ["possible"]  # 0.89 + 32.99, cut, is 33.88


def test_a_conversion_in_the_text_is_held_against_its_table() -> None:
    kroner = {"kind": "product", "is": "text//pay/c/value", "of": ["t//pay/c/estimate"], "factor": 100000}
    text = "t//pay/c/estimate = -0.00088\ntext//pay/c/value = {}"
    assert rules(text.format("-88"), kroner) == []
    (one,) = found(text.format("-880"), kroner)
    assert (one.rule, one.certainty, one.exhibit, one.fits) == ("products", "certain", "text", "[-88.5, -87.5]")


# --- sister models -------------------------------------------------------------------------------------------------


def specifications(**changes: str) -> str:
    errors = {"pay": "(0.0059)", "any": "(0.016)", "hours": "(0.73)", "full": "(0.013)"}
    estimates = {"pay": "-0.00088", "any": "-0.0096", "hours": "-0.17", "full": "-0.014"}
    lines = []
    for panel in ("main", "none", "linear"):
        for column in errors:
            for statistic, values in (("estimate", estimates), ("std_error", errors)):
                value = changes.get(f"{panel}_{column}_{statistic}", values[column])
                lines.append(f"t/{panel}/treated/{column}/{statistic} = {value}")
    return "\n".join(lines)


def test_exchanged_cells_are_found_by_their_standard_errors() -> None:
    assert rules(specifications()) == []
    (one,) = found(
        specifications(
            linear_pay_estimate="-0.010", linear_pay_std_error="(0.016)", linear_any_estimate="0.000054", linear_any_std_error="(0.0061)"
        )
    )  # fmt: skip
    assert (one.rule, one.panel, one.column) == ("swap", "linear", "pay")
    assert one.fits == "0.000054; (0.0061); -0.010; (0.016)"
    (alone,) = found(specifications(none_hours_std_error="(0.013)", none_full_std_error="(0.73)"))
    assert alone.statistic == "std_error"  # the estimates stand where they belong


def test_an_error_ten_times_too_large_is_one_digit_out_of_place() -> None:
    (one,) = found(specifications(none_any_std_error="(0.16)"))
    assert (one.rule, one.panel, one.column, one.fits) == ("magnitude", "none", "any", "0.016")
    assert rules(specifications(none_any_std_error="(0.019)")) == []


def models(**changes: str) -> str:
    """Return a regression table: four models of five regressors, with stars alone."""
    values = {
        "treated": "0,0150**",
        "age": "0,00892***",
        "age_squared": "-0,000104***",
        "job": "0,113***",
        "woman": "-0,0243***",
    }
    lines = []
    for model in ("m1", "m2", "m3", "m4"):
        lines += [f"t//{row}/{model}/estimate = {changes.get(f'{model}_{row}', v)}" for row, v in values.items()]
        lines += [f"t//all/{model}/n = 26 294", f"t//all/{model}/mean = 0,299"]
        lines.append(f"t//all/{model}/r_squared = {changes.get(f'{model}_fit', '0,245')}")
    return "\n".join(lines)


LEVELS = {"kind": "stars", "of": ["*/*/*/*/estimate"], "levels": ["0.1", "0.05", "0.01"]}


@pytest.mark.parametrize(
    ("change", "rule", "fits"),
    [
        ({"m3_age_squared": "-0,00123***"}, "magnitude", "-0.000123"),
        ({"m3_age": "-0,00892***"}, "sign", "0,00892***"),
        ({"m3_woman": "-0,243"}, "stars_size", "-0.0243"),
        ({"m2_job": "0,0150**"}, "copied", ""),
    ],
)
def test_regressors_are_compared_with_sibling_models(change: dict[str, str], rule: str, fits: str) -> None:
    assert rules(models(), LEVELS) == []
    (one,) = found(models(**change), LEVELS)
    assert (one.rule, one.fits) == (rule, fits)


def test_a_fit_that_falls_when_a_regressor_is_added() -> None:
    more = models() + "\nt//interaction/m4/estimate = -0,0431***"
    assert rules(more, LEVELS) == []
    (one,) = found(more.replace("t//all/m4/r_squared = 0,245", "t//all/m4/r_squared = 0,157"), LEVELS)
    assert (one.rule, one.column) == ("nested", "m4")


def test_a_row_copied_from_another_specification() -> None:
    moved = {f"none_{c}_estimate": v for c, v in (("pay", "0.0024"), ("any", "-0.0067"))}
    base = specifications(**moved) + "".join(
        f"\nt/{panel}/treated/{column}/{statistic} = {value}"
        for panel in ("main", "none", "linear")
        for column, b, se in (("sum", "0.091", "(0.047)"), ("months", "0.2041", "(0.15)"), ("half", "0.23", "(0.13)"))
        for statistic, value in (
            ("estimate", {"linear": "0.053"}.get(panel, b) if column == "sum" else b if panel != "linear" else f"{b}1"),
            ("std_error", se),
        )
    )
    copied = [finding for finding in found(base) if finding.rule == "copied"]
    assert [finding.panel for finding in copied] == ["none"]


def test_unexplained_differences_of_size_are_one_finding() -> None:
    text = "a//all/x/n = 4901\nb//all/x/n = 4898\nc//all/x/n = 4898\nd//all/x/n = 1827"
    (one,) = found(text)
    assert (one.rule, one.certainty, one.exhibit) == ("sample", "possible", "a")
    known = {"kind": "explained", "of": ["a/*/*/*/n"], "rule": "sample"}
    assert rules(text, known) == []


# --- real print ----------------------------------------------------------------------------------------------------


def test_the_report_whose_cells_changed_places() -> None:
    published = load_published(DATA / "refino_2023.csv")
    tables = published[published["exhibit"].str.startswith("table")]
    swaps = [finding for finding in audit(tables) if finding.rule == "swap"]
    assert [(f.exhibit, f.panel, f.column) for f in swaps] == [("table_ii", "linear", "wage")]
    assert [key[3] for key in swaps[0].cells] == ["wage", "wage", "any_wage", "any_wage"]


def test_docs_list_every_rule() -> None:
    page = (DATA.parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    for rule in RULES:
        title, must, source = (rule_text(part, rule, "en") for part in ("title", "must", "source"))
        assert f"| {title} | `{rule}` | {must} | {source} |" in page, rule
