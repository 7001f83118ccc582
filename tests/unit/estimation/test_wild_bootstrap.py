"""The wild cluster bootstrap enumerates sign changes as its definition says, with cells and weights; seeds repeat it."""

import itertools

import numpy as np
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation.randomisation.wild_bootstrap import wild_cluster_p_values

pytest.importorskip("wildboottest", reason="optional dependencies: bootstrap")


def by_enumeration(y, z, others, cluster, w):
    """All 2^G sign changes of restricted residuals, and the clustered t of each."""
    root = np.sqrt(w)
    x, y = np.column_stack((z, others)) * root[:, None], y * root
    restricted = x[:, 1:] @ np.linalg.lstsq(x[:, 1:], y, rcond=None)[0]
    inverse, groups = np.linalg.pinv(x), np.unique(cluster)

    def t_of(outcome):
        beta = inverse @ outcome
        scores = inverse[0] * (outcome - x @ beta)
        return beta[0] / np.sqrt(sum(scores[cluster == g].sum() ** 2 for g in groups))

    observed = abs(t_of(y))
    signs = itertools.product((-1.0, 1.0), repeat=groups.size)
    draws = [abs(t_of(restricted + np.array(v)[cluster] * (y - restricted))) for v in signs]
    # The sample itself and its mirror image are among the draws, and equal the observed one up to rounding.
    return np.mean(np.array(draws) > observed * (1 + 1e-9)), np.mean(np.array(draws) > observed * (1 - 1e-9))


@pytest.mark.parametrize("weighted", [False, True])
def test_p_values_are_those_of_all_sign_changes_with_cells_and_weights(weighted):
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(8), 9)
    cells, z = cluster // 4, (cluster % 2) * 1.0
    x = rng.standard_normal((72, 1))
    y = 0.8 * z + rng.standard_normal(8)[cluster] * 0.5 + rng.standard_normal(72)
    w = rng.uniform(0.5, 2.0, 72) if weighted else np.ones(72)
    p = wild_cluster_p_values(
        y, z, cells=cells, controls=x, cluster=cluster, weights=w if weighted else None, draws=9999
    )
    low, high = by_enumeration(y, z, np.column_stack((x, cells == 0, cells == 1)), cluster, w)
    assert low - 1e-12 <= p[0] <= high + 1e-12
    assert high - low <= 4 / 256


def test_the_same_seed_gives_the_same_p_value():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(20), 5)
    z, y = (cluster % 2) * 1.0, rng.standard_normal((100, 2))
    first = wild_cluster_p_values(y, z, cluster=cluster, draws=999, seed=4)
    assert np.array_equal(first, wild_cluster_p_values(y, z, cluster=cluster, draws=999, seed=4))
    assert not np.array_equal(first, wild_cluster_p_values(y, z, cluster=cluster, draws=999, seed=5))


def test_the_bootstrap_without_clusters_or_with_too_many_columns_is_refused():
    rng = np.random.default_rng(4)
    z, y = (np.arange(1000) % 2) * 1.0, rng.standard_normal(1000)
    with pytest.raises(UserError, match="needs clusters"):
        wild_cluster_p_values(y, z)
    with pytest.raises(UserError, match="at most 400 cells"):
        wild_cluster_p_values(y, z, cells=np.arange(1000) // 2, cluster=np.arange(1000) // 4)
