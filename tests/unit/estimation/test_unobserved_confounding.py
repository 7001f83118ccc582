"""Robustness values, bounds and Oster's delta: a published example, traits that are really there, and planted ones that are flagged."""

import numpy as np
import pytest

from refino_eval.estimation import itt, unobserved_confounding
from refino_eval.estimation.effects.unobserved_confounding import adjusted_for_trait, robustness_value, trait_bounds

# Cinelli and Hazlett (2020, JRSS B 82(1), Table 1; Cinelli, Ferwerda and Hazlett 2024, the package's output): the effect of
# being directly harmed on attitudes to peace in Darfur, 783 degrees of freedom.
DARFUR = {"estimate": 0.09731582, "std_error": 0.02325654, "df": 783}
FEMALE = {"with_treatment": 0.00916429, "with_outcome": 0.12464092}
"""The bounds printed for a trait once as strong as being female, in full precision of the package."""


def test_robustness_values_of_the_published_example():
    t, df = DARFUR["estimate"] / DARFUR["std_error"], DARFUR["df"]
    f = np.array([t / np.sqrt(df)])
    critical = 1.96300297 / np.sqrt(df - 1)
    assert round(float(robustness_value(f, np.zeros(1))[0]), 3) == 0.139
    assert round(float(robustness_value(f, np.array([critical]))[0]), 3) == 0.076
    assert round(float(f[0] ** 2 / (1 + f[0] ** 2)), 3) == 0.022


def test_bounds_of_the_published_example():
    d, y = FEMALE["with_treatment"] / (1 + FEMALE["with_treatment"]), np.array([0.10903])
    scale = np.array([DARFUR["std_error"] * np.sqrt(DARFUR["df"])])
    printed = {1: (0.009, 0.125, 0.075), 2: (0.018, 0.249, 0.053), 3: (0.027, 0.374, 0.030)}
    for k, (treatment, outcome, adjusted) in printed.items():
        bounds = trait_bounds(d, y, k)
        assert float(bounds[0][0]) == pytest.approx(treatment, abs=5e-4)
        assert float(bounds[1][0]) == pytest.approx(outcome, abs=6e-4)
        value = adjusted_for_trait(np.array([DARFUR["estimate"]]), scale, *bounds)
        assert float(value[0]) == pytest.approx(adjusted, abs=6e-4)


def study(seed, *, n=4000, effect=0.0, unobserved=0.0, weights=False, clusters=0):
    """Two observed traits and an unobserved one of the same strength as the first, times `unobserved`."""
    rng = np.random.default_rng(seed)
    x, u = rng.normal(size=(n, 2)), rng.normal(size=n)
    z = (0.5 * x[:, 0] + 0.2 * x[:, 1] + 0.5 * unobserved * u + rng.logistic(size=n) > 0).astype(float)
    y = effect * z + 0.6 * x[:, 0] + 0.3 * x[:, 1] + 0.6 * unobserved * u + rng.normal(size=n)
    options = {"weights": rng.uniform(0.5, 2, n)} if weights else {}
    if clusters:
        options |= {"cluster": rng.integers(0, clusters, n), "vcov": "CRV1"}
    return y, z, x, u, options


@pytest.mark.parametrize("weights", [False, True])
def test_the_bias_formula_is_exact_for_a_trait_that_exists(weights):
    y, z, x, u, options = study(1, unobserved=1.0, weights=weights)
    without = itt(y, z, controls=x, **options)
    with_trait = itt(y, z, controls=np.column_stack((x, u)), **options)
    w = options.get("weights", np.ones(y.size))

    def left(v, columns):
        design = np.column_stack((np.ones(y.size), columns)) * np.sqrt(w)[:, None]
        v = v * np.sqrt(w)
        return v - design @ np.linalg.lstsq(design, v, rcond=None)[0]

    def partial(v, others):
        both = np.corrcoef(left(v, others), left(u, others))  # residuals have (weighted) mean 0
        return float(both[0, 1] ** 2) if not weights else _squared_cosine(left(v, others), left(u, others))

    table = unobserved_confounding(y, z, {"first": ["control_1"]}, controls=x, **options)
    d, outcome = partial(z, x), partial(y, np.column_stack((x, z)))
    moved = adjusted_for_trait(table.estimate, table.scale, d, outcome)
    assert float(moved[0]) == pytest.approx(float(with_trait.estimate[0]), abs=1e-9)
    assert float(table.estimate[0]) == pytest.approx(float(without.estimate[0]), rel=1e-12)
    # As strong as the robustness value with both: the estimate is zero, and then the interval's end.
    rv, short = table.robustness_value, table.robustness_value_interval
    assert float(adjusted_for_trait(table.estimate, table.scale, rv, rv)[0]) == pytest.approx(0, abs=1e-12)
    end = adjusted_for_trait(table.estimate, table.scale, short, short) - table.critical * table.adjusted_std_error
    assert float(end[0]) == pytest.approx(0, abs=1e-9)


def _squared_cosine(a, b):
    return float((a @ b) ** 2 / ((a @ a) * (b @ b)))


def flagged(table):
    """Whether a trait as strong as a benchmark would make the interval include zero."""
    return float(min(one.times_to_insignificance[0] for one in table.benchmarks)) <= 1


@pytest.mark.parametrize("clusters", [0, 60])
def test_a_planted_unobserved_trait_is_flagged_and_a_true_effect_is_not(clusters):
    marks = {"first": ["control_1"], "second": ["control_2"]}
    for seed in range(8):
        y, z, x, _, options = study(seed, unobserved=0.8, clusters=clusters)
        biased = unobserved_confounding(y, z, marks, controls=x, **options)
        # The truth is 0, and the regression finds a difference.
        assert float(biased.estimate[0] / biased.std_error[0]) > 3
        assert flagged(biased)
        y, z, x, _, options = study(seed, effect=1.0, clusters=clusters)
        sound = unobserved_confounding(y, z, marks, controls=x, **options)
        assert not flagged(sound)
        assert float(min(one.times_to_insignificance[0] for one in sound.benchmarks)) > 1.5


@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0])
def test_oster_recovers_a_selection_that_is_planted(delta):
    """With moments that hold exactly, beta = 0 needs the planted delta, and at delta = 1 the effect is the planted one."""
    n, rng = 400, np.random.default_rng(3)
    columns = np.linalg.qr(np.column_stack((np.ones(n), rng.normal(size=(n, 4)))))[0][:, 1:] * np.sqrt(n)
    observed, hidden, noise, error = columns.T
    for effect in (0.0, 0.4):
        treated = 0.3 * observed + 0.3 * delta * hidden + noise
        y = effect * treated + observed + hidden + 0.5 * error
        # Oster's treatment need not be 0 or 1; the function under test takes fits of any.
        table = _oster_of(y, treated, observed, np.column_stack((treated, observed, hidden)))
        if effect == 0.0:
            assert table[0] == pytest.approx(delta, rel=1e-8)
        if delta == 1.0:
            assert table[1] == pytest.approx(effect, abs=1e-8)


def _oster_of(y, treated, observed, everything):
    from refino_eval.estimation.core.preparation import prepare_columns
    from refino_eval.estimation.effects.unobserved_confounding import _oster

    short = prepare_columns(treated[:, None]).fit(y)
    full = prepare_columns(treated[:, None], controls=observed[:, None]).fit(y)
    design = np.column_stack((np.ones(y.size), everything))
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    r_max = np.array([1 - left @ left / np.sum((y - y.mean()) ** 2)])
    delta, adjusted = _oster(short, full, r_max)
    return float(delta[0]), float(adjusted[0])
