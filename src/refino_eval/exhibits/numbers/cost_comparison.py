"""From printed inputs, estimates and clean registers to the numbers of exhibits about money.

Costs are computed from the inputs of their definition alone. Break-even and net benefit take the effects from another
exhibit of the same run, and estimate the difference in cost a person drawn, and its covariance with each effect, from the
months that people were in either programme. Payments are the rules applied to clean spells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config.exhibit_base import CostAndEffects
from refino_eval.economics.break_even import Estimate
from refino_eval.economics.programme_costs import ArmCost, CostTable, cost_table
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import PersonFiles, Row, Study, cell, inputs_of
from refino_eval.exhibits.tidy import read_made
from refino_eval.published.values import printed_numbers

UNITS = ("participant", "drawn")
"""Units of a difference in cost: per participant, at the published duration; per person assigned, at the measured months."""


MILLION = 1e6


@dataclass(frozen=True)
class Weighed:
    """Effects, differences in cost by unit, arms' mean costs, and covariances of effects with the cost a person drawn."""

    effects: Mapping[str, Estimate]
    costs: Mapping[str, Estimate]
    means: Mapping[str, Mapping[str, float]]
    covariances: Mapping[str, float]
    n: int


def weighed(exhibit: CostAndEffects, cohort: pd.DataFrame, files: PersonFiles, study: Study) -> Weighed:
    """Estimate effects and the difference in cost per person assigned, with their covariances."""
    table = cost_table_of(exhibit.costs, exhibit.basis, files, study)
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(_Columns(exhibit), cohort, files, specification)
    spent = sum(spent_on(table.arms[arm], values[f"months_{arm}"]) for arm in exhibit.months)
    outcomes = values[list(exhibit.columns)]
    # One outcome is weighed by the ratio of spreads, so that neither part of the sum drowns the other.
    weights = {key: float(np.std(spent) / np.std(outcomes[key])) for key in exhibit.columns}
    regressed = pd.DataFrame(
        {**outcomes, "cost": spent, **{f"{key} less cost": weights[key] * outcomes[key] - spent for key in weights}}
    )
    effects = est.itt(regressed, inputs_of(people, specification, controls))
    row = dict(zip(effects.outcomes, range(len(effects.outcomes)), strict=True))
    variance = np.asarray(effects.std_error) ** 2
    drawn = row["cost"]
    return Weighed(
        effects=_effects_of(exhibit, files, study),
        costs={
            "participant": Estimate(table.difference("social", study.treated, study.control), 0.0),
            "drawn": Estimate(
                float(effects.estimate[drawn]), float(effects.std_error[drawn]), float(effects.df[drawn])
            ),
        },
        means={
            "participant": {arm: table.arms[arm].social for arm in (study.treated, study.control)},
            "drawn": {
                study.treated: float(effects.mean_treated[drawn]),
                study.control: float(effects.mean_control[drawn]),
            },
        },
        covariances={
            key: float(weight**2 * variance[row[key]] + variance[drawn] - variance[row[f"{key} less cost"]])
            / (2.0 * weight)
            for key, weight in weights.items()
        },
        n=int(effects.n[drawn]),
    )


def spent_on(arm: ArmCost, months: pd.Series[float]) -> pd.Series[float]:
    """Return what each person costs society in an arm's programme; transaction costs are those of people who start."""
    spent = arm.monthly_social * months
    return spent + arm.transaction_social * (months > 0) if arm.transaction_social else spent


class _Columns:
    """Outcomes and months as columns of one sample: who lacks any of them is in none."""

    def __init__(self, exhibit: CostAndEffects) -> None:
        self.columns = {**exhibit.columns, **{f"months_{arm}": name for arm, name in exhibit.months.items()}}


def _effects_of(exhibit: CostAndEffects, files: PersonFiles, study: Study) -> dict[str, Estimate]:
    """Read the effects of the same run."""
    frame = read_made(files.aggregates[exhibit.effects])
    frame = frame[(frame["panel"] == exhibit.specification) & (frame["row"] == study.treated)]
    number = frame.set_index(["column", "statistic"])["value"]
    return {
        key: Estimate(*(float(number[key, statistic]) for statistic in ("estimate", "std_error", "df")))
        for key in exhibit.columns
    }


def estimate_rows(
    row: str, column: str, estimated: Estimate, level: float, n: int | None, *, panel: str
) -> Iterator[Row]:
    """Return an estimate with its standard error and interval."""
    yield cell(row, column, "estimate", estimated.value, n, panel=panel)
    if estimated.std_error > 0:
        low, high = estimated.interval(level)
        for statistic, value in (("std_error", estimated.std_error), ("conf_low", low), ("conf_high", high)):
            yield cell(row, column, statistic, value, n, panel=panel)


def published_of(files: PersonFiles) -> dict[str, float]:
    """Read the published numbers that costs refer to, if any."""
    return printed_numbers(files.published) if files.published is not None else {}


def cost_table_of(name: str, basis: str, files: PersonFiles, study: Study) -> CostTable:
    """Compute the table of an entry of the costs on one basis."""
    return cost_table(study.costs[name], basis, published_of(files))
