"""Moments of a delivery, computed from its files independently of the pipeline and of the generator.

The files are read as text, cleaned by the rules that the sources document, and summed with pandas. This is slower than
the pipeline and much slower than the generator, and tests both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from refino_eval.synthetic.calendar import DAYS_PER_MONTH, FloatArray
from refino_eval.synthetic.recipe import Recipe

EVENTS = (-24, 24)
"""First and last event month of which monthly states are computed at least."""
HOURS_LIMIT = 80.0
"""More agreed hours than this in one job are an error in the register."""


@dataclass(frozen=True)
class Moment:
    """A number and its standard error (0 where it is exact)."""

    value: float
    std_error: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """The data that the moments are computed from.

    Attributes
    ----------
    cohort
        One row per person analysed: arm, cell, covariates (missing where the registers have none).
    states
        State -> frame of people x event months.
    programmes
        Clean participations of the people analysed, with month numbers relative to random assignment.
    """

    cohort: pd.DataFrame
    states: dict[str, pd.DataFrame]
    programmes: pd.DataFrame


def read_register(folder: Path, recipe: Recipe, register: str) -> pd.DataFrame:
    """Read a register's files as delivered and clean them by the documented rules; stops stay inclusive."""
    form = recipe.registers[register]
    frames = []
    for file in (form.file, form.corrections):
        if file is None:
            continue
        path = folder / file
        if path.suffix == ".parquet" or not path.exists():
            frame = pd.read_parquet(path.with_suffix(".parquet"))
        else:
            frame = pd.read_csv(path, sep=form.delimiter, encoding=form.encoding, dtype=str, keep_default_na=False)
        frames.append(frame.rename(columns={column.name: name for name, column in form.columns.items()}))
    if len(frames) == 2 and "job_id" in form.columns:
        frames[0] = frames[0][~frames[0]["job_id"].isin(frames[1]["job_id"])]
    rows = pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)
    for name, column in form.columns.items():
        if column.type == "date":
            rows[name] = _as_dates(rows[name], column.date_format)
        elif column.type in ("integer", "kroner", "month", "year"):
            rows[name] = pd.to_numeric(rows[name])
        elif column.type in ("hundredths", "ore"):
            text = rows[name].astype(str).str.replace(form.decimal, ".", regex=False)
            rows[name] = pd.to_numeric(text)
    return _clean(recipe, register, rows)


def _as_dates(values: pd.Series, pattern: str) -> pd.Series:
    text = pd.api.types.is_string_dtype(values.dtype) and values.dtype != object
    read = pd.to_datetime(values.replace("", None), format=pattern) if text else pd.to_datetime(values)
    return cast("pd.Series", read.dt.as_unit("us"))


def _clean(recipe: Recipe, register: str, rows: pd.DataFrame) -> pd.DataFrame:
    if "start" in rows:
        rows = rows[rows["start"].notna()]
    if "stop" in rows:
        rows = rows[rows["stop"].isna() | (rows["stop"] >= rows["start"])]
        rows = rows[rows["stop"].isna() | (rows["stop"] >= pd.Timestamp(recipe.first))]
    if "weekly_hours" in rows:
        rows = rows[rows["weekly_hours"].between(0, HOURS_LIMIT)]
    if register == "programmes":
        rows = rows[rows["status"] != recipe.programme_status["no_show"]]
    return rows.reset_index(drop=True)


def load_delivery(folder: Path, recipe: Recipe) -> Delivery:
    """Read everything that the moments need."""
    cohort = _cohort(folder, recipe)
    return Delivery(cohort, _states(folder, recipe, cohort), _programmes(folder, recipe, cohort))


def _cohort(folder: Path, recipe: Recipe) -> pd.DataFrame:
    draws = read_register(folder, recipe, "draws").sort_values(["person_id", "start"], kind="stable")
    draws = draws.drop_duplicates("person_id")
    draws = draws[draws["county"].isin([area.name for area in recipe.areas])]
    month = draws["start"].dt.strftime("%Y-%m")
    draws = draws[(month >= min(area.first for area in recipe.areas)) & (month <= recipe.draw_last)]
    cohort = draws.set_index("person_id")
    cohort["treated"] = (cohort["arm"] == recipe.arms.treated.code).astype(float)
    cohort["month"] = cohort["start"].dt.year * 12 + cohort["start"].dt.month - 1
    by_month = recipe.cells == "area_month"
    cohort["cell"] = cohort["county"] + (" " + cohort["month"].astype(str) if by_month else "")
    persons = read_register(folder, recipe, "persons").set_index("person_id")
    cohort = cohort.join(persons[["sex", "birth_date", "immigrant_category"]])
    observed = cohort["sex"].notna()
    cohort["female"] = (cohort["sex"] == recipe.persons.sex_codes[0]).astype(float).where(observed)
    cohort["immigrant"] = cohort["immigrant_category"].isin(recipe.persons.immigrant).astype(float).where(observed)
    cohort["age"] = (cohort["start"] - cohort["birth_date"]).dt.days / 365.2425
    return _with_registers(folder, recipe, _with_incomes(folder, recipe, cohort))


