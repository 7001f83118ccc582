"""Compute covariates from registers: one number for each person and covariate, as of the draw."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.codes.prices import PriceIndex
from refino_eval.config import definitions as d
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.expressions import parse
from refino_eval.expressions.expression_arrays import to_array
from refino_eval.sql.conditions import condition_sql, conditions_sql
from refino_eval.sql.isolated_engine import isolated_engine
from refino_eval.sql.quoting import SCALES, identifier, text_literal

if TYPE_CHECKING:
    import duckdb

COVERS = "s.start <= d.draw_date AND (s.stop IS NULL OR s.stop > d.draw_date)"
"""Condition: the spell covers the day of the draw; `stop` is the first day after it."""

OLDEST = 120
"""Years: somebody older at the draw is an error of the register."""


def derive_covariates(
    draws: pd.DataFrame,
    covariates: Mapping[str, d.Covariate],
    sources: Mapping[str, Source],
    clean: Mapping[str, Path],
    indices: Mapping[str, PriceIndex],
) -> pd.DataFrame:
    """Compute covariates from clean registers.

    Parameters
    ----------
    draws
        One row a person: `person_id` (text) and `draw_date`.
    covariates
        Definitions by name.
    sources
        The registers' sources, for column types.
    clean
        Clean register files (parquet) by register.
    indices
        Price indices by name, for amounts in the prices of one year.

    Returns
    -------
    pandas.DataFrame
        Indexed by `person_id` in the order of `draws`, one double column a covariate, missing as NaN.

    Raises
    ------
    UserError
        When a register with one row a person has several for somebody, or somebody's age at the draw cannot be.
    """
    people = draws[["person_id", "draw_date"]].copy()
    people["draw_year"] = pd.to_datetime(people["draw_date"]).dt.year
    out = pd.DataFrame(index=pd.Index(people["person_id"], name="person_id"))
    if not covariates:
        return out
    # What the engine spills is person-level, so its folder is next to the clean registers.
    with (
        tempfile.TemporaryDirectory(prefix=".covariates-", dir=next(iter(clean.values())).parent) as work,
        isolated_engine([Path(work)], files=list(clean.values())) as connection,
    ):
        connection.register("draws", people)
        for name, covariate in covariates.items():
            if isinstance(covariate, d.ExpressionCovariate):
                continue
            assert covariate.register_name is not None
            source = sources[covariate.register_name]
            spells = f"read_parquet({text_literal(str(clean[covariate.register_name]))})"
            if source.temporality == "fixed":
                _one_row_each(connection, source, spells)
            if isinstance(covariate, d.SeriesCovariate):
                text = _series_sql(covariate, source, spells, clean)
                _one_number_each(connection, source, spells)
            else:
                text = _sql(covariate, source, spells, indices)
            values = connection.execute(text).df().set_index("person_id")["value"].reindex(out.index).astype(float)
            if isinstance(covariate, d.AgeCovariate):
                _check_ages(values, covariate)
            out[name] = values.fillna(_absent(covariate))
    kinds = d.covariate_kinds(covariates)
    for name, covariate in covariates.items():
        if isinstance(covariate, d.ExpressionCovariate):
            tree = parse(covariate.expression, kinds, where=f"Covariate '{name}'")
            named = {other: out[other].to_numpy(dtype=float) for other in covariate.covariates}
            out[name] = to_array(tree, named).astype(float)
    return out[list(covariates)]


def _check_ages(ages: pd.Series, covariate: d.AgeCovariate) -> None:
    young, old = int((ages < 0).sum()), int((ages > OLDEST).sum())
    if young or old:
        raise UserError(
            f"The column {covariate.column} of the register '{covariate.register_name}' gives {young:,} people who were born "
            f"after the draw and {old:,} who were older than {OLDEST}. Check how dates are written (`date_format`, years of "
            f"two digits), or reject such rows by the rule future_date in config/sources/{covariate.register_name}.yaml."
        )


def _absent(covariate: d.Covariate) -> float:
    """Return the value of a person without a row in the register."""
    if isinstance(covariate, d.AfterChangeCovariate):
        return 0.0
    if isinstance(covariate, d.SpellAtDrawCovariate):
        return 1.0 if covariate.kind == "no_spell_at_draw" else 0.0
    if isinstance(covariate, d.YearsWithCovariate | d.SumAtDrawCovariate | d.MonthsBeforeCovariate):
        return 0.0
    if isinstance(covariate, d.AmountInYearCovariate) and covariate.absent is not None:
        return covariate.absent
    return float("nan")


def _sql(covariate: d.Covariate, source: Source, spells: str, indices: Mapping[str, PriceIndex]) -> str:
    """Return a query for the value of a covariate: a row for each person who has one in the register."""
    joined = f"FROM draws AS d JOIN {spells} AS s ON s.person_id = d.person_id"
    if isinstance(covariate, d.SpellAtDrawCovariate):
        return _spell_at_draw_sql(covariate, source, joined)
    if isinstance(covariate, d.AfterChangeCovariate):
        return _after_change_sql(covariate, source, joined)
    if isinstance(covariate, d.MonthsBeforeCovariate):
        return _months_before_sql(covariate, source, joined)
    assert not isinstance(covariate, d.ExpressionCovariate | d.SeriesCovariate)
    column = f"s.{identifier(covariate.column)}"
    if isinstance(covariate, d.SumAtDrawCovariate):
        return _sum_at_draw_sql(covariate, source, column, joined)
    if isinstance(covariate, d.ColumnCovariate):
        return _column_sql(covariate, source, column, joined)
    if isinstance(covariate, d.AgeCovariate):
        return f"SELECT d.person_id, ROUND(({_days('d.draw_date')} - {_days(column)}) / 365.25, 1) AS value {joined}"
    if isinstance(covariate, d.YearsWithCovariate):
        return (
            f"SELECT d.person_id, COUNT(DISTINCT s.period) AS value {joined} "
            f"WHERE s.period < d.draw_year AND {column} > 0 GROUP BY d.person_id"
        )
    return _amount_sql(covariate, source, column, joined, indices)


def _spell_at_draw_sql(covariate: d.SpellAtDrawCovariate, source: Source, joined: str) -> str:
    where = conditions_sql(covariate.where, source.columns) or "TRUE"
    meets = "s.start < d.draw_date" if covariate.kind == "ever_before_draw" else COVERS
    value = 0.0 if covariate.kind == "no_spell_at_draw" else 1.0
    return f"SELECT DISTINCT d.person_id, {value} AS value {joined} WHERE {where} AND {meets}"


def _after_change_sql(covariate: d.AfterChangeCovariate, source: Source, joined: str) -> str:
    met = " OR ".join(
        f"(d.draw_date >= DATE '{change.first}' AND {conditions_sql(change.where, source.columns) or 'TRUE'})"
        for change in covariate.changes
    )
    return f"SELECT DISTINCT d.person_id, 1.0 AS value {joined} WHERE s.start = d.draw_date AND ({met})"


def _sum_at_draw_sql(covariate: d.SumAtDrawCovariate, source: Source, column: str, joined: str) -> str:
    where = conditions_sql(covariate.where, source.columns) or "TRUE"
    natural = SCALES.get(source.columns[covariate.column].type, 1)
    return (
        f"SELECT d.person_id, COALESCE(SUM({column}), 0) / {natural}.0 AS value {joined} WHERE {where} AND {COVERS} "
        "GROUP BY d.person_id"
    )


def _column_sql(covariate: d.ColumnCovariate, source: Source, column: str, joined: str) -> str:
    if covariate.equals is None:
        return f"SELECT d.person_id, CAST({column} AS DOUBLE) AS value {joined}"
    one_of = d.Condition.model_validate({"column": covariate.column, "in": covariate.equals})
    met = condition_sql(one_of, source.columns[covariate.column].type)
    return (
        f"SELECT d.person_id, CASE WHEN {column} IS NULL THEN NULL WHEN {met} THEN 1.0 ELSE 0.0 END AS value {joined}"
    )


def _series_sql(covariate: d.SeriesCovariate, source: Source, numbers: str, clean: Mapping[str, Path]) -> str:
    """Read the number of each person's place in the month so many months from that of the draw."""
    places = f"read_parquet({text_literal(str(clean[covariate.place.register_name]))})"
    month = f"(CAST(date_trunc('month', d.draw_date) AS DATE) + to_months({covariate.months_after}))"
    natural = SCALES.get(source.columns[covariate.column].type, 1)
    return (
        f"SELECT d.person_id, s.{identifier(covariate.column)} / {natural}.0 AS value FROM draws AS d "
        f"JOIN {places} AS p ON p.person_id = d.person_id "
        f"JOIN {numbers} AS s ON s.person_id = CAST(p.{identifier(covariate.place.column)} AS VARCHAR) "
        f"AND s.start <= {month} AND s.stop > {month}"
    )


