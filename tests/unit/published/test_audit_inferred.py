"""Relations that no name announces are found from the numbers, and the numbers that break them are reported."""

from statistics import NormalDist

import pandas as pd
import pytest

from refino_eval.published.audit.audit_document import audit
from refino_eval.published.audit.whole_numbers import deviation_possible, whole_sums
from refino_eval.published.intervals import stands_for
from refino_eval.published.values import parse_printed

COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]


def published(rows):
    return pd.DataFrame([("table_1", "", *row, "", "", "") for row in rows], columns=COLUMNS)


def reported(rows):
    return {(finding.rule, finding.cells[0][2:4]) for finding in audit(published(rows))}


PLACES = {"north": (314, 271, 828), "south": (159, 182, 459), "west": (265, 845, 904)}


def places(total):
    rows = [
        (place, f"year_{k}", "count", str(value)) for place, values in PLACES.items() for k, value in enumerate(values)
    ]
    return rows + [("whole_country", f"year_{k}", "count", str(value)) for k, value in enumerate(total)]


def test_a_row_that_is_the_sum_of_the_rows_above_it_is_found_without_a_name():
    assert reported(places((738, 1298, 2191))) == set()
    assert reported(places((738, 1298, 2911))) == {("sums", ("whole_country", "year_2"))}
    # Rows that add up nowhere are no sums.
    assert reported(places((812, 1077, 2500))) == set()


def costs(last):
    rows = []
    for k, (months, price) in enumerate(((9.5, 12345), (3.2, 23456), (17.1, 8765), (6.4, 15432))):
        cost = last if k == 3 else round(months * price)
        rows += [
            (f"programme_{k}", "months", "value", f"{months:.1f}"),
            (f"programme_{k}", "price", "value", str(price)),
            (f"programme_{k}", "cost", "value", str(cost)),
        ]
    return rows


def test_a_column_that_is_the_product_of_two_others_is_found():
    assert reported(costs(round(6.4 * 15432))) == set()
    # Any number of the row may be the wrong one.
    assert {(rule, row) for rule, (row, _) in reported(costs(89765))} == {("products", "programme_3")}


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ({"f_stat": "2.31", "df": "5", "df_residual": "200", "p_value": "0.045"}, False),
        ({"f_stat": "2.31", "df": "5", "df_residual": "200", "p_value": "0.45"}, True),
        ({"chi2": "7.81", "df": "3", "p_value": "0.05"}, False),
        ({"chi2": "7.81", "df": "3", "p_value": "0.02"}, True),
    ],
)
def test_a_p_value_follows_from_an_f_or_a_chi_square_and_its_degrees_of_freedom(numbers, wrong):
    found = reported([("joint", "all", statistic, text) for statistic, text in numbers.items()])
    assert found == ({("p_value", ("joint", "all"))} if wrong else set())


def shares(wrong):
    columns = {"y1": (12.1, 30.4, 57.5), "y2": (18.3, 21.9, 59.8), "y3": (25.0, 33.3, wrong)}
    return [(f"g{k}", year, "share", f"{part:.1f}") for year, parts in columns.items() for k, part in enumerate(parts)]


def test_shares_that_add_up_to_a_hundred_in_other_columns_must_do_so_here():
    assert reported(shares(41.7)) == set()
    assert {rule for rule, _ in reported(shares(14.7))} == {"sums"}


def arms(counts, size=("241", "187")):
    rows = [("people", arm, "n", n) for arm, n in zip(("a", "b"), size, strict=True)]
    for k, pair in enumerate(counts):
        for arm, count, n in zip(("a", "b"), pair, (241, 187), strict=True):
            rows += [(f"trait_{k}", arm, "count", str(count)), (f"trait_{k}", arm, "share", f"{100 * count / n:.1f}")]
    return rows


def test_percentages_follow_from_counts_by_a_factor_that_the_other_rows_give():
    rows = arms([(120, 88), (31, 40), (200, 151), (77, 52), (15, 19)])
    assert reported(rows) == set()
    wrong = [
        (row, arm, kind, "58.6" if (row, arm, kind) == ("trait_0", "a", "share") else text)
        for row, arm, kind, text in rows
    ]
    assert ("products", ("trait_0", "a")) in reported(wrong)


