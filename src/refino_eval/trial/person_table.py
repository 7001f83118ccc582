"""Read the entry `person_table`: an analysis file with one row a person, made elsewhere.

The file becomes the same cohort and outcomes that registers give, so that everything after this works unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config import definitions as d
from refino_eval.config.evaluation import CLUSTER_COLUMNS, Arms, KeptRows, PeopleFile, PersonTable, Sample
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.expressions.expression_arrays import columns_in, compared_with_text, derive_column
from refino_eval.expressions.language import unknown_column_hint
from refino_eval.sql.quoting import code_text
from refino_eval.trial.arm_codes import arm_names, arms_from_codes, code_from_columns
from refino_eval.trial.cohort import Cohort, add_samples, control_lines
from refino_eval.trial.joined_files import Joining, open_files
from refino_eval.trial.sample_flow import FlowLine, flow_line
from refino_eval.trial.table_columns import TableColumn, column_from_series
from refino_eval.trial.table_files import NO_VALUE, TEXT

Mask = npt.NDArray[np.bool_]
Result = TypeVar("Result")


@dataclass(frozen=True)
class PersonTableData:
    """A person table in the form of the program.

    Attributes
    ----------
    cohort
        As registers give it; with `draw_date` and `draw_month` if the evaluation names a column, and `take_up`, `weight`
        and `cluster` likewise.
    outcomes
        One row a person, in the cohort's order: `person_id` and a column of doubles for each outcome.
    """

    cohort: Cohort
    outcomes: pd.DataFrame


@dataclass
class _Problems:
    """Collects what is wrong, so that everything is reported at once."""

    found: list[str] = field(default_factory=list)

    def attempt(self, make: Callable[[], Result], otherwise: Result) -> Result:
        """Return what `make` returns; after a user's error, note it and return something else."""
        try:
            return make()
        except UserError as error:
            self.found += [problem for problem in error.problems if problem not in self.found]
            return otherwise


def read_person_table(
    folder: Path,
    *,
    table: PersonTable,
    samples: Mapping[str, Sample],
    arms: Arms,
    covariates: Mapping[str, d.Covariate],
    dropping: Mapping[str, Sequence[str]] | None = None,
) -> PersonTableData:
    """Read an analysis file with one row a person.

    Parameters
    ----------
    folder
        The data folder.
    table
        Which files, and what their columns mean.
    samples, arms, covariates, dropping
        As in `link_population`; covariates are of the kind `column` without a register.

    Returns
    -------
    PersonTableData

    Raises
    ------
    UserError
        With all that is wrong: files or columns that are missing, damaged or ambiguous, values that are not what their
        use needs, people who are repeated, rows without an arm, negative weights.
    """
    columns, people, joinings = read_columns(folder, table, used_columns(table, covariates))
    return people_of(
        columns, people, joinings, table=table, samples=samples, arms=arms, covariates=covariates, dropping=dropping
    )


def people_of(
    columns: dict[str, TableColumn],
    people: int,
    joinings: tuple[Joining, ...] = (),
    *,
    table: PeopleFile,
    samples: Mapping[str, Sample],
    arms: Arms,
    covariates: Mapping[str, d.Covariate],
    dropping: Mapping[str, Sequence[str]] | None = None,
) -> PersonTableData:
    """Make cohort, outcomes and flow from columns with one row a person.

    Parameters
    ----------
    columns, people, joinings
        As `read_columns` returns them.
    table, samples, arms, covariates, dropping
        As in `read_person_table`.

    Raises
    ------
    UserError
        As `read_person_table`.
    """
    kept = _kept(columns, table.keep, people)
    if not kept.any():
        raise UserError(
            f"{table.section}: no row of {table.file} is left ({people:,} rows before {table.section}.keep)."
        )
    lost = _lost_people({name: column.take(np.flatnonzero(~kept)) for name, column in columns.items()}, table, arms)
    columns = {name: column.take(np.flatnonzero(kept)) for name, column in columns.items()}
    frame, outcomes = _cohort_columns(columns, int(kept.sum()), table, arms, covariates)
    lines = [flow_line("delivered", "", pd.concat([frame[["arm", "treated"]], lost]))]
    if len(lost):
        lines.append(flow_line("population", "not_kept", lost))
    joinings = tuple(replace(joining, without_row=joining.without_row[kept]) for joining in joinings)
    for joining in joinings:
        lines += _joining_lines(joining, frame)
    excluded = np.zeros(len(frame), dtype=bool)
    for reason, hit in _exclusions(frame, columns, table, joinings):
        if (hit & ~excluded).any():
            lines.append(flow_line("population", reason, frame.loc[hit & ~excluded]))
            excluded |= hit
    frame, outcomes = frame.loc[~excluded], outcomes.loc[~excluded]
    if frame.empty:
        raise UserError(
            f"{table.section}: none of {people:,} people in {table.file} is left. See the columns of strata, weights and cluster."
        )
    order = frame["person_id"].argsort(kind="stable")
    frame, outcomes = frame.iloc[order].reset_index(drop=True), outcomes.iloc[order].reset_index(drop=True)
    frame = add_samples(frame, samples, lines)
    lines += control_lines(frame, dropping or {})
    return PersonTableData(cohort=Cohort(frame=frame, flow=tuple(lines)), outcomes=outcomes)


