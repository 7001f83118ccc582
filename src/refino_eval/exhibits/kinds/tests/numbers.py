"""Numbers of exhibits of kind `tests`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.keys import difference_row
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.numbers.drawn_units import drawn_units
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, Study, cell, inputs_of, pairs
from refino_eval.seeds import derive_seed


def numbers(exhibit: TestsExhibit, context: Context) -> Iterator[Row]:
    """Each effect with its randomisation p, family-wise p, sharpened q, and what it can and cannot exclude."""
    cohort, files, study, name = context.cohort, context.files, context.study, context.name
    # Each arm's redraws are made apart, from a seed of its own.
    alone = len(study.treated_arms) == 1
    if exhibit.comparison == "joint" and not alone:
        tested = _tested_jointly(exhibit, cohort, files, study, derive_seed(study.seed, name))
    else:
        tested = [
            _tested(exhibit, people, files, pair, derive_seed(study.seed, name, *(() if alone else (pair.treated,))))
            for people, pair in pairs(cohort, study)
        ]
    families = [[one] for one in tested] if exhibit.family == "outcomes" else [tested]
    for family in families:
        yield from _family_rows(exhibit, family)


@dataclass(frozen=True)
class _Tested:
    """The effects of one treated arm, what redraws say of them, and the p-values of the wild cluster bootstrap, if any."""

    arm: str
    people: int
    effects: est.EffectTable
    statistics: est.StatisticDraws
    n_redrawn: int
    exhaustive: bool = False
    wild: npt.NDArray[np.float64] | None = None

    @property
    def draws(self) -> int:
        """Re-randomisations."""
        return int(self.statistics.draws.shape[0])


def _tested(exhibit: TestsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, seed: int) -> _Tested:
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    inputs = inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing)
    redrawn = est.randomisation_test(
        values, inputs, scheme=exhibit.scheme, draws=exhibit.draws, seed=seed, exhaustive=True,
        units=drawn_units(exhibit.draw_unit, people),
    )  # fmt: skip
    return _Tested(
        arm=study.treated,
        people=len(people),
        effects=est.itt(values, inputs),
        statistics=redrawn.statistics,
        wild=None
        if exhibit.wild_bootstrap is None
        else est.wild_cluster_p_values(values, inputs, draws=exhibit.wild_bootstrap, seed=seed),
        n_redrawn=int(redrawn.n_redrawn[0]),
        exhaustive=redrawn.exhaustive,
    )


def _tested_jointly(
    exhibit: TestsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, seed: int
) -> list[_Tested]:
    """Test all arms in one regression, and the differences between them, with the same re-randomisations."""
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    inputs = inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing)
    names = study.treated_arms
    codes = {study.control: 0, **{arm: k for k, arm in enumerate(names, start=1)}}
    arms = np.asarray([codes[arm] for arm in people["arm"]], dtype=np.int64)
    effects = est.arm_effects(values, arms, names, inputs, between=exhibit.between_arms)
    # Whether clusters were assigned shows in any arm against all others.
    units = drawn_units(exhibit.draw_unit, people.assign(treated=arms), split_by="treated")
    tests = est.arms_test(effects, arms, names, inputs, units=units, draws=exhibit.draws, seed=seed)
    columns = [names[i - 1] if j == 0 else difference_row(names[i - 1], names[j - 1]) for i, j in effects.pairs]
    count = len(people) if units is None else int(np.unique(units).size)
    return [
        _Tested(arm=column, people=len(people), effects=table, statistics=statistics, n_redrawn=count)
        for column, table, statistics in zip(columns, effects.tables, tests, strict=True)
    ]


def _family_rows(exhibit: TestsExhibit, tested: list[_Tested]) -> Iterator[Row]:
    """Write the tests of one family: the outcomes of one arm, or of all arms."""
    names = tuple(f"{one.arm}:{key}" for one in tested for key in one.effects.outcomes)
    draws = est.StatisticDraws(
        names=names,
        observed=np.concatenate([one.statistics.observed for one in tested]),
        # Arms share their controls, so that redraws made apart are less alike than the truth: step-down p-values over
        # several arms err on the safe side (Sidak 1967).
        draws=np.hstack([one.statistics.draws for one in tested]),
        studentised=tested[0].statistics.studentised,
    )
    p_values = np.concatenate([one.effects.p_value for one in tested])
    family = est.multiplicity(p_values, names=names, draws=draws, method=exhibit.step_down)
    place = 0
    for one in tested:
        count = len(one.effects.outcomes)
        yield from _tested_rows(exhibit, one, family, slice(place, place + count))
        place += count
        if len(tested) == 1:
            for omnibus in family.omnibus.values():
                yield cell("omnibus", one.arm, "p_value_ri", omnibus.p_value, panel=exhibit.specification)
        yield cell("redraws", one.arm, "count", one.draws, panel=exhibit.specification)
        if one.exhaustive:
            yield cell("possible_draws", one.arm, "count", one.draws + 1, panel=exhibit.specification)
        if one.n_redrawn < one.people:
            yield cell("drawn_units", one.arm, "count", one.n_redrawn, panel=exhibit.specification)


def _tested_rows(exhibit: TestsExhibit, one: _Tested, family: est.MultiplicityTable, places: slice) -> Iterator[Row]:
    effects, p_randomisation = one.effects, one.statistics.p_value
    card = est.null_card(
        effects,
        margin=exhibit.margins or None,
        p_randomisation=p_randomisation,
        p_family=family.p_step_down[places],
    )
    columns: dict[str, npt.NDArray[Any]] = {
        "estimate": card.estimate,
        "std_error": card.std_error,
        "p_value": card.p_value,
        "p_value_ri": p_randomisation,
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
    if one.wild is not None:
        columns["p_value_wild"] = one.wild
    for k, key in enumerate(effects.outcomes):
        n, source = int(effects.n[k]), effects.sources[k]
        for statistic, column in columns.items():
            yield cell(key, one.arm, statistic, column[k], n, panel=exhibit.specification, source=source)
        if key in exhibit.margins:
            for statistic, value in (("margin", card.margin[k]), ("p_value_equivalence", card.p_equivalence[k])):
                yield cell(key, one.arm, statistic, value, n, panel=exhibit.specification)
