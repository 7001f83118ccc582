"""Coverage and size of intervals and tests: repeated draws of trials whose truth is known.

``python benchmarks/truth.py [redraws]`` runs every experiment and writes docs/statistical_truth.md. The people, their potential
outcomes and what each would do under either arm are made once from the seed; what is repeated is the draw, within
cells and with a share that varies between them, as in a real trial. A rate from R redraws is known to its Monte
Carlo error, sqrt(f (1 - f) / R).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refino_eval import estimation as est

ROOT = Path(__file__).parents[1]
REDRAWS = 2000
SEED = 20180501


@dataclass(frozen=True)
class Rate:
    """A rate found in repeated draws.

    Attributes
    ----------
    claim
        What was counted.
    nominal
        What it should be, in text, and the bounds that it should lie in: equal for an exact claim.
    found, error, redraws
        The rate, its Monte Carlo error, and of how many.
    """

    claim: str
    nominal: str
    low: float
    high: float
    found: float
    error: float
    redraws: int

    @property
    def kept(self) -> bool:
        """Whether the rate lies in its bounds, give or take four Monte Carlo errors."""
        return self.low - 4 * self.error <= self.found <= self.high + 4 * self.error


def rate(claim: str, hits: np.ndarray, nominal: str, low: float, high: float) -> Rate:
    """Return the share of hits with its Monte Carlo error, at the nominal rate when no redraw or every redraw hit."""
    found = float(np.mean(hits))
    spread = found if 0 < found < 1 else (low + high) / 2
    return Rate(
        claim, nominal, low, high, found, float(np.sqrt(max(spread * (1 - spread), 1e-4) / hits.size)), hits.size
    )


@dataclass(frozen=True, eq=False)
class People:
    """Fixed people: cells, share drawn by cell, two covariates, behaviour and potential outcomes."""

    cells: np.ndarray
    share: np.ndarray
    x: np.ndarray
    take_0: np.ndarray
    take_1: np.ndarray
    y_0: np.ndarray
    y_1: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw as many treated in each cell as its share says."""
        order = np.lexsort((rng.random(self.cells.size), self.cells))
        place = np.empty(order.size, dtype=np.int64)
        starts = np.searchsorted(self.cells[order], np.arange(self.share.size))
        place[order] = np.arange(order.size) - starts[self.cells[order]]
        size = np.bincount(self.cells)
        return (place < np.rint(size * self.share).astype(int)[self.cells]).astype(float)

    @property
    def precision(self) -> np.ndarray:
        """Weight of each person in a regression with cell effects: p (1 - p) of the cell."""
        size = np.bincount(self.cells)
        p = np.rint(size * self.share) / size
        return (p * (1 - p))[self.cells]


def people(seed: int = SEED, n: int = 1200, n_cells: int = 40, effect: float = 0.3) -> People:
    """Make people: effects differ between them and go with the cell's share; some never take part, some always do."""
    rng = np.random.default_rng(seed)
    cells = np.sort(np.concatenate([np.repeat(np.arange(n_cells), 4), rng.integers(0, n_cells, n - 4 * n_cells)]))
    share = rng.uniform(0.25, 0.8, n_cells)
    x = rng.standard_normal((n, 2))
    will = rng.random(n)
    take_1, take_0 = (will + 0.2 * (x[:, 0] > 0) > 0.25).astype(float), (will > 0.92).astype(float)
    gain = effect * (0.5 + share[cells]) + 0.3 * rng.standard_normal(n)
    base = 0.05 * cells + x @ [0.5, -0.3] + rng.standard_normal(n) * (1 + 0.5 * (x[:, 1] > 0))
    return People(cells, share, x, take_0, take_1, base + gain * take_0, base + gain * take_1)


def covers(low: np.ndarray, high: np.ndarray, truth: float) -> np.ndarray:
    """Tell which intervals hold the truth."""
    return (low <= truth) & (truth <= high)