def _one_number_each(connection: duckdb.DuckDBPyConnection, source: Source, numbers: str) -> None:
    repeated = connection.execute(
        f"SELECT COUNT(*) FROM (SELECT person_id, start FROM {numbers} GROUP BY ALL HAVING COUNT(*) > 1)"
    ).fetchone()
    assert repeated is not None
    if repeated[0]:
        raise UserError(
            f"The register '{source.register_name}' has several numbers for {repeated[0]:,} pairs of unit and period. Add the rule superseded "
            f"(key: [unit, period], written [person_id, period]) to config/sources/{source.register_name}.yaml when a later row corrects an "
            "earlier one, or ask for a delivery with one."
        )


def _months_before_sql(covariate: d.MonthsBeforeCovariate, source: Source, joined: str) -> str:
    """Count calendar months in which a spell has a day; `stop` is the first day after the spell."""
    where = conditions_sql(covariate.where, source.columns) or "TRUE"
    opening = "CAST(date_trunc('month', d.draw_date) AS DATE)"
    month = f"({opening} - to_months(g.month))"
    return (
        f"SELECT d.person_id, COUNT(DISTINCT g.month) AS value {joined} "
        f"JOIN (SELECT unnest(range(1, {covariate.months + 1})) AS month) AS g "
        f"ON s.start < {month} + to_months(1) AND (s.stop IS NULL OR s.stop > {month}) WHERE {where} GROUP BY d.person_id"
    )


