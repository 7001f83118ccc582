"""The language of definitions: meaning in every back end, refusals, limits."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.expressions import kind_of, names_in, parse
from refino_eval.expressions.expression_arrays import _ON_NUMBERS, _ON_VALUES, derive_column, to_array
from refino_eval.expressions.expression_sql import _NUMBERS, to_sql
from refino_eval.expressions.expression_tree import TRUTHS
from refino_eval.expressions.expression_words import expression_words
from refino_eval.expressions.language import DEEPEST_BRACKETS, FUNCTIONS, RESERVED
from refino_eval.expressions.plain import _LOGIC, evaluate
from refino_eval.expressions.plain import _NUMBERS as PLAIN

KINDS = {"wage": "number", "hours": "number", "aap": "boolean", "employed": "boolean"}
VALUES = {"wage": 0.3, "hours": 18.75, "aap": 1.0, "employed": 0.0}


def read(text):
    return parse(text, KINDS, where="State 's'")


def run(text, **changed):
    """Compute an expression in every way there is: from the tree, on arrays, as SQL."""
    tree, values = read(text), {**VALUES, **changed}
    columns = ", ".join(f"CAST({'NULL' if v is None else v} AS DOUBLE) AS {name}" for name, v in values.items())
    with duckdb.connect() as connection:
        ((by_sql,),) = connection.execute(f"SELECT {to_sql(tree)} FROM (SELECT {columns})").fetchall()
    value = evaluate(tree, values)
    by_array = to_array(tree, {name: np.asarray([np.nan if v is None else v]) for name, v in values.items()})[0]
    assert by_sql == pytest.approx(value)
    assert (None if np.isnan(by_array) else by_array) == pytest.approx(value)
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hours >= 18.75", 1),
        ("hours > 18.75", 0),
        ("aap and employed", 0),
        ("aap or employed", 1),
        ("not (employed or hours < 4)", 1),
        ("not not aap", 1),
        ("1 + 2 * 3 - 4 / 2", 5),
        ("-(1 - 3)", 2),
        ("--2", 2),
        ("2 - 1 - 1", 0),
        ("min(hours, 10) + max(wage, 1)", 11),
        ("min(hours, 30, 4, 5)", 4),
        ("hours between 18.75 and 37.5", 1),
        ("hours not between 18.75 and 37.5", 0),
        ("hours between 4 and 20 and aap", 1),
        ("hours between (wage between 0 and 1) and 20 or employed", 1),
        ("hours in (4, 18.75)", 1),
        ("hours in (wage * 62.5)", 1),
        ("hours not in (4, -18.75)", 1),
        ("aap + employed = 1", 1),
        ("(hours >= 4) * wage", 0.3),
        ("not aap and employed or aap", 1),
        ("hours == 18.75 and hours <> 4", 1),
        ("-2 ** 2", -4),
        ("hours if aap else 0", 18.75),
        ("1 if hours < 4 else 2 if hours < 20 else 3", 2),
        ("round(2.5) + round(3.5) + round(-0.4)", 6),
        ("floor(-0.5) + abs(-3)", 2),
        ("sqrt(hours * 12) + log(exp(1))", 16),
        ("band(hours, 4, 18.75, 30)", 2),
        ("true and not false", 1),
        (".5 + 1e1 + 1_000", 1010.5),
        ("hours\n  >= 4", 1),
    ],
)
def test_meaning(text, expected):
    assert run(text) == pytest.approx(expected)


TRUTH_TABLE = {
    # text: value where `aap` is true, false and missing, with hours missing throughout
    "aap or hours > 4": (1, None, None),
    "aap and hours > 4": (None, 0, None),
    "not (aap and hours > 4)": (None, 1, None),
    "missing(hours) or hours > 4": (1, 1, 1),
    "hours > 4 and false": (0, 0, 0),
    "hours > 4 or true": (1, 1, 1),
    "missing(aap)": (0, 0, 1),
    "missing(aap and hours > 4)": (1, 0, 1),
    "coalesce(hours, aap, 5)": (1, 0, 5),
    "2 if aap else hours": (2, None, None),
    "hours between 0 and 5": (None, None, None),
    "3 between hours and 1": (0, 0, 0),
    "3 in (hours, 3)": (1, 1, 1),
    "3 in (hours, 4)": (None, None, None),
    "min(hours, aap)": (None, None, None),
    "max(1, coalesce(hours, 2))": (2, 2, 2),
    "0 * hours": (None, None, None),
    "1 ** hours": (None, None, None),
    "not missing(hours) and hours > 4": (0, 0, 0),
    "band(coalesce(aap, hours), 1)": (1, 0, None),
}


@pytest.mark.parametrize("text", TRUTH_TABLE)
def test_logic_with_missing_values_is_that_of_sql(text):
    assert tuple(run(text, aap=aap, hours=None) for aap in (1.0, 0.0, None)) == TRUTH_TABLE[text]


@pytest.mark.parametrize(
    "text",
    ["1 / (hours - 18.75)", "1 / (1 / employed)", "log(employed)", "sqrt(-wage)", "(-8) ** wage", "exp(hours * 99)"],
)
def test_results_that_are_not_finite_are_missing(text):
    assert run(text) is None
    assert run(f"({text}) > 1") is None
    assert run(f"coalesce({text}, 7)") == 7


def test_case_22_in_a_person_table():
    frame = pd.DataFrame({"kids": [np.nan, np.nan, 2, 0], "z": [0, 1, 0, 0]})
    assert derive_column("missing(kids) or kids > 1", frame, name="a").tolist() == [1, 1, 1, 0]
    logic = derive_column("kids > 1 and z = 0", frame, name="b").tolist()
    assert logic == pytest.approx([np.nan, 0, 1, 0], nan_ok=True)
    chosen = derive_column("0 if missing(kids) else kids > 1", frame, name="c").tolist()
    assert chosen == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("wge > 0", "no state 'wge'. Did you mean 'wage'?"),
        ("wage and aap", "the state 'wage' is a number"),
        ("not hours", "the state 'hours' is a number"),
        ("hours if wage else 0", "the state 'wage' is a number"),
        ("1 < hours < 3", "cannot be chained"),
        ("hours >", "makes no sense at its end"),
        ("", "it is empty"),
        ("(hours", "')' is missing before the end"),
        ("hours)", "')' closes a bracket that was not opened"),
        ("hours 3", "makes no sense at '3'"),
        ("hours in ()", "'in' takes at least one value"),
        ("hours in wage", "'in' takes values in parentheses"),
        ("hours between 1", "'between' is followed by a lower limit"),
        ("(hours between 1) and 2", "'between' is followed by a lower limit"),
        ("between 1 and 2", "makes no sense"),
        ("hours; drop table x", "the character ';' has no meaning"),
        ("__import__('os')", "there is no function '__import__'"),
        ("wage.real", "the character '.' has no meaning"),
        ("(1, 2)", "a list of values has a meaning after 'in' only"),
        ("wage | 1", "the character '|' has no meaning"),
        ("min(hours)", "min(...) takes 2 to 20 values"),
        ("mni(hours, 1)", "no function 'mni'. Did you mean 'min'?"),
        ("(wage)(1)", "there is no function 'wage'"),
        ("and", "makes no sense at 'and'"),
        ("hours not 3", "makes no sense at '3'"),
        ("hours = '3'", "'3' is a text, and a state is a number"),
        ("days(hours)", "for columns of a person table"),
        ("quantile_group(hours, 4)", "for columns of a person table"),
        ("hours > 1" + "0" * 320, "is too large"),
        ("hours = 9007199254740993", "more digits than a number can hold exactly"),
        ("hours / 0", "divides by zero"),
        ("1 +" * 400 + "1", "longer than 1000 characters"),
        ("(" * 60 + "1" + ")" * 60, f"nested more than {DEEPEST_BRACKETS} deep"),
        ("-" * 900 + "1", "parts"),
    ],
)
def test_refusals_say_what_is_wrong(text, reason):
    with pytest.raises(UserError) as error:
        read(text)
    assert reason in str(error.value)
    assert "State 's'" in str(error.value)


def test_kinds():
    for text, kind in {
        "hours >= 4": "boolean",
        "aap": "boolean",
        "aap + employed": "number",
        "-aap": "number",
        "0 if aap else employed": "boolean",
        "coalesce(aap, 0)": "boolean",
        "wage if aap else 0": "number",
        "missing(wage)": "boolean",
    }.items():
        assert kind_of(read(text)) == kind, text


def test_names_come_in_order_and_once():
    assert names_in("aap and min(hours, wage) > 1 or not aap") == ("aap", "hours", "wage")
    assert names_in("`Size Class` = 'big name' and log(x) > y if missing(z) else true") == ("Size Class", "x", "y", "z")
    assert names_in("hours >= ") == ("hours",)
    assert names_in("hours ; x") == ()


def test_every_operator_has_every_back_end():
    operators = {*TRUTHS, *FUNCTIONS, "neg", "+", "-", "*", "/", "**", "if"}
    assert {*_ON_NUMBERS, *_ON_VALUES} == operators
    of_states = operators - {name for name, function in FUNCTIONS.items() if function.of_person_tables_only}
    assert {*_LOGIC, *PLAIN} == of_states
    assert {*_NUMBERS} == of_states - {*TRUTHS, "if"}


def test_sql_of_a_threshold_is_what_auditors_know():
    assert to_sql(read("wage > 0")) == "CASE WHEN wage IS NULL THEN NULL WHEN wage > 0E0 THEN 1E0 ELSE 0E0 END"
    assert to_sql(read("hours * 52 / 12")) == (
        "CASE WHEN hours IS NULL THEN NULL ELSE ((hours * 52E0) / NULLIF(12E0, 0)) END"
    )
    assert to_sql(read("aap and not employed")) == "CAST(((aap <> 0 AND NOT (employed <> 0))) AS DOUBLE)"


def test_sql_is_as_long_as_the_text_not_as_its_powers():
    text = "aap"
    for _ in range(DEEPEST_BRACKETS - 1):
        text = f"({text}) between 0 and 1"
    assert len(to_sql(read(text))) < 20_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aap and not employed", "«AAP» and not «employed»"),
        ("not (aap or hours >= 4)", "not («AAP» or hours ≥ 4)"),
        ("hours * 52 / 12", "hours * 52 / 12"),
        ("hours - (wage - 1)", "hours - (wage - 1)"),
        ("(hours - wage) - 1", "hours - wage - 1"),
        ("(hours + wage) * 2", "(hours + wage) * 2"),
        ("hours not in (1, 2)", "hours not in (1, 2)"),
        ("hours not between 1 and 2.5", "hours not between 1 and 2.5"),
        ("0 if missing(hours) else min(hours, 5)", "0 if hours is missing, otherwise min(hours, 5)"),
        ("hours = (wage > 1)", "hours = (wage > 1)"),
        ("hours >", "hours >"),
    ],
)
def test_words(text, words):
    assert expression_words(text, {"aap": "AAP", "employed": "employed"}, "en") == words


def test_words_of_the_language_are_reserved():
    assert {"and", "or", "not", "between", "in", "if", "else", "min", "max"} <= RESERVED
