"""Adjusted p-values against their definitions, scipy and statsmodels where these are right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from refino_eval.errors import UserError
from refino_eval.estimation import (
    StatisticDraws,
    itt,
    multiplicity,
    omnibus_test,
    randomisation_test,
    sharpened_q,
    step_down,
)


def mixed_p(seed, m=12):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(m) < 0.4, rng.random(m) * 0.01, rng.random(m))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("column", "method"),
    [("p_bonferroni", "bonferroni"), ("p_holm", "holm"), ("p_benjamini_hochberg", "fdr_bh")],
)
def test_standard_adjustments_equal_statsmodels(seed, column, method):
    p = mixed_p(seed)
    table = multiplicity(p, names=[f"t{k}" for k in range(p.size)])
    assert np.allclose(getattr(table, column), multipletests(p, method=method)[1], rtol=1e-14)
    assert np.array_equal(table.p_value, p)


def sharpened_by_grid(p, step=0.001):
    """Anderson's (2008) search: q from 1 down by .001, two stages of Benjamini-Hochberg at each."""
    m, order = p.size, np.argsort(p, kind="stable")
    ranked, q_values = p[order], np.ones(p.size)

    def rejected(rate):
        below = np.flatnonzero(rate * np.arange(1, m + 1) / m >= ranked)
        return 0 if not below.size else below[-1] + 1

    for q in np.arange(1.0, 0.0, -step):
        first = rejected(q / (1 + q))
        second = m if first == m else rejected(q / (1 + q) * m / (m - first))
        q_values[:second] = q
    found = np.empty(m)
    found[order] = q_values
    return found


@pytest.mark.parametrize("seed", range(12))
def test_sharpened_q_is_the_grid_search_solved(seed):
    p = mixed_p(seed, m=15)
    exact, grid = sharpened_q(p), sharpened_by_grid(p)
    assert np.all(exact <= grid + 1e-9)
    assert np.all(grid - exact < 0.001 + 1e-9)


def test_sharpened_q_in_print_and_not_that_of_statsmodels():
    # Many small p-values: q below the raw p, as Anderson notes; statsmodels' two-stage p-values are another quantity.
    p = np.array([0.001, 0.004, 0.01, 0.02, 0.03, 0.04, 0.045, 0.05])
    q = sharpened_q(p)
    assert q[-1] < p[-1]
    assert not np.allclose(q, multipletests(p, method="fdr_tsbky")[1], atol=0.005)
    assert np.all(sharpened_q(np.array([0.6, 0.9, 1.0])) == 1.0)
    assert sharpened_q(np.array([0.03]))[0] == pytest.approx(0.03 / 0.97)


@pytest.mark.parametrize("column", ["p_bonferroni", "p_holm", "p_benjamini_hochberg", "q_sharpened"])
def test_a_missing_p_value_does_not_count(column):
    p = np.array([0.001, 0.01, np.nan, 0.02, 0.04, 0.2, 0.5, 1.0])
    known = ~np.isnan(p)
    names = [f"t{k}" for k in range(p.size)]
    got = getattr(multiplicity(p, names=names), column)
    np.testing.assert_array_equal(got[known], getattr(multiplicity(p[known], names=names[:7]), column))
    assert np.isnan(got[2])


def test_sharpened_q_of_a_missing_p_value_is_missing():
    p = np.array([0.001, 0.01, 0.02, 0.04, 0.2, 0.5, 1.0, np.nan])
    np.testing.assert_allclose(sharpened_q(p), [0.0070, 0.031, 0.036, 0.049, 0.136, 0.333, 0.4, np.nan], atol=1e-3)


def plain_step_down(observed, draws):
    """Westfall and Young's algorithm, written as in the book."""
    order = np.argsort(-np.abs(observed))
    adjusted = np.empty(observed.size)
    for place, j in enumerate(order):
        rest = order[place:]
        count = sum(np.max(np.abs(row[rest])) >= abs(observed[j]) for row in draws)
        adjusted[j] = (1 + count) / (1 + len(draws))
    running = 0.0
    for j in order:
        running = adjusted[j] = max(running, adjusted[j])
    return adjusted


@pytest.mark.parametrize("seed", range(4))
def test_step_down_is_the_algorithm_written_out(seed):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((6, 6))
    null, observed = rng.standard_normal((200, 6)) @ root, rng.standard_normal(6) * 4
    draws = StatisticDraws(tuple("abcdef"), observed, null)
    assert np.allclose(step_down(draws), plain_step_down(observed, null), rtol=1e-14)
    # A coefficient family is brought to one scale: units do not matter.
    units = 10.0 ** np.arange(6)
    scaled = StatisticDraws(tuple("abcdef"), observed * units, null * units, studentised=False)
    plain = StatisticDraws(tuple("abcdef"), observed, null, studentised=False)
    assert np.allclose(step_down(scaled), step_down(plain), rtol=1e-12)
    assert not np.allclose(step_down(StatisticDraws(tuple("abcdef"), observed * units, null * units)), step_down(plain))