def _amount_sql(
    covariate: d.AmountInYearCovariate, source: Source, column: str, joined: str, indices: Mapping[str, PriceIndex]
) -> str:
    natural = SCALES.get(source.columns[covariate.column].type, 1)
    factor = "1.0"
    if covariate.deflate is not None:
        index = indices[covariate.deflate.index]
        base = covariate.deflate.base_year
        cases = " ".join(f"WHEN {year} THEN {index.factor(year, base)!r}" for year in sorted(index.values))
        factor = f"(CASE d.draw_year - {covariate.years_before} {cases} END)"
    return (
        f"SELECT d.person_id, SUM({column}) / {natural * covariate.divide_by!r} * ANY_VALUE({factor}) AS value {joined} "
        f"WHERE s.period = d.draw_year - {covariate.years_before} GROUP BY d.person_id"
    )


def _days(column: str) -> str:
    return f"date_diff('day', DATE '1970-01-01', CAST({column} AS DATE))"


def _one_row_each(connection: duckdb.DuckDBPyConnection, source: Source, spells: str) -> None:
    repeated = connection.execute(
        f"SELECT COUNT(*) FROM (SELECT person_id FROM {spells} GROUP BY person_id HAVING COUNT(*) > 1)"
    ).fetchone()
    assert repeated is not None
    if repeated[0]:
        raise UserError(
            f"The register '{source.register_name}' has one row a person by its source, and {repeated[0]:,} people have several. "
            f"Add the rule superseded (key: [person_id]) to config/sources/{source.register_name}.yaml when a later row "
            "corrects an earlier one, or duplicate_row when rows are repeated."
        )