def _with_incomes(folder: Path, recipe: Recipe, cohort: pd.DataFrame) -> pd.DataFrame:
    if "incomes" not in recipe.registers:
        return cohort
    incomes = read_register(folder, recipe, "incomes")
    incomes = incomes.join(cohort["month"] // 12, on="person_id", how="inner").rename(columns={"month": "draw_year"})
    past = incomes[(incomes["period"] < incomes["draw_year"]) & (incomes["pensionable_income"] > 0)]
    cohort["experience"] = past.groupby("person_id").size().reindex(cohort.index)
    has_rows = cohort.index.isin(incomes["person_id"].unique())
    cohort["experience"] = cohort["experience"].fillna(0).where(has_rows)
    before = incomes[incomes["period"] == incomes["draw_year"] - 1].set_index("person_id")
    price = before["period"].map(recipe.prices.index) / recipe.prices.index[recipe.prices.base_year]
    for name in ("occupational_income", "pensionable_income"):
        cohort[name] = before[name] / price / recipe.prices.unit
    return cohort


def _with_registers(folder: Path, recipe: Recipe, cohort: pd.DataFrame) -> pd.DataFrame:
    registered = read_register(folder, recipe, "registrations").join(
        cohort["start"].rename("draw"), on="person_id", how="inner"
    )
    covers = (registered["start"] <= registered["draw"]) & ~(registered["stop"] < registered["draw"])
    reduced = registered[covers & (registered["status"] == recipe.benefits.status_codes[1])]["person_id"]
    cohort["reduced_capacity"] = cohort.index.isin(reduced).astype(float)
    if "diagnoses" not in recipe.registers:
        return cohort
    diagnoses = read_register(folder, recipe, "diagnoses").join(
        cohort["start"].rename("draw"), on="person_id", how="inner"
    )
    diagnoses = diagnoses[diagnoses["start"] < diagnoses["draw"]]
    cohort["diagnosis"] = cohort.index.isin(diagnoses["person_id"]).astype(float)
    psychiatric = diagnoses[diagnoses["diagnosis"].str.startswith(recipe.persons.psychiatric)]["person_id"]
    cohort["psychiatric_diagnosis"] = cohort.index.isin(psychiatric).astype(float)
    return cohort


def _states(folder: Path, recipe: Recipe, cohort: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Compute the monthly states of people x event months as the definitions say."""
    span = range(
        min(EVENTS[0], *(one.window[0] for one in recipe.truth.values())),
        max(EVENTS[1], *(one.window[1] for one in recipe.truth.values())) + 1,
    )
    jobs = _job_months(recipe, read_register(folder, recipe, "jobs"), cohort, span)
    by_employer = jobs.groupby(["person_id", "event", "employer_id"], sort=False)["weekly_hours"].max()
    by_person = by_employer.groupby(level=["person_id", "event"], sort=False)

    # Outside coverage a state is missing, not zero.
    month = cohort["month"].to_numpy()[:, None] + np.array(span)[None, :]
    first, last = (day.year * 12 + day.month - 1 for day in (recipe.first, recipe.last))
    covered = (month >= first) & (month <= last)

    def grid(values: pd.Series) -> pd.DataFrame:
        complete = values.unstack("event").reindex(index=cohort.index, columns=list(span)).fillna(0.0)
        return complete.where(covered)

    states = {
        "weekly_hours": grid(by_person.sum()),
        "weekly_hours_main_job": grid(by_person.max()),
        "employed": grid(by_person.size().clip(upper=1).astype(float)),
    }
    if "wages" in recipe.registers:
        states["wage"] = grid(_wage_months(folder, recipe, cohort))
        states["any_wage"] = (states["wage"] > 0).astype(float).where(covered)
    for name, least in recipe.thresholds.items():
        states[name] = (states["weekly_hours_main_job"] >= least).astype(float).where(covered)
    return states


def _wage_months(folder: Path, recipe: Recipe, cohort: pd.DataFrame) -> pd.Series:
    """Return the real wage by person and event month."""
    wages = read_register(folder, recipe, "wages").join(cohort["month"], on="person_id", how="inner")
    wages["event"] = wages["period"] // 100 * 12 + wages["period"] % 100 - 1 - wages["month"]
    price = (wages["period"] // 100).map(recipe.prices.index) / recipe.prices.index[recipe.prices.base_year]
    wages["real"] = wages["amount"] / price / recipe.prices.unit
    paid = wages[wages["period"] // 100 >= recipe.first.year]
    return paid.groupby(["person_id", "event"])["real"].sum()


def _job_months(recipe: Recipe, jobs: pd.DataFrame, cohort: pd.DataFrame, span: range) -> pd.DataFrame:
    """Repeat each job for every event month in which it has a day."""
    jobs = jobs.join(cohort["month"], on="person_id", how="inner")
    last = pd.Timestamp(recipe.last)
    stop = jobs["stop"].fillna(last).where(~(jobs["stop"] > last), last)
    begin = jobs["start"].dt.year * 12 + jobs["start"].dt.month - 1 - jobs["month"]
    end = stop.dt.year * 12 + stop.dt.month - 1 - jobs["month"]
    begin, end = begin.clip(lower=span[0]), end.clip(upper=span[-1])
    kept = (end >= begin).to_numpy()
    jobs, begin, end = jobs[kept], begin[kept].to_numpy(), end[kept].to_numpy()
    times = end - begin + 1
    months = jobs.loc[jobs.index.repeat(times), ["person_id", "employer_id", "weekly_hours"]]
    # Counts from 0 within each job's months.
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    months["event"] = np.repeat(begin, times) + within
    return months


def _programmes(folder: Path, recipe: Recipe, cohort: pd.DataFrame) -> pd.DataFrame:
    rows = read_register(folder, recipe, "programmes")
    rows = rows.join(
        cohort[["month", "treated", "start"]].rename(columns={"start": "draw"}), on="person_id", how="inner"
    )
    last = pd.Timestamp(recipe.last)
    stop = rows["stop"].fillna(last)
    rows["open"] = rows["stop"].isna()
    rows["begin"] = rows["start"].dt.year * 12 + rows["start"].dt.month - 1 - rows["month"]
    rows["end"] = stop.dt.year * 12 + stop.dt.month - 1 - rows["month"]
    rows["length"] = ((stop - rows["start"]).dt.days + 1) / DAYS_PER_MONTH
    return rows[rows["begin"] >= 0]


def outcome(delivery: Delivery, state: str, window: tuple[int, int]) -> pd.Series:
    """Sum a state over event months for every person."""
    return delivery.states[state].loc[:, list(range(window[0], window[1] + 1))].sum(axis=1, skipna=False)


def mean_moment(values: pd.Series) -> Moment:
    """Mean with its standard error."""
    observed = values.dropna().to_numpy(dtype=float)
    if len(observed) < 2:
        return Moment(float("nan"), float("nan"))
    return Moment(float(observed.mean()), float(observed.std(ddof=1) / np.sqrt(len(observed))))


def sd_moment(values: pd.Series) -> Moment:
    """Return the standard deviation with a standard error that allows for the kurtosis."""
    observed = values.dropna().to_numpy(dtype=float)
    if len(observed) < 2 or np.ptp(observed) == 0:
        return Moment(float("nan"), float("nan"))
    away = observed - observed.mean()
    variance = float((away**2).mean())
    fourth = float((away**4).mean())
    # Delta method: Var(s) = (m4 - s^4) / (4 n s^2), with m4 the fourth central moment.
    error = np.sqrt(max(fourth - variance**2, 0.0) / len(observed)) / (2 * np.sqrt(variance))
    return Moment(float(observed.std(ddof=1)), float(error))


@dataclass(frozen=True)
class Fit:
    """A least-squares fit within cells: coefficients by name, HC1 standard errors, share explained; missing when too few."""

    coefficients: dict[str, float]
    std_errors: dict[str, float]
    r_squared: float


def fit_within_cells(y: pd.Series, x: pd.DataFrame, cell: pd.Series) -> Fit:
    """Regress within cells, by dummies swept out; rows with anything missing are left out."""
    whole = y.notna() & x.notna().all(axis=1)
    y, x, cell = y[whole], x[whole].astype(float), cell[whole]
    within_y = (y - y.groupby(cell).transform("mean")).to_numpy()
    within_x = (x - x.groupby(cell).transform("mean")).to_numpy()
    names = [str(name) for name in x.columns]
    used = within_x.shape[1] + cell.nunique()
    if len(y) <= used or np.linalg.matrix_rank(within_x) < within_x.shape[1]:
        unknown = dict.fromkeys(names, float("nan"))
        return Fit(unknown, unknown, float("nan"))
    bread = np.linalg.inv(within_x.T @ within_x)
    beta = bread @ within_x.T @ within_y
    residual: FloatArray = within_y - within_x @ beta
    scores = within_x * residual[:, None]
    covariance = bread @ (scores.T @ scores) @ bread * len(y) / (len(y) - used)
    total = float(((y - y.mean()) ** 2).sum())
    return Fit(
        dict(zip(names, beta.tolist(), strict=True)),
        dict(zip(names, np.sqrt(np.diag(covariance)).tolist(), strict=True)),
        1 - float(residual @ residual) / total,
    )
