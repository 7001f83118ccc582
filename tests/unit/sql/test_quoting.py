"""Names and values of definitions in SQL text."""

import datetime as dt

import duckdb
import pytest

from refino_eval.sql.quoting import KEYWORDS, date_literal, double_literal, identifier, text_literal, value_literal


def test_every_word_that_the_engine_keeps_for_itself_is_quoted():
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        reserved = {word for (word,) in connection.execute(query).fetchall()}
    names = {word for word in reserved if word.replace("_", "").isalpha()}
    missing = {word for word in names - KEYWORDS if not usable(word)}
    assert missing == set()


def usable(word):
    with duckdb.connect() as connection:
        try:
            connection.execute(f"SELECT s.{word} AS {word} FROM (SELECT 1 AS {word}) AS s").fetchall()
        except duckdb.Error:
            return False
    return True


def test_keywords_are_quoted_and_other_names_are_not():
    assert identifier("order") == '"order"'
    assert identifier("weekly_hours") == "weekly_hours"


@pytest.mark.parametrize("name", ['a"b', "a b", "A", "1a", "", "a;", "æ", "a" * 100])
def test_nothing_but_names_becomes_a_name(name):
    with pytest.raises(ValueError, match="not a name"):
        identifier(name)


@pytest.mark.parametrize("text", ["O'Neil", "''", "'; DROP TABLE x; --", "\\'", "æøå", "a\nb"])
def test_text_comes_back_as_it_was(text):
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {text_literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("number", [0.1, 18.75, 1e-20, 1e300, -2.5, 1 / 3])
def test_numbers_come_back_as_they_were(number):
    with duckdb.connect() as connection:
        value, kind = connection.execute(
            f"SELECT {double_literal(number)}, typeof({double_literal(number)})"
        ).fetchall()[0]
    assert (value, kind) == (number, "DOUBLE")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("REFINO", "code", "'REFINO'"),
        (18.75, "hundredths", "1875"),
        (18.755, "hundredths", "1875.5"),
        (100000, "ore", "10000000"),
        (20, "integer", "20"),
        (0.5, "number", "0.5E0"),
        ("2019-05-01", "date", "DATE '2019-05-01'"),
    ],
)
def test_values_take_the_form_in_which_columns_are_kept(value, kind, expected):
    assert value_literal(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (310, "code", "must be written in quotes"),
        ("20", "integer", "the column holds numbers"),
        (True, "integer", "true or false"),
        ("1.5.2019", "date", "yyyy-mm-dd"),
        (float("nan"), "hundredths", "finite"),
    ],
)
def test_values_of_another_type_are_refused(value, kind, reason):
    with pytest.raises(ValueError, match=reason):
        value_literal(value, kind)


def test_days():
    assert date_literal(dt.date(2019, 5, 1)) == "DATE '2019-05-01'"
