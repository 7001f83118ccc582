"""From people to numbers: compute the tidy aggregate of an exhibit.

This is the one place where person-level files become aggregates. Each kind of exhibit is one function that reads the
cohort and what it needs beside it, calls `estimation`, and writes the answer in tidy form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.errors import UserFault
from refino_eval.exhibits.tidy import tidy_frame
from refino_eval.seeds import derive_seed

Row = dict[str, object]

EFFECT_STATISTICS = {
    "estimate": "estimate",
    "std_error": "std_error",
    "p_value": "p_value",
    "conf_low": "conf_low",
    "conf_high": "conf_high",
    "df": "df",
    "mean": "mean",
    "mean_treated": "mean_treated",
    "mean_control": "mean_control",
    "sd_control": "sd_control",
    "percent_of_control_mean": "percent_of_control",
    "n": "n",
    "n_treated": "n_treated",
    "n_control": "n_control",
    "n_cells": "n_cells",
    "r_squared": "r_squared",
}
"""Columns of an effect table -> statistics of a tidy ITT exhibit."""


@dataclass(frozen=True)
class PersonFiles:
    """Where the person-level files of an evaluation stand.

    Attributes
    ----------
    cohort
        `cohort.parquet`.
    outcomes
        One file for each outcome.
    panels
        One panel for each unit of the clock.
    """

    cohort: Path
    outcomes: Mapping[str, Path]
    panels: Mapping[str, Path]


@dataclass(frozen=True)
class Study:
    """What an exhibit needs to know of its study: names of the arms, definitions of controls, and the seed."""

    treated: str
    control: str
    specifications: Mapping[str, d.Specification]
    seed: int


def aggregate(name: str, exhibit: d.Exhibit, *, files: PersonFiles, study: Study) -> pd.DataFrame:
    """Compute the numbers of an exhibit.

    Parameters
    ----------
    name
        The exhibit's name, written into the first column.
    exhibit
        Its definition.
    files
        The person-level files.
    study
        Names and specifications.

    Returns
    -------
    pandas.DataFrame
        Tidy numbers (see `tidy`), checked.

    Raises
    ------
    UserFault
        When the sample is empty or lacks an arm, or an estimate cannot be made; the message names the exhibit.
    """
    cohort = _sample(pd.read_parquet(files.cohort), name, exhibit.sample)
    try:
        rows = list(_KINDS[exhibit.kind](exhibit, cohort, files, study, name))
    except UserFault as fault:
        raise UserFault(*[f"Exhibit '{name}': {text}" for text in fault.faults]) from None
    return tidy_frame({"exhibit": name, **row} for row in rows)


def _sample(cohort: pd.DataFrame, name: str, sample: str) -> pd.DataFrame:
    chosen = cohort.loc[cohort[f"sample_{sample}"]].reset_index(drop=True)
    arms = chosen["treated"].nunique()
    if arms < 2:
        raise UserFault(
            f"Exhibit '{name}': the sample '{sample}' has {len(chosen):,} people in {arms} arm(s); a comparison needs both. "
            "See run/flow.csv for who was lost and why."
        )
    return chosen


def _descriptives(
    exhibit: d.DescriptivesExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    described = est.describe(cohort[list(exhibit.covariates)], cohort["treated"].to_numpy())
    columns = {"all": described.overall, study.treated: described.treated, study.control: described.control}
    for column, moments in columns.items():
        for k, covariate in enumerate(exhibit.covariates):
            yield from _moments(covariate, column, moments, k)
        people = {"all": len(cohort), study.treated: int(cohort["treated"].sum())}
        yield _cell("all", column, "n", people.get(column, len(cohort) - people[study.treated]))


def _moments(row: str, column: str, moments: est.Moments, k: int) -> Iterator[Row]:
    n = int(moments.n[k])
    yield _cell(row, column, "mean", moments.mean[k], n)
    yield _cell(row, column, "sd", moments.sd[k], n)
    yield _cell(row, column, "n", n, n)


def _balance(
    exhibit: d.BalanceExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    table = est.balance(
        cohort[list(exhibit.covariates)],
        cohort["treated"].to_numpy(),
        cells=cohort["cell"],
        vcov=exhibit.vcov,
        missing="common",
        **_weighting(cohort, exhibit.vcov),
    )
    for column, part in (("alone", table.alone), ("joint", table.together)):
        for k, covariate in enumerate(table.covariates):
            for statistic in ("estimate", "std_error", "p_value", "r_squared", "n"):
                yield _cell(covariate, column, statistic, getattr(part, statistic)[k], int(part.n[k]))
            if column == "alone":
                yield _cell(covariate, column, "mean_control", table.differences.mean_control[k], int(part.n[k]))
    test = table.joint_test
    n = int(table.together.n[0])
    for statistic, value in (
        ("f_stat", test.f_stat),
        ("df", test.df_num),
        ("df_residual", test.df_den),
        ("p_value", test.p_value),
    ):
        yield _cell("joint_test", "joint", statistic, value, n)
    yield from _differences(table, study)


def _differences(table: est.BalanceTable, study: Study) -> Iterator[Row]:
    gap = table.differences
    for k, covariate in enumerate(table.covariates):
        for column, arm in ((study.treated, "treated"), (study.control, "control")):
            n = int(getattr(gap, f"n_{arm}")[k])
            for statistic, value in (("mean", f"mean_{arm}"), ("sd", f"sd_{arm}")):
                yield _cell(covariate, column, statistic, getattr(gap, value)[k], n, panel="differences")
            yield _cell(covariate, column, "n", n, n, panel="differences")
        n = int(gap.n[k])
        for statistic in ("estimate", "std_error", "p_value"):
            yield _cell(covariate, "difference", statistic, getattr(gap, statistic)[k], n, panel="differences")
        yield _cell(
            covariate, "normalised", "normalised_difference", table.normalised_difference[k], n, panel="differences"
        )


def _itt(exhibit: d.IttExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    values = _outcome_columns(exhibit.columns, cohort, files)
    common = est.common_sample(values)
    kept, values = cohort.loc[common.rows].reset_index(drop=True), values.loc[common.rows].reset_index(drop=True)
    if kept["treated"].nunique() < 2:
        raise UserFault(
            f"only {len(kept):,} people have a value in every column, and they are not in both arms. "
            "Look at the outcomes' windows against the register's coverage."
        )
    for label in exhibit.specifications:
        specification = study.specifications[label]
        controls = _controls(kept, specification)
        rows = controls.rows
        table = est.itt(
            values.loc[rows],
            kept.loc[rows, "treated"].to_numpy(),
            cells=kept.loc[rows, "cell"] if specification.strata else None,
            controls=controls.to_frame().loc[rows] if controls.names else None,
            vcov=specification.vcov,
            level=specification.level,
            **_weighting(kept.loc[rows], specification.vcov),
        )
        frame = table.to_frame().set_index("outcome")
        for column in exhibit.columns:
            found = frame.loc[column].to_dict()
            for source, statistic in EFFECT_STATISTICS.items():
                yield _cell(study.treated, column, statistic, found[source], int(found["n"]), panel=label)
        for column, lost in common.lost.items():
            if lost:
                yield _cell("lost", column, "count", lost, lost, panel=label)


def _draws(exhibit: d.DrawsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    months = pd.period_range(cohort["draw_month"].min(), cohort["draw_month"].max(), freq="M").strftime("%Y-%m")
    counts = cohort.groupby(["draw_month", "treated"]).size().unstack(fill_value=0).reindex(months, fill_value=0)
    for month, row in counts.iterrows():
        treated, control = int(row.get(1, 0)), int(row.get(0, 0))
        yield _cell(str(month), study.treated, "count", treated, treated)
        yield _cell(str(month), study.control, "count", control, control)
        if treated + control:
            yield _cell(str(month), "share_treated", "share", treated / (treated + control), treated + control)


def _paths(exhibit: d.PathsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    for state in exhibit.states:
        values, times = _states(exhibit, state, cohort, files)
        told = est.paths(values, cohort["treated"].to_numpy(), times=times)
        for arm, column in ((1, study.treated), (0, study.control)):
            for k, time in enumerate(told.times):
                n = int(told.n[0, arm, k])
                if n == 0:
                    yield _cell(str(time), column, "mean", np.nan, 0, panel=state, status="no_data")
                    continue
                mean, error = float(told.mean[0, arm, k]), float(told.std_error[0, arm, k])
                reach = error * float(stats.t.ppf(0.975, max(n - 1, 1)))
                yield _cell(str(time), column, "mean", mean, n, panel=state)
                yield _cell(str(time), column, "n", n, n, panel=state)
                if n > 1:
                    yield _cell(str(time), column, "sd", told.sd[0, arm, k], n, panel=state)
                    yield _cell(str(time), column, "conf_low", mean - reach, n, panel=state)
                    yield _cell(str(time), column, "conf_high", mean + reach, n, panel=state)


def _effects(
    exhibit: d.EffectsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    specification = study.specifications[exhibit.specification]
    controls = _controls(cohort, specification)
    rows = controls.rows
    people = cohort.loc[rows]
    for state in exhibit.states:
        values, times = _states(exhibit, state, cohort, files)
        seen = np.isfinite(values[rows]).any(axis=0)
        told = est.dynamics(
            values[np.ix_(rows, seen)],
            people["treated"].to_numpy(),
            times=times[seen],
            cells=people["cell"] if specification.strata else None,
            controls=controls.to_frame().loc[rows] if controls.names else None,
            vcov=specification.vcov,
            level=specification.level,
            onset=exhibit.cumulate_from if exhibit.cumulate_from is not None else 0,
            seed=derive_seed(study.seed, name, state),
            **_weighting(people, specification.vcov),
        )
        yield from _effect_rows(told, state)


def _effect_rows(told: est.DynamicEffects, state: str) -> Iterator[Row]:
    frame = told.to_frame()
    wanted = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "band_low", "band_high", "mean_control", "n")
    for row in frame.itertuples(index=False):
        for statistic in wanted:
            value = getattr(row, statistic)
            status = "" if np.isfinite(value) else "not_estimable"
            yield _cell(str(row.time), "difference", statistic, value, int(row.n), panel=state, status=status)  # type: ignore[arg-type]
    yield _cell("critical_value", "sup_t", "value", told.critical_value, panel=state)
    if told.placebo is not None:
        test = told.placebo
        for statistic, value in (
            ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
        ):  # fmt: skip
            yield _cell("placebo", "difference", statistic, value, panel=state)


def _design(
    exhibit: d.DesignExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    table = est.design_table(cohort["treated"].to_numpy(), cohort["cell"])
    for k, cell in enumerate(table.cell):
        n = int(table.n[k])
        yield _cell(str(cell), "all", "n", n, n)
        yield _cell(str(cell), "all", "n_treated", table.n_treated[k], n)
        yield _cell(str(cell), "all", "share", table.share[k], n)
        yield _cell(str(cell), "all", "weight", table.weight_share[k], n)
    for key, value in vars(table.summary).items():
        yield _cell("summary", key, "value", value, table.summary.n)


_KINDS: Mapping[str, Any] = {
    "descriptives": _descriptives,
    "balance": _balance,
    "itt": _itt,
    "draws": _draws,
    "paths": _paths,
    "effects": _effects,
    "design": _design,
}


def _cell(
    row: str, column: str, statistic: str, value: Any, n: int | None = None, *, panel: str = "", status: str = ""
) -> Row:
    number = float(value)
    if not status and not np.isfinite(number):
        status = "not_estimable"
    return {
        "panel": panel,
        "row": row,
        "column": column,
        "statistic": statistic,
        "value": number if np.isfinite(number) else np.nan,
        "n_persons": n,
        "status": status,
    }


def _outcome_columns(columns: Mapping[str, str], cohort: pd.DataFrame, files: PersonFiles) -> pd.DataFrame:
    found = {}
    for column, outcome in columns.items():
        values = pd.read_parquet(files.outcomes[outcome]).set_index("person_id")["value"].astype(float)
        found[column] = values.reindex(cohort["person_id"]).to_numpy()
    return pd.DataFrame(found)


def _states(
    exhibit: d.PathsExhibit | d.EffectsExhibit, state: str, cohort: pd.DataFrame, files: PersonFiles
) -> tuple[np.ndarray, np.ndarray]:
    """Read a state as people (in the cohort's order) x event times; summed when the exhibit asks for it."""
    panel = pd.read_parquet(files.panels[exhibit.clock], columns=["person_id", "event_time", state])
    wide = est.widen(panel, person="person_id", time="event_time", value=state).reindex(cohort["person_id"])
    times = wide.columns.to_numpy(dtype=np.int64)
    values = wide.to_numpy(dtype=np.float64)
    if exhibit.cumulate_from is not None:
        values, times = est.cumulate(values, times, start=exhibit.cumulate_from)
    low = exhibit.first if exhibit.first is not None else int(times[0])
    high = exhibit.last if exhibit.last is not None else int(times[-1])
    chosen = (times >= low) & (times <= high)
    return values[:, chosen], times[chosen]


def _controls(cohort: pd.DataFrame, specification: d.Specification) -> est.ControlMatrix:
    terms = [
        est.ControlTerm(
            name=term.covariate, encoding=term.encoding, bins=term.bins, edges=term.edges, missing=term.missing
        )
        for term in specification.controls
    ]
    return est.build_controls(cohort, terms)


def _weighting(cohort: pd.DataFrame, vcov: str) -> dict[str, Any]:
    """Return weights, and the cluster when the covariance asks for it, as the evaluation names them."""
    found: dict[str, Any] = {}
    if "weight" in cohort:
        found["weights"] = cohort["weight"].to_numpy()
    if vcov == "CRV1":
        if "cluster" not in cohort:
            raise UserFault(
                "the covariance CRV1 needs a cluster, and the evaluation names none (person_table.cluster)."
            )
        found["cluster"] = cohort["cluster"]
    return found
