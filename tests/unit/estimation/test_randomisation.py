"""Randomisation tests against the regression refitted by dummies for every redraw, and against enumeration."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import itt, randomisation_test
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.randomisation.assignments import BLOCK, build_mechanism

REFITS = 100


def permute(z, cells, seed, count):
    rng = np.random.default_rng(seed)
    redraws = np.empty((z.size, count))
    for r in range(count):
        for c in np.unique(cells):
            redraws[cells == c, r] = rng.permutation(z[cells == c])
    return redraws


@pytest.mark.parametrize("vcov", ["iid", "HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_redraw_is_the_regression_refitted(trial, oracle, vcov, weighted):
    one = trial(3)
    weights = one.weights if weighted else None
    redraws = permute(one.z, one.cells, 1, REFITS)
    table = randomisation_test(
        one.y, one.z, cells=one.cells, controls=one.controls, weights=weights, vcov=vcov, assignments=redraws
    )
    for r in range(REFITS):
        for j in range(one.y.shape[1]):
            plain = oracle(one.y[:, j], redraws[:, r], one.cells, one.controls, weights)
            expected = plain.estimate / plain.std_error[vcov]
            assert table.statistics.draws[r, j] == pytest.approx(expected, rel=1e-8), (r, j)


def test_cells_whose_share_varies_are_refitted_too(trial, oracle):
    one = trial(4)
    rng = np.random.default_rng(2)
    redraws = (rng.random((one.z.size, 30)) < 0.6).astype(float)
    table = randomisation_test(
        one.y, one.z, cells=one.cells, controls=one.controls, vcov="HC2", assignments=redraws, statistic="coefficient"
    )
    studentised = randomisation_test(
        one.y, one.z, cells=one.cells, controls=one.controls, vcov="HC2", assignments=redraws
    )
    for r in range(30):
        plain = oracle(one.y[:, 1], redraws[:, r], one.cells, one.controls)
        assert table.statistics.draws[r, 1] == pytest.approx(plain.estimate, rel=1e-9)
        assert studentised.statistics.draws[r, 1] == pytest.approx(plain.estimate / plain.std_error["HC2"], rel=1e-8)


def test_clusters_are_redrawn_whole_and_studentised_by_cluster(oracle):
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(30), rng.integers(2, 7, 30))
    cells = cluster % 3
    arm = rng.permutation(np.repeat((0.0, 1.0), 15))
    z, y = arm[cluster], rng.standard_normal((cluster.size, 2)) + rng.standard_normal(30)[cluster, None]
    controls = rng.standard_normal((cluster.size, 2))
    options = {"cells": cells, "controls": controls, "cluster": cluster, "vcov": "CRV1"}
    redraws = rng.permuted(np.repeat(arm[:, None], 20, axis=1), axis=0)[cluster]
    table = randomisation_test(y, z, assignments=redraws, **options)
    for r in range(20):
        plain = oracle(y[:, 1], redraws[:, r], cells, controls, cluster=cluster)
        assert table.statistics.draws[r, 1] == pytest.approx(plain.estimate / plain.std_error["CRV1"], rel=1e-8)
    # Handed over, assignments need not respect clusters, nor these the cells: the errors are still by cluster.
    other = options | {"cells": rng.integers(0, 3, cluster.size)}
    redraws = rng.integers(0, 2, (cluster.size, 10)).astype(float)
    table = randomisation_test(y, z, assignments=redraws, **other)
    for r in range(10):
        plain = oracle(y[:, 0], redraws[:, r], other["cells"], controls, cluster=cluster)
        assert table.statistics.draws[r, 0] == pytest.approx(plain.estimate / plain.std_error["CRV1"], rel=1e-8)
    drawn = randomisation_test(y, z, draws=300, **options)
    assert np.all(drawn.n_redrawn == 30)
    assert np.all(np.isfinite(drawn.statistics.draws))


def test_the_mechanism_keeps_numbers_whole_clusters_and_every_choice_equally_likely():
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(12), rng.integers(1, 5, 12))
    cells = np.where(cluster < 5, 0, np.where(cluster < 11, 1, 2))
    z = np.isin(cluster, (0, 3, 5, 6, 9, 11)).astype(float)
    mechanism = build_mechanism(z, cells, cluster=cluster, scheme="complete", probabilities=None, seed=1)
    people = np.hstack([mechanism.block(b)[mechanism.unit] for b in range(80)])
    first = np.unique(cluster, return_index=True)[1]
    units = people[first]
    assert np.array_equal(people, units[cluster])
    assert np.all(units[:5].sum(axis=0) == 2)
    assert np.all(units[5:11].sum(axis=0) == 3)
    assert np.all(units[11])
    subsets = {pair: 0 for pair in combinations(range(5), 2)}
    for column in units[:5].T:
        subsets[tuple(np.flatnonzero(column))] += 1
    counts = np.array(list(subsets.values()))
    expected = people.shape[1] / 10
    # Chi-squared with 9 degrees of freedom: above 33.7 once in ten thousand seeds.
    assert np.sum((counts - expected) ** 2 / expected) < 33.7


def test_one_large_cell_has_right_margins():
    z = np.repeat((1.0, 0.0), (160, 40))
    mechanism = build_mechanism(z, np.zeros(200, int), cluster=None, scheme="complete", probabilities=None, seed=3)
    drawn = np.hstack([mechanism.block(b) for b in range(20)])
    assert np.all(drawn.sum(axis=0) == 160)
    rate = drawn.mean(axis=1)
    assert np.all(np.abs(rate - 0.8) < 5 * np.sqrt(0.16 / drawn.shape[1]))


def test_bernoulli_draws_have_their_probabilities(trial):
    one = trial(7)
    probability = np.linspace(0.2, 0.9, one.z.size)
    mechanism = build_mechanism(one.z, one.cells, cluster=None, scheme="bernoulli", probabilities=probability, seed=1)
    drawn = np.hstack([mechanism.block(b)[mechanism.unit] for b in range(20)])
    bound = 5 * np.sqrt(probability * (1 - probability) / drawn.shape[1])
    assert np.all(np.abs(drawn.mean(axis=1) - probability) < bound)
    table = randomisation_test(one.y, one.z, cells=one.cells, scheme="bernoulli", probabilities=probability, draws=200)
    assert table.scheme == "bernoulli"


def test_seed_alone_decides(trial):
    one = trial(8)
    options = {"cells": one.cells, "controls": one.controls, "vcov": "HC2"}
    few = randomisation_test(one.y, one.z, draws=300, seed=5, **options)
    many = randomisation_test(one.y, one.z, draws=4 * BLOCK + 7, seed=5, threads=3, **options)
    again = randomisation_test(one.y, one.z, draws=4 * BLOCK + 7, seed=5, threads=1, **options)
    other = randomisation_test(one.y, one.z, draws=300, seed=6, **options)
    assert np.array_equal(many.statistics.draws, again.statistics.draws)
    assert np.array_equal(few.statistics.draws, many.statistics.draws[:300])
    assert not np.allclose(few.statistics.draws, other.statistics.draws)
    # An outcome's numbers do not depend on its company, beyond rounding in the products.
    alone = randomisation_test(one.y[:, [2]], one.z, draws=300, seed=5, **options)
    assert np.allclose(alone.statistics.draws[:, 0], few.statistics.draws[:, 2], rtol=1e-10)


def every_assignment(z, cells):
    choices = []
    for c in np.unique(cells):
        members = np.flatnonzero(cells == c)
        choices.append([set(pick) for pick in combinations(members, int(z[members].sum()))])
    rows = [[float(any(i in pick for pick in picks)) for i in range(z.size)] for picks in product(*choices)]
    return np.array(rows).T


@pytest.mark.parametrize("statistic", ["studentised", "coefficient"])
def test_enumeration_is_exact_and_draws_approach_it(statistic):
    rng = np.random.default_rng(11)
    cells = np.repeat((0, 1), (6, 5))
    z = np.array([1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0], dtype=float)
    y = rng.integers(0, 4, (11, 3)).astype(float) + z[:, None]
    everything = every_assignment(z, cells)
    assert everything.shape[1] == 15 * 10
    others = everything[:, np.any(everything != z[:, None], axis=0)]
    exact = randomisation_test(y, z, cells=cells, assignments=others, statistic=statistic)
    # By hand: share of all assignments whose |statistic| is at least the observed, ties included.
    for j in range(3):
        tables = [itt(y[:, j], a, cells=cells) for a in everything.T]
        values = np.abs([t.t[0] if statistic == "studentised" else t.estimate[0] for t in tables])
        observed = itt(y[:, j], z, cells=cells)
        bound = abs(observed.t[0] if statistic == "studentised" else observed.estimate[0])
        assert exact.p_value[j] == pytest.approx(np.mean(values >= bound * (1 - 1e-9)), abs=1e-12)
    drawn = randomisation_test(y, z, cells=cells, draws=20_000, statistic=statistic)
    assert np.all(np.abs(drawn.p_value - exact.p_value) < 5 * drawn.p_std_error + 1e-3)
    assert drawn.p_std_error[0] == pytest.approx(np.sqrt(drawn.p_value[0] * (1 - drawn.p_value[0]) / 20_001))


def test_p_is_never_zero_and_counts_the_draw_itself():
    z = np.repeat((0.0, 1.0), 50)
    y = 10 * z + np.random.default_rng(1).standard_normal(100)
    table = randomisation_test(y, z, draws=99)
    assert table.p_value[0] == pytest.approx(0.01)
    assert table.exceed[0] == 0


def test_an_exact_fit_is_the_most_extreme_there_is():
    z = np.repeat((0.0, 1.0), 4)
    others = every_assignment(z, np.zeros(8, int))
    others = others[:, np.any(others != z[:, None], axis=0)]
    # Numbers that binary fractions do not hold, so that exact fits leave rounding behind.
    sizes = np.random.default_rng(1).uniform(0.1, 9.0, (2, 50))
    table = randomisation_test(z[:, None] * sizes[0] + sizes[1], z, assignments=others)
    # Its mirror image fits as exactly.
    assert table.p_value == pytest.approx(2 / 70)


def test_an_outcome_without_variation_has_no_test(trial):
    one = trial(2)
    y = np.column_stack((one.y[:, 0], one.cells.astype(float)))
    table = randomisation_test(y, one.z, cells=one.cells, draws=100, exact_sets="coefficient")
    assert np.isnan(table.p_value[1])
    assert table.conf_set[1] is None
    assert np.isfinite(table.p_value[0])


def test_redraws_that_tell_nothing_count_as_extreme(trial):
    one = trial(2)
    redraws = permute(one.z, one.cells, 1, 10)
    redraws[:, :4] = 1.0
    table = randomisation_test(one.y, one.z, cells=one.cells, assignments=redraws)
    assert np.all(table.n_undefined == 4)
    assert np.all(table.exceed >= 4)


@pytest.mark.parametrize("vcov", ["HC1", "HC2", "HC3"])
def test_people_whom_a_redraw_fits_exactly_have_no_residual(oracle, vcov):
    # One treated person has leverage 1, and is another one in each redraw.
    y, z = np.random.default_rng(1).standard_normal((12, 2)), np.eye(12)[0]
    table = randomisation_test(y, z, vcov=vcov, assignments=np.eye(12)[:, 1:])
    for r in range(11):
        for j in range(2):
            plain = oracle(y[:, j], np.eye(12)[r + 1], np.zeros(12))
            expected = plain.estimate / plain.std_error[vcov]
            assert table.statistics.draws[r, j] == pytest.approx(expected, rel=1e-8)


def test_the_scheme_gives_what_its_assignments_handed_over_give(trial):
    # Shares within cells vary among the people with the outcome, though not among all who were drawn.
    one = trial(9)
    y = one.y.copy()
    y[::7, 1] = np.nan
    codes = encode(one.cells, one.z.size)
    mechanism = build_mechanism(one.z, codes, cluster=None, scheme="complete", probabilities=None, seed=4)
    redraws = mechanism.block(0)[mechanism.unit]
    options = {"cells": one.cells, "controls": one.controls, "vcov": "HC2", "missing": "available"}
    drawn = randomisation_test(y, one.z, draws=BLOCK, seed=4, **options)
    given = randomisation_test(y, one.z, assignments=redraws, **options)
    assert np.allclose(drawn.statistics.draws, given.statistics.draws, rtol=1e-9)
    weighted = [
        randomisation_test(y, one.z, weights=one.weights, **options, **how).statistics.draws
        for how in ({"draws": BLOCK, "seed": 4}, {"assignments": redraws})
    ]
    assert np.allclose(*weighted, rtol=1e-12)


def test_people_without_the_outcome_are_redrawn_with_the_others(trial, oracle):
    one = trial(9)
    y = one.y.copy()
    y[::7, 1] = np.nan
    y[::5, 2] = np.nan
    redraws = permute(one.z, one.cells, 3, 25)
    table = randomisation_test(
        y, one.z, cells=one.cells, controls=one.controls, assignments=redraws, missing="available"
    )
    assert len(set(table.n)) == 3
    for j in range(3):
        known = np.isfinite(y[:, j])
        for r in range(25):
            plain = oracle(y[known, j], redraws[known, r], one.cells[known], one.controls[known])
            expected = plain.estimate / plain.std_error["HC1"]
            assert table.statistics.draws[r, j] == pytest.approx(expected, rel=1e-8)
    assert np.all(table.n_redrawn == one.z.size)


def test_a_subgroup_is_redrawn_by_itself(trial):
    one = trial(10)
    rows = one.controls[:, 0] > -0.5
    options = {"draws": 300, "vcov": "HC2"}
    inside = randomisation_test(one.y[rows], one.z[rows], cells=one.cells[rows], controls=one.controls[rows], **options)
    masked = randomisation_test(one.y, one.z, cells=one.cells, controls=one.controls, rows=rows, **options)
    assert np.allclose(inside.statistics.draws, masked.statistics.draws, rtol=1e-10)
    plain = itt(one.y, one.z, cells=one.cells, controls=one.controls, rows=rows, vcov="HC2")
    assert np.allclose(plain.t, masked.t, rtol=1e-12)


def test_frame_has_a_row_an_outcome_and_no_person(trial):
    one = trial(1)
    table = randomisation_test(
        one.y, one.z, cells=one.cells, draws=200, exact_sets="coefficient", take_up=one.take_up, names=list("abcd")
    )
    frame = table.to_frame()
    assert list(frame["outcome"]) == list("abcd")
    assert {"p_value", "p_std_error", "conf_low", "conf_high", "conf_kind", "late_pieces"} <= set(frame.columns)
    assert "statistics" not in frame.columns
    assert len(repr(table)) < 4000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cluster": np.arange(120) // 2, "vcov": "CRV1"}, "both arms"),
        ({"scheme": "bernouli"}, "Did you mean 'bernoulli'"),
        ({"probabilities": np.full(120, 0.5)}, "belong to the scheme 'bernoulli'"),
        ({"scheme": "bernoulli", "probabilities": np.full(120, 1.5)}, "between 0 and 1"),
        ({"scheme": "bernoulli", "probabilities": np.full(7, 0.5)}, "7 rows where 120"),
        ({"assignments": np.full((120, 3), 2.0)}, "0 or 1 throughout"),
        ({"assignments": np.zeros((7, 3))}, "7 rows where 120"),
        ({"take_up": np.zeros(120)}, "choose exact_sets"),
        ({"take_up": np.full(120, np.nan), "exact_sets": "coefficient"}, "take_up is missing for 120 of 120"),
        ({"draws": 0}, "at least 1"),
        ({"seed": -1}, "must not be negative"),
        ({"statistic": "t"}, "Unknown statistic"),
        ({"vcov": "CRV1"}, "cluster is absent"),
    ],
)
def test_faults_are_reported(trial, options, words):
    one = trial(1)
    with pytest.raises(UserError, match=words):
        randomisation_test(one.y, one.z, cells=one.cells, **options)


def test_clusters_across_cells_are_a_fault():
    cluster = np.repeat(np.arange(20), 3)
    z = (cluster % 2).astype(float)
    with pytest.raises(UserError, match="20 of 20 clusters have people in several cells"):
        randomisation_test(z + cluster, z, cells=np.arange(60) % 2, cluster=cluster, vcov="CRV1")
