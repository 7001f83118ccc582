"""Numbers of exhibits of kind `payment_comparison`."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from refino_eval import estimation as est
from refino_eval.economics.spells import Participant, add_months
from refino_eval.exhibits.kinds.payment_comparison.model import PaymentComparisonExhibit
from refino_eval.exhibits.numbers.provider_participants import events_of, participants_by_arm
from refino_eval.exhibits.numbers.study import Context, Row, cell, outcome_columns, weighting
from refino_eval.seeds import derive_seed

LEAST_FOR_RANKS = 10
"""Participants below which ranks are not correlated."""
SMALLEST_SHARE = 1e-9
"""Shares of a bid that differ by less are equal."""


def numbers(exhibit: PaymentComparisonExhibit, context: Context) -> Iterator[Row]:
    """Yield payments by rules (panel) and band of position (row), and rank correlations with gain, by arm (column)."""
    cohort = context.cohort
    outcome = outcome_columns({"gain": exhibit.gain}, cohort, context.files)["gain"].to_numpy()
    predicted = est.predicted_without_treatment(
        outcome,
        cohort[list(exhibit.covariates)],
        cohort["treated"],
        folds=exhibit.folds,
        seed=derive_seed(context.study.seed, context.name),
    )
    for arm, people, _ in participants_by_arm(exhibit, context):
        place = cohort.index.get_indexer(pd.Index([person.row for person in people]))
        paid = {rules: _settled(people, rules, exhibit, context) for rules in exhibit.payments}
        band = np.array([_band(person, exhibit) for person in people])
        yield from _by_band(paid, band, arm, exhibit)
        gain = {"predicted": predicted[place], "gain": outcome[place] - predicted[place]}
        for rules, payment in paid.items():
            for row, values in gain.items():
                yield from _correlation(payment, values, cohort.iloc[place], rules, row, arm, exhibit)


def _settled(
    people: Sequence[Participant], rules: str, exhibit: PaymentComparisonExhibit, context: Context
) -> np.ndarray:
    """Return what is paid for each participant as a share of the bid, without what is undecided."""
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    return np.array(
        [
            sum(event.share for event in events if event.status == "paid")
            for events in events_of(people, context.study.payments[rules], observed_to=observed_to)
        ],
        dtype=np.float64,
    )


def _band(person: Participant, exhibit: PaymentComparisonExhibit) -> int:
    """Return the band of the largest position held after the start; jobs whose position the register lacks do not count."""
    end = min(add_months(person.start, exhibit.within_months), exhibit.observed_to + dt.timedelta(days=1))
    largest = max(
        (
            job.percent or 0.0
            for job in person.jobs
            if job.start < end and (job.stop is None or job.stop > person.start)
        ),
        default=0.0,
    )
    return 0 if largest == 0 else 1 + int(np.searchsorted(exhibit.edges, largest, side="right"))


def _by_band(
    paid: dict[str, np.ndarray], band: np.ndarray, arm: str, exhibit: PaymentComparisonExhibit
) -> Iterator[Row]:
    for number, name in (*enumerate(exhibit.bands), (None, "all")):
        inside = np.ones(band.size, dtype=bool) if number is None else band == number
        n = int(np.count_nonzero(inside))
        yield cell(name, arm, "count", n, n)
        for rules, payment in paid.items():
            yield cell(name, arm, "mean", float(payment[inside].mean()) if n else math.nan, n, panel=rules)
        for first, second in itertools.combinations(exhibit.payments, 2):
            differs = int(np.count_nonzero(np.abs(paid[first] - paid[second])[inside] > SMALLEST_SHARE))
            yield cell(name, arm, "count", differs, n, panel=f"{first}:{second}")


def _correlation(
    payment: np.ndarray,
    values: np.ndarray,
    people: pd.DataFrame,
    rules: str,
    row: str,
    arm: str,
    exhibit: PaymentComparisonExhibit,
) -> Iterator[Row]:
    """Yield Spearman's rank correlation as the slope of standardised ranks, with a robust standard error."""
    used = np.isfinite(values)
    n = int(np.count_nonzero(used))
    x, y = _ranks(values[used]), _ranks(payment[used])
    if n < LEAST_FOR_RANKS or not x.any() or not y.any():
        yield cell(row, arm, "estimate", math.nan, n, panel=rules)
        return
    options = weighting(people.loc[used], exhibit.vcov)
    fit = est.prepare_columns(x[:, None], names=(row,), **options).fit(y)
    error, source = float(fit.std_errors(exhibit.vcov)[0, 0]), fit.source(exhibit.vcov)
    inference = est.t_inference(fit.estimates, np.array([error]), fit.design.dfs(exhibit.vcov))
    yield cell(row, arm, "estimate", fit.estimates[0], n, panel=rules, source=source)
    yield cell(row, arm, "std_error", error, n, panel=rules, source=source)
    yield cell(row, arm, "conf_low", inference.conf_low[0], n, panel=rules, source=source)
    yield cell(row, arm, "conf_high", inference.conf_high[0], n, panel=rules, source=source)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return mid-ranks with mean 0 and deviation 1; zeros where all are equal."""
    ranks = stats.rankdata(values)
    spread = ranks.std() if ranks.size else 0.0
    return np.asarray((ranks - ranks.mean()) / spread if spread > 0 else np.zeros_like(ranks))
