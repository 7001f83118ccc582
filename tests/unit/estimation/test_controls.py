"""Encodings of control variables."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import ControlTerm, build_controls, itt

FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, 50.0, np.nan, 60.0],
        "edu": ["low", "high", None, "mid", "low", "high"],
        "earnings": [0.0, 0.0, 0.0, 10.0, 20.0, 30.0],
        "female": [True, False, True, False, True, False],
        "same": [1.0] * 6,
    }
)


def columns(*terms):
    matrix = build_controls(FRAME, terms)
    return matrix, dict(zip(matrix.names, matrix.values.T.tolist(), strict=True))


def test_linear_and_bool():
    matrix, found = columns(ControlTerm("female"), ControlTerm("earnings"))
    assert matrix.names == ("female", "earnings")
    assert found["female"] == [1, 0, 1, 0, 1, 0]
    assert matrix.rows.all()


def test_linear_with_indicator_has_the_mean_in_place():
    _, found = columns(ControlTerm("age", missing="indicator"))
    assert found["age"] == [20, 30, 40, 50, 40, 60]
    assert found["age=missing"] == [0, 0, 0, 0, 1, 0]


def test_categories_leave_out_the_first_and_give_missing_its_own():
    matrix, found = columns(ControlTerm("edu", "categories", missing="indicator"))
    assert matrix.reference == {"edu": "high"}
    assert found == {
        "edu=low": [1, 0, 0, 0, 1, 0],
        "edu=mid": [0, 0, 0, 1, 0, 0],
        "edu=missing": [0, 0, 1, 0, 0, 0],
    }


def test_quantile_bins_keep_a_mass_point_together_as_qcut_does():
    matrix, found = columns(ControlTerm("earnings", "quantile_bins", bins=3))
    assert matrix.edges["earnings"] == pytest.approx((0.0, 40 / 3))
    assert list(found.values()) == [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 1]]
    assert matrix.reference["earnings"] == "<=0"
    values = np.random.default_rng(0).standard_normal(1000)
    bins = build_controls(pd.DataFrame({"x": values}), [ControlTerm("x", "quantile_bins", bins=7)])
    expected = pd.get_dummies(pd.qcut(values, 7)).to_numpy(float)[:, 1:]
    np.testing.assert_array_equal(bins.values, expected)


def test_edges_are_closed_below():
    matrix, found = columns(ControlTerm("age", "edges", edges=(30, 50), missing="indicator"))
    assert found["age:[30,50)"] == [0, 1, 1, 0, 0, 0]
    assert found["age:[50,inf)"] == [0, 0, 0, 1, 0, 1]
    assert found["age=missing"] == [0, 0, 0, 0, 1, 0]
    assert matrix.reference["age"] == "<30"


def test_drop_leaves_people_out_and_decides_bins_without_them():
    matrix, found = columns(ControlTerm("age", missing="drop"), ControlTerm("edu", "categories", missing="drop"))
    assert matrix.rows.tolist() == [True, True, False, True, False, True]
    assert "edu=missing" not in found
    assert np.isnan(matrix.values[4, 0])
    y, z = np.array([1.0, 2, 3, 4, 5, 9]), np.array([0, 1, 0, 1, 0, 0])
    assert itt(np.where(matrix.rows, y, np.nan), z, controls=matrix.values[:, :1], missing="common").n[0] == 4


def test_bins_are_those_of_the_people_kept():
    frame = FRAME.assign(edu=["low", "low", "low", "low", None, None])
    matrix = build_controls(
        frame, [ControlTerm("edu", "categories", missing="drop"), ControlTerm("earnings", "quantile_bins", bins=2)]
    )
    assert matrix.edges["earnings"] == (0.0,)


def test_columns_that_are_the_same_for_everybody_are_dropped():
    matrix, _ = columns(ControlTerm("same"), ControlTerm("female"), ControlTerm("earnings", "edges", edges=(5, 500)))
    assert matrix.dropped == ("same", "earnings:[500,inf)")
    assert matrix.names == ("female", "earnings:[5,500)")


def test_indicator_without_missing_adds_nothing():
    matrix, _ = columns(ControlTerm("earnings", missing="indicator"))
    assert matrix.names == ("earnings",)


def test_all_faults_at_once():
    with pytest.raises(UserError) as told:
        build_controls(FRAME, [ControlTerm("age"), ControlTerm("edu", missing="drop"), ControlTerm("femal")])
    assert [fault.split(";")[0] for fault in told.value.problems] == [
        "Control 'age' is missing for 1 of 6 people",
        f"Control 'edu' holds {FRAME['edu'].dtype} values and is encoded as linear",
        "No column 'femal' for a control. Did you mean 'female'?",
    ]
    with pytest.raises(UserError, match="named 2 times"):
        build_controls(FRAME, [ControlTerm("female"), ControlTerm("female")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "linea"}, "Did you mean 'linear'"),
        ({"missing": "ignore"}, "Unknown rule for missing"),
        ({"encoding": "quantile_bins"}, "needs bins"),
        ({"encoding": "quantile_bins", "bins": 1}, "at least 2"),
        ({"bins": 4}, "no other encoding takes bins"),
        ({"encoding": "edges"}, "needs edges"),
        ({"encoding": "edges", "edges": (3, 2)}, "increasing"),
        ({"encoding": "edges", "edges": ()}, "increasing"),
    ],
)
def test_terms_check_themselves(options, message):
    with pytest.raises(UserError, match=message):
        ControlTerm("age", **options)
