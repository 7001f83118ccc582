"""Numbers that only other rows, or other tables about the same people, contradict."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.published.audit.audit_document import audit

COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]


def reported(cells, changes=()):
    """Return the rules and first numbers of the findings about cells with some of them changed."""
    cells = {**cells, **dict(changes)}
    rows = [(*key.split("/"), text, "", "", "") for key, text in cells.items()]
    return {(finding.rule, "/".join(finding.cells[0])) for finding in audit(pd.DataFrame(rows, columns=COLUMNS))}


def divided(seed=3):
    """Return three tables of one sample: the programme of each person by age, by education and by income."""
    rng = np.random.default_rng(seed)
    n, cells = 6421, {}
    programme = rng.choice(7, n, p=[0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05])
    for name, groups in (("age", 4), ("education", 3), ("income", 5)):
        # Programmes differ by group, and groups by size.
        sizes = 0.5 ** np.arange(groups)
        chosen = rng.choice(groups, n, p=sizes / sizes.sum())
        group = np.where(rng.random(n) < 0.3, programme % groups, chosen)
        for k in range(groups):
            inside = programme[group == k]
            cells[f"by_{name}//all/{name}_{k}/n"] = str(len(inside))
            for of in range(7):
                cells[f"by_{name}//programme_{of}/{name}_{k}/share"] = f"{100 * np.mean(inside == of):.0f}"
    return cells


def test_the_shares_of_everybody_are_the_same_in_tables_that_divide_the_same_people():
    cells = divided()
    assert reported(cells) == set()
    at = "by_education//programme_1/education_2/share"
    wrong = reported(cells, {at: str(int(cells[at]) + 20)})
    # The column no longer adds up to a hundred either.
    assert wrong
    assert {place.split("/")[0] for _, place in wrong} == {"by_education"}
    # A row copied from another one leaves no column with another sum than its table.
    copied = {f"by_age//programme_2/age_{k}/share": cells[f"by_age//programme_5/age_{k}/share"] for k in range(4)}
    assert any(rule == "means" and "programme_2" in place for rule, place in reported(cells, copied))


def test_sizes_of_subgroups_add_up_to_the_same_people_in_each_table():
    cells = divided()
    at, other = "by_age//all/age_0/n", "by_age//all/age_3/n"
    text = cells[at]
    assert ("sums", at) in reported(cells, {at: text[1] + text[0] + text[2:]})
    assert {rule for rule, _ in reported(cells, {at: cells[other], other: cells[at]})} == {"swap"}


def effects(statistic="mean", factor=1.0):
    """Return ten outcomes with the means of two groups, an adjusted difference, and its t-statistic."""
    rng = np.random.default_rng(5)
    cells = {}
    for k in range(10):
        control = float(rng.uniform(4, 20))
        error = 0.35 * control**0.5 * float(rng.uniform(0.85, 1.15))
        effect = error * float(rng.choice([-1, 1])) * float(rng.uniform(0.9, 2.5))
        treated = control + effect + 0.15 * error * float(rng.uniform(-1, 1))
        cells[f"effects//outcome_{k}/treated/{statistic}"] = f"{factor * treated:.2f}"
        cells[f"effects//outcome_{k}/control/{statistic}"] = f"{factor * control:.2f}"
        cells[f"effects//outcome_{k}/effect/estimate"] = f"{effect:.2f}"
        cells[f"effects//outcome_{k}/effect/t_stat"] = f"{effect / error:.2f}"
    return cells


@pytest.mark.parametrize("statistic", ["mean", "share"])
def test_an_estimate_is_near_the_difference_of_the_means_where_those_of_other_rows_are(statistic):
    cells = effects(statistic)
    assert reported(cells) == set()
    at = "effects//outcome_4/treated/" + statistic
    wrong = reported(cells, {at: f"{float(cells[at]) + 9:.2f}"})
    assert ("differences", "effects//outcome_4/effect/estimate") in wrong


def test_a_standard_error_far_from_what_the_means_of_its_row_suggest_is_reported():
    cells = effects()
    at = "effects//outcome_6/effect/t_stat"
    # The t of ten times the size is possible by itself.
    moved = reported(cells, {at: f"{float(cells[at]) * 10:.2f}"})
    assert ("magnitude", at) in moved
    assert len(moved) == 1


def test_a_row_that_repeats_the_next_one_is_reported_where_neighbours_differ():
    rng = np.random.default_rng(9)
    cells = {f"shares//row_{k}/{c}/value": str(rng.integers(20, 90)) for k in range(9) for c in "ab"}
    assert reported(cells) == set()
    next_to = {f"shares//row_4/{c}/value": cells[f"shares//row_3/{c}/value"] for c in "ab"}
    assert ("copied", "shares//row_4/a/value") in reported(cells, next_to)
    # Two such small rows that are not next to each other may be equal by chance.
    apart = {f"shares//row_7/{c}/value": cells[f"shares//row_3/{c}/value"] for c in "ab"}
    assert reported(cells, apart) == set()


def samples():
    """Return two tables of five outcomes, the second in two thirds of the first's sample."""
    cells = {}
    for name, (size, error) in {"all": (1.0, 1.0), "adults": (0.66, 1.3)}.items():
        for k, (n, se) in enumerate(((5120, 0.021), (4410, 0.34), (5120, 0.0071), (2870, 11.2), (3950, 1.43))):
            key = f"{name}/main/invited/outcome_{k}"
            cells[f"{key}/estimate"] = f"{se * error * (1.1, -0.7, 0.4, 1.8, -1.3)[k]:.4f}"
            cells[f"{key}/std_error"] = f"{se * error * (1 + 0.02 * k):.4f}"
            cells[f"{key}/n"] = str(round(n * size * (1, 1.006, 1, 0.995, 0.997)[k]))
    return cells


