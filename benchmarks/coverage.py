"""Coverage of 95 % intervals where clusters, treated clusters or people in a cell are few.

``python benchmarks/coverage.py [assignments]`` runs every design and prints a table; `benchmarks/truth.py` puts it on the
page docs/statistical_truth.md. In each repetition clusters (or people) are assigned anew and 40 independent outcomes
are drawn, with an effect of 0, a share .2 of the variance between clusters, and clusters of 5 to 35 people. Outcomes of one assignment share its
regressors, so the Monte Carlo error is that of the assignments' rates.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from refino_eval import estimation as est

SEED = 20180501
ASSIGNMENTS, OUTCOMES = 250, 40
BETWEEN = 0.2


@dataclass(frozen=True)
class Coverage:
    """Share of 95 % intervals that cover the truth, by method.

    Attributes
    ----------
    design, method
        What was repeated, and how intervals were made.
    rate, error
        Share that covers, and its Monte Carlo error.
    df
        Median degrees of freedom.
    """

    design: str
    method: str
    rate: float
    error: float
    df: float


def clustered(strata: np.ndarray, treated: int, between: float = BETWEEN) -> Callable[[np.random.Generator], dict]:
    """Return a function that draws a trial whose clusters are in these strata, with so many treated in each."""

    def draw(rng: np.random.Generator) -> dict:
        groups = strata.size
        size = rng.integers(5, 36, groups)
        order = np.lexsort((rng.random(groups), strata))
        starts = np.searchsorted(strata[order], np.arange(strata.max() + 1))
        place = np.empty(groups, dtype=np.int64)
        place[order] = np.arange(groups) - starts[strata[order]]
        cluster = np.repeat(np.arange(groups), size)
        y = np.sqrt(between) * rng.standard_normal((groups, OUTCOMES))[cluster]
        y += np.sqrt(1 - between) * rng.standard_normal((cluster.size, OUTCOMES))
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


Method = Callable[[dict], tuple[np.ndarray, np.ndarray, np.ndarray]]


def by_itt(vcov: str) -> Method:
    def interval(trial: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        options = {key: value for key, value in trial.items() if key not in ("y", "z")}
        if vcov not in ("CRV1", "CR2", "CR3"):
            options.pop("cluster", None)
        table = est.itt(trial["y"], trial["z"], vcov=vcov, **options)
        return table.conf_low, table.conf_high, table.df

    return interval


def by_estimands(row: int, vcov: str, **more: str) -> Method:
    def interval(trial: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        options = {key: value for key, value in trial.items() if key not in ("y", "z")}
        table = est.estimands(trial["y"], trial["z"], vcov=vcov, **options, **more)
        return table.conf_low[row], table.conf_high[row], table.df[row]

    return interval


def strata_of(size: int, groups: int) -> np.ndarray:
    return np.repeat(np.arange(groups // size), size)


CLUSTERED = {"CRV1": by_itt("CRV1"), "CR2": by_itt("CR2"), "CR3": by_itt("CR3")}
DESIGNS = {
    "80 clusters in pairs": (clustered(strata_of(2, 80), 1), CLUSTERED),
    "200 clusters in pairs": (clustered(strata_of(2, 200), 1), CLUSTERED),
    "80 clusters in strata of 4": (clustered(strata_of(4, 80), 2), CLUSTERED),
    "80 clusters in strata of 8": (clustered(strata_of(8, 80), 4), CLUSTERED),
    "2 of 40 clusters treated": (clustered(strata_of(40, 40), 2), CLUSTERED),
    "3 of 60 clusters treated": (clustered(strata_of(60, 60), 3), CLUSTERED),
    "1 of 30 clusters treated": (clustered(strata_of(30, 30), 1), CLUSTERED),
    "8 clusters": (clustered(strata_of(8, 8), 4), CLUSTERED),
    "cells of 3": (
        tiny_cells,
        {
            **{vcov: by_itt(vcov) for vcov in ("HC1", "HC2", "HC2_BM", "HC3")},
            "saturated": by_estimands(1, "HC2"),
            "saturated BM": by_estimands(1, "HC2_BM"),
            "hybrid": by_estimands(0, "HC2", small_cells="hybrid"),
        },
    ),
    "Lin": (
        many_controls,
        {
            "interacted, HC1": by_estimands(3, "HC1"),
            "interacted, HC2": by_estimands(3, "HC2"),
            "interacted, HC2_BM": by_estimands(3, "HC2_BM"),
            "HC3": by_estimands(3, "HC3"),
        },
    ),
    "5 of 100 treated": (few_treated, {vcov: by_itt(vcov) for vcov in ("HC1", "HC2", "HC2_BM", "HC3")}),
}


def coverages(assignments: int = ASSIGNMENTS) -> Iterator[Coverage]:
    """Run every design."""
    for number, (design, (draw, methods)) in enumerate(DESIGNS.items()):
        rates: dict[str, list[float]] = {name: [] for name in methods}
        freedom: dict[str, list[float]] = {name: [] for name in methods}
        for repetition in range(assignments):
            trial = draw(np.random.default_rng([SEED, number, repetition]))
            for name, method in methods.items():
                low, high, df = method(trial)
                rates[name].append(float(np.mean((low <= 0) & (high >= 0))))
                freedom[name].append(float(np.median(df)))
        for name, found in rates.items():
            error = float(np.std(found, ddof=1) / np.sqrt(len(found)))
            yield Coverage(design, name, float(np.mean(found)), error, float(np.median(freedom[name])))


if __name__ == "__main__":
    for one in coverages(*(int(text) for text in sys.argv[1:])):
        print(f"{one.design:28s} {one.method:20s} {one.rate:.3f} ({one.error:.3f}) df {one.df:.1f}", flush=True)
