"""Exact confidence sets against the definition: test every effect by itself."""

from __future__ import annotations

import numpy as np
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import ExactSet, invert_coefficients, invert_studentised, randomisation_test


def small_trial(seed, *, compliance=0.8, n=40):
    rng = np.random.default_rng(seed)
    cells = np.repeat(np.arange(4), n // 4)
    z = np.concatenate([rng.permutation(np.repeat((1.0, 0.0), (k, n // 4 - k))) for k in (3, 5, 6, 4)])
    taken = np.where(rng.random(n) < compliance, z, rng.integers(0, 2, n)).astype(float)
    controls = rng.standard_normal((n, 1))
    y = rng.standard_normal(n) * (1 + z) + controls[:, 0] + 0.7 * taken + cells
    redraws = np.column_stack([np.concatenate([rng.permutation(z[cells == c]) for c in range(4)]) for _ in range(99)])
    return y, z, taken, cells, controls, redraws


def p_at(effects, y, w, z, cells, controls, redraws, statistic, vcov):
    """p-values by testing Y - effect x w, all effects as outcomes of one ordinary test."""
    adjusted = y[:, None] - np.asarray(effects)[None, :] * w[:, None]
    return randomisation_test(
        adjusted, z, cells=cells, controls=controls, vcov=vcov, statistic=statistic, assignments=redraws
    ).p_value


@pytest.mark.parametrize("statistic", ["coefficient", "studentised"])
@pytest.mark.parametrize("kind", ["conf_set", "late_set"])
@pytest.mark.parametrize("seed", range(6))
def test_sets_hold_exactly_the_effects_that_are_not_rejected(seed, kind, statistic):
    # Compliance from none to nearly full, so that sets of every form appear.
    y, z, taken, cells, controls, redraws = small_trial(seed, compliance=0.18 * seed)
    table = randomisation_test(
        y, z, cells=cells, controls=controls, vcov="HC2", exact_sets=statistic, take_up=taken, assignments=redraws,
        level=0.9,
    )  # fmt: skip
    found = getattr(table, kind)[0]
    w = z if kind == "conf_set" else taken
    edges = [edge for piece in found.pieces for edge in piece if np.isfinite(edge)]
    effects = np.concatenate((np.linspace(-30, 30, 1201), *(np.array([-1e-4, 1e-4]) + edge for edge in edges)))
    p = p_at(effects, y, w, z, cells, controls, redraws, statistic, "HC2")
    # p moves in steps of 1/100: none lies at .1 but through a tie.
    assert [found.contains(effect) for effect in effects] == (p > 0.1 + 1e-9).tolist()


@pytest.mark.parametrize("statistic", ["coefficient", "studentised"])
def test_forms_of_weak_instruments(statistic):
    kinds = set()
    for seed in range(40):
        y, z, taken, cells, controls, redraws = small_trial(seed + 100, compliance=0.15)
        table = randomisation_test(
            y, z, cells=cells, controls=controls, exact_sets=statistic, take_up=taken, assignments=redraws
        )
        kinds.add(table.late_set[0].kind)
        assert table.conf_set[0].kind in ("interval", "union")
        assert table.conf_set[0].contains(float(table.estimate[0]))
    assert {"line", "interval"} <= kinds
    assert kinds & {"rays", "ray", "union"}


def test_pieces_of_a_union_are_all_reported():
    # Two redraws, one of which counts against effects outside (1, 2): with p > .5 needing both, the set has pieces.
    found = invert_coefficients(0.0, 1.0, np.array([0.0]), np.array([1.0]), level=0.5)
    assert found.kind == "line"
    # |a - 2 tau| >= |0 - tau| holds outside (a/3, a), so p = 1 there and 1/2 between.
    split = invert_coefficients(0.0, 1.0, np.array([3.0]), np.array([2.0]), level=0.5)
    assert split.pieces == ((-np.inf, 1.0), (3.0, np.inf))
    assert split.kind == "rays"
    # A second one, |0 - tau/2| >= |tau|, counts at 0 alone.
    both = invert_coefficients(0.0, 1.0, np.array([3.0, 0.0]), np.array([2.0, 0.5]), level=0.5)
    assert both.pieces == ((-np.inf, 1.0), (3.0, np.inf))
    strict = invert_coefficients(0.0, 1.0, np.array([3.0, 0.0]), np.array([2.0, 0.5]), level=1 / 3)
    assert strict.pieces == ((0.0, 0.0),)
    # Thirds of the way: |6 - 2 tau| >= |tau| outside (2, 6), and |8 - tau/2| >= |tau| within (-16, 16/3).
    union = invert_coefficients(0.0, 1.0, np.array([6.0, 8.0]), np.array([2.0, 0.5]), level=0.5)
    assert union.pieces == ((-np.inf, pytest.approx(16 / 3)), (6.0, np.inf))
    pieces = invert_coefficients(0.0, 1.0, np.array([6.0, 20.0]), np.array([2.0, 0.5]), level=0.3)
    assert pieces.kind == "union"
    assert pieces.pieces == ((-40.0, 2.0), (6.0, pytest.approx(40 / 3)))
    assert pieces.contains(-40.0)
    assert not pieces.contains(4.0)
    assert str(pieces) == "[-40, 2] or [6, 13.3333]"


@pytest.mark.parametrize("covariance", [0.1, -0.1, 0.4])
def test_quartics_that_lose_their_leading_term(covariance):
    # (2 - tau/2)^2 >= tau^2 (1 - 2 c tau): a cubic, whose side at minus infinity is not that at plus infinity.
    found = invert_studentised(
        0.0, 1.0, np.array([1.0, 0.0, 0.0]), np.array([2.0]), np.array([0.5]), np.array([[1.0, covariance, 0.0]]),
        level=0.5,
    )  # fmt: skip
    effects = np.linspace(-40, 40, 16_001) + 1e-4
    counts = (2 - effects / 2) ** 2 >= effects**2 * (1 - 2 * covariance * effects)
    assert [found.contains(effect) for effect in effects] == counts.tolist()


def test_too_few_redraws_reject_nothing():
    rng = np.random.default_rng(1)
    found = invert_coefficients(0.3, 1.0, rng.standard_normal(10), rng.uniform(-0.2, 0.2, 10), level=0.95)
    assert found.kind == "line"
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_the_draw_itself_and_its_mirror_image_count_against_no_effect():
    own, mirrored = np.array([0.3, -0.3]), np.array([1.0, -1.0])
    assert invert_coefficients(0.3, 1.0, own, mirrored, level=0.5).kind == "line"
    variances = np.tile([0.04, 0.0, 0.0], (2, 1))
    found = invert_studentised(0.3, 1.0, np.array([0.04, 0.0, 0.0]), own, mirrored, variances, level=0.5)
    assert found.kind == "line"


def test_redraws_without_an_estimate_count_against_no_effect():
    nothing = np.full(3, np.nan)
    assert invert_coefficients(0.3, 1.0, nothing, nothing, level=0.5).kind == "line"
    variances = np.full((3, 3), np.nan)
    found = invert_studentised(0.3, 1.0, np.array([0.04, 0.0, 0.0]), nothing, nothing, variances, level=0.5)
    assert found.kind == "line"


def test_an_empty_set_says_so():
    empty = ExactSet(())
    assert empty.kind == "empty"
    assert np.isnan(empty.low)
    assert not empty.contains(0.0)
    assert str(empty) == "empty"


def test_sets_do_not_depend_on_units(trial):
    one = trial(3)
    options = {"cells": one.cells, "controls": one.controls, "draws": 400}
    for statistic in ("coefficient", "studentised"):
        plain = randomisation_test(one.y, one.z, exact_sets=statistic, **options)
        large = randomisation_test(1e6 * one.y, one.z, exact_sets=statistic, **options)
        for a, b in zip(plain.conf_set, large.conf_set, strict=True):
            assert np.allclose(np.array(a.pieces) * 1e6, np.array(b.pieces), rtol=1e-6)


def test_sets_are_near_t_intervals_in_large_samples():
    rng = np.random.default_rng(4)
    cells = rng.integers(0, 20, 2000)
    z = (rng.random(2000) < 0.7).astype(float)
    y = rng.standard_normal(2000) * (1 + z) + 0.5 * z
    table = randomisation_test(y, z, cells=cells, vcov="HC2", exact_sets="studentised", draws=4000)
    low, high = table.estimate[0] - 1.96 * table.std_error[0], table.estimate[0] + 1.96 * table.std_error[0]
    assert table.conf_set[0].low == pytest.approx(low, abs=0.08 * table.std_error[0])
    assert table.conf_set[0].high == pytest.approx(high, abs=0.08 * table.std_error[0])


def test_level_is_checked():
    with pytest.raises(UserError, match="confidence level"):
        invert_coefficients(0.3, 1.0, np.zeros(2), np.zeros(2), level=95)
