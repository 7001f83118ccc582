"""Relations that no name announces are found from the numbers, and the numbers that break them are reported."""

import pandas as pd
import pytest

from refino_eval.published.audit.audit_document import audit

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
