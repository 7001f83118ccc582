"""What must hold for all p-values, all draws and all sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refino_eval.estimation import (
    StatisticDraws,
    invert_coefficients,
    multiplicity,
    randomisation_test,
    sharpened_q,
    step_down,
)

SHARES = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1))


@given(SHARES, st.randoms())
def test_adjusted_p_values_keep_order_and_permute_with_the_tests(p, shuffle):
    names = [f"t{k}" for k in range(p.size)]
    table = multiplicity(p, names=names)
    order = list(range(p.size))
    shuffle.shuffle(order)
    turned = multiplicity(p[order], names=[names[k] for k in order])
    for column in ("p_bonferroni", "p_holm", "p_benjamini_hochberg", "q_sharpened"):
        adjusted = getattr(table, column)
        assert np.array_equal(adjusted[order], getattr(turned, column))
        assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)
        assert np.all((adjusted >= 0) & (adjusted <= 1))
    assert np.all(p <= table.p_benjamini_hochberg + 1e-15)
    assert np.all(table.p_benjamini_hochberg <= table.p_holm + 1e-15)
    assert np.all(table.p_holm <= table.p_bonferroni)


@given(SHARES)
def test_sharpened_q_rejects_at_its_own_rate_and_not_below(p):
    m, q = p.size, sharpened_q(p)

    def rejected(rate):
        stage = rate / (1 + rate)
        ranked = np.sort(p) * m / np.arange(1, m + 1)
        adjusted = np.empty(m)
        adjusted[np.argsort(p, kind="stable")] = np.minimum.accumulate(ranked[::-1])[::-1]
        first = np.count_nonzero(adjusted <= stage)
        return np.ones(m, bool) if first == m else adjusted <= stage * m / (m - first)

    for k in range(m):
        if q[k] < 1:
            assert rejected(q[k] * (1 + 1e-9) + 1e-12)[k]
        if q[k] > 1e-6:
            assert not rejected(q[k] * (1 - 1e-6))[k]


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_step_down_lies_between_the_raw_p_and_the_single_step(seed, m):
    rng = np.random.default_rng(seed)
    draws = StatisticDraws(
        tuple(f"t{k}" for k in range(m)), 2 * rng.standard_normal(m), rng.standard_normal((99, m)) @ rng.random((m, m))
    )
    single = (1 + np.sum(np.abs(draws.draws).max(axis=1)[:, None] >= np.abs(draws.observed), axis=0)) / 100
    adjusted = step_down(draws)
    assert np.all(adjusted >= draws.p_value)
    assert np.all(adjusted <= single + 1e-12)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(0.05, 0.95))
def test_sets_are_ordered_disjoint_and_hold_the_estimate(seed, count, level):
    rng = np.random.default_rng(seed)
    # Whole numbers make ties and shared edges common.
    a, d = rng.integers(-4, 5, count).astype(float), rng.integers(-3, 4, count) / 2.0
    a_0, d_0 = float(rng.integers(-4, 5)), 1.0
    found = invert_coefficients(a_0, d_0, a, d, level=level)
    edges = np.array(found.pieces).ravel()
    assert np.all(np.diff(edges) >= 0)
    assert found.contains(a_0 / d_0)
    for effect in np.concatenate((np.linspace(-20, 20, 161), edges[np.isfinite(edges)])):
        p = (1 + np.sum(np.abs(a - effect * d) >= np.abs(a_0 - effect * d_0) - 1e-9)) / (1 + count)
        if abs(p - (1 - level)) > 1e-9:
            assert found.contains(effect) == (p > 1 - level), effect


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_what_does_not_matter_does_not(seed):
    rng = np.random.default_rng(seed)
    cells, z = rng.integers(0, 5, 60), rng.permutation(np.repeat((0.0, 1.0), 30))
    y, x = rng.standard_normal((60, 2)), rng.standard_normal((60, 2))
    plain = randomisation_test(y, z, cells=cells, controls=x, vcov="HC2", draws=150, seed=seed)
    moved = randomisation_test(
        -3.0 * y + 10.0 * cells[:, None] + x @ np.ones((2, 2)), z, cells=cells + 7, controls=x @ np.array([[1, 1], [0, 2]]),
        vcov="HC2", draws=150, seed=seed,
    )  # fmt: skip
    assert np.allclose(plain.statistics.draws, -moved.statistics.draws, rtol=1e-7, atol=1e-9)
    assert np.array_equal(plain.exceed, moved.exceed)