def binary(sd):
    rows = [("people", arm, "n", n) for arm, n in (("a", "812"), ("b", "790"))]
    for k, (p, q) in enumerate(((0.21, 0.25), (0.4, 0.45), (0.62, 0.58), (0.83, 0.8))):
        for arm, share in (("a", p), ("b", q)):
            text = sd if (k, arm) == (1, "a") else f"{(share * (1 - share)) ** 0.5:.3f}"
            rows += [(f"trait_{k}", arm, "mean", f"{share:.3f}"), (f"trait_{k}", arm, "sd", text)]
    return rows


def test_a_variable_is_binary_if_the_standard_deviations_of_its_table_show_it():
    assert reported(binary("0.490")) == set()
    assert reported(binary("0.940")) == {("binary_sd", ("trait_1", "a"))}


def answers(mean, sd):
    """Return means and deviations of whole numbers from 1 to 5 in four classes of 18 to 24 pupils."""
    rows = []
    for k, n in enumerate((18, 20, 24, 19)):
        rows.append(("pupils", f"class_{k}", "n", str(n)))
        for question in range(3):
            given = [1 + (7 * i + 3 * question + k) % 5 for i in range(n - 2)] + [5, 5]
            average = sum(given) / n
            spread = (sum((value - average) ** 2 for value in given) / (n - 1)) ** 0.5
            texts = (mean, sd) if mean and (k, question) == (1, 1) else (f"{average:.2f}", f"{spread:.2f}")
            rows += [
                (f"q{question}", f"class_{k}", name, text) for name, text in zip(("mean", "sd"), texts, strict=True)
            ]
    return rows


def test_means_and_deviations_of_whole_numbers_are_recognised_and_checked():
    assert reported(answers("", "")) == set()
    # Twenty whole numbers have no mean of 3.17.
    assert reported(answers("3.17", "1.42")) == {("whole_numbers", ("q1", "class_1"))}


@pytest.mark.parametrize(
    ("n", "mean", "sd", "possible"),
    [(10, "3.4", "1.17", True), (10, "3.4", "1.18", False), (20, "3.17", "1.4", False)],
)
def test_grimmer_knows_the_deviations_of_whole_numbers(n, mean, sd, possible):
    by_hand = [stands_for(parse_printed(text)) for text in (mean, sd)]
    sums = whole_sums(by_hand[0], n)
    assert bool(sums and deviation_possible(by_hand[1], sums, n)[0]) is possible


def two_groups(change):
    """Return means of two groups with Welch's t, of which one number is changed."""
    rows = [("people", "a", "n", "120"), ("people", "b", "n", "85")]
    for k, (a, b, s, r) in enumerate(
        (
            (5.21, 4.87, 1.12, 1.31),
            (20.4, 22.9, 6.1, 5.7),
            (3.31, 3.9, 1.9, 1.2),
            (8.1, 7.2, 2.2, 2.6),
            (1.42, 1.91, 0.6, 0.9),
        )
    ):
        t = (a - b) / (s**2 / 120 + r**2 / 85) ** 0.5
        numbers = {
            "a/mean": f"{a:.2f}",
            "b/mean": f"{b:.2f}",
            "a/sd": f"{s:.2f}",
            "b/sd": f"{r:.2f}",
            "gap/t_stat": f"{t:.2f}",
        }
        for name, text in numbers.items():
            column, statistic = name.split("/")
            rows.append((f"row_{k}", column, statistic, change.get((k, name), text)))
    return rows


