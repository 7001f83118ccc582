"""Bounds on Job Corps wages as printed, and repeated draws with a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from refino_eval.estimation import attrition, complier_profile, estimands, lee_bounds


@pytest.fixture(scope="module")
def job_corps(shared_data):
    folder = shared_data / "jobcorps_lee2009"
    people = pd.read_parquet(folder / "baseline.parquet").set_index("MPRID")
    wage = pd.read_parquet(folder / "wage_week208.parquet").set_index("MPRID")["week_208"]
    # 0 stands for no wage in this file; the log wage of 1 dollar an hour does not occur.
    return people.assign(wage=wage.where(wage != 0))


@pytest.fixture(scope="module")
def job_corps_obtained(shared_data):
    table = pd.read_csv(shared_data / "jobcorps_lee2009" / "published.csv")
    rows = table[table["table"].str.startswith("week 208")]
    return dict(zip(rows["item"].str.partition(" [")[0], rows["obtained"], strict=True))


def test_job_corps_bounds_to_the_printed_digits(job_corps, job_corps_obtained):
    bounds = lee_bounds(job_corps["wage"], job_corps["TREATMNT.y"], ties="keep")
    seen = attrition(job_corps[["wage"]], job_corps["TREATMNT.y"])
    found = {
        "share with wage, control": seen.mean_control[0],
        "share with wage, program": seen.mean_treated[0],
        "trimming p": bounds.trimmed_share,
        "Lee lower": bounds.low,
        "Lee upper": bounds.high,
    }
    for name, value in found.items():
        assert value == pytest.approx(job_corps_obtained[name], rel=6e-6), name
    assert (bounds.low, bounds.high) == pytest.approx((-0.0157664, 0.0840243), abs=5e-8)
    assert (bounds.share_observed_control, bounds.share_observed_treated) == pytest.approx(
        (seen.mean_control[0], seen.mean_treated[0])
    )


def test_job_corps_wages_heap_so_that_keeping_ties_is_too_narrow(job_corps):
    kept = lee_bounds(job_corps["wage"], job_corps["TREATMNT.y"], ties="keep")
    exact = lee_bounds(job_corps["wage"], job_corps["TREATMNT.y"])
    assert exact.low < kept.low < kept.high < exact.high
    wages = job_corps["wage"]
    treated = np.sort(wages[(job_corps["TREATMNT.y"] == 1) & wages.notna()])
    control = wages[(job_corps["TREATMNT.y"] == 0)].mean()
    # 195.36 of 3,359 people trimmed, the last one in part.
    keep = treated.size * (1 - exact.trimmed_share)
    whole, part = int(keep), keep - int(keep)
    assert exact.low == pytest.approx((treated[:whole].sum() + part * treated[whole]) / keep - control, rel=1e-9)


def selection_trial(seed, n=4000):
    """Effect .2 on those observed in either arm; share assigned and level of the outcome both rise over cells."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 20, n)
    z = (rng.random(n) < np.linspace(0.15, 0.85, 20)[cells]).astype(float)
    taste = rng.random(n)
    seen = taste < 0.6 + 0.1 * z
    y = 0.2 * z + 0.25 * cells + rng.standard_normal(n) + 0.3 * (taste - 0.3)
    return np.where(seen, y, np.nan), z, cells


def test_bounds_by_cells_hold_the_truth_where_pooled_ones_do_not():
    y, z, cells = selection_trial(1)
    by_cell, pooled = lee_bounds(y, z, cells=cells), lee_bounds(y, z)
    assert by_cell.low < 0.2 < by_cell.high
    assert pooled.low > 0.5
    assert pooled.conf_low > 0.2


@pytest.mark.slow
def test_coverage_of_the_interval_around_the_bounds():
    # The identified set's ends: the truth when trimming is of the top or bottom extra people (large sample).
    big = [
        lee_bounds(*selection_trial(900 + k, n=200_000)[:2], cells=selection_trial(900 + k, n=200_000)[2])
        for k in range(2)
    ]
    ends = np.mean([one.low for one in big]), np.mean([one.high for one in big])
    missed = np.empty((400, 2))
    for r in range(400):
        y, z, cells = selection_trial(r, n=1500)
        found = lee_bounds(y, z, cells=cells)
        missed[r] = [not found.conf_low <= end <= found.conf_high for end in ends]
    # Nominal .05 at either end, known to .011 from 400 draws; four of these.
    assert np.all(np.abs(missed.mean(axis=0) - 0.05) < 0.044), missed.mean(axis=0)


