"""Participation as states that exclude each other, stays from panels, complier means, intervals of shares."""

import numpy as np
import pytest

from refino_eval import estimation as est
from refino_eval.errors import UserError

NAN = np.nan


def test_whoever_is_in_several_counts_in_the_first_named():
    ranked = est.rank_states(
        {
            "new": [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [1, NAN, 0], [0, NAN, 0]],
            "old": [[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]],
            "other": [[0, 0, 1], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
        }
    )
    assert ranked.states == ("new", "old", "other", "none")
    # The fifth was seen in the first programme; of the last it is not known whether they were.
    assert ranked.ever.tolist() == ["new", "old", "other", "none", "new", None]
    assert ranked.periods[:4].tolist() == [[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 2], [0, 0, 0, 3]]
    assert np.isnan(ranked.periods[4:]).all()


@pytest.mark.parametrize(
    "wrong",
    [{}, {"none": [[1.0]]}, {"a": [[1.0]], "b": [[1.0, 0.0]]}, {"a": [[0.5]]}],
    ids=["nothing", "reserved name", "two shapes", "half a participation"],
)
def test_states_that_cannot_be_ranked_are_faults(wrong):
    with pytest.raises(UserError):
        est.rank_states(wrong)


@pytest.mark.parametrize(
    ("path", "gap", "duration", "ended"),
    [
        ([0, 1, 1, 0, 0], 0, 2, 1),
        ([0, 1, 1, 1, 1], 0, 3.5, 0),
        ([0, 0, 0, 0, 1], 0, 0.5, 0),
        ([0, 1, 0, 1, 0], 0, 1, 1),
        ([0, 1, 0, 1, 0], 1, 3, 1),
        ([0, 1, 0, 0, 1], 1, 1, 1),
        ([0, 1, 1, NAN, 1], 0, 1.5, 0),
        ([0, 1, 0, NAN, 1], 1, 1, 1),
    ],
)
def test_a_stay_lasts_until_the_first_period_without_it(path, gap, duration, ended):
    found = est.stays(np.array([path], dtype=float), first=1, last=4, gap=gap)
    assert (found.duration[0], found.ended[0]) == (duration, ended)


def test_who_counts_as_a_starter():
    paths = np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0], [NAN, 1, 0]], dtype=float)
    found = est.stays(paths, first=1, last=1)
    assert found.started.tolist() == [False, False, False, True]
    assert found.already.tolist() == [True, False, False, False]
    back = est.stays(np.array([[0, 1, 0, 0, 1.0], [0, 1, 0, 1, 0.0]]), first=1, last=1, gap=1)
    assert back.returned.tolist() == [True, False]
    assert back.bridged.tolist() == [False, True]
    with pytest.raises(UserError, match="within the 3 periods"):
        est.stays(paths, first=1, last=3)


def test_stays_give_the_share_still_there_by_month():
    # Nobody is censored before the end, so that the curve is the plain share.
    rng = np.random.default_rng(4)
    length = rng.integers(1, 8, 300)
    paths = (np.arange(12) < length[:, None]).astype(float)
    found = est.stays(paths, first=0, last=0)
    table = est.survival_shares(found.duration, found.ended, times=np.arange(8.0))
    np.testing.assert_allclose(table.share[0], [(length > k).mean() for k in range(8)], rtol=1e-12)


def test_interval_of_a_share_agrees_with_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for count, n in ((0, 40), (3, 40), (40, 40), (1200, 1827)):
        expected = proportion_confint(count, n, method="wilson")
        np.testing.assert_allclose(est.share_interval(count, n), expected, atol=1e-12)
    assert est.share_interval(0, 40)[0] == 0
    assert np.isnan(est.share_interval(0, 0)).all()


def test_complier_means_differ_by_the_effect_and_recover_the_truth():
    rng = np.random.default_rng(8)
    n = 40_000
    cell = rng.integers(0, 8, n)
    z = (rng.random(n) < 0.2 + 0.07 * cell).astype(float)
    kind = rng.choice(["complier", "always", "never"], n, p=[0.6, 0.1, 0.3])
    d = np.where(kind == "complier", z, kind == "always").astype(float)
    base = np.select([kind == "complier", kind == "always"], [1.0, 3.0], 0.0)
    y = base + 0.5 * d + rng.standard_normal(n) + 0.1 * cell
    found = est.complier_means(y, d, z, cells=cell, missing="common")
    effect = est.late(y, d, z, cells=cell)
    assert found.treated[0] - found.control[0] == pytest.approx(found.effect[0], rel=1e-9)
    assert found.effect[0] == pytest.approx(effect.estimate[0], rel=1e-12)
    # Cells weigh by n p (1 - p) in both, and their mean level .35 is known.
    assert abs(found.control[0] - 1.36) < 4 * found.control_std_error[0]
    assert found.sample_control[0] == pytest.approx(y[z == 0].mean(), rel=1e-12)
    with pytest.raises(UserError, match="0 or 1"):
        est.complier_means(y, d * 2, z, cells=cell)