def test_a_t_statistic_must_follow_from_two_groups_by_the_test_of_the_other_rows():
    assert reported(two_groups({})) == set()
    assert reported(two_groups({(3, "gap/t_stat"): "3.52"})) == {("group_tests", ("row_3", "gap"))}
    # A smaller t may be that of fewer people, some of whom lack the variable: a tenth at most.
    t = (8.1 - 7.2) / (2.2**2 / (0.93 * 120) + 2.6**2 / (0.93 * 85)) ** 0.5
    assert reported(two_groups({(3, "gap/t_stat"): f"{t:.2f}"})) == set()
    assert reported(two_groups({(3, "gap/t_stat"): f"{0.8 * t:.2f}"})) == {("group_tests", ("row_3", "gap"))}
    # The sign of t is that of the other rows.
    assert reported(two_groups({(0, "gap/t_stat"): "-1.94"})) == {("group_tests", ("row_0", "gap"))}


def test_a_row_that_repeats_another_one_is_reported():
    rows = [(f"r{k}", c, "mean", f"{10.37 * (k + 1) + 1.713 * m:.2f}") for k in range(4) for m, c in enumerate("abc")]
    assert reported(rows) == set()
    copied = [
        (row, c, s, dict(((r, k), t) for r, k, _, t in rows)["r1", c] if row == "r2" else t) for row, c, s, t in rows
    ]
    assert {rule for rule, _ in reported(copied)} == {"copied"}


def pooled(size):
    rows = [("people", arm, "n", n) for arm, n in (("a", size), ("b", "600"), ("all", "1000"))]
    for k, (a, b) in enumerate(((12.0, 48.0), (70.0, 33.0), (55.0, 20.0), (81.0, 35.0), (9.0, 64.0))):
        rows += [
            (f"r{k}", arm, "mean", f"{value:.2f}") for arm, value in (("a", a), ("b", b), ("all", 0.4 * a + 0.6 * b))
        ]
    return rows


def test_the_size_of_a_group_must_be_its_weight_in_the_column_for_all():
    assert reported(pooled("400")) == set()
    assert ("means", ("people", "a")) in reported(pooled("4000"))


def intervals(p):
    rows = []
    for k, z in enumerate((0.4, 1.1, 1.7, 2.2, 2.9, 0.9, 1.4)):
        chance = 2 * (1 - NormalDist().cdf(z))
        numbers = {"estimate": z, "conf_low": z - 1.96, "conf_high": z + 1.96}
        rows += [(f"r{k}", "effect", name, f"{value:.3f}") for name, value in numbers.items()]
        rows.append((f"r{k}", "effect", "p_value", p if p and k == 3 else f"{chance:.3f}"))
    return rows


def test_a_p_value_must_belong_to_its_interval_where_those_of_the_other_rows_do():
    assert reported(intervals("")) == set()
    assert reported(intervals("0.280")) == {("p_value", ("r3", "effect"))}


def test_a_finding_names_all_numbers_of_which_one_is_wrong():
    (finding,) = audit(published(places((738, 1298, 2911))))
    assert {key[2] for key in finding.suspects} == {*PLACES, "whole_country"}
    assert {key[3] for key in finding.suspects} == {"year_2"}
    # One sum that fails does not show which number is wrong.
    assert finding.singled_out == ()


def test_two_sums_that_cross_in_a_number_single_it_out_and_keep_their_other_numbers():
    rows = [
        (place, year, statistic, "549" if (place, year) == ("south", "year_2") else text)
        for place, year, statistic, text in places((738, 1298, 2191))
    ]
    rows += [(place, "all_years", "count", str(sum(values))) for place, values in PLACES.items()]
    (finding,) = audit(published([*rows, ("whole_country", "all_years", "count", str(738 + 1298 + 2191))]))
    assert [key[2:4] for key in finding.singled_out] == [("south", "year_2")]
    in_the_sums = {(place, "year_2") for place in (*PLACES, "whole_country")}
    in_the_sums |= {("south", year) for year in ("year_0", "year_1", "year_2", "all_years")}
    assert {key[2:4] for key in finding.relation} == in_the_sums


def test_of_several_suspects_the_one_with_a_typing_error_comes_first():
    # 828 + 459 + 904 = 2191: of all four numbers only 549 is 459 with two digits transposed.
    rows = [
        (place, year, s, "549" if (place, text) == ("south", "459") else text)
        for place, year, s, text in places((738, 1298, 2191))
    ]
    (finding,) = audit(published(rows))
    assert finding.cells[0][2:4] == ("south", "year_2")
    assert finding.fits == "459"


