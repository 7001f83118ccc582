"""One condition means the same in SQL over a clean register and on a column in memory."""

import datetime as dt
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from refino_eval.config.definitions import Condition
from refino_eval.errors import UserError
from refino_eval.sql.conditions import condition_problems, condition_sql, rows_that_meet

REGISTER = pa.table(
    {
        "code": ["0301", "B", None],
        "week": pa.array([dt.date(2019, 1, 7), dt.date(2019, 1, 14), None], pa.date32()),
        "start": pa.array([dt.date(2019, 1, 7), dt.date(2019, 1, 14), None], pa.date32()),
        "hours": pa.array([1875, 3750, None], pa.int64()),
        "number": pa.array([0.1, 2.5, None], pa.float64()),
        "count": pa.array([1, 2, None], pa.int64()),
    }
)
TYPES = {"code": "code", "week": "week", "start": "date", "hours": "hundredths", "number": "number", "count": "integer"}
COLUMNS = {name: SimpleNamespace(type=column_type) for name, column_type in TYPES.items()}


def condition(column, **says):
    return Condition.model_validate({"column": column, **says})


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (condition("code", **{"in": ["0301"]}), [True, False, False]),
        (condition("code", not_in=["0301"]), [False, True, False]),
        (condition("code", **{"in": []}), [False, False, False]),
        (condition("code", not_in=[]), [True, True, False]),
        (condition("week", **{"in": ["2019-01-07"]}), [True, False, False]),
        (condition("start", not_in=["2019-01-07"]), [False, True, False]),
        (condition("hours", at_least=18.75, at_most=18.75), [True, False, False]),
        (condition("hours", **{"in": [37.5]}), [False, True, False]),
        (condition("number", **{"in": [0.1]}), [True, False, False]),
        (condition("count", not_in=[1], at_most=2), [False, True, False]),
    ],
    ids=lambda given: str(given)[:60],
)
def test_sql_and_columns_agree(given, rows):
    with duckdb.connect() as connection:
        connection.register("s", REGISTER)
        query = f"SELECT coalesce({condition_sql(given, TYPES[given.column])}, false) FROM s"
        assert [met for (met,) in connection.execute(query).fetchall()] == rows
    for frame in (REGISTER.to_pandas(), REGISTER.to_pandas(types_mapper=pd.ArrowDtype)):
        assert rows_that_meet(frame, (given,), COLUMNS).tolist() == rows


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (condition("week", **{"in": ["7 January 2019"]}), "'7 January 2019' is not a day written 'yyyy-mm-dd'"),
        (condition("code", **{"in": [True]}), "is true or false"),
        (condition("code", **{"in": [301]}), "must be written in quotes"),
        (condition("count", **{"in": ["one"]}), "'one' is a text, and the column holds numbers"),
        (condition("code", at_least=1), "compare numbers, and 'code' is the type"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_values_of_another_type_are_reported_once_with_their_column(given, reason):
    (problem,) = condition_problems(given, TYPES[given.column])
    assert reason in problem
    assert given.column in problem


def test_columns_of_person_tables_are_compared_by_code():
    frame = pd.DataFrame({"code": [1.0, 2.0, None], "text": ["1", "x", None], "flag": [True, False, True]})
    assert rows_that_meet(frame, (condition("code", **{"in": ["1"]}),)).tolist() == [True, False, False]
    assert rows_that_meet(frame, (condition("text", **{"in": [1]}),)).tolist() == [True, False, False]
    assert rows_that_meet(frame, (condition("flag", **{"in": [1]}),)).tolist() == [True, False, True]
    assert rows_that_meet(frame, ()).tolist() == [True, True, True]
    with pytest.raises(UserError, match=r"'text' has a limit .* 1 rows hold something else"):
        rows_that_meet(frame, (condition("text", at_least=1),))