@pytest.mark.parametrize(
    ("statistic", "wrong"), [("n", "4419"), ("n", "51200"), ("std_error", "4.4000"), ("std_error", "0.0340")]
)
def test_sizes_and_standard_errors_of_two_tables_are_in_proportion(statistic, wrong):
    cells = samples()
    assert reported(cells) == set()
    at = f"all/main/invited/outcome_{0 if statistic == 'n' else 1}/{statistic}"
    assert ("magnitude", at) in reported(cells, {at: wrong})


def test_two_exchanged_sizes_are_recognised_by_those_of_another_table():
    cells = samples()
    first, second = (f"adults/main/invited/outcome_{k}/n" for k in (1, 3))
    wrong = reported(cells, {first: cells[second], second: cells[first]})
    assert {rule for rule, _ in wrong} == {"swap"}


def test_a_large_t_of_a_small_table_is_compared_with_those_of_the_document():
    cells = samples()
    at = "adults/main/invited/outcome_2/estimate"
    assert reported(cells, {at: "3.0037"}) == {("magnitude", at.replace("estimate", "std_error"))}


def rounded(rows, columns):
    """Return a table of whole per cent whose columns add up to a hundred before rounding."""
    rng = np.random.default_rng(1)
    cells = {}
    for c in range(columns):
        for r, share in enumerate(rng.dirichlet(np.full(rows, 3.0))):
            cells[f"shares//row_{r}/column_{c}/share"] = f"{100 * share:.0f} %"
    return cells


def test_a_sum_of_shares_that_rounding_would_seldom_give_is_reported():
    cells = rounded(10, 5)
    assert reported(cells) == set()
    at = "shares//row_4/column_2/share"
    # Four points are within what ten roundings allow, and still improbable.
    wrong = reported(cells, {at: f"{int(cells[at].split()[0]) + 4} %"})
    assert [(rule, place.split("/")[3]) for rule, place in wrong] == [("sums", "column_2")]


def programmes():
    """Return months, prices and costs of seven programmes; the last is a transfer, of which a fifth is a cost."""
    rows = ((7, 23413, 0.2), (9, 18677, 1.2), (13, 9111, 1.2), (14, 8391, 1.2), (6, 7097, 1.2), (4, 10133, 1.2))
    cells = {}
    for k, (months, price, factor) in enumerate(rows):
        cells[f"costs//programme_{k}/months/value"] = str(months)
        cells[f"costs//programme_{k}/price/value"] = str(price)
        cells[f"costs//programme_{k}/cost/value"] = f"{months * price * factor:.0f}"
        cells[f"rates//programme_{k}/rate/value"] = "536"
    return cells


@pytest.mark.parametrize("factor", ["0.1", "-1", "1.05"])
def test_costs_follow_from_months_and_prices_by_a_factor_that_three_rows_show(factor):
    cells = programmes()
    assert reported(cells) == set()
    # Two of the five rows are wrong: three precise ones are still no chance.
    for k, wrong in ((1, factor), (2, "0.93")):
        at = f"costs//programme_{k}/cost/value"
        cells[at] = f"{float(cells[at]) * float(wrong):.0f}"
    assert {place.split("/")[2] for _, place in reported(cells)} == {"programme_1", "programme_2"}


@pytest.mark.parametrize(
    ("wrong", "rules"), [("526", {"repeats"}), ("563", {"repeats"}), ("54", {"repeats"}), ("912", set())]
)
def test_one_number_that_differs_by_a_typing_error_from_a_constant_column_is_reported(wrong, rules):
    assert {rule for rule, _ in reported(programmes(), {"rates//programme_3/rate/value": wrong})} == rules


def test_one_size_far_from_all_others_of_a_table_is_reported_where_a_digit_would_explain_it():
    cells = {f"sizes/p{k}/all/c/n": str(n) for k, n in enumerate((4834, 4790, 4811, 4902, 4868, 4850))}
    assert reported(cells) == set()
    assert ("sample", "sizes/p2/all/c/n") in reported(cells, {"sizes/p2/all/c/n": "1811"})
    # A subsample need not be a typing error.
    assert reported(cells, {"sizes/p2/all/c/n": "2371"}) == set()


def test_the_only_number_that_breaks_a_series_is_reported():
    cells = {f"survival//week_{k}/still_there/share": f"{99 * 0.87**k:.1f}" for k in range(12)}
    assert reported(cells) == set()
    at = "survival//week_6/still_there/share"
    assert reported(cells, {at: "4.3"}) == {("order", at)}
    # A small turn is a turn.
    assert reported(cells, {at: "49.9"}) == set()