def test_two_exchanged_counts_are_not_taken_for_the_other_crossings_of_their_rows_and_columns():
    table = {
        "a": (748, 1036, 2036),
        "b": (1129, 232, 839),
        "c": (1501, 2033, 1822),
        "d": (2482, 472, 2200),
        "e": (140, 1396, 689),
    }
    table |= {"sum": tuple(map(sum, zip(*table.values(), strict=True)))}
    wrong = {("b", 1): 1501, ("c", 0): 232}
    rows = [
        (row, f"y{k}", "count", str(wrong.get((row, k), value)))
        for row, values in table.items()
        for k, value in enumerate((*values, sum(values)))
    ]
    named = {key[2:4] for finding in audit(published(rows)) for key in finding.cells}
    assert named == {("b", "y1"), ("c", "y0")}


def test_a_p_value_must_follow_from_the_counts_of_its_block():
    blocks = [((60, 41), (45, 62), (35, 27)), ((88, 70), (52, 60)), ((101, 90), (39, 40))]
    published_p = ("0.031", "0.133", "0.599")

    def rows(texts):
        lines = [("people", arm, "n", n) for arm, n in (("a", "140"), ("b", "130"))]
        for k, (block, p) in enumerate(zip(blocks, texts, strict=True)):
            for m, pair in enumerate(block):
                lines += [(f"b{k}_{m}", arm, "count", str(count)) for arm, count in zip(("a", "b"), pair, strict=True)]
            lines.append((f"b{k}_0", "test", "p_value", p))
        return lines

    assert reported(rows(published_p)) == set()
    assert reported(rows(("0.031", "0.313", "0.599"))) == {("group_tests", ("b1_0", "test"))}


def test_a_t_statistic_with_its_degrees_of_freedom_gives_one_p_value():
    def row(p):
        return [("h1", "test", s, text) for s, text in (("t_stat", "2.10"), ("df_residual", "24"), ("p_value", p))]

    assert reported(row("0.046")) == set()
    assert reported(row("0.064")) == {("p_value", ("h1", "test"))}


def test_one_size_that_differs_from_all_others_by_a_digit_is_reported():
    rows = [
        (f"y{k}", "m", s, text) for k in range(6) for s, text in (("estimate", f"{0.1 * k - 0.17:.2f}"), ("n", "2523"))
    ]
    assert reported(rows) == set()
    assert reported([*rows[:-1], ("y5", "m", "n", "2961")]) == set()
    assert reported([*rows[:-1], ("y5", "m", "n", "2532")]) == set()
    assert reported([*rows[:-1], ("y5", "m", "n", "5223")]) == {("sample", ("y5", "m"))}


def test_a_column_may_have_fewer_people_than_the_others_and_not_more():
    def sizes(last):
        return [("treated", f"y{k}", "n", "1768" if k < 5 else last) for k in range(6)]

    assert reported(sizes("1699")) == set()
    assert reported(sizes("1899")) == {("sample", ("treated", "y5"))}


def test_changes_in_per_cent_are_neither_impossible_shares_nor_sums_of_their_rows():
    before, after = (412, 230, 951, 1593), (371, 260, 902, 1533)
    rows = []
    for name, old, new in zip(("a", "b", "c", "total"), before, after, strict=True):
        numbers = {"2021": old, "2022": new, "growth": new - old}
        rows += [(name, column, "value", str(value)) for column, value in numbers.items()]
        rows.append((name, "growth_in_per_cent", "share", f"{100 * (new - old) / old:.1f}"))
    assert reported(rows) == set()


def test_a_p_value_of_a_variable_of_several_rows_is_not_that_of_its_first_row():
    rows = [("people", arm, "n", "400") for arm in ("a", "b")]
    for k, (a, b) in enumerate(((20.5, 21.0), (45.5, 30.0), (34.0, 49.0))):
        rows += [(f"k_{k}", "a", "share", f"{a}"), (f"k_{k}", "b", "share", f"{b}")]
    rows.append(("k_0", "test", "p_value", "0.000"))
    assert reported(rows) == set()


