"""Random expressions: SQL, arrays and the plain evaluation agree; random text never does anything but parse or fail."""

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refino_eval.errors import UserError
from refino_eval.expressions import parse
from refino_eval.expressions.expression_arrays import to_array
from refino_eval.expressions.expression_sql import to_sql
from refino_eval.expressions.expression_words import expression_words
from refino_eval.expressions.plain import evaluate

KINDS = {"a": "number", "b": "number", "p": "boolean", "q": "boolean"}

atoms = st.sampled_from(["a", "b", "0", "1", "2.5", "18.75"])


def _numbers(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from(["+", "-", "*", "/", "**"])).map(lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"),
        st.tuples(pair, st.sampled_from(["min", "max", "coalesce"])).map(lambda t: f"{t[1]}({t[0][0]}, {t[0][1]})"),
        st.tuples(inner, st.sampled_from(["log", "sqrt", "abs", "floor", "round"])).map(lambda t: f"{t[1]}({t[0]})"),
        inner.map(lambda n: f"-{n}"),
        inner.map(lambda n: f"band({n}, 0, 2)"),
        st.tuples(pair, st.sampled_from(["p", "not q", "missing(a)", "a > b"])).map(
            lambda t: f"({t[0][0]} if {t[1]} else {t[0][1]})"
        ),
    )


numbers = st.recursive(atoms, _numbers, max_leaves=5)
comparisons = st.one_of(
    st.tuples(numbers, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers).map(" ".join),
    st.tuples(numbers, numbers, numbers).map(lambda t: f"{t[0]} between {t[1]} and {t[2]}"),
    numbers.map(lambda n: f"{n} not in (0, 1, -2.5)"),
    st.tuples(numbers, numbers).map(lambda t: f"{t[0]} in (2, {t[1]})"),
    numbers.map(lambda n: f"missing({n})"),
    st.sampled_from(["p", "q", "true", "false"]),
)
booleans = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda b: f"not ({b})"),
        inner.map(lambda b: f"missing({b})"),
    ),
    max_leaves=4,
)
mixed = st.tuples(booleans, numbers).map(lambda t: f"({t[0]}) * {t[1]}")
value = st.none() | st.sampled_from([-2.5, 0.0, 1.0, 2.0, 18.75, 37.5])
truth = st.none() | st.sampled_from([0.0, 1.0])
row = st.fixed_dictionaries({"a": value, "b": value, "p": truth, "q": truth})
rows = st.lists(row, min_size=8, max_size=8)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


def _literal(number):
    return f"CAST({'NULL' if number is None else number} AS DOUBLE)"


def _column(values):
    return pytest.approx([np.nan if value is None else value for value in values], nan_ok=True, rel=1e-9)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(text=st.one_of(numbers, booleans, mixed), given_rows=rows)
def test_sql_arrays_and_plain_evaluation_agree(connection, text, given_rows):
    try:
        tree = parse(text, KINDS, where="State 's'")
    except UserError as error:
        assume("divides by zero" not in str(error))
        raise
    expected = [evaluate(tree, values) for values in given_rows]
    # A number so large that rounding decides is not what is tried here.
    assume(all(value is None or abs(value) < 1e12 for value in expected))
    table = " UNION ALL ".join(
        f"SELECT {number} AS place, " + ", ".join(f"{_literal(values[name])} AS {name}" for name in KINDS)
        for number, values in enumerate(given_rows)
    )
    results = connection.execute(f"SELECT {to_sql(tree)} FROM ({table}) ORDER BY place").fetchall()
    assert [np.nan if result is None else result for (result,) in results] == _column(expected)
    arrays = {
        name: np.asarray([np.nan if values[name] is None else values[name] for values in given_rows]) for name in KINDS
    }
    assert to_array(tree, arrays).tolist() == _column(expected)
    assert expression_words(text, {}, "nb")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=st.text(alphabet="ab p()+-*/<>=!,.;'\"`0123 \nnotandorinbetweenifelse", max_size=60))
def test_any_text_is_an_expression_or_a_users_error(text):
    try:
        tree = parse(text, KINDS, where="State 's'")
    except UserError:
        return
    assert to_sql(tree)
