"""Columns of person tables, from files and from expressions."""

import pandas as pd

from refino_eval.trial.table_columns import column_from_series


def test_a_derived_column_of_texts_and_numbers_has_both_as_codes():
    column = column_from_series("size", "person_table.derive", pd.Series([1.0, 2.5, "many", None], dtype=object))
    assert list(column.codes(exact=True)) == ["1", "2.5", "many", None]
