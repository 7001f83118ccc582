"""The entry `person_table`: an analysis file with one row a person, made elsewhere.

The file is turned into the same cohort and outcomes that registers give, so that everything after works unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config import definitions as d
from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError, nearest
from refino_eval.trial.arm_codes import arms_from_codes, code_from_columns, code_text
from refino_eval.trial.cohort import Cohort, add_samples, meets_all
from refino_eval.trial.expressions import derive_column
from refino_eval.trial.joined_files import Joining, read_files
from refino_eval.trial.sample_flow import FlowLine, flow_line


@dataclass(frozen=True)
class PersonTableData:
    """A person table in the house's form.

    Attributes
    ----------
    cohort
        As registers give it; `draw_date` and `draw_month` when the evaluation names a column. Columns `take_up`, `weight` and `cluster` are
        there when the evaluation names them.
    outcomes
        One row a person, in the cohort's order: `person_id` and a double column an outcome.
    """

    cohort: Cohort
    outcomes: pd.DataFrame


def read_person_table(
    folder: Path,
    *,
    table: PersonTable,
    samples: Mapping[str, Sample],
    arms: Arms,
    covariates: Mapping[str, d.Covariate],
) -> PersonTableData:
    """Read an analysis file with one row a person.

    Parameters
    ----------
    folder
        The data folder.
    table
        Which files, and what their columns mean.
    samples, arms, covariates
        As in `link_population`; covariates are of the kind `column` without a register.

    Returns
    -------
    PersonTableData

    Raises
    ------
    UserError
        When the file or a column is not there, a column that must be a number is not, people are repeated, or the
        treatment is neither arm.
    """
    raw, joinings = read_files(folder, table)
    raw, faults = _derived(raw, table)
    _columns_are_there(raw, table, covariates, faults)
    kept = meets_all(raw, table.keep)
    if not kept.any():
        raise UserError(f"person_table: no row of {table.file} is left ({len(raw):,} rows before person_table.keep).")
    raw = raw.loc[kept].reset_index(drop=True)
    joinings = tuple(replace(each, without_row=each.without_row[kept]) for each in joinings)
    frame, outcomes = _columns(raw, table, arms, covariates)
    lines: list[FlowLine] = [flow_line("delivered", "", frame)]
    for each in joinings:
        lines += _joining_lines(each, frame)
    out = np.zeros(len(frame), dtype=bool)
    for reason, hit in (
        *((f"not_in_{each.name.lower()}", each.without_row) for each in joinings if each.out),
        ("missing_stratum", _without_stratum(raw, table)),
        ("no_weight", _without(frame, "weight")),
        ("missing_cluster", _without(frame, "cluster")),
    ):
        if (hit & ~out).any():
            lines.append(flow_line("population", reason, frame.loc[hit & ~out]))
            out |= hit
    frame, outcomes = frame.loc[~out], outcomes.loc[~out]
    if frame.empty:
        raise UserError(
            f"person_table: nobody is left of {len(raw):,} people in {table.file}; see the columns of strata, weights and cluster."
        )
    order = frame["person_id"].argsort(kind="stable")
    frame, outcomes = frame.iloc[order].reset_index(drop=True), outcomes.iloc[order].reset_index(drop=True)
    frame = add_samples(frame, samples, lines)
    return PersonTableData(cohort=Cohort(frame=frame, flow=tuple(lines)), outcomes=outcomes)


def _derived(raw: pd.DataFrame, table: PersonTable) -> tuple[pd.DataFrame, list[str]]:
    """Add the derived columns, in order, and return what is wrong with them, to be told with all other faults."""
    faults: list[str] = []
    for name, text in table.derive.items():
        if name in raw.columns:
            faults.append(
                f"person_table.derive.{name}: there is a column of that name already. Call the new one something else."
            )
            continue
        try:
            raw = raw.assign(**{name: derive_column(text, raw, name=name)})
        except UserError as fault:
            faults += fault.problems
            # Others may be made of it: the fault is told once.
            raw = raw.assign(**{name: np.nan})
    return raw, faults


def _columns(
    raw: pd.DataFrame, table: PersonTable, arms: Arms, covariates: Mapping[str, d.Covariate]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cohort's columns and the outcomes, in the file's order."""
    frame = pd.DataFrame({"person_id": _ids(raw, table)})
    frame["arm"], frame["treated"] = _arms(raw, table, arms)
    if table.draw_date is not None:
        frame["draw_date"] = _date(raw[table.draw_date], table.draw_date, table.file)
        frame["draw_month"] = frame["draw_date"].dt.strftime("%Y-%m")
    strata = [raw[column].map(code_text, na_action="ignore").astype(object) for column in table.strata]
    if table.missing_stratum == "own":
        strata = [values.where(values.notna(), "missing") for values in strata]
    found: dict[str, pd.Series] = {}
    for column, values in zip(table.strata, strata, strict=True):
        found[column if column not in frame.columns else f"stratum_{column}"] = values
    frame = pd.concat([frame, pd.DataFrame(found, index=frame.index)], axis=1)
    frame["cell"] = [" x ".join(map(str, row)) for row in zip(*strata, strict=True)] if strata else "all"
    made = {name: _covariate(raw, name, covariate, table.file) for name, covariate in covariates.items()}
    for name, named in (("take_up", table.take_up), ("weight", table.weights)):
        if named is not None:
            made[name] = _number(raw[named], named, table.file)
    if table.cluster is not None:
        made["cluster"] = raw[table.cluster].map(code_text, na_action="ignore")
    _told_twice(frame, made, table)
    if "weight" in made and (negative := int((made["weight"] < 0).sum())):
        raise UserError(
            f"{table.file}: the column '{table.weights}' holds {negative:,} negative weights. Mend the file."
        )
    frame = pd.concat([frame, pd.DataFrame(made, index=frame.index)], axis=1)
    measured = {name: _number(raw[column], column, table.file) for name, column in table.outcomes.items()}
    return frame, pd.concat([frame[["person_id"]], pd.DataFrame(measured, index=frame.index)], axis=1)


