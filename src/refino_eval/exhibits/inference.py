"""From people to numbers, for the exhibits beyond the plain effect: tests, estimands, interactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config import exhibits as x
from refino_eval.errors import UserError
from refino_eval.exhibits.people import (
    PersonFiles,
    Row,
    Study,
    cell,
    controls_of,
    outcome_columns,
    pairs,
    weighted,
    weighting,
)
from refino_eval.seeds import derive_seed


def tests(exhibit: x.TestsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Each effect with its randomisation p, family-wise p, sharpened q, and what it can and cannot exclude."""
    # Each arm's redraws are made apart, from a seed of its own.
    alone = len(study.treated_arms) == 1
    tested = [
        _tested(exhibit, people, files, pair, derive_seed(study.seed, name, *(() if alone else (pair.treated,))))
        for people, pair in pairs(cohort, study)
    ]
    families = [[one] for one in tested] if exhibit.family == "outcomes" else [tested]
    for family in families:
        yield from _family_rows(exhibit, family)


@dataclass(frozen=True)
class _Tested:
    """The effects of one treated arm, and what redraws say of them."""

    arm: str
    people: int
    effects: est.EffectTable
    redrawn: est.RandomisationTable


def _tested(exhibit: x.TestsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, seed: int) -> _Tested:
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    options: dict[str, Any] = {
        "cells": people["cell"] if specification.strata else None,
        "controls": controls,
        "vcov": specification.vcov,
        "missing": exhibit.missing,
        "level": specification.level,
        **weighting(people, specification.vcov),
    }
    treated = people["treated"].to_numpy()
    return _Tested(
        arm=study.treated,
        people=len(people),
        effects=est.itt(values, treated, **options),
        redrawn=est.randomisation_test(
            values, treated, scheme=exhibit.scheme, draws=exhibit.draws, seed=seed, exhaustive=True,
            units=drawn_units(exhibit.draw_unit, people), **options,
        ),
    )  # fmt: skip


def drawn_units(said: str | None, people: pd.DataFrame) -> np.ndarray | None:
    """Return what was drawn: the cluster of each person, or each person; None where no clusters are known.

    Raises
    ------
    UserError
        When clusters are said and not known, or nothing is said and some clusters, but few, have people in both arms.
    """
    if "cluster" not in people:
        if said == "cluster":
            raise UserError("draw_unit says cluster, and the evaluation names none (person_table.cluster).")
        return None
    codes = pd.factorize(people["cluster"])[0]
    treated = np.bincount(codes, weights=people["treated"].to_numpy(dtype=float))
    size = np.bincount(codes)
    shared, split = int((size > 1).sum()), int(((treated > 0) & (treated < size)).sum())
    if said is None and 0 < split < shared / 2:
        raise UserError(
            f"{split:,} of {shared:,} clusters with several people have people in both arms: were clusters drawn, or people? Say it "
            "(draw_unit: cluster or person); if clusters, take out those that are divided."
        )
    return codes if said == "cluster" or (said is None and shared and not split) else np.arange(len(people))


def _family_rows(exhibit: x.TestsExhibit, tested: list[_Tested]) -> Iterator[Row]:
    """Write the tests of one family: the outcomes of one arm, or of all arms."""
    names = tuple(f"{one.arm}:{key}" for one in tested for key in one.effects.outcomes)
    draws = est.StatisticDraws(
        names=names,
        observed=np.concatenate([one.redrawn.statistics.observed for one in tested]),
        # Arms share their controls, so that redraws made apart are less alike than the truth: step-down p-values over
        # several arms err on the safe side (Sidak 1967).
        draws=np.hstack([one.redrawn.statistics.draws for one in tested]),
        studentised=tested[0].redrawn.statistics.studentised,
    )
    p_values = np.concatenate([one.effects.p_value for one in tested])
    family = est.multiplicity(p_values, names=names, draws=draws)
    place = 0
    for one in tested:
        count = len(one.effects.outcomes)
        yield from _tested_rows(exhibit, one, family, slice(place, place + count))
        place += count
        if len(tested) == 1:
            for omnibus in family.omnibus.values():
                yield cell("omnibus", one.arm, "p_value_ri", omnibus.p_value, panel=exhibit.specification)
        yield cell("redraws", one.arm, "count", one.redrawn.draws, panel=exhibit.specification)
        if one.redrawn.exhaustive:
            yield cell("possible_draws", one.arm, "count", one.redrawn.draws + 1, panel=exhibit.specification)
        if one.redrawn.n_redrawn[0] < one.people:
            yield cell("drawn_units", one.arm, "count", one.redrawn.n_redrawn[0], panel=exhibit.specification)