def intervals(redraws: int) -> Iterator[Rate]:
    """ITT and LATE intervals under effects that differ between people and cells."""
    who, rng = people(), np.random.default_rng(SEED + 1)
    itt_truth = float(np.average(who.y_1 - who.y_0, weights=who.precision))
    late_truth = itt_truth / float(np.average(who.take_1 - who.take_0, weights=who.precision))
    found = {name: np.empty(redraws, dtype=bool) for name in ("HC1", "HC2", "tsls", "ar")}
    for r in range(redraws):
        z = who.draw(rng)
        d, y = np.where(z == 1, who.take_1, who.take_0), np.where(z == 1, who.y_1, who.y_0)
        for vcov in ("HC1", "HC2"):
            table = est.itt(y, z, cells=who.cells, controls=who.x, vcov=vcov)
            found[vcov][r] = covers(table.conf_low, table.conf_high, itt_truth)[0]
        iv = est.late(y, d, z, cells=who.cells, controls=who.x)
        found["tsls"][r] = covers(iv.conf_low, iv.conf_high, late_truth)[0]
        region = iv.ar_set[0]
        found["ar"][r] = region.kind == "interval" and region.low <= late_truth <= region.high
    at_least = ".95 or more"
    yield rate("ITT, 95 % interval, HC1", found["HC1"], at_least, 0.945, 0.99)
    yield rate("ITT, 95 % interval, HC2", found["HC2"], at_least, 0.945, 0.99)
    yield rate("LATE, 95 % interval, two-stage least squares", found["tsls"], at_least, 0.94, 0.99)
    yield rate("LATE, 95 % Anderson-Rubin set", found["ar"], at_least, 0.94, 0.99)
    yield _profiles(redraws)


def _profiles(redraws: int) -> Rate:
    """Means of compliers, whose errors are those of people sampled and then drawn: both are repeated."""
    # Mean of the first covariate where .87 of people above 0 and .67 of the others are compliers.
    truth = (0.87 - 0.67) / np.sqrt(2 * np.pi) / ((0.87 + 0.67) / 2)
    rng, hits = np.random.default_rng(SEED + 6), np.empty(redraws, dtype=bool)
    for r in range(redraws):
        who = people(seed=SEED + 1000 + r)
        z = who.draw(rng)
        told = est.complier_profile(who.x[:, [0]], np.where(z == 1, who.take_1, who.take_0), z, cells=who.cells)
        hits[r] = abs(told.mean[0, 0] - truth) <= 1.96 * told.std_error[0, 0]
    return rate(
        "Compliers' mean of a covariate, cell by cell, 95 % interval; people sampled again each time",
        hits,
        ".95",
        0.94,
        0.96,
    )


