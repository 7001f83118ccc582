"""The entry `person_table`: an analysis file with one row a person, made elsewhere.

The file is turned into the same cohort and outcomes that registers give, so that everything after works unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config import definitions as d
from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserFault, nearest
from refino_eval.trial.arms import arms_from_codes, code_text
from refino_eval.trial.cohort import Cohort, add_samples, meets_all
from refino_eval.trial.flow import FlowLine, flow_line

FORMATS = (".parquet", ".csv", ".dta", ".sas7bdat", ".sav")


@dataclass(frozen=True)
class PersonTableData:
    """A person table in the house's form.

    Attributes
    ----------
    cohort
        As registers give it; `draw_date` and `draw_month` are absent. Columns `take_up`, `weight` and `cluster` are
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
        Which file, and what its columns mean.
    samples, arms, covariates
        As in `link_population`; covariates are of the kind `column` without a register.

    Returns
    -------
    PersonTableData

    Raises
    ------
    UserFault
        When the file or a column is not there, a column that must be a number is not, people are repeated, or the
        treatment is neither arm.
    """
    raw = _read(folder / table.file, table.file)
    _columns_are_there(raw, table, covariates)
    raw = _kept(raw, table)
    frame = pd.DataFrame({"person_id": _ids(raw, table)})
    frame["arm"], frame["treated"] = arms_from_codes(
        raw[table.treated], arms, where=f"{table.file}, column '{table.treated}'"
    )
    strata = [raw[column].map(code_text, na_action="ignore") for column in table.strata]
    for column, values in zip(table.strata, strata, strict=True):
        frame[_inside_name(column, frame)] = values
    missing = np.any([values.isna() for values in strata], axis=0) if strata else np.zeros(len(raw), dtype=bool)
    frame["cell"] = [" x ".join(map(str, row)) for row in zip(*strata, strict=True)] if strata else "all"
    for name, covariate in covariates.items():
        frame[name] = _covariate(raw, name, covariate, table.file)
    for name, named in (("take_up", table.take_up), ("weight", table.weights)):
        if named is not None:
            frame[name] = _number(raw[named], named, table.file)
    if table.cluster is not None:
        frame["cluster"] = raw[table.cluster].map(code_text, na_action="ignore")
    outcomes = pd.DataFrame({"person_id": frame["person_id"]})
    for name, column in table.outcomes.items():
        outcomes[name] = _number(raw[column], column, table.file)
    lines: list[FlowLine] = [flow_line("delivered", "", frame)]
    if missing.any():
        lines.append(flow_line("population", "missing_stratum", frame.loc[missing]))
        frame, outcomes = frame.loc[~missing], outcomes.loc[~missing]
    order = frame["person_id"].argsort(kind="stable")
    frame, outcomes = frame.iloc[order].reset_index(drop=True), outcomes.iloc[order].reset_index(drop=True)
    frame = add_samples(frame, samples, lines)
    return PersonTableData(cohort=Cohort(frame=frame, flow=tuple(lines)), outcomes=outcomes)


def _read(path: Path, shown: str) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UserFault(f"person_table.file: '{shown}' is none of the formats that can be read ({', '.join(FORMATS)}).")
    if not path.is_file():
        similar = [other.name for other in path.parent.glob("*") if other.suffix.lower() in FORMATS]
        raise UserFault(
            f"person_table.file: there is no file '{shown}' in the data folder.{nearest(path.name, similar)}"
        )
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix == ".csv":
            return pd.read_csv(path, dtype_backend="numpy_nullable", low_memory=False)
        return _read_statistical(path, suffix)
    except (OSError, ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserFault(f"person_table.file: '{shown}' cannot be read as {suffix[1:]}: {str(error)[:200]}") from None


def _read_statistical(path: Path, suffix: str) -> pd.DataFrame:
    import pyreadstat

    readers = {".dta": pyreadstat.read_dta, ".sas7bdat": pyreadstat.read_sas7bdat, ".sav": pyreadstat.read_sav}
    try:
        frame, _ = readers[suffix](str(path))
    except pyreadstat.ReadstatError as error:
        raise ValueError(str(error)) from None
    return pd.DataFrame(frame)


def _columns_are_there(raw: pd.DataFrame, table: PersonTable, covariates: Mapping[str, d.Covariate]) -> None:
    wanted: dict[str, str] = {"treated": table.treated}
    wanted |= {f"strata ({column})": column for column in table.strata}
    wanted |= {f"outcomes.{name}": column for name, column in table.outcomes.items()}
    wanted |= {f"keep ({each.column})": each.column for each in table.keep}
    for key in ("person_id", "take_up", "weights", "cluster"):
        if getattr(table, key) is not None:
            wanted[key] = getattr(table, key)
    for name, covariate in covariates.items():
        if isinstance(covariate, d.ColumnCovariate) and covariate.register_name is None:
            wanted[f"covariate {name}"] = covariate.column
        else:
            raise UserFault(
                f"The covariate '{name}' is made from a register, and a person table has none. Define a covariate of kind "
                "column without a register in the evaluation's own definitions."
            )
    faults = [
        f"person_table: {key} names the column '{column}', which is not in {table.file}."
        f"{nearest(column, map(str, raw.columns))}"
        for key, column in wanted.items()
        if column not in raw.columns
    ]
    if faults:
        raise UserFault(*faults)


def _kept(raw: pd.DataFrame, table: PersonTable) -> pd.DataFrame:
    kept = raw.loc[meets_all(raw, table.keep)].reset_index(drop=True)
    if kept.empty:
        raise UserFault(f"person_table: no row of {table.file} is left ({len(raw):,} rows before person_table.keep).")
    return kept


def _ids(raw: pd.DataFrame, table: PersonTable) -> pd.Series:
    if table.person_id is None:
        width = len(str(len(raw)))
        return pd.Series([f"{row:0{width}d}" for row in range(1, len(raw) + 1)])
    ids = raw[table.person_id].map(code_text, na_action="ignore")
    missing, repeated = int(ids.isna().sum()), int(ids.duplicated().sum())
    if missing or repeated:
        raise UserFault(
            f"person_table.person_id: the column '{table.person_id}' of {table.file} must tell people apart; {missing:,} rows have "
            f"no id and {repeated:,} repeat one. Name another column, or none to number the rows."
        )
    return ids.astype(str)


def _inside_name(column: str, frame: pd.DataFrame) -> str:
    return column if column not in frame.columns else f"stratum_{column}"


def _covariate(raw: pd.DataFrame, name: str, covariate: d.Covariate, shown: str) -> pd.Series:
    assert isinstance(covariate, d.ColumnCovariate)
    values = raw[covariate.column]
    if covariate.equals is None:
        return _number(values, covariate.column, shown)
    codes = {code_text(code) for code in covariate.equals}
    return values.map(lambda value: float(code_text(value) in codes), na_action="ignore").astype(float)


def _number(values: pd.Series, column: str, shown: str) -> pd.Series:
    number = pd.to_numeric(values, errors="coerce").astype(float)
    lost = int((number.isna() & values.notna()).sum())
    if lost:
        raise UserFault(
            f"{shown}: the column '{column}' must hold numbers, and {lost:,} rows hold something else. Mend the file, or use "
            "`equals` in a covariate to make codes into 0 and 1."
        )
    infinite = int(np.isinf(number).sum())
    if infinite:
        raise UserFault(f"{shown}: the column '{column}' holds {infinite:,} infinite values. Mend the file.")
    return number
