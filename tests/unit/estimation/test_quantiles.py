"""Differences of quantiles against hand-made ones and theory; quantile regression against pyfixest and its conditions of optimality."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import itt, quantile_differences, quantile_regression
from refino_eval.estimation.models.quantiles import check_loss
from refino_eval.estimation.verification.quantile_engine import ask_coefficient, ask_difference, ask_error


def people(seed=0, n=601):
    rng = np.random.default_rng(seed)
    cells = np.arange(n) % 5
    z = (rng.random(n) < 0.3 + 0.1 * cells).astype(float)
    x = rng.normal(size=(n, 2))
    return 1 + z * (1 + rng.normal(size=n)) + x.sum(axis=1) + 3 * cells + rng.normal(size=n), z, cells, x


def test_a_difference_is_of_quantiles_weighted_to_everybodys_cells():
    y, z = np.array([1.0, 2, 3, 9, 5, 6, 7, 8, 4]), np.array([1.0, 1, 0, 1, 0, 0, 1, 0, 1])
    cells = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    found = quantile_differences(y, z, quantiles=[0.3, 0.5, 0.8], seed=1, draws=99, cells=cells)
    # Cell 2 has one arm. Treated 1, 2, 9 stand for 4/3 each, 7 for 4; of the others 3 stands for 4, and 5, 6, 8 for 4/3.
    assert found.n_left_out.tolist() == [1]
    assert found.estimate[0].tolist() == [2 - 3, 7 - 3, 7 - 6]
    weighted = quantile_differences(y, z, quantiles=[0.5], seed=1, draws=99, weights=np.where(y == 9, 50.0, 1.0))
    assert weighted.estimate[0, 0] == 9 - 5


def test_the_bootstrap_has_the_spread_of_the_sample_median_and_the_same_seed_gives_the_same_numbers():
    rng = np.random.default_rng(3)
    y, z = rng.normal(size=4000), np.tile([0.0, 1.0], 2000)
    found = quantile_differences(y, z, quantiles=[0.5], seed=7, draws=400)
    assert found.std_error[0, 0] == pytest.approx(np.sqrt(np.pi / 2000), rel=0.3)
    again = quantile_differences(y, z, quantiles=[0.5], seed=7, draws=400)
    assert again.std_error[0, 0] == found.std_error[0, 0]
    # People who are all alike in a cluster of four make the error twice as large.
    alike, arms, clusters = np.repeat(y[:1000], 4), np.repeat(z[:1000], 4), np.arange(4000) // 4
    clustered = quantile_differences(alike, arms, quantiles=[0.5], seed=7, draws=400, cluster=clusters, vcov="CRV1")
    plain = quantile_differences(alike, arms, quantiles=[0.5], seed=7, draws=400)
    assert clustered.std_error[0, 0] == pytest.approx(2 * plain.std_error[0, 0], rel=0.2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("clustered", [False, True])
def test_quantile_regression_is_that_of_pyfixest(clustered):
    pf = pytest.importorskip("pyfixest")
    y, z, _, x = people()
    clusters = np.arange(601) // 3
    options = {"cluster": clusters, "vcov": "CRV1"} if clustered else {"vcov": "HC0"}
    found = quantile_regression(y, z, quantiles=[0.25, 0.7], controls=x, **options)
    frame = pd.DataFrame({"y": y, "z": z, "a": x[:, 0], "b": x[:, 1], "g": clusters})
    for k, point in enumerate(found.quantiles):
        fit = pf.quantreg("y ~ z + a + b", data=frame, quantile=point, tol=1e-9)
        theirs = fit.coef()[["z", "a", "b", "Intercept"]].to_numpy()
        beta = found.coefficients[0][k]
        columns = np.column_stack((z, x, np.ones(601)))
        losses = [check_loss(y - columns @ own, np.ones(601), point) for own in (beta, theirs)]
        assert losses[0] <= losses[1] * (1 + 1e-12)
        assert found.estimate[0, k] == pytest.approx(theirs[0], rel=1e-4)
        sample = found.samples[0]
        assert ask_coefficient(sample, point, beta) == beta[0]
        assert np.isnan(ask_coefficient(sample, point, beta + np.array([0.05, 0, 0, 0])))
        assert ask_error(sample, point, beta) == pytest.approx(found.std_error[0, k], rel=1e-10)
        # Kernel and bandwidth of programs differ, so that errors are alike and no more.
        vcov = {"CRV1": "g"} if clustered else "hetero"
        other = pf.quantreg("y ~ z + a + b", data=frame, quantile=point, vcov=vcov).se()["z"]
        assert found.std_error[0, k] == pytest.approx(other, rel=0.25)


def test_weights_of_whole_numbers_are_people_so_many_times():
    y, z, cells, x = people(n=200)
    times = np.arange(200) % 3 + 1
    many = [np.repeat(column, times, axis=0) for column in (y, z, cells, x)]
    weighted = quantile_regression(y, z, quantiles=[0.4], cells=cells, controls=x, weights=times)
    repeated = quantile_regression(many[0], many[1], quantiles=[0.4], cells=many[2], controls=many[3])
    for found in (weighted, repeated):
        assert ask_coefficient(found.samples[0], 0.4, found.coefficients[0][0]) == found.estimate[0, 0]
    assert weighted.estimate[0, 0] == pytest.approx(repeated.estimate[0, 0], rel=1e-8)
    first = quantile_differences(y, z, quantiles=[0.4], seed=1, draws=99, cells=cells, weights=times)
    second = quantile_differences(many[0], many[1], quantiles=[0.4], seed=1, draws=99, cells=many[2])
    assert first.estimate[0, 0] == pytest.approx(second.estimate[0, 0], rel=1e-12)
    assert ask_difference(first.samples[0], 0.4) == first.estimate[0, 0]


def test_an_effect_that_is_the_same_for_all_is_at_every_quantile_that_of_the_mean():
    y, z, cells, _ = people()
    shifted = np.round(y - z * y, 1) + 2 * z
    found = quantile_regression(5 * cells + 2 * z, z, quantiles=[0.2, 0.5, 0.9], cells=cells)
    np.testing.assert_allclose(found.estimate[0], itt(5 * cells + 2 * z, z, cells=cells).estimate[0], rtol=1e-8)
    assert np.isnan(found.std_error).all(), "everybody is fitted exactly"
    assert np.isfinite(quantile_differences(shifted, z, quantiles=[0.5], seed=1, draws=99, cells=cells).std_error).all()


def test_faults():
    y, z, _, x = people(n=50)
    with pytest.raises(UserError, match="between 0 and 1"):
        quantile_regression(y, z, quantiles=[1.0])
    with pytest.raises(UserError, match="takes no controls"):
        quantile_differences(y, z, quantiles=[0.5], seed=1, controls=x)
    with pytest.raises(UserError, match="No cell has both arms"):
        quantile_differences(y, z, quantiles=[0.5], seed=1, cells=z)