def test_tests_without_degrees_of_freedom_are_left_out():
    numbers = {"f_stat": "2.31", "df": "5", "df_residual": "0", "p_value": "0.045"}
    assert reported([("joint", "all", statistic, text) for statistic, text in numbers.items()]) == set()


def in_per_cent(last_sd):
    arms = {"treated": (94.8, 22.2), "control": (85.9, last_sd)}
    rows = [("invited", "has_doctor", f"mean_{arm}", f"{mean}") for arm, (mean, _) in arms.items()]
    rows += [("invited", "has_doctor", f"sd_{arm}", f"{sd}") for arm, (_, sd) in arms.items()]
    rows += [("invited", f"q{k}", f"{what}_{arm}", text) for k in range(4) for arm in ("treated", "control")
             for what, text in (("mean", f"{50 + k}.0"), ("sd", f"{(25 - k * k / 100) ** 0.5 * 10:.1f}"))]  # fmt: skip
    return rows


def test_the_standard_deviation_of_a_yes_no_variable_in_per_cent_follows_from_its_mean():
    assert reported(in_per_cent(34.8)) == set()
    assert ("binary_sd", ("invited", "has_doctor")) in reported(in_per_cent(43.8))


def starred(ts):
    return [
        row
        for k, (t, stars) in enumerate(ts)
        for row in ((f"x{k}", "m", "estimate", f"{t / 10:.2f}{stars}"), (f"x{k}", "m", "std_error", "0.10"))
    ]


def test_stars_that_fit_no_convention_state_nothing_about_significance():
    usual = [(2.2, "**"), (2.9, "***"), (1.8, "*"), (2.3, "**")]
    assert ("stars", ("x4", "m")) in reported(starred([*usual, (0.4, "***")]))
    # Here stars mark something else: most of them are on small t.
    assert "stars" not in {rule for rule, _ in reported(starred([(0.3, "*"), (0.8, "*"), (0.4, "*"), (2.9, "*")]))}


def document(tables):
    return pd.DataFrame(
        [(*key.split("/"), text, "", "", "") for table in tables for key, text in table.items()], columns=COLUMNS
    )


COSTS = {"a": "48 312", "b": "76 572", "c": "15 613", "d": "140 952", "e": "9 874"}


def negative(wrong):
    """Return a table of costs and one of net values, which has them with a minus sign, in columns, under another name."""
    first = {f"table_1//{name}/cost/value": text for name, text in COSTS.items()}
    second = {f"table_2//spent/{name}/value": f"-{text}" for name, text in {**COSTS, **wrong}.items()}
    return {(f.rule, f.certainty) for f in audit(document([first, second]))}


def test_a_row_that_repeats_the_negative_of_another_tables_column_must_do_so_everywhere():
    assert negative({}) == set()
    assert negative({"b": "76 752"}) == {("repeats", "possible")}
    # A zero has a reason: the cost is somebody else's.
    assert negative({"b": "0"}) == set()


def text_and_tables(wrong, *, own="25"):
    table = {
        f"table_1//{name}/aap/share": text for name, text in zip("pqrst", ("25", "14", "33", "61", "47"), strict=True)
    }
    other = {
        f"table_2//{name}/aap/share": text for name, text in zip("pqrst", ("6", "11", "29", "52", "38"), strict=True)
    }
    text = {f"text_1/benefits/aap/{key.split('/')[2]}/share": value for key, value in table.items()}
    text["text_1/benefits/aap/p/share"] = own
    return {f.cells[0][:3] for f in audit(document([{**table, **wrong}, other, text]))}


def test_a_number_of_the_text_is_compared_with_the_table_that_it_repeats():
    assert text_and_tables({}) == set()
    assert text_and_tables({"table_1//r/aap/share": "38"}) != set()


