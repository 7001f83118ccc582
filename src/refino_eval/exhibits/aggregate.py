"""From people to numbers: compute the tidy aggregate of an exhibit.

This is the one place where person-level files become aggregates. Each kind of exhibit is one function that reads the
cohort and what it needs beside it, calls `estimation`, and writes the answer in tidy form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import exhibits as x
from refino_eval.errors import UserError
from refino_eval.exhibits import (
    arms,
    group_numbers,
    inference,
    missingness,
    money,
    nonlinear_numbers,
    over_time,
    participation,
    robustness,
)
from refino_eval.exhibits.arm_names import arm_panel
from refino_eval.exhibits.people import PersonFiles, Row, Study, cell, of_arm, outcome_columns, pairs, weighting
from refino_eval.exhibits.tidy import tidy_frame

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
    "sd_treated": "sd_treated",
    "sd_control": "sd_control",
    "percent_of_control_mean": "percent_of_control",
    "n": "n",
    "n_treated": "n_treated",
    "n_control": "n_control",
    "n_cells": "n_cells",
    "r_squared": "r_squared",
}
"""Columns of an effect table -> statistics of a tidy ITT exhibit."""


def aggregate(name: str, exhibit: x.Exhibit, *, files: PersonFiles, study: Study) -> pd.DataFrame:
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
    UserError
        When the sample is empty or lacks an arm, or an estimate cannot be made; the message names the exhibit.
    """
    study = study.comparing(exhibit.arm, exhibit.against)
    cohort = _sample(pd.read_parquet(files.cohort), name, exhibit.sample, study)
    try:
        rows = list(_rows(exhibit, cohort, files, study, name))
    except UserError as fault:
        raise UserError(*[f"Exhibit '{name}': {text}" for text in fault.problems]) from None
    return tidy_frame({"exhibit": name, **row} for row in rows)


