"""What must hold whatever the data: orders, units, labels and arms' names do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from refino_eval.estimation import (
    complier_profile,
    estimands,
    ever_started,
    first_stage,
    horowitz_manski_bounds,
    leave_one_out,
    lee_bounds,
    stepwise,
    survival_shares,
)

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def trials(draw):
    """Small trials with heaped outcomes, missing values, one-arm cells, singletons and cells with one person in an arm."""
    seed = draw(st.integers(0, 2**32 - 1))
    n_cells = draw(st.integers(1, 8))
    n = draw(st.integers(30, 120))
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    z = (rng.random(n) < rng.uniform(0.1, 0.9, n_cells)[cells]).astype(float)
    z[:8], cells[:8] = np.tile([0.0, 1.0], 4), 0
    y = np.round(rng.standard_normal(n) + 0.5 * cells, draw(st.integers(0, 3)))
    y[8:][rng.random(n - 8) < draw(st.floats(0, 0.5)) * (0.3 + 0.7 * z[8:])] = np.nan
    d = (rng.random(n) < 0.2 + 0.6 * z).astype(float)
    return y, z, cells, d, rng


@few
@given(trials())
def test_bounds_are_ordered_nested_and_free_of_units(trial):
    y, z, cells, _, rng = trial
    low, high = float(np.nanmin(y)) - 1, float(np.nanmax(y)) + 1
    lee = lee_bounds(y, z, cells=cells)
    widest = horowitz_manski_bounds(y, z, cells=cells, lowest=low, highest=high)
    assert lee.low <= lee.high + 1e-12
    assert widest.low <= widest.high
    assert lee.conf_low <= lee.low + 1e-12
    assert lee.high <= lee.conf_high + 1e-12
    assert lee_bounds(y, z, cells=cells, ties="keep").high <= lee.high + 1e-9
    scaled = lee_bounds(3 - 2 * y, z, cells=cells)
    assert (scaled.low, scaled.high) == pytest.approx((-2 * lee.high, -2 * lee.low), rel=1e-7, abs=1e-9)
    assert scaled.low_std_error == pytest.approx(2 * lee.high_std_error, rel=1e-6, abs=1e-9)
    order = rng.permutation(y.size)
    again = lee_bounds(y[order], z[order], cells=[f"c{k}" for k in cells[order]])
    assert (again.low, again.high) == pytest.approx((lee.low, lee.high), rel=1e-9, abs=1e-12)
    assert (again.low_std_error, again.high_std_error) == pytest.approx(
        (lee.low_std_error, lee.high_std_error), rel=1e-7
    )


@few
@given(trials())
def test_groups_of_one_value_change_nothing(trial):
    y, z, cells, _, _ = trial
    plain, grouped = lee_bounds(y, z, cells=cells), lee_bounds(y, z, cells=cells, groups=np.zeros(y.size))
    assert (grouped.low, grouped.high) == (plain.low, plain.high)


@few
@given(trials())
def test_estimands_coincide_in_one_cell_and_turn_with_the_arms(trial):
    y, z, cells, _, _ = trial
    seen = np.isfinite(y)
    y, z, cells = y[seen], z[seen], cells[seen]
    pooled = estimands(y, z)
    np.testing.assert_allclose(pooled.estimate[:, 0], pooled.estimate[0, 0], rtol=1e-9, atol=1e-12)
    assert pooled.equal[0].df_num == 0
    assume(y.size > np.unique(cells).size + 1)
    table = estimands(y, z, cells=cells)
    turned = estimands(y, 1 - z, cells=cells)
    np.testing.assert_allclose(turned.estimate, -table.estimate, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(turned.std_error, table.std_error, rtol=1e-8, atol=1e-12)
    shifted = estimands(y + 7 * cells, z, cells=cells)
    np.testing.assert_allclose(shifted.estimate, table.estimate, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(shifted.std_error, table.std_error, rtol=1e-6, atol=1e-9)
    assert np.all(table.n + table.n_left_out == y.size)
    assert np.all(table.effective_n[0] <= table.effective_n[1] * (1 + 1e-12))


@few
@given(trials())
def test_types_add_up(trial):
    _, z, cells, d, rng = trial
    x = rng.standard_normal((z.size, 2))
    table = complier_profile(x, d, z, cells=cells)
    assert table.share.sum() == pytest.approx(1.0)
    filled = np.where(np.isfinite(table.mean), table.mean, 0.0)
    np.testing.assert_allclose(table.share @ filled, table.sample_mean, rtol=1e-7, atol=1e-9)
    # Whoever is drawn and whoever takes part, exchanged: the types exchange with them.
    turned = complier_profile(x, 1 - d, 1 - z, cells=cells)
    np.testing.assert_allclose(turned.share[[0, 2, 1]], table.share, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(turned.mean[[0, 2, 1]], table.mean, rtol=1e-7, atol=1e-9)


@few
@given(trials())
def test_fall_back_mix_adds_up_and_parts_of_the_change_too(trial):
    y, z, cells, d, rng = trial
    states = np.where(d == 1, "own", rng.choice(["a", "b", "none"], z.size))
    table = first_stage(states, z, programme="own", cells=cells)
    assert table.effects.estimate.sum() == pytest.approx(0.0, abs=1e-10)
    if abs(table.effects.estimate[table.states.index("own")]) > 1e-6:
        assert np.nansum(table.fall_back) == pytest.approx(1.0, rel=1e-6)
    x = rng.standard_normal((z.size, 3))
    filled = np.nan_to_num(y)
    found = stepwise(filled, z, {"p": x[:, :1], "q": x[:, 1:]}, cells=cells)
    assert found.change[0] == pytest.approx(found.steps[0].estimate[0] - found.steps[2].estimate[0], rel=1e-6, abs=1e-9)


@few
@given(trials(), st.integers(2, 4))
def test_leaving_out_an_empty_mark_of_people(trial, k):
    y, z, _, _, rng = trial
    group = rng.integers(0, k, z.size)
    group[:8] = np.tile([0, 0, 1, 1], 2)
    table = leave_one_out(np.nan_to_num(y), z, group)
    assert np.all(table.n + table.n_left_out == z.size)
    assert table.n_left_out[:, 0].sum() == z.size


@few
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 6))
def test_survival_falls_and_ever_started_rises(seed, n, top):
    rng = np.random.default_rng(seed)
    duration = rng.integers(1, top + 1, n).astype(float)
    ended = rng.integers(0, 2, n)
    table = survival_shares(duration, ended, times=np.arange(0, top + 2))
    share = table.share[0][np.isfinite(table.share[0])]
    assert share[0] == 1.0
    assert np.all(np.diff(share) <= 1e-12)
    assert np.all((table.ended + table.censored)[0, -1] == n)
    months = rng.choice([0.0, 1.0, np.nan], (n, 5), p=[0.6, 0.2, 0.2])
    found = ever_started(months, np.arange(5), within=range(5)).to_numpy()
    known = np.nan_to_num(found)
    assert np.all(np.diff(known, axis=1) >= 0), "once in, always in"
    assert np.all(np.isfinite(found[:, 1:]) <= (np.isfinite(found[:, :-1]) | (found[:, 1:] == 1)))