def _tested_rows(exhibit: x.TestsExhibit, one: _Tested, family: est.MultiplicityTable, places: slice) -> Iterator[Row]:
    effects, redrawn = one.effects, one.redrawn
    card = est.null_card(
        effects,
        margin=exhibit.margins or None,
        p_randomisation=redrawn.p_value,
        p_family=family.p_step_down[places],
    )
    columns = {
        "estimate": card.estimate,
        "std_error": card.std_error,
        "p_value": card.p_value,
        "p_value_ri": redrawn.p_value,
        "p_value_fwer": family.p_step_down[places],
        "p_value_holm": family.p_holm[places],
        "q_value": family.q_sharpened[places],
        "conf_low": card.conf_low,
        "conf_high": card.conf_high,
        "mean_control": card.mean_control,
        "percent_of_control": effects.percent_of_control_mean,
        "mde": card.mde,
        "rejected_below": card.rejected_below,
        "rejected_above": card.rejected_above,
        "df": effects.df,
        "n": effects.n,
    }
    for k, key in enumerate(effects.outcomes):
        n = int(effects.n[k])
        for statistic, column in columns.items():
            yield cell(key, one.arm, statistic, column[k], n, panel=exhibit.specification)
        if key in exhibit.margins:
            for statistic, value in (("margin", card.margin[k]), ("p_value_equivalence", card.p_equivalence[k])):
                yield cell(key, one.arm, statistic, value, n, panel=exhibit.specification)


def estimands(
    exhibit: x.EstimandsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """One effect by several weightings of the cells, and the test that they are the same.

    The panel `small_cells` has the standard errors by the variance for cells with one person in an arm.
    """
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    treated = people["treated"].to_numpy()
    options: dict[str, Any] = {
        "cells": people["cell"] if specification.strata else None,
        "controls": controls,
        "missing": exhibit.missing,
        "level": specification.level,
    }
    table = est.estimands(values, treated, **options)
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            n = int(table.n[e, j])
            for statistic in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n"):
                yield cell(key, estimand, statistic, getattr(table, statistic)[e, j], n)
            yield cell(key, estimand, "n_left_out", table.n_left_out[e, j], n)
        yield cell(key, "equal", "p_value", table.equal[j].p_value, int(table.n[0, j]))
        yield cell(key, "cell_fixed_effects", "n_cells", table.n_small_cells[j], panel="small_cells")
        yield cell(key, "cell_fixed_effects", "n", table.n_in_small_cells[j], panel="small_cells")
    if table.n_small_cells.any():
        yield from _small_cells(values, treated, options)


def _small_cells(values: pd.DataFrame, treated: np.ndarray, options: Mapping[str, Any]) -> Iterator[Row]:
    """Give the standard errors of the estimands that the small cells' variance is made for."""
    try:
        table = est.estimands(values, treated, small_cells="hybrid", **options)
    except UserError:
        # Too few small cells to compare with each other: the residuals' variance stands alone.
        return
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            if estimand != "interacted":
                yield cell(key, estimand, "std_error", table.std_error[e, j], int(table.n[e, j]), panel="small_cells")


def interactions(
    exhibit: x.InteractionsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """One regression a moderator, with the coefficients of the controls shown, and the joint test of all."""
    specification = study.specifications[exhibit.specification]
    needed = list(exhibit.moderators)
    complete = cohort[needed].notna().all(axis=1).to_numpy()
    people, values, controls = sample_of(exhibit, cohort.loc[complete].reset_index(drop=True), files, specification)
    table = est.interactions(
        values,
        people["treated"].to_numpy(),
        people[needed],
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    mean_control = float(values.loc[people["treated"] == 0].iloc[:, 0].mean())
    panel = exhibit.specification
    for m, moderator in enumerate(table.moderators):
        n = int(table.n[0, m])
        rows: dict[str, tuple[float, float, float]] = {
            study.treated: (table.main[0, m], table.main_std_error[0, m], table.main_p_value[0, m]),
            f"{study.treated}_x_characteristic": (
                table.estimate[0, m], table.std_error[0, m], table.p_value[0, m],
            ),
        }  # fmt: skip
        regression = next(one for one in table.regressions if one.moderator == moderator)
        for t, term in enumerate(regression.terms):
            if term in people.columns and term != "treated":
                rows[term] = (regression.estimate[t], regression.std_error[t], regression.p_value[t])
        for row, (estimate, error, p_value) in rows.items():
            for statistic, value in (("estimate", estimate), ("std_error", error), ("p_value", p_value)):
                yield cell(row, moderator, statistic, value, n, panel=panel)
        yield cell(study.treated, moderator, "mean_control", mean_control, n, panel=panel)
        yield cell(study.treated, moderator, "n", n, n, panel=panel)
    test = table.joint_test[0]
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell("joint_test", "all", statistic, value, panel=panel)


def sample_of(
    exhibit: Any, cohort: pd.DataFrame, files: PersonFiles, specification: d.Specification
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
    """Return people, outcomes and controls on the rows that the exhibit's sample and the controls leave."""
    columns = getattr(exhibit, "columns", None) or {name: name for name in exhibit.outcomes}
    cohort = weighted(cohort, specification)
    values = outcome_columns(columns, cohort, files)
    rows = np.ones(len(cohort), dtype=bool)
    if getattr(exhibit, "missing", "common") == "common":
        rows = est.common_sample(values).rows
    people = cohort.loc[rows].reset_index(drop=True)
    controls = controls_of(people, specification)
    kept = controls.rows
    if people.loc[kept, "treated"].nunique() < 2:
        raise UserError(
            f"only {int(kept.sum()):,} people have a value in every column, and they are not in both arms. "
            "Look at the outcomes' windows against the register's coverage."
        )
    return (
        people.loc[kept].reset_index(drop=True),
        values.loc[rows].reset_index(drop=True).loc[kept].reset_index(drop=True),
        controls.to_frame().loc[kept].reset_index(drop=True) if controls.names else None,
    )