def test_numbers_in_columns_of_other_decimals_are_reported():
    rng = np.random.default_rng(2)
    cells = {}
    for k in range(9):
        cells[f"mixed//row_{k}/years/mean"] = f"{rng.uniform(20, 60):.0f}"
        cells[f"mixed//row_{k}/hours/mean"] = f"{rng.uniform(20, 60):.2f}"
    assert reported(cells) == set()
    first, second = "mixed//row_2/years/mean", "mixed//row_7/hours/mean"
    assert reported(cells, {first: cells[second], second: cells[first]}) == {("swap", first)}
    assert reported(cells, {first: "41.3"}) == {("displaced", first)}
    # A small number has more decimals so as not to be zero.
    cells = {f"one//row_{k}/effect/estimate": f"{k + 1.4:.1f}" for k in range(9)}
    assert reported(cells, {"one//row_4/effect/estimate": "5.43"}) == {("displaced", "one//row_4/effect/estimate")}
    assert reported(cells, {"one//row_4/effect/estimate": "0.02"}) == set()


def test_stars_do_not_fall_where_t_rises_whatever_the_levels_are():
    cells = {}
    for k, (t, stars) in enumerate(((0.4, ""), (2.1, "*"), (1.3, ""), (2.6, "**"))):
        cells[f"effects//outcome_{k}/effect/estimate"] = f"{3.1 * t:.1f}{stars}"
        cells[f"effects//outcome_{k}/effect/t_stat"] = f"{t:.2f}"
    assert reported(cells) == set()
    at = "effects//outcome_2/effect"
    assert reported(cells, {f"{at}/t_stat": "3.10"}) == {("stars", f"{at}/estimate")}


@pytest.mark.parametrize(("sd", "rules"), [("48.5", {"binary_sd"}), ("4.65", {"binary_sd"}), ("31.2", set())])
def test_one_standard_deviation_of_a_yes_no_variable_may_have_a_typing_error(sd, rules):
    cells = {}
    for k, (mean, spread) in enumerate(((23.9, 21.7), (120.6, 13.7), (88.2, 9.4))):
        for arm, factor in (("treated", 1.0), ("control", 1.03)):
            cells[f"means//all/outcome_{k}/mean_{arm}"] = f"{mean * factor:.1f}"
            cells[f"means//all/outcome_{k}/sd_{arm}"] = f"{spread * factor:.1f}"
    cells["means//all/all/n"] = "1600"
    cells["means//all/anxious/mean_treated"], cells["means//all/anxious/sd_treated"] = "32.6", "46.9"
    cells["means//all/anxious/mean_control"], cells["means//all/anxious/sd_control"] = "31.5", "46.5"
    assert reported(cells) == set()
    # 31.2 is no typing error: the other one may fit by chance.
    assert {rule for rule, _ in reported(cells, {"means//all/anxious/sd_control": sd})} == rules


def p_values():
    """Return nine outcomes with the usual p-value, that of a permutation test, and one adjusted for the family."""
    cells = {}
    for k, p in enumerate((0.004, 0.031, 0.012, 0.22, 0.47, 0.081, 0.63, 0.15, 0.34)):
        for name, value in (("p_value", p), ("p_value_ri", p * 1.04), ("p_value_fwer", 1 - (1 - p) ** 4)):
            cells[f"tests//outcome_{k}/effect/{name}"] = f"{value:.3f}"
    return cells


@pytest.mark.parametrize(
    ("name", "wrong"), [("p_value_ri", "0.620"), ("p_value_fwer", "0.042"), ("p_value_fwer", "0.993")]
)
def test_several_p_values_of_one_test_agree(name, wrong):
    cells = p_values()
    assert reported(cells) == set()
    assert reported(cells, {f"tests//outcome_3/effect/{name}": wrong}) == {
        ("p_value", f"tests//outcome_3/effect/{name}")
    }


def test_a_standard_error_is_compared_with_the_control_mean_of_its_outcome():
    rng = np.random.default_rng(4)
    cells = {}
    for k in range(9):
        mean = float(rng.uniform(0.05, 0.6))
        error = 0.021 * (mean * (1 - mean)) ** 0.5 * float(rng.uniform(0.93, 1.07)) * 2
        cells[f"effects//treated/outcome_{k}/estimate"] = f"{error * (k / 3 - 1.2):.4f}"
        cells[f"effects//treated/outcome_{k}/std_error"] = f"{error:.4f}"
        cells[f"effects//control/outcome_{k}/mean"] = f"{mean:.3f}"
    assert reported(cells) == set()
    at = "effects//treated/outcome_5/std_error"
    assert ("magnitude", at) in reported(cells, {at: cells[at].replace("0.0", "0.00", 1)[:6]})


def test_a_table_whose_only_size_is_negative_is_audited_to_the_end():
    assert reported({"sizes//all/all/n": "-412", "sizes//all/all/mean": "3.1"}) == {("impossible", "sizes//all/all/n")}
