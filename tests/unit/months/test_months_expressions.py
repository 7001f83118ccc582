"""The language of derived states: meaning, refusals, limits."""

import duckdb
import pytest

from refino_eval.errors import UserError
from refino_eval.months.expressions import MAX_DEPTH, evaluate, kind_of, names_in, parse, to_sql

KINDS = {"wage": "number", "hours": "number", "aap": "boolean", "employed": "boolean"}
VALUES = {"wage": 0.3, "hours": 18.75, "aap": 1.0, "employed": 0.0}


def run(text, **changed):
    """Evaluate an expression both ways: from the tree, and as SQL."""
    tree, values = parse(text, KINDS, state="s"), {**VALUES, **changed}
    columns = ", ".join(f"CAST({'NULL' if v is None else v} AS DOUBLE) AS {name}" for name, v in values.items())
    with duckdb.connect() as connection:
        ((by_sql,),) = connection.execute(f"SELECT {to_sql(tree)} FROM (SELECT {columns})").fetchall()
    value = evaluate(tree, values)
    assert by_sql == value
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
        ("hours between 18.75 and 37.5", 1),
        ("hours not between 18.75 and 37.5", 0),
        ("hours in (4, 18.75)", 1),
        ("hours not in (4, -18.75)", 1),
        ("aap + employed = 1", 1),
        ("(hours >= 4) * wage", 0.3),
        ("not aap and employed or aap", 1),
        ("hours == 18.75 and hours <> 4", 1),
    ],
)
def test_meaning(text, expected):
    assert run(text) == expected


def test_missing_makes_missing_whatever_the_rest_says():
    assert run("aap or hours > 4", hours=None) is None
    assert run("wage * 0", wage=None) is None
    assert run("aap", hours=None) == 1


def test_division_by_zero_is_missing():
    assert run("1 / (hours - 18.75)") is None
    assert run("aap or 1 / employed > 3") is None
    assert run("hours / wage", wage=0.5) == 37.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wge > 0", "no state 'wge'. Did you mean 'wage'?"),
        ("wage and aap", "the state 'wage' is a number"),
        ("not hours", "the state 'hours' is a number"),
        ("1 < hours < 3", "cannot be chained"),
        ("hours >", "it ends too early"),
        ("", "it ends too early"),
        ("(hours", "')' is missing before the end"),
        ("hours 3", "'3' stands where the expression should have ended"),
        ("hours in ()", "'in' takes a list of numbers"),
        ("hours in (wage)", "'in' takes a list of numbers"),
        ("hours; drop table x", "the character ';' has no meaning"),
        ("__import__('os')", "the character '_' has no meaning"),
        ("min(hours)", "',' is missing before ')'"),
        ("and", "'and' stands where a number"),
        ("hours not 3", "goes with 'between' and 'in' only"),
        ("1 +" * 400 + "1", "longer than 1000 characters"),
        ("(" * 60 + "1" + ")" * 60, f"nested more than {MAX_DEPTH} deep"),
    ],
)
def test_refusals_say_what_is_wrong(text, told):
    with pytest.raises(UserError) as fault:
        parse(text, KINDS, state="s")
    assert told in str(fault.value)
    assert "State 's'" in str(fault.value)


def test_kinds():
    assert kind_of(parse("hours >= 4", KINDS, state="s")) == "boolean"
    assert kind_of(parse("aap", KINDS, state="s")) == "boolean"
    assert kind_of(parse("aap + employed", KINDS, state="s")) == "number"
    assert kind_of(parse("-aap", KINDS, state="s")) == "number"


def test_names_come_in_order_and_once():
    assert names_in("aap and min(hours, wage) > 1 or not aap") == ("aap", "hours", "wage")


def test_sql_is_as_long_as_the_text_not_as_its_powers():
    text = "aap"
    for _ in range(MAX_DEPTH - 1):
        text = f"({text}) between 0 and 1"
    assert len(to_sql(parse(text, KINDS, state="s"))) < 20_000
