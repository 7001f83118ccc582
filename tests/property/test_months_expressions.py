"""Random expressions: SQL, arrays and the tree give the same; random text never does anything but parse or fail."""

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refino_eval.errors import UserError
from refino_eval.months.expressions import evaluate, parse, to_array, to_sql

KINDS = {"a": "number", "b": "number", "p": "boolean", "q": "boolean"}

atoms = st.sampled_from(["a", "b", "0", "1", "2.5", "18.75"])


def _numbers(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from("+-*/")).map(lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"),
        st.tuples(pair, st.sampled_from(["min", "max"])).map(lambda t: f"{t[1]}({t[0][0]}, {t[0][1]})"),
        inner.map(lambda n: f"-{n}"),
    )


numbers = st.recursive(atoms, _numbers, max_leaves=5)
comparisons = st.one_of(
    st.tuples(numbers, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers).map(" ".join),
    st.tuples(numbers, numbers, numbers).map(lambda t: f"{t[0]} between {t[1]} and {t[2]}"),
    numbers.map(lambda n: f"{n} not in (0, 1, -2.5)"),
    st.sampled_from(["p", "q"]),
)
booleans = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda b: f"not ({b})"),
    ),
    max_leaves=4,
)
mixed = st.tuples(booleans, numbers).map(lambda t: f"({t[0]}) * {t[1]}")
value = st.none() | st.sampled_from([-2.5, 0.0, 1.0, 2.0, 18.75, 37.5])
truth = st.none() | st.sampled_from([0.0, 1.0])
row = st.fixed_dictionaries({"a": value, "b": value, "p": truth, "q": truth})


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.one_of(numbers, booleans, mixed), values=row)
def test_sql_arrays_and_tree_agree(connection, text, values):
    try:
        tree = parse(text, KINDS, state="s")
    except UserError as fault:
        assume("divides by zero" not in str(fault))
        raise
    columns = ", ".join(f"CAST({'NULL' if v is None else v} AS DOUBLE) AS {name}" for name, v in values.items())
    ((got,),) = connection.execute(f"SELECT {to_sql(tree)} FROM (SELECT {columns})").fetchall()
    expected = evaluate(tree, values)
    assert got == pytest.approx(expected)
    arrays = {name: np.full((2, 3), np.nan if v is None else v) for name, v in values.items()}
    assert to_array(tree, arrays) == pytest.approx(
        np.full((2, 3), np.nan if expected is None else expected), nan_ok=True
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=st.text(alphabet="ab p()+-*/<>=!,.;'\"0123 \nnotandorinbetween", max_size=60))
def test_any_text_is_an_expression_or_a_users_fault(text):
    try:
        tree = parse(text, KINDS, state="s")
    except UserError:
        return
    assert to_sql(tree)