def read_columns(
    folder: Path, table: PeopleFile, used: Mapping[str, str]
) -> tuple[dict[str, TableColumn], int, tuple[Joining, ...]]:
    """Read the columns that the evaluation names, and derive others from them.

    Parameters
    ----------
    folder
        The data folder.
    table
        Which files, and how columns are derived.
    used
        The key that names a column -> the column.

    Returns
    -------
    tuple
        The columns by name, the number of rows, and what each join left over.
    """
    files = open_files(folder, table)
    problems = _Problems()
    valid = {*files.columns, *table.derive}
    # A file without a header has somebody's data in its first line: no more of it is shown than resembles a name.
    shown = valid if valid & set(used.values()) else ()
    if len(files.columns) == 1 and len(set(used.values()) - valid) > 1:
        raise UserError(
            f"{table.section}.file: {table.file} has one column, so that its first line is divided by another sign than its `delimiter` "
            "(the default is found in the first line: comma, semicolon, tab or |). State `delimiter`."
        )
    problems.found += [
        f"{table.section}: {key} names the column '{column}', which is not in {_all_files(table)}."
        f"{nearest(column, get_close_matches(column, valid, 1) or shown)}"
        for key, column in used.items()
        if column not in valid
    ]
    needed = {*used.values(), *(column for name, text in table.derive.items() for column in _names_in(name, text))}
    columns, people, joinings = files.read(name for name in files.columns if name in needed)
    for name, text in table.derive.items():
        if name in files.columns:
            problems.found.append(
                f"{table.section}.derive.{name}: the files have a column of that name. Choose another name."
            )
            continue
        empty = column_from_series(name, "person_table.derive", pd.Series(np.full(people, np.nan)))
        make = partial(_derived, name, text, columns, people, valid)
        columns[name] = problems.attempt(make, empty)
    raise_problems(problems.found)
    return columns, people, joinings


def used_columns(table: PeopleFile, covariates: Mapping[str, d.Covariate]) -> dict[str, str]:
    """Return the columns that an evaluation names, by the key that names each."""
    used = {f"treated.{arm}": column for arm, column in table.arm_columns.items()}
    if isinstance(table.treated, str):
        used["treated"] = table.treated
    used |= {f"strata ({column})": column for column in table.strata}
    used |= {f"outcomes.{name}": column for name, column in table.measured.items()}
    used |= {f"keep ({condition.column})": condition.column for condition in table.keep}
    used |= {
        key: getattr(table, key) for key in ("person_id", "take_up", "weights", "draw_date") if getattr(table, key)
    }
    used |= {f"cluster ({column})" if len(table.clusters) > 1 else "cluster": column for column in table.clusters}
    for name, covariate in covariates.items():
        if not isinstance(covariate, d.ColumnCovariate) or covariate.register_name is not None:
            raise UserError(
                f"The covariate '{name}' is made from a register, and an analysis file has none. Define a covariate of kind "
                "column without a register in the evaluation's definitions."
            )
        used[f"covariate {name}"] = covariate.column
    return used


def _derived(
    name: str, text: str, columns: Mapping[str, TableColumn], people: int, valid: Iterable[str]
) -> TableColumn:
    names = columns_in(text, name=name)
    if unknown := [column for column in names if column not in columns]:
        hint = unknown_column_hint(unknown[0], set(valid) - {name})
        raise UserError(
            f"person_table.derive.{name}: `{text[:100]}` cannot be read: there is no column '{unknown[0]}'.{hint}"
        )
    if len(names) == 1 and text.strip().strip("`") == names[0]:
        # Another name for a column, whose codes stay as they are.
        return columns[names[0]]
    as_text = compared_with_text(text, name=name)
    operands = {column: columns[column].operand(as_text=column in as_text) for column in names}
    frame = pd.DataFrame(operands, index=range(people))
    return column_from_series(name, f"person_table.derive.{name}", derive_column(text, frame, name=name))


def _names_in(name: str, text: str) -> tuple[str, ...]:
    """Return the columns in an expression; none in one that cannot be read, which is reported when it is computed."""
    try:
        return columns_in(text, name=name)
    except UserError:
        return ()


