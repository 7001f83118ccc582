"""What may come in: numbers in any dress, and nothing that only looks like numbers."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import as_columns, as_vector


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        (np.array([True, False]), [1, 0]),
        (pd.Series([1, None], dtype="Int64"), [1, np.nan]),
        (pd.Series([True, None], dtype="boolean"), [1, np.nan]),
        (pd.Series([True, None], dtype=object), [1, np.nan]),
        (pd.Series([Decimal("1.5"), None]), [1.5, np.nan]),
        (pd.Series([1.5, 2], dtype="float32"), [1.5, 2]),
        (pd.Categorical([3, 1]), [3, 1]),
        (pd.Series([2, None], dtype="int64[pyarrow]"), [2, np.nan]),
    ],
)
def test_numbers_in_any_dress(values, expected):
    found = as_vector(values, what="x")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2"],
        pd.to_datetime(["2020-01-01"]),
        pd.to_timedelta([3], unit="D"),
        pd.Categorical(["a", "b"]),
        np.array([1 + 2j]),
        pd.Series([1, "2"], dtype=object),
    ],
)
def test_what_only_looks_like_numbers_is_refused(values):
    with pytest.raises(UserError, match="x must be numbers"):
        as_vector(values, what="x")


def test_columns_keep_or_get_their_names():
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, np.nan]})
    assert as_columns(frame, 2, what="outcomes")[1] == ("a", "b")
    assert as_columns({"a": [1, 2]}, 2, what="outcomes")[1] == ("a",)
    assert as_columns(frame["b"], 2, what="outcomes")[1] == ("b",)
    assert as_columns(np.ones((2, 2)), 2, what="outcomes")[1] == ("outcome_1", "outcome_2")
    assert as_columns(np.ones(2), 2, what="outcomes", names=["y"])[0].shape == (2, 1)
    with pytest.raises(UserError, match="outcomes 'b' must be numbers"):
        as_columns(frame.assign(b="text"), 2, what="outcomes")
    with pytest.raises(UserError, match="outcomes 'outcome_2' must be numbers"):
        as_columns(np.array([[1, "a"], [2, "b"]], dtype=object), 2, what="outcomes")
    with pytest.raises(UserError, match="3 dimensions"):
        as_columns(np.ones((2, 2, 2)), 2, what="outcomes")
    with pytest.raises(UserError, match="outcomes has 2 rows where 3"):
        as_columns(frame, 3, what="outcomes")