def test_step_down_of_independent_tests_is_near_holm_and_of_copies_is_raw():
    rng = np.random.default_rng(1)
    null = rng.standard_normal((40_000, 5))
    observed = np.array([3.2, 2.6, 2.0, 1.0, 0.2])
    independent = StatisticDraws(tuple("abcde"), observed, null)
    # Sidak's step-down: 1 - (1 - p)^k for independent tests.
    sidak = np.maximum.accumulate(1 - (1 - independent.p_value) ** np.arange(5, 0, -1))
    assert np.allclose(step_down(independent), sidak, atol=0.01)
    copies = StatisticDraws(tuple("abc"), np.full(3, 2.0), np.repeat(null[:, :1], 3, axis=1))
    assert np.allclose(step_down(copies), copies.p_value)


def test_randomisation_draws_give_the_family_its_p(trial):
    one = trial(5)
    y = np.column_stack((one.y, one.y[:, 0] + 1e-3 * one.y[:, 1]))
    table = randomisation_test(y, one.z, cells=one.cells, controls=one.controls, draws=500)
    raw = itt(y, one.z, cells=one.cells, controls=one.controls).p_value
    names = table.outcomes
    found = multiplicity(raw, names=names, families={"all": names, "two": names[:2]}, draws=table.statistics)
    assert found.family == ("all",) * 5 + ("two",) * 2
    assert np.allclose(found.p_resampled[:5], table.p_value)
    assert np.all(found.p_step_down >= found.p_resampled)
    assert np.allclose(found.p_step_down[:5], plain_step_down(table.t, table.statistics.draws))
    assert np.all(found.p_step_down[5:] <= found.p_step_down[:2])
    assert np.array_equal(found.n_tests, [5] * 5 + [2] * 2)
    frame = found.to_frame()
    assert frame["p_omnibus"].iloc[0] == found.omnibus["all"].p_value
    assert frame["p_omnibus"].iloc[5] == found.omnibus["two"].p_value
    assert list(frame["p_value"]) == [*raw, *raw[:2]]


def test_omnibus_is_the_rank_of_a_quadratic_form():
    rng = np.random.default_rng(2)
    null = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 3))
    observed = np.array([1.0, -0.5, 2.0])
    everything = np.vstack((observed, null))
    moments = np.linalg.inv(everything.T @ everything / 301)
    forms = np.einsum("ri,ij,rj->r", everything, moments, everything)
    found = omnibus_test(StatisticDraws(tuple("abc"), observed, null))
    assert found.statistic == pytest.approx(forms[0], rel=1e-10)
    assert found.p_value == pytest.approx(np.mean(forms >= forms[0]))
    assert found.rank == 3
    doubled = StatisticDraws(tuple("abcd"), np.append(observed, observed[0]), np.column_stack((null, null[:, 0])))
    again = omnibus_test(doubled)
    assert (again.rank, again.p_value) == (3, found.p_value)


def test_undefined_redraws_are_extreme_in_families_too():
    null = np.random.default_rng(3).standard_normal((99, 2))
    null[:9] = np.inf
    draws = StatisticDraws(("a", "b"), np.array([50.0, 0.1]), null)
    assert step_down(draws)[0] == pytest.approx(0.1)
    assert omnibus_test(draws).p_value >= 0.1


def test_tests_without_a_p_value_do_not_count():
    p = np.array([0.01, np.nan, 0.04])
    draws = StatisticDraws(
        ("a", "b", "c"), np.array([2.5, np.nan, 2.0]), np.random.default_rng(1).standard_normal((99, 3))
    )
    table = multiplicity(p, names=["a", "b", "c"], draws=draws)
    assert np.allclose(table.p_bonferroni, [0.02, np.nan, 0.08], equal_nan=True)
    assert np.isnan(table.p_step_down[1])
    assert np.isfinite(table.p_step_down[[0, 2]]).all()
    assert np.all(table.n_tests == 2)


def test_faults_come_together():
    with pytest.raises(UserError) as fault:
        multiplicity(
            [0.1, 1.2, 0.3], names=["wage", "hours", "wage"], families={"work": ["wages", "hours", "hours"], "none": []}
        )
    told = "\n".join(fault.value.problems)
    for words in ("between 0 and 1; 1 of 3", "Did you mean 'wage'", "'hours' twice", "no members", "named 2 times"):
        assert words in told
    draws = StatisticDraws(("wage",), np.array([1.0]), np.zeros((9, 1)))
    with pytest.raises(UserError, match="draws have no statistic 'hours'"):
        multiplicity([0.1, 0.2], names=["wage", "hours"], draws=draws)
    with pytest.raises(UserError, match="2 p-values for 1 names"):
        multiplicity([0.1, 0.2], names=["wage"])


def test_frame_without_draws_says_nothing_of_them():
    frame = multiplicity([0.1, 0.2], names=["wage", "hours"]).to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame[["p_resampled", "p_step_down", "p_omnibus"]].isna().all(axis=None)