def _kept(columns: Mapping[str, TableColumn], conditions: Sequence[KeptRows], people: int) -> Mask:
    """Return which rows meet all conditions of `keep`; a missing value meets none."""
    kept = np.ones(people, dtype=bool)
    for condition in conditions:
        column = columns[condition.column]
        kept &= ~column.missing
        if condition.is_in is not None:
            kept &= _among(column, condition.is_in, f"keep ({condition.column}), in")
        if condition.not_in is not None:
            kept &= ~_among(column, condition.not_in, f"keep ({condition.column}), not_in")
        if condition.at_least is not None or condition.at_most is not None:
            numbers = column.numbers()
            low, high = condition.at_least, condition.at_most
            kept &= numbers.between(-np.inf if low is None else low, np.inf if high is None else high).to_numpy()
    return kept


def _among(column: TableColumn, listed: Sequence[str | float | bool], key: str) -> Mask:
    """Return which rows have a listed code; a list of which no code occurs is a mistake in the list or in the file."""
    met = column.among(listed)
    if listed and len(met) and not met.any():
        no_value = [value for value in listed if value in NO_VALUE and Path(column.file).suffix.lower() in TEXT]
        why = f" ('{no_value[0]}' in a text file is a missing value.)" if no_value else ""
        raise UserError(
            f"person_table: {key}: no row of {column.file} has one of the codes {', '.join(map(repr, listed[:5]))} in the "
            f"column '{column.name}'.{why} Write them as they are in the file, with leading zeros in quotes."
        )
    return met


def _lost_people(columns: Mapping[str, TableColumn], table: PeopleFile, arms: Arms) -> pd.DataFrame:
    """Return the arms of the rows that `keep` excludes, missing where they are not known."""
    try:
        names = arm_names(_arm_codes(columns, table, arms), arms)
    except UserError:
        names = pd.Series(np.full(len(next(iter(columns.values())).index), None, dtype=object))
    treated = names.map(lambda name: float(name != arms.control.name), na_action="ignore").astype(float)
    return pd.DataFrame({"arm": names, "treated": treated})