@pytest.mark.slow
def test_standard_errors_of_bounds_in_sparse_cells():
    # Six people per cell, and many arms of one person in a cell.
    ends, told = np.empty((300, 2)), np.empty((300, 2))
    for r in range(300):
        rng = np.random.default_rng(r)
        cells = rng.integers(0, 250, 1500)
        z = (rng.random(1500) < np.linspace(0.2, 0.8, 250)[cells]).astype(float)
        seen = rng.random(1500) < 0.6 + 0.15 * z
        y = np.where(seen, 0.2 * z + cells / 250 + rng.standard_normal(1500), np.nan)
        found = lee_bounds(y, z, cells=cells)
        ends[r], told[r] = (found.low, found.high), (found.low_std_error, found.high_std_error)
    # The spread of 300 draws is known to 4 per cent; four of these.
    np.testing.assert_allclose(told.mean(axis=0), ends.std(axis=0), rtol=0.16)


@pytest.mark.slow
def test_size_of_the_test_that_estimands_differ_and_coverage_of_each():
    rng = np.random.default_rng(3)
    cells = np.repeat(np.arange(30), rng.integers(4, 30, 30))
    share = np.linspace(0.2, 0.85, 30)[cells]
    rejected, missed = np.empty(600), np.empty((600, 4))
    for r in range(600):
        z = (rng.random(cells.size) < share).astype(float)
        x = rng.standard_normal((cells.size, 2))
        y = z + x @ [1.0, -0.5] + 0.2 * cells + rng.standard_normal(cells.size) * (0.5 + z)
        found = estimands(y, z, cells=cells, controls=x)
        apart = found.difference[1] / found.difference_std_error[1]
        rejected[r] = abs(apart[0]) > 1.96
        missed[r] = (found.conf_low[:, 0] > 1) | (found.conf_high[:, 0] < 1)
    # .05 is known to .009 from 600 draws; four of these.
    assert abs(rejected.mean() - 0.05) < 0.036
    assert np.all(np.abs(missed.mean(axis=0) - 0.05) < 0.036), missed.mean(axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["residual", "hybrid"])
def test_variance_of_small_cells_in_repeated_draws(rule):
    rng = np.random.default_rng(5)
    sizes = rng.integers(2, 5, 60)
    cells = np.repeat(np.arange(60), sizes)
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    base = rng.standard_normal(cells.size) + 0.3 * cells
    effect = (1 + 0.5 * rng.standard_normal(60))[cells]
    found, told = np.empty(1500), np.empty(1500)
    for r in range(1500):
        z = np.zeros(cells.size)
        z[first + rng.integers(0, sizes)] = 1.0
        table = estimands(base + effect * z, z, cells=cells, small_cells=rule)
        found[r], told[r] = table.estimate[1, 0], table.std_error[1, 0] ** 2
    # Conservative in a fixed population with effects that differ; never too small, and not by more than their spread.
    assert 0.95 < told.mean() / found.var() < (1.6 if rule == "hybrid" else 2.0), told.mean() / found.var()


def test_reference_trial_profile_adds_up(shared_data):
    trial = pd.read_csv(shared_data / "reference_trial" / "trial.csv")
    covariates = ["age", "female", "immig", "edu"]
    table = complier_profile(trial[covariates], trial["d"], trial["z"], cells=trial["cell"])
    np.testing.assert_allclose(table.share @ table.mean, table.sample_mean, rtol=1e-10)
    assert table.n_left_out.tolist() == [37] * 4, "people in the trial's one-arm cells"
    # In this trial types do not depend on the covariates.
    assert np.all(np.abs(table.difference / table.difference_std_error) < 4)


def test_whole_weights_are_people_counted_several_times_also_with_clusters():
    # A person of weight 3 is three alike: estimates are the same, and errors summed in clusters too, but for (n - 1) / (n - K).
    rng = np.random.default_rng(3)
    n = 400
    cell, cluster, w = rng.integers(0, 5, n), rng.integers(0, 60, n), rng.integers(1, 4, n)
    z = (rng.random(n) < 0.3 + 0.1 * cell).astype(float)
    d = (rng.random(n) < 0.2 + 0.5 * z).astype(float)
    x, y = rng.normal(size=n) + d, rng.normal(size=n) + z + rng.normal(0, 0.7, 60)[cluster]
    y[rng.random(n) < 0.3 - 0.15 * z] = np.nan

    def both(analysis, values, *more):
        again = np.repeat(np.arange(n), w)
        return (
            analysis(values, *more, z, cells=cell, cluster=cluster, vcov="CRV1", weights=w.astype(float)),
            analysis(
                values[again],
                *(one[again] for one in more),
                z[again],
                cells=cell[again],
                cluster=cluster[again],
                vcov="CRV1",
            ),
        )

    weighted, repeated = both(complier_profile, x[:, None], d)
    for name in ("share", "mean"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-10)
        error = f"{name}_std_error" if name == "share" else "std_error"
        np.testing.assert_allclose(getattr(weighted, error), getattr(repeated, error), rtol=0.01)
    weighted, repeated = both(lee_bounds, y)
    for name, tolerance in (("low", 1e-10), ("high", 1e-10), ("low_std_error", 0.01), ("high_std_error", 0.01)):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=tolerance)
    apart = lee_bounds(y, z, cells=cell)
    assert abs(apart.low - weighted.low) > 0.01
