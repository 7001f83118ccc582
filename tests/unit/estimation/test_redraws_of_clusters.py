"""Redraws of clusters without their people give what people give; few possible draws are all of them taken."""

import math

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.estimation.randomisation import clustered_assignments
from refino_eval.estimation.randomisation.assignments import every_other_assignment


@pytest.fixture
def households():
    rng = np.random.default_rng(4)
    size = rng.choice([1, 2, 3], 60)
    home = np.repeat(np.arange(60), size)
    rng.shuffle(home)
    z = rng.integers(0, 2, 60)[home]
    n = home.size
    return {
        "outcomes": rng.normal(size=(n, 2)) + rng.normal(size=60)[home, None] + 0.4 * z[:, None],
        "treated": z,
        "cells": (size > 1)[home].astype(int),
        "cluster": home,
        "weights": rng.uniform(0.5, 2, n),
        "controls": rng.normal(size=(n, 2)),
    }


@pytest.mark.parametrize("without", [(), ("controls",), ("weights",), ("controls", "weights")])
def test_clusters_stand_for_their_people(households, without, monkeypatch):
    options = {name: value for name, value in households.items() if name not in without}
    options |= {
        "vcov": "CRV1",
        "draws": 300,
        "seed": 5,
        "exact_sets": "studentised",
        "take_up": households["treated"] * 0.7,
    }
    quick = est.randomisation_test(**options)
    monkeypatch.setattr(clustered_assignments, "MOST_CONTROLS", -1)
    slow = est.randomisation_test(**options)
    np.testing.assert_allclose(quick.statistics.draws, slow.statistics.draws, rtol=1e-9)
    assert [(str(a), str(b)) for a, b in zip(quick.conf_set, quick.late_set, strict=True)] == [
        (str(a), str(b)) for a, b in zip(slow.conf_set, slow.late_set, strict=True)
    ]


def test_a_redraw_of_clusters_is_what_the_regression_says(households):
    """Each redraw's t is that of the same regression on the redrawn assignment."""
    some = households["cluster"] < 8
    y, z = households["outcomes"][some], households["treated"][some]
    home = pd.factorize(households["cluster"][some])[0]  # in the order in which they are met, as inside
    treated_homes = int(z[np.unique(home, return_index=True)[1]].sum())
    listed = every_other_assignment(z.astype(float), np.zeros(home.size, dtype=int), cluster=home, most=500)
    assert listed is not None
    found = est.randomisation_test(y, z, cluster=home, vcov="CRV1", draws=500, exhaustive=True)
    assert found.exhaustive
    assert found.draws == listed.n_draws == math.comb(8, treated_homes) - 1
    for r in (0, 7, found.draws - 1):
        again = est.itt(y, listed.assignments[listed.unit, r].astype(int), cluster=home, vcov="CRV1")
        np.testing.assert_allclose(found.statistics.draws[r], again.t, rtol=1e-9)


def test_every_possible_draw_gives_the_exact_p_value():
    rng = np.random.default_rng(2)
    pairs, z = np.repeat(np.arange(8), 2), np.tile([0, 1], 8)
    y = rng.normal(size=16) + 0.6 * z
    found = est.randomisation_test(y[:, None], z, cells=pairs, vcov="iid", draws=255, exhaustive=True)
    gap = y[1::2] - y[::2]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1)
    exact = np.mean(np.abs(gap @ signs) >= abs(gap.sum()) - 1e-12)
    assert found.exhaustive
    assert found.draws == 255
    assert found.p_value[0] == pytest.approx(exact)
    assert found.p_std_error[0] == 0
    drawn = est.randomisation_test(y[:, None], z, cells=pairs, vcov="iid", draws=254, exhaustive=True)
    assert not drawn.exhaustive
    assert drawn.draws == 254


def test_people_can_be_what_was_drawn_though_errors_are_clustered():
    rng = np.random.default_rng(6)
    site, z = np.repeat(np.arange(12), 10), np.tile([0, 1], 60)
    y = rng.normal(size=(120, 1)) + rng.normal(size=12)[site, None]
    with pytest.raises(UserError, match="have people in both arms"):
        est.randomisation_test(y, z, cluster=site, vcov="CRV1", draws=99)
    found = est.randomisation_test(y, z, cells=site, cluster=site, units=np.arange(120), vcov="CRV1", draws=99, seed=3)
    assert found.n_redrawn[0] == 120
    whole = est.randomisation_test(y, (site % 2), units=site, vcov="HC1", draws=99)
    assert whole.n_redrawn[0] == 12
