"""Numbers of exhibits of kind `measured_costs`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from refino_eval.economics.break_even import Estimate
from refino_eval.economics.programme_costs import cost_table
from refino_eval.exhibits.kinds.measured_costs.model import MeasuredCostsExhibit, MonthsByYear
from refino_eval.exhibits.numbers.clustered_means import clustered_errors
from refino_eval.exhibits.numbers.cost_comparison import cost_table_of, published_of
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.study import Context, Row, cell, of_arm, outcome_columns


def numbers(exhibit: MeasuredCostsExhibit, context: Context) -> Iterator[Row]:
    """Yield published and measured months by arm, and the costs that follow, with the differences between arms.

    The mean of months is over the participants of an arm. Its standard error is clustered where the evaluation has clusters;
    arms are independent, so that the variance of a difference is the sum of theirs.
    """
    files, study = context.files, context.study
    costs, arms = study.costs[exhibit.costs], (study.treated, study.control)
    measured, people_of = _months(exhibit, context)
    stated = cost_table_of(exhibit.costs, exhibit.basis, files, study)
    measured_table = cost_table(
        costs, exhibit.basis, published_of(files), months={arm: measured[arm].value for arm in arms}
    )
    for row, step in (("months_stated", "duration"), ("cost_stated", "total")):
        for arm in arms:
            yield cell(row, arm, "value", float(getattr(stated.arms[arm], step)))
        yield cell(row, "difference", "value", stated.difference(step, *arms))
    for arm in arms:
        yield cell("participant_months", arm, "value", measured[arm].value * people_of[arm], people_of[arm])
    if exhibit.by_year is not None:
        yield from _by_year(exhibit.by_year, context)
    spent = {
        arm: Estimate(
            measured_table.arms[arm].total,
            measured_table.arms[arm].monthly_price * measured[arm].std_error,
            measured[arm].df,
        )
        for arm in arms
    }
    for row, estimates in (("months_measured", measured), ("cost_measured", spent)):
        for arm in arms:
            yield from _with_interval(row, arm, "mean", estimates[arm], people_of[arm])
        difference = _less(*(estimates[arm] for arm in arms))
        yield from _with_interval(row, "difference", "estimate", difference, sum(people_of.values()))


def _by_year(by_year: MonthsByYear, context: Context) -> Iterator[Row]:
    """Yield the participant-months of each arm by calendar year: a panel for each year."""
    cohort, study = context.cohort, context.study
    drawn = (
        12 * cohort["draw_month"].str[:4].astype(int).to_numpy()
        + cohort["draw_month"].str[5:].astype(int).to_numpy()
        - 1
    )
    states = tuple(dict.fromkeys(by_year.states.values()))
    panels = {state: (values, times) for state, values, times in panel_matrices(states, "month", cohort, context.files)}
    first, last = by_year.window
    counts: dict[tuple[int, str], tuple[float, int]] = {}
    for arm, state in by_year.states.items():
        values, times = panels[state]
        counted = (times >= first) & (times <= last)
        mine = of_arm(cohort, arm, study)
        months = np.nan_to_num(values[mine][:, counted])
        years = (drawn[mine][:, None] + times[counted][None, :]) // 12
        for year in np.unique(years[months > 0]):
            here = months * (years == year)
            counts[int(year), arm] = float(here.sum()), int(np.count_nonzero(here.any(axis=1)))
    for year in sorted({year for year, _ in counts}):
        for arm in by_year.states:
            value, people = counts.get((year, arm), (0.0, 0))
            yield cell("participant_months", arm, "value", value, people, panel=str(year))


def _with_interval(row: str, column: str, statistic: str, number: Estimate, n: int) -> Iterator[Row]:
    low, high = number.interval()
    numbers = {statistic: number.value, "std_error": number.std_error, "conf_low": low, "conf_high": high}
    return (cell(row, column, name, value, n) for name, value in numbers.items())


def _months(exhibit: MeasuredCostsExhibit, context: Context) -> tuple[dict[str, Estimate], dict[str, int]]:
    """Return the mean months of each arm's participants with its standard error, and how many participants there are."""
    means, sizes = {}, {}
    values = outcome_columns(exhibit.months, context.cohort, context.files)
    for arm in exhibit.months:
        own = of_arm(context.cohort, arm, context.study) & (values[arm] > 0).to_numpy()
        months, size = values.loc[own, arm].to_numpy(dtype=float), int(np.count_nonzero(own))
        clustered = clustered_errors(months[:, None], context.cohort.loc[own]) if size > 1 else None
        if clustered is not None:
            error, df = float(clustered[0][0]), float(clustered[1][0])
        else:
            error, df = (float(months.std(ddof=1)) / math.sqrt(size), size - 1.0) if size > 1 else (math.nan, math.nan)
        means[arm], sizes[arm] = Estimate(float(months.mean()) if size else math.nan, error, df), size
    return means, sizes


def _less(first: Estimate, second: Estimate) -> Estimate:
    """Return the difference of two independent estimates; the smaller of the degrees of freedom is the cautious choice."""
    return Estimate(first.value - second.value, math.hypot(first.std_error, second.std_error), min(first.df, second.df))