def _rows(exhibit: x.Exhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Call the exhibit's kind: once for all arms together, or for each treated arm apart, its name before the panel's."""
    make = _KINDS[exhibit.kind]
    if len(study.treated_arms) == 1 or exhibit.several_arms == "together":
        yield from make(exhibit, cohort, files, study, name)
        return
    for people, pair in pairs(cohort, study):
        for row in make(exhibit, people, files, pair, name):
            yield {**row, "panel": arm_panel(pair.treated, str(row["panel"]))}


def _sample(cohort: pd.DataFrame, name: str, sample: str, study: Study) -> pd.DataFrame:
    chosen = cohort.loc[cohort[f"sample_{sample}"]]
    if "arm" in chosen:
        wanted = (*study.treated_arms, study.control)
        if study.is_pooled:
            chosen = chosen.assign(arm=chosen["arm"].where(chosen["arm"] == study.control, study.treated))
        chosen = chosen.loc[chosen["arm"].isin(wanted)]
        # The arm that is compared with counts as the control, also where it is one of the treated.
        chosen = chosen.assign(treated=(chosen["arm"] != study.control).astype("int32"))
        arms, needed = chosen["arm"].nunique(), len(wanted)
    else:
        arms, needed = chosen["treated"].nunique(), 2
    if arms < needed:
        raise UserError(
            f"Exhibit '{name}': the sample '{sample}' has {len(chosen):,} people in {arms} arm(s); a comparison needs "
            f"{'both' if needed == 2 else f'all {needed}'}. See run/flow.csv for who was lost and why."
        )
    return chosen.reset_index(drop=True)


def _descriptives(
    exhibit: x.DescriptivesExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    values = np.ascontiguousarray(cohort[list(exhibit.covariates)].to_numpy(dtype=np.float64))
    for column in ("all", *study.treated_arms, study.control):
        rows = of_arm(cohort, column, study) if column != "all" else np.ones(len(cohort), dtype=bool)
        moments = est.moments(values[rows])
        for k, covariate in enumerate(exhibit.covariates):
            yield from _moments(covariate, column, moments, k)
        yield cell("all", column, "n", int(rows.sum()))


def _moments(row: str, column: str, moments: est.Moments, k: int) -> Iterator[Row]:
    n = int(moments.n[k])
    yield cell(row, column, "mean", moments.mean[k], n)
    yield cell(row, column, "sd", moments.sd[k], n)
    yield cell(row, column, "n", n, n)


def _balance(
    exhibit: x.BalanceExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    table = est.balance(
        cohort[list(exhibit.covariates)],
        cohort["treated"].to_numpy(),
        cells=cohort["cell"],
        vcov=exhibit.vcov,
        missing=exhibit.missing,
        **weighting(cohort, exhibit.vcov),
    )
    for column, part in (("alone", table.alone), ("joint", table.together)):
        for k, covariate in enumerate(table.covariates):
            for statistic in ("estimate", "std_error", "p_value", "r_squared", "n"):
                yield cell(covariate, column, statistic, getattr(part, statistic)[k], int(part.n[k]))
            if column == "alone":
                yield cell(covariate, column, "mean_control", table.differences.mean_control[k], int(part.n[k]))
    test = table.joint_test
    n = int(table.together.n[0])
    for statistic, value in (
        ("f_stat", test.f_stat),
        ("df", test.df_num),
        ("df_residual", test.df_den),
        ("p_value", test.p_value),
    ):
        yield cell("joint_test", "joint", statistic, value, n)
    yield from _differences(table, study)


def _differences(table: est.BalanceTable, study: Study) -> Iterator[Row]:
    gap = table.differences
    for k, covariate in enumerate(table.covariates):
        for column, arm in ((study.treated, "treated"), (study.control, "control")):
            n = int(getattr(gap, f"n_{arm}")[k])
            for statistic, value in (("mean", f"mean_{arm}"), ("sd", f"sd_{arm}")):
                yield cell(covariate, column, statistic, getattr(gap, value)[k], n, panel="differences")
            yield cell(covariate, column, "n", n, n, panel="differences")
        n = int(gap.n[k])
        for statistic in ("estimate", "std_error", "p_value"):
            yield cell(covariate, "difference", statistic, getattr(gap, statistic)[k], n, panel="differences")
        yield cell(
            covariate, "normalised", "normalised_difference", table.normalised_difference[k], n, panel="differences"
        )


def _itt(exhibit: x.IttExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    lost = est.common_sample(outcome_columns(exhibit.columns, cohort, files)).lost
    several = len(study.treated_arms) > 1
    for label in exhibit.specifications:
        specification = study.specifications[label]
        if exhibit.comparison == "pairwise" or not several:
            for people, pair in pairs(cohort, study):
                yield from _itt_of_pair(exhibit, people, files, pair, label)
        if several:
            yield from arms.joint_effects(exhibit, cohort, files, study, label, specification)
        for column, people_lost in lost.items():
            if people_lost and exhibit.missing == "common":
                yield cell("lost", column, "count", people_lost, people_lost, panel=label)


def _itt_of_pair(
    exhibit: x.IttExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, label: str
) -> Iterator[Row]:
    specification = study.specifications[label]
    people, values, controls = inference.sample_of(exhibit, cohort, files, specification)
    table = est.itt(
        values,
        people["treated"].to_numpy(),
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        missing=exhibit.missing,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    frame = table.to_frame().set_index("outcome")
    for column in exhibit.columns:
        found = frame.loc[column].to_dict()
        for source, statistic in EFFECT_STATISTICS.items():
            yield cell(study.treated, column, statistic, found[source], int(found["n"]), panel=label)


def _draws(exhibit: x.DrawsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    months = pd.period_range(cohort["draw_month"].min(), cohort["draw_month"].max(), freq="M").strftime("%Y-%m")
    everyone = cohort.groupby("draw_month").size().reindex(months, fill_value=0)
    counts = {
        arm: cohort.loc[of_arm(cohort, arm, study)].groupby("draw_month").size().reindex(months, fill_value=0)
        for arm in (*study.treated_arms, study.control)
    }
    several = len(study.treated_arms) > 1
    for month in months:
        drawn = int(everyone[month])
        for arm, by_month in counts.items():
            yield cell(month, arm, "count", int(by_month[month]), int(by_month[month]))
        for arm in study.treated_arms if drawn else ():
            column = f"share_{arm}" if several else "share_treated"
            yield cell(month, column, "share", int(counts[arm][month]) / drawn, drawn)


def _design(
    exhibit: x.DesignExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    table = est.design_table(cohort["treated"].to_numpy(), cohort["cell"])
    for k, name_of_cell in enumerate(table.cell):
        n = int(table.n[k])
        yield cell(str(name_of_cell), "all", "n", n, n)
        yield cell(str(name_of_cell), "all", "n_treated", table.n_treated[k], n)
        yield cell(str(name_of_cell), "all", "share", table.share[k], n)
        yield cell(str(name_of_cell), "all", "weight", table.weight_share[k], n)
    for key, value in vars(table.summary).items():
        yield cell("summary", key, "value", value, table.summary.n)


def _flow(exhibit: x.FlowExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Give the lines of `flow.csv` as they stand, after proving that each stage is the one before it less its losses."""
    if files.flow is None:
        raise ValueError("the flow's exhibit needs flow.csv")
    lines = pd.read_csv(files.flow, dtype={"step": str, "reason": str}, keep_default_na=False)
    remain = lines.loc[lines["reason"] == "", "step"]
    shown = {*(exhibit.samples or remain), "delivered", "population"}
    several = len(study.treated_arms) > 1
    treated = {arm: f"arm_{arm}" if several else "treated" for arm in study.treated_arms}
    columns = {"all": "persons", **treated, study.control: "control"}
    left = dict.fromkeys(columns, 0)
    for line in lines[lines["step"].isin(shown)].to_dict("records"):
        counts = {column: int(line[key]) for column, key in columns.items()}
        if line["reason"]:
            left = {column: left[column] - counts[column] for column in columns}
        elif line["step"] == "delivered":
            left = counts
        elif counts != left:
            raise UserError(
                f"the sample '{line['step']}' is not the one before it less those taken out, so they make no single flow. "
                "Name those to show in the exhibit's `samples`, each within the one before."
            )
        row = f"{line['step']}:{line['reason']}" if line["reason"] else line["step"]
        for column, count in counts.items():
            yield cell(row, column, "count", count, count)


_KINDS: Mapping[str, Any] = {
    "descriptives": _descriptives,
    "balance": _balance,
    "itt": _itt,
    "tests": inference.tests,
    "estimands": inference.estimands,
    "late": participation.late,
    "fall_back": participation.fall_back,
    "compliers": participation.compliers,
    "attrition": missingness.attrition,
    "ever_started": participation.ever_started,
    "starters": participation.starters,
    "take_up": participation.take_up,
    "spell_survival": participation.spell_survival,
    "interactions": inference.interactions,
    "draws": _draws,
    "paths": over_time.paths,
    "effects": over_time.effects,
    "design": _design,
    "flow": _flow,
    "costs": money.costs,
    "social_costs": money.social_costs,
    "break_even": money.break_even,
    "net_benefit": money.net_benefits,
    "payments": money.payments,
    "subgroups": group_numbers.subgroups,
    "counts": group_numbers.counts,
    "specification_curve": robustness.specification_curve,
    "leave_one_out": robustness.leave_one_out,
    "stepwise": robustness.stepwise,
    "null_card": robustness.null_card,
    "binary_models": nonlinear_numbers.binary_models,
    "time_to_event": nonlinear_numbers.time_to_event,
}
