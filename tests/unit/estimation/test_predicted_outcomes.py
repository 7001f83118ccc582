"""Predictions use nobody's own outcome, so that comparing arms by predicted outcome rejects no more often than it says."""

import numpy as np
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import predicted_without_treatment, starters


def trial(rng, n=300):
    covariates = rng.normal(size=(n, 3))
    return covariates, rng.integers(0, 2, n).astype(float), covariates @ [0.3, 0.2, 0.0] + rng.normal(size=n)


def test_each_part_is_predicted_by_least_squares_of_the_controls_of_the_other_parts():
    rng = np.random.default_rng(1)
    covariates, treated, outcome = trial(rng, 60)
    outcome[5] = np.nan
    covariates[7, 1] = np.nan
    predicted = predicted_without_treatment(outcome, covariates, treated, folds=3, seed=4)
    fold = np.random.default_rng(4).permutation(np.arange(60) % 3)
    columns = np.column_stack((np.ones(60), covariates))
    learns = (treated == 0) & np.isfinite(outcome) & np.isfinite(columns).all(axis=1)
    for part in range(3):
        b = np.linalg.lstsq(columns[learns & (fold != part)], outcome[learns & (fold != part)])[0]
        np.testing.assert_allclose(predicted[fold == part], columns[fold == part] @ b, rtol=1e-9)
    assert np.isnan(predicted[7])
    assert np.isfinite(predicted[5])


def test_nobodys_own_outcome_is_in_their_prediction():
    rng = np.random.default_rng(2)
    covariates, treated, outcome = trial(rng, 80)
    before = predicted_without_treatment(outcome, covariates, treated, folds=5, seed=0)
    person = np.flatnonzero(treated == 0)[0]
    outcome[person] += 100
    after = predicted_without_treatment(outcome, covariates, treated, folds=5, seed=0)
    assert after[person] == before[person]
    assert np.count_nonzero(after != before) > 50
    outcome[treated == 1] += 100
    np.testing.assert_array_equal(predicted_without_treatment(outcome, covariates, treated, folds=5, seed=0), after)


def test_too_few_controls_for_the_covariates_are_reported():
    rng = np.random.default_rng(3)
    covariates, _, outcome = trial(rng, 10)
    with pytest.raises(UserError, match="fewer covariates or fewer folds"):
        predicted_without_treatment(outcome, covariates, np.ones(10), folds=2, seed=0)


def p_value(rng, planted):
    covariates, treated, outcome = trial(rng)
    predicted = predicted_without_treatment(outcome, covariates, treated, folds=5, seed=int(rng.integers(2**31)))
    lowest = predicted < np.quantile(predicted, 0.25)
    # Leaving goes with luck that the outcome shows too: a prediction that used it would find a difference.
    chance = np.where(outcome > 0, 0.2, 0.3) + planted * lowest * treated
    left = (rng.random(treated.size) < chance).astype(float)
    return starters(left, predicted[:, None], treated, vcov="HC2").difference_p_value[0]


def test_selective_exits_are_found_in_five_per_cent_of_trials_without_any():
    rng = np.random.default_rng(11)
    rejected = np.mean([p_value(rng, 0.0) < 0.05 for _ in range(600)])
    assert 0.025 < rejected < 0.08


def test_a_provider_that_lets_the_lowest_quarter_go_is_found():
    rng = np.random.default_rng(12)
    assert np.mean([p_value(rng, 0.5) < 0.05 for _ in range(60)]) > 0.8