def _arms(raw: pd.DataFrame, table: PersonTable, arms: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Tell each person's arm from one column, or from a column an arm."""
    if isinstance(table.treated, str):
        return arms_from_codes(raw[table.treated], arms, where=f"{table.file}, column '{table.treated}'")
    codes = pd.Series(code_from_columns(raw, table.arm_columns, arms, file=table.file), dtype=object)
    return arms_from_codes(codes, arms, where=f"{table.file}, columns {', '.join(table.arm_columns.values())}")


def _told_twice(frame: pd.DataFrame, made: Mapping[str, pd.Series], table: PersonTable) -> None:
    """Refuse a covariate that has the name of something else in the cohort."""
    taken = [name for name in made if name in frame.columns and name not in table.strata]
    if taken:
        raise UserError(
            f"The covariate '{taken[0]}' has a name that the cohort uses for something else. Call it something else, for "
            f"instance 'baseline_{taken[0]}'."
        )


def _joining_lines(joining: Joining, frame: pd.DataFrame) -> list[FlowLine]:
    """Count who has no row in a joined file, and rows that belong to nobody (which have no arm)."""
    lines = []
    if joining.without_row.any() and not joining.out:
        lines.append(flow_line("joined", f"without_row_in_{joining.name.lower()}", frame.loc[joining.without_row]))
    if joining.rows_left:
        lines.append(FlowLine("joined", f"rows_of_nobody_in_{joining.name.lower()}", joining.rows_left, 0, 0))
    return lines


def _without_stratum(raw: pd.DataFrame, table: PersonTable) -> np.ndarray:
    if table.missing_stratum == "own" or not table.strata:
        return np.zeros(len(raw), dtype=bool)
    return raw[list(table.strata)].isna().any(axis=1).to_numpy(dtype=bool)


def _without(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Tell who lacks a weight or a cluster; a weight of 0 is none."""
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    lacking = frame[name].isna()
    return (lacking | (frame[name] == 0) if name == "weight" else lacking).to_numpy(dtype=bool)


def _columns_are_there(
    raw: pd.DataFrame, table: PersonTable, covariates: Mapping[str, d.Covariate], others: list[str]
) -> None:
    wanted: dict[str, str] = (
        {"treated": table.treated}
        if isinstance(table.treated, str)
        else {f"treated.{arm}": column for arm, column in table.treated.items()}
    )
    wanted |= {f"strata ({column})": column for column in table.strata}
    wanted |= {f"outcomes.{name}": column for name, column in table.outcomes.items()}
    wanted |= {f"keep ({each.column})": each.column for each in table.keep}
    for key in ("person_id", "take_up", "weights", "cluster", "draw_date"):
        if getattr(table, key) is not None:
            wanted[key] = getattr(table, key)
    for name, covariate in covariates.items():
        if isinstance(covariate, d.ColumnCovariate) and covariate.register_name is None:
            wanted[f"covariate {name}"] = covariate.column
        else:
            raise UserError(
                f"The covariate '{name}' is made from a register, and a person table has none. Define a covariate of kind "
                "column without a register in the evaluation's own definitions."
            )
    faults = others + [
        f"person_table: {key} names the column '{column}', which is not in {_shown(table)}."
        f"{nearest(column, map(str, raw.columns))}"
        for key, column in wanted.items()
        if column not in raw.columns
    ]
    if faults:
        raise UserError(*faults)


def _shown(table: PersonTable) -> str:
    return table.file if not table.join else f"{', '.join(table.files[:-1])} or {table.files[-1]}"


def _ids(raw: pd.DataFrame, table: PersonTable) -> pd.Series:
    if table.person_id is None:
        width = len(str(len(raw)))
        return pd.Series([f"{row:0{width}d}" for row in range(1, len(raw) + 1)])
    ids = raw[table.person_id].map(code_text, na_action="ignore")
    missing, repeated = int(ids.isna().sum()), int(ids.duplicated().sum())
    if missing or repeated:
        raise UserError(
            f"person_table.person_id: the column '{table.person_id}' of {table.file} must tell people apart; {missing:,} rows have "
            f"no id and {repeated:,} repeat one. Name another column, or none to number the rows."
        )
    return ids.astype(str)


def _covariate(raw: pd.DataFrame, name: str, covariate: d.Covariate, shown: str) -> pd.Series:
    assert isinstance(covariate, d.ColumnCovariate)
    values = raw[covariate.column]
    if covariate.equals is None:
        return _number(values, covariate.column, shown)
    codes = {code_text(code) for code in covariate.equals}
    return values.map(lambda value: float(code_text(value) in codes), na_action="ignore").astype(float)


def _number(values: pd.Series, column: str, shown: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values) or _holds_dates(values):
        raise UserError(
            f"{shown}: the column '{column}' holds dates. Make numbers of them under derive, for instance "
            f"`days({column})` (days since 1970-01-01) or `year({column})`."
        )
    number = pd.to_numeric(values, errors="coerce").astype(float)
    lost = int((number.isna() & values.notna()).sum())
    if lost:
        raise UserError(
            f"{shown}: the column '{column}' must hold numbers, and {lost:,} rows hold something else. Mend the file, or use "
            "`equals` in a covariate to make codes into 0 and 1."
        )
    infinite = int(np.isinf(number).sum())
    if infinite:
        raise UserError(f"{shown}: the column '{column}' holds {infinite:,} infinite values. Mend the file.")
    return number


def _holds_dates(values: pd.Series) -> bool:
    return values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) in ("date", "datetime")


def _date(values: pd.Series, column: str, shown: str) -> pd.Series:
    dates = pd.to_datetime(values.astype(object), errors="coerce", format="ISO8601")
    lost = int(dates.isna().sum())
    if lost or pd.api.types.is_numeric_dtype(values):
        raise UserError(f"{shown}: the column '{column}' must hold dates (yyyy-mm-dd), and {lost:,} rows hold none.")
    return dates