def tests(redraws: int) -> Iterator[Rate]:
    """Size of randomisation tests at a share of .8, family-wise error, equivalence at the margin, simultaneous bands."""
    rng = np.random.default_rng(SEED + 2)
    who = people(n=400, n_cells=25)
    who = People(**{**vars(who), "share": np.full(25, 0.8)})
    outcomes = rng.standard_normal((400, 6)) @ np.linalg.cholesky(0.5 * np.eye(6) + 0.5).T * np.exp(who.x[:, [0]] / 2)
    single, family, raw = (np.empty(redraws, dtype=bool) for _ in range(3))
    for r in range(redraws):
        z = who.draw(rng)
        told = est.randomisation_test(outcomes, z, cells=who.cells, draws=199, seed=r, vcov="HC2")
        effects = est.itt(outcomes, z, cells=who.cells, vcov="HC2")
        stepped = est.multiplicity(effects.p_value, names=effects.outcomes, draws=told.statistics)
        single[r], raw[r] = told.p_value[0] <= 0.05, (effects.p_value <= 0.05).any()
        family[r] = (stepped.p_step_down <= 0.05).any()
    yield rate(
        "Randomisation test with .8 assigned to treatment, sharp null, level .05", single, ".05, exactly", 0.05, 0.05
    )
    yield rate("Step-down over six outcomes, any rejection under the global null", family, ".05, exactly", 0.05, 0.05)
    yield rate("The same without correction", raw, "above .05: why families are corrected", 0.10, 0.30)
    yield from _equivalence(redraws)
    yield from _bands(max(redraws // 4, 50))


def _equivalence(redraws: int) -> Iterator[Rate]:
    who, rng = people(seed=SEED + 3), np.random.default_rng(SEED + 3)
    margin, rejected = 0.25, np.empty(redraws, dtype=bool)
    for r in range(redraws):
        z = who.draw(rng)
        y = who.y_0 + margin * z  # the truth stands exactly on the margin
        card = est.null_card(est.itt(y, z, cells=who.cells, controls=who.x, vcov="HC2"), margin=margin)
        rejected[r] = card.p_equivalence[0] <= 0.05
    yield rate("Two one-sided tests, effect exactly at the margin, level .05", rejected, "at most .05", 0.03, 0.05)


def _bands(redraws: int) -> Iterator[Rate]:
    who, rng = people(seed=SEED + 4, n=600), np.random.default_rng(SEED + 4)
    times = np.arange(-12, 13)
    paths = np.cumsum(rng.standard_normal((600, times.size)), axis=1) / 3 + rng.standard_normal((600, times.size))
    inside, alone, placebo = (np.empty(redraws, dtype=bool) for _ in range(3))
    for r in range(redraws):
        z = who.draw(rng)
        told = est.dynamics(paths, z, times=times, cells=who.cells, vcov="HC2", draws=4000, seed=r)
        inside[r] = bool(np.all((told.band_low <= 0) & (told.band_high >= 0)))
        alone[r] = bool(np.all(covers(told.effects.conf_low, told.effects.conf_high, 0.0)))
        placebo[r] = told.placebo is not None and told.placebo.p_value <= 0.05
    yield rate("Simultaneous bands over 25 months cover the whole path", inside, ".95", 0.94, 0.97)
    yield rate("Monthly 95 % intervals cover the whole path", alone, "below .95: why bands are shown", 0.3, 0.85)
    yield rate("Placebo test of the twelve months before, level .05", placebo, ".05", 0.03, 0.07)


def bounds(redraws: int) -> Iterator[Rate]:
    """Lee bounds where the share drawn and the outcome's level both vary over cells."""
    truth, hits, pooled = 0.2, np.empty(redraws, dtype=bool), np.empty(redraws, dtype=bool)
    for r in range(redraws):
        rng = np.random.default_rng([SEED, 5, r])
        cells = rng.integers(0, 20, 1500)
        z = (rng.random(1500) < np.linspace(0.15, 0.85, 20)[cells]).astype(float)
        taste = rng.random(1500)
        y = truth * z + 0.25 * cells + rng.standard_normal(1500) + 0.3 * (taste - 0.3)
        y = np.where(taste < 0.6 + 0.1 * z, y, np.nan)
        found = est.lee_bounds(y, z, cells=cells)
        hits[r] = found.conf_low <= truth <= found.conf_high
        blind = est.lee_bounds(y, z)
        pooled[r] = blind.conf_low <= truth <= blind.conf_high
    yield rate("Bounds under selection, cell by cell, 95 % interval for the effect", hits, "at least .95", 0.95, 1.0)
    yield rate("The same pooled over cells", pooled, "far below .95: why cells are respected", 0.0, 0.3)


OUTCOMES, BETWEEN = 40, 0.2
"""Independent outcomes of each trial with few clusters, and the share of their variance that is between clusters."""


def clustered(strata: np.ndarray, treated: int) -> Callable[[np.random.Generator], dict]:
    """Return a function that draws a trial whose clusters are in these strata, with so many treated in each."""

    def draw(rng: np.random.Generator) -> dict:
        groups = strata.size
        size = rng.integers(5, 36, groups)
        order = np.lexsort((rng.random(groups), strata))
        starts = np.searchsorted(strata[order], np.arange(strata.max() + 1))
        place = np.empty(groups, dtype=np.int64)
        place[order] = np.arange(groups) - starts[strata[order]]
        cluster = np.repeat(np.arange(groups), size)
        y = np.sqrt(BETWEEN) * rng.standard_normal((groups, OUTCOMES))[cluster]
        y += np.sqrt(1 - BETWEEN) * rng.standard_normal((cluster.size, OUTCOMES))
        y += rng.standard_normal(strata.max() + 1)[strata][cluster][:, None]
        return {"y": y, "z": (place < treated)[cluster] * 1.0, "cells": strata[cluster], "cluster": cluster}

    return draw


def tiny_cells(rng: np.random.Generator) -> dict:
    """Draw 100 cells of three people, one treated, the treated with three times the standard deviation."""
    cells = np.repeat(np.arange(100), 3)
    z = np.tile([1.0, 0.0, 0.0], 100)
    return {
        "y": (1 + 2 * z)[:, None] * rng.standard_normal((300, OUTCOMES)) + cells[:, None] / 50,
        "z": z,
        "cells": cells,
    }


def many_controls(rng: np.random.Generator) -> dict:
    """Draw 100 people, half of them treated, with 15 controls."""
    z = rng.permutation(np.repeat([0.0, 1.0], 50))
    x = rng.standard_normal((100, 15))
    return {"y": x @ np.full((15, OUTCOMES), 0.3) + rng.standard_normal((100, OUTCOMES)), "z": z, "controls": x}


def few_treated(rng: np.random.Generator) -> dict:
    """Draw 100 people, 5 of them treated, in one cell."""
    z = rng.permutation(np.repeat([0.0, 1.0], [95, 5]))
    return {"y": rng.standard_normal((100, OUTCOMES)), "z": z}


def few(redraws: int) -> Iterator[Rate]:
    """Intervals where clusters, treated clusters or people in a cell are few; effects are 0, and people sampled anew.

    Outcomes of one trial share its regressors, so that the Monte Carlo error is that of the trials' rates.
    """

    def strata(size: int, groups: int) -> np.ndarray:
        return np.repeat(np.arange(groups // size), size)

    low = "at least .93"
    designs = (
        ("80 clusters in pairs", clustered(strata(2, 80), 1)),
        ("200 clusters in pairs", clustered(strata(2, 200), 1)),
        ("80 clusters in strata of 4", clustered(strata(4, 80), 2)),
        ("80 clusters in strata of 8", clustered(strata(8, 80), 4)),
        ("2 of 40 clusters treated", clustered(strata(40, 40), 2)),
        ("3 of 60 clusters treated", clustered(strata(60, 60), 3)),
        ("8 clusters", clustered(strata(8, 8), 4)),
    )
    cases: list[tuple[str, Callable[[np.random.Generator], dict], Callable, str, float, float]] = []
    for name, draw in designs:
        cases.append((f"{name}, CR2", draw, itt_interval("CR2"), low, 0.93, 1.0))
        cases.append((f"{name}, CRV1", draw, itt_interval("CRV1"), "below .95: why CR2 is the default", 0.0, 0.94))
    alone = clustered(strata(30, 30), 1)
    cases += [
        ("1 of 30 clusters treated, CR2: share with a standard error", alone, itt_interval("CR2", given=True), "never", 0.0, 0.0),
        ("1 of 30 clusters treated, CRV1", alone, itt_interval("CRV1"), "below .95: why none is given", 0.0, 0.9),
        ("Cells of 3, treated with 3 times the deviation, HC2", tiny_cells, itt_interval("HC2"), "below .95: a note says so", 0.0, 0.94),
        ("The same, hybrid variance", tiny_cells, estimands_interval(0, "HC2", small_cells="hybrid"), low, 0.93, 1.0),
        ("Interacted controls (Lin), 100 people, 15 controls, HC2", many_controls, estimands_interval(3, "HC2"), low, 0.93, 1.0),
        ("5 of 100 people treated, HC2", few_treated, itt_interval("HC2"), "below .95: why HC2_BM is offered", 0.0, 0.94),
        ("5 of 100 people treated, HC2_BM", few_treated, itt_interval("HC2_BM"), low, 0.93, 1.0),
    ]  # fmt: skip
    trials = max(20, redraws // 8)
    for number, (claim, draw, interval, nominal, least, most) in enumerate(cases):
        rates = [float(np.mean(interval(draw(np.random.default_rng([SEED, number, r]))))) for r in range(trials)]
        error = max(float(np.std(rates, ddof=1) / np.sqrt(trials)), 0.001)
        yield Rate(
            claim if "share" in claim else f"{claim}, 95 % interval",
            nominal,
            least,
            most,
            float(np.mean(rates)),
            error,
            trials * OUTCOMES,
        )


def itt_interval(vcov: str, *, given: bool = False) -> Callable[[dict], np.ndarray]:
    """Return whether the intervals of an ITT cover 0 (or whether they are given at all), by outcome."""

    def hits(trial: dict) -> np.ndarray:
        options = {key: value for key, value in trial.items() if key not in ("y", "z")}
        table = est.itt(trial["y"], trial["z"], vcov=vcov, **options)
        return np.isfinite(table.std_error) if given else (table.conf_low <= 0) & (table.conf_high >= 0)

    return hits


def estimands_interval(row: int, vcov: str, **more: str) -> Callable[[dict], np.ndarray]:
    """Return whether the intervals of one estimand cover 0, by outcome."""

    def hits(trial: dict) -> np.ndarray:
        options = {key: value for key, value in trial.items() if key not in ("y", "z")}
        table = est.estimands(trial["y"], trial["z"], vcov=vcov, **options, **more)
        return (table.conf_low[row] <= 0) & (table.conf_high[row] >= 0)

    return hits


EXPERIMENTS: tuple[Callable[[int], Iterator[Rate]], ...] = (intervals, tests, bounds, few)


def page(found: list[Rate]) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Coverage and size of intervals and tests",
        "",
        "Written by `benchmarks/truth.py`; `tests/reference/test_statistical_truth.py` repeats it with fewer repetitions. The people, "
        "their potential outcomes and the cells are fixed; random assignment is repeated, within cells whose share assigned to treatment "
        f"varies from .25 to .80 unless a line says otherwise. Seed {SEED}. The Monte Carlo error of each rate is in brackets. Where effects "
        "differ between fixed people, standard errors that treat them as a sample are a little too large: hence `or more`. In the last "
        "lines, on few clusters and tiny cells, people are sampled again too, with 5 to 35 in a cluster, a share .2 of the variance between "
        f"clusters, and {OUTCOMES} outcomes in each of the trials; their error counts that outcomes share a trial.",
        "",
        "| claim | nominal | simulated | repetitions |",
        "|---|---|---|---|",
    ]
    lines += [f"| {one.claim} | {one.nominal} | {one.found:.3f} ({one.error:.3f}) | {one.redraws:,} |" for one in found]
    return "\n".join(lines) + "\n"


def main(redraws: int = REDRAWS) -> list[Rate]:
    """Run every experiment."""
    return [one for experiment in EXPERIMENTS for one in experiment(redraws)]


if __name__ == "__main__":
    rates = main(int(sys.argv[1]) if len(sys.argv) > 1 else REDRAWS)
    text = page(rates)
    (ROOT / "docs" / "statistical_truth.md").write_text(text, encoding="utf-8")
    print(text)
    broken = [one.claim for one in rates if not one.kept]
    if broken:
        sys.exit("Not kept: " + "; ".join(broken))