def balance(last, error="0.031"):
    rows = [
        (f"x{k}", "gap", "estimate", f"{b}") for k, b in enumerate((0.041, -0.023, 0.017, 0.062, -0.035, 0.028, last))
    ]
    return rows + [(f"x{k}", "gap", "std_error", error if k == 6 else f"0.03{k}") for k in range(7)]


def test_a_t_near_zero_or_far_above_all_others_is_reported():
    assert reported(balance(0.013)) == set()
    assert reported(balance(0.013, "9.031")) == {("magnitude", ("x6", "gap"))}
    assert reported(balance(0.453)) == {("magnitude", ("x6", "gap"))}


def test_equal_estimates_are_reported_where_chance_would_hardly_make_them_equal():
    few = [(f"x{k}", "m", "estimate", text) for k, text in enumerate(("1.2345", "-7.9120", "4.4417", "9.0313"))]
    assert reported(few) == set()
    assert reported([*few, ("x4", "m", "estimate", "4.4417")]) == {("copied", ("x4", "m"))}
    near = [(f"y{k}", "m", "estimate", f"{4.4380 + k / 1000:.4f}") for k in range(8)]
    assert reported([*few, *near, ("x4", "m", "estimate", "4.4417")]) == set()


def parts(wrong):
    columns = {"y1": (12, 31, 46), "y2": (18, 22, 48), "y3": (25, 30, 35), "y4": (21, 29, wrong)}
    return [(f"g{k}", year, "share", f"{part}") for year, values in columns.items() for k, part in enumerate(values)]


def test_shares_of_a_column_add_up_to_about_as_much_as_those_of_the_other_columns():
    assert reported(parts(39)) == set()
    assert {rule for rule, _ in reported(parts(69))} == {"sums"}
    assert {rule for rule, _ in reported(parts(9))} == {"sums"}


def prices(highs):
    return [
        row
        for k, high in enumerate(highs)
        for row in ((f"p{k}", "price", "estimate", "10.0"), (f"p{k}", "price", "conf_low", "8.0"),
                    (f"p{k}", "price", "conf_high", high))
    ]  # fmt: skip


def test_intervals_of_prices_need_not_be_symmetric():
    assert {rule for rule, _ in reported(prices(["12.0", "12.0", "19.0"]))} == {"interval"}
    assert reported(prices(["14.1", "17.2", "19.0"])) == set()


@pytest.mark.parametrize(("text", "wrong"), [("06", True), ("0 090", True), ("0", False), ("7 090", False)])
def test_a_whole_number_does_not_begin_with_a_zero(text, wrong):
    assert reported([("a", "b", "value", text)]) == ({("grouping", ("a", "b"))} if wrong else set())


def specifications(weighted, other):
    estimates = {"plain": "0.0412", "saturated": "0.0437", "weighted": weighted, "other": other}
    errors = {"plain": "0.0121", "saturated": "0.0127", "weighted": "0.0127", "other": "0.0139"}
    return [
        (name, f"y{k}", what, text[:-1] + str(k))
        for name in estimates
        for k in range(4)
        for what, text in (("estimate", estimates[name]), ("std_error", errors[name]))
    ]


def test_equal_rows_are_no_copy_where_all_rows_estimate_one_quantity():
    assert "copied" not in {rule for rule, _ in reported(specifications("0.0437", "0.0401"))}
    assert "copied" in {rule for rule, _ in reported(specifications("0.0437", "0.9401"))}


def test_numbers_that_are_equal_but_for_a_zero_or_a_factor_of_one_show_no_relation():
    counts = ((41, 41, 0), (17, 17, 0), (23, 23, 0), (96, 96, 0), (58, 31, 12), (88, 54, 20))
    rows = [
        (f"r{k}", name, "value", str(n)) for k, line in enumerate(counts) for name, n in zip("abc", line, strict=True)
    ]
    assert reported(rows) == set()
    rows = [(f"r{k}", name, "count" if name == "b" else "value", str(n)) for k, line in
            enumerate(((429, 407), (85, 85), (619, 578), (951, 938), (277, 273), (1204, 1189)))
            for name, n in zip("ab", line, strict=True)]  # fmt: skip
    assert reported(rows) == set()