def _cohort_columns(
    columns: Mapping[str, TableColumn],
    people: int,
    table: PeopleFile,
    arms: Arms,
    covariates: Mapping[str, d.Covariate],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cohort's columns and the outcomes, in the file's order, or everything that is wrong with them."""
    problems = _Problems()
    nothing = pd.Series(np.full(people, np.nan))
    nobody = pd.Series(np.full(people, None, dtype=object))
    frame = pd.DataFrame({"person_id": problems.attempt(lambda: _ids(columns, people, table), nobody)})
    unknown = (np.full(people, arms.control.name), np.zeros(people, dtype=np.int64))
    frame["arm"], frame["treated"] = problems.attempt(lambda: _arms(columns, table, arms), unknown)
    if table.draw_date is not None:
        drawn = problems.attempt(partial(_days, columns[table.draw_date]), nothing)
        frame["draw_date"] = pd.to_datetime(drawn)
        frame["draw_month"] = frame["draw_date"].dt.strftime("%Y-%m")
    strata = [problems.attempt(partial(columns[name].codes, exact=True), nobody) for name in table.strata]
    frame = _with_strata(frame, strata, table)
    made = {
        name: problems.attempt(partial(_covariate, columns, name, covariate), nothing)
        for name, covariate in covariates.items()
    }
    for name, column in (("take_up", table.take_up), ("weight", table.weights)):
        if column is not None:
            made[name] = problems.attempt(columns[column].numbers, nothing)
    for name, column in zip(CLUSTER_COLUMNS, table.clusters, strict=False):
        made[name] = problems.attempt(partial(columns[column].codes, exact=True), nobody)
    problems.found += _column_problems(frame, made, table)
    measured = {name: problems.attempt(columns[column].numbers, nothing) for name, column in table.measured.items()}
    raise_problems(problems.found)
    # A stratum that is a covariate as well has its numbers; the cell keeps its codes.
    frame = frame.drop(columns=[name for name in made if name in frame.columns])
    frame = pd.concat([frame, pd.DataFrame(made, index=frame.index)], axis=1)
    return frame, pd.concat([frame[["person_id"]], pd.DataFrame(measured, index=frame.index)], axis=1)


def _column_problems(frame: pd.DataFrame, made: Mapping[str, pd.Series], table: PeopleFile) -> Iterator[str]:
    """Yield covariates whose name the cohort uses itself, and weights below zero."""
    if taken := [name for name in made if name in frame.columns and name not in table.strata]:
        yield (
            f"The covariate '{taken[0]}' has a name that the cohort uses for something else. Choose another name, for "
            f"instance 'baseline_{taken[0]}'."
        )
    if "weight" in made and (negative := int((made["weight"] < 0).sum())):
        yield f"{table.file}: the column '{table.weights}' holds {negative:,} negative weights. Weights must be zero or positive."


def _with_strata(frame: pd.DataFrame, strata: list[pd.Series], table: PeopleFile) -> pd.DataFrame:
    """Add the strata and the cell that they define together."""
    if table.missing_stratum == "own":
        strata = [values.where(values.notna(), "missing") for values in strata]
    named = {
        name if name not in frame.columns else f"stratum_{name}": values
        for name, values in zip(table.strata, strata, strict=True)
    }
    cell = [" x ".join(map(str, row)) for row in zip(*strata, strict=True)] if strata else "all"
    return pd.concat([frame, pd.DataFrame(named, index=frame.index)], axis=1).assign(cell=cell)


def _ids(columns: Mapping[str, TableColumn], people: int, table: PeopleFile) -> pd.Series:
    if table.person_id is None:
        width = len(str(people))
        return pd.Series([f"{row:0{width}d}" for row in range(1, people + 1)])
    ids = columns[table.person_id].codes(exact=True)
    missing, repeated = int(ids.isna().sum()), int(ids.duplicated().sum())
    if missing or repeated:
        counts = [f"{missing:,} {'row has' if missing == 1 else 'rows have'} no id"] if missing else []
        counts += [f"{repeated:,} {'row repeats' if repeated == 1 else 'rows repeat'} one"] if repeated else []
        raise UserError(
            f"{table.section}.person_id: the column '{table.person_id}' of {table.file} must identify people; "
            f"{' and '.join(counts)}. Name another column, or none to number the rows."
        )
    return ids.astype(str)


def _arm_codes(columns: Mapping[str, TableColumn], table: PeopleFile, arms: Arms) -> pd.Series:
    """Return each row's code of its arm, from one column or from a column for each arm."""
    if not isinstance(table.treated, str):
        by_arm = {arm: columns[column].codes() for arm, column in table.arm_columns.items()}
        return code_from_columns(by_arm, table.arm_columns, arms, file=table.file)
    column = columns[table.treated]
    codes = column.codes()
    for arm in arms.everyone:
        # The arm's code 1 is also the code that the file writes 01.
        codes = codes.mask(column.among(arm.codes), code_text(arm.codes[0]))
    return codes


def _arms(
    columns: Mapping[str, TableColumn], table: PeopleFile, arms: Arms
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    named = [table.treated] if isinstance(table.treated, str) else list(table.arm_columns.values())
    where = f"{table.file}, column{'' if len(named) == 1 else 's'} {', '.join(named)}"
    return arms_from_codes(_arm_codes(columns, table, arms), arms, where=where)


def _days(column: TableColumn) -> pd.Series:
    days = column.days()
    if missing := int(days.isna().sum()):
        raise column.problem(f"must hold dates (yyyy-mm-dd), and {missing:,} rows have none. Exclude them by `keep`.")
    return days


def _covariate(columns: Mapping[str, TableColumn], name: str, covariate: d.Covariate) -> pd.Series:
    assert isinstance(covariate, d.ColumnCovariate)
    column = columns[covariate.column]
    if covariate.equals is None:
        return column.numbers()
    met = _among(column, covariate.equals, f"covariate {name}, equals")
    return pd.Series(np.where(column.missing, np.nan, met.astype(float)))


def _exclusions(
    frame: pd.DataFrame, columns: Mapping[str, TableColumn], table: PeopleFile, joinings: Sequence[Joining]
) -> Iterator[tuple[str, Mask]]:
    """Yield the reasons for which people are excluded, and who is; a weight of 0 is none."""
    for joining in joinings:
        if joining.out:
            yield f"not_in_{joining.name.lower()}", joining.without_row
    if table.strata and table.missing_stratum == "out":
        yield "missing_stratum", np.logical_or.reduce([columns[name].missing for name in table.strata])
    if "weight" in frame:
        yield "no_weight", (frame["weight"].isna() | (frame["weight"] == 0)).to_numpy(dtype=bool)
    if table.clusters:
        named = list(CLUSTER_COLUMNS[: len(table.clusters)])
        yield "missing_cluster", frame[named].isna().any(axis=1).to_numpy(dtype=bool)


def _joining_lines(joining: Joining, frame: pd.DataFrame) -> list[FlowLine]:
    """Count who has no row in a joined file, and rows that belong to nobody (which have no arm)."""
    lines = []
    if joining.without_row.any() and not joining.out:
        lines.append(flow_line("joined", f"without_row_in_{joining.name.lower()}", frame.loc[joining.without_row]))
    if joining.rows_left:
        lines.append(FlowLine("joined", f"rows_of_nobody_in_{joining.name.lower()}", joining.rows_left, 0, 0))
    return lines


def _all_files(table: PeopleFile) -> str:
    return table.file if not table.join else f"{', '.join(table.files[:-1])} or {table.files[-1]}"
