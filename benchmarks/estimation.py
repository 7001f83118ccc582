"""Speed of the estimation kernel beside its peers, in one run and on the same data.

``python benchmarks/estimation.py`` prints a Markdown table; `run` gives its rows to the benchmark runner. Peers are
timed after one call of warming up, ours as the best of five; peers that would take minutes are timed on a part of the
outcomes and scaled, which the row says.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from refino_eval.estimation import multiplicity, prepare, randomisation_test, sup_t

PEOPLE, CELLS, MONTHS, OUTCOMES = 5_000, 243, 49, 4
CONTROLS = ["x0", "x1", "x2", "x3", "x4", "x5"]


def simulate(seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a trial of the Refino evaluation's shape, and outcomes (people, months x outcomes)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"cell": rng.integers(0, CELLS, PEOPLE)})
    frame["z"] = (rng.random(PEOPLE) < rng.uniform(0.4, 0.9, CELLS)[frame["cell"]]).astype(float)
    for name in CONTROLS:
        frame[name] = rng.standard_normal(PEOPLE)
    return frame, rng.standard_normal((PEOPLE, MONTHS * OUTCOMES)).cumsum(axis=1)


def clock(work: Callable[[], Any], *, repeat: int = 1) -> tuple[float, Any]:
    """Return the shortest of ``repeat`` timings in seconds, and the last result."""
    best, result = np.inf, None
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def ours(frame: pd.DataFrame, outcomes: np.ndarray) -> np.ndarray:
    """All effects with HC1 and HC2 errors, shape (3, J)."""
    fit = prepare(frame["z"], cells=frame["cell"], controls=frame[CONTROLS]).fit(outcomes)
    return np.vstack((fit.estimates, fit.std_errors("HC1"), fit.std_errors("HC2")))


def pyfixest_loop(frame: pd.DataFrame, outcomes: np.ndarray) -> np.ndarray:
    """Estimate each outcome by itself with HC1 (pyfixest has no HC2 with absorbed cells), shape (2, J)."""
    import pyfixest as pf

    formula = f"y ~ z + {' + '.join(CONTROLS)} | cell"
    results = np.empty((2, outcomes.shape[1]))
    for j in range(outcomes.shape[1]):
        fit = pf.feols(
            formula, frame.assign(y=outcomes[:, j]), vcov="hetero", fixef_rm="none", ssc=pf.ssc(k_fixef="full")
        )
        results[:, j] = fit.coef()["z"], fit.se()["z"]
    return results


def statsmodels_loop(frame: pd.DataFrame, outcomes: np.ndarray) -> np.ndarray:
    """Estimate each outcome by itself with a dummy for every cell, HC1 and HC2, shape (3, J)."""
    import statsmodels.api as sm

    x = np.column_stack((frame[["z", *CONTROLS]], pd.get_dummies(frame["cell"]).to_numpy(float)))
    results = np.empty((3, outcomes.shape[1]))
    for j in range(outcomes.shape[1]):
        fit = sm.OLS(outcomes[:, j], x).fit()
        results[:, j] = fit.params[0], fit.HC1_se[0], fit.HC2_se[0]
    return results


def multiplier_bootstrap(scores: np.ndarray, draws: int) -> float:
    """Sup-t critical value by perturbing every person's influence, the textbook way."""
    std_error = np.sqrt(np.sum(scores**2, axis=0))
    normal = np.random.default_rng(2).standard_normal((draws, scores.shape[0]))
    return float(np.quantile(np.abs(normal @ scores / std_error).max(axis=1), 0.95))


def family(frame: pd.DataFrame, outcomes: np.ndarray, draws: int, threads: int = 1) -> pd.DataFrame:
    """Randomisation inference with everything: studentised p, step-down, sharpened q, omnibus, exact sets."""
    options = {"cells": frame["cell"], "controls": frame[CONTROLS], "vcov": "HC2", "exact_sets": "coefficient"}
    table = randomisation_test(outcomes, frame["z"], draws=draws, threads=threads, **options)
    adjusted = multiplicity(table.p_value, names=table.outcomes, draws=table.statistics)
    return table.to_frame().join(adjusted.to_frame().drop(columns="p_value"))


def redraw(frame: pd.DataFrame, draws: int) -> np.ndarray:
    """Permute z within cells, shape (people, draws)."""
    rng = np.random.default_rng(3)
    redraws = np.repeat(frame[["z"]].to_numpy(), draws, axis=1)
    for rows in frame.groupby("cell").indices.values():
        redraws[rows] = rng.permuted(redraws[rows], axis=0)
    return redraws


def pyfixest_redraws(frame: pd.DataFrame, outcomes: np.ndarray, redraws: np.ndarray) -> np.ndarray:
    """HC1 t of every redraw and outcome, each a regression, shape (draws, J)."""
    fits = [pyfixest_loop(frame.assign(z=column), outcomes) for column in redraws.T]
    return np.array([fit[0] / fit[1] for fit in fits])


def kernel_redraws(frame: pd.DataFrame, outcomes: np.ndarray, redraws: np.ndarray) -> np.ndarray:
    """HC2 t of every redraw by our own kernel, one design a redraw, shape (draws, J)."""
    fits = [ours(frame.assign(z=column), outcomes) for column in redraws.T]
    return np.array([fit[0] / fit[2] for fit in fits])


def run_redraws(*, draws: int = 10_000, part: int = 2, million: bool = False) -> list[dict[str, Any]]:
    """Time randomisation inference; rows as in `run`.

    Parameters
    ----------
    draws
        Redraws, of ten outcomes.
    part
        Redraws that peers refit, scaled to all; ours are compared on the same ones.
    million
        Whether to time a million redraws too, with two threads (under a minute).
    """
    warnings.simplefilter("ignore")
    frame, outcomes = simulate()
    outcomes = outcomes[:, ::20][:, :10]
    shape = f"{outcomes.shape[1]} outcomes, {PEOPLE} people, {CELLS} cells"
    redraws = redraw(frame, part)
    options = {"cells": frame["cell"], "controls": frame[CONTROLS], "assignments": redraws}
    same = {v: randomisation_test(outcomes, frame["z"], vcov=v, **options).statistics.draws for v in ("HC1", "HC2")}
    mine = clock(lambda: family(frame, outcomes, draws), repeat=3)[0]
    work = f"{draws:,} redraws, {shape}, HC2, step-down, exact sets"
    scaled = f"({part} redraws timed, scaled; no step-down, no sets)"
    fixest = clock(lambda: pyfixest_redraws(frame, outcomes, redraws))
    refits = clock(lambda: kernel_redraws(frame, outcomes, redraws))
    rows = [
        compare(
            work, (mine, same["HC1"]), f"pyfixest refits, HC1 {scaled}", fixest, scale=draws / part, tolerance=1e-7
        ),
        compare(
            work, (mine, same["HC2"]), f"our kernel, one design a redraw {scaled}", refits, scale=draws / part,
            tolerance=1e-7,
        ),
    ]  # fmt: skip
    if million:
        whole = clock(lambda: family(frame, outcomes, 1_000_000, threads=2))[0]
        label = f"1,000,000 redraws, {shape}, HC2, step-down, exact sets, two threads"
        rows.append(
            compare(
                label, (whole, same["HC1"]), f"pyfixest refits, HC1 {scaled}", fixest, scale=1e6 / part, tolerance=1e-7
            )
        )
    return rows


def compare(
    work: str, mine: tuple[float, Any], peer: str, theirs: tuple[float, Any], *, scale: float = 1.0, tolerance: float
) -> dict[str, Any]:
    """Build one row; ``agree`` is true when results differ by less than ``tolerance``, relatively."""
    peer_s = theirs[0] * scale
    gap = np.max(np.abs(np.asarray(theirs[1]) / np.asarray(mine[1]) - 1))
    return {
        "work": work,
        "ours_s": mine[0],
        "peer": peer,
        "peer_s": peer_s,
        "ratio": peer_s / mine[0],
        "agree": bool(gap < tolerance),
    }


def run(*, part: int = 20) -> list[dict[str, Any]]:
    """Time everything once.

    Parameters
    ----------
    part
        Outcomes that the statsmodels loop is timed on, scaled to all; pyfixest runs them all.

    Returns
    -------
    list of dict
        Rows with work, ours_s, peer, peer_s, ratio, agree.
    """
    warnings.simplefilter("ignore")
    frame, outcomes = simulate()
    count = outcomes.shape[1]
    work = f"{MONTHS} months x {OUTCOMES} outcomes, {PEOPLE} people, {CELLS} cells, HC1 and HC2"
    mine = clock(lambda: ours(frame, outcomes), repeat=5)
    pyfixest_loop(frame, outcomes[:, :1])
    statsmodels_loop(frame, outcomes[:, :1])
    fixest = clock(lambda: pyfixest_loop(frame, outcomes))
    dummies = clock(lambda: statsmodels_loop(frame, outcomes[:, :part]))
    months = prepare(frame["z"], cells=frame["cell"], controls=frame[CONTROLS]).fit(outcomes[:, :MONTHS])
    cov, scores = months.joint_cov("HC2"), months.scores("HC2")
    band = clock(lambda: sup_t(cov, draws=20_000), repeat=5)
    bootstrap = clock(lambda: multiplier_bootstrap(scores, 2_000))
    return [
        compare(work, (mine[0], mine[1][:2]), "pyfixest loop (HC1 alone)", fixest, tolerance=1e-10),
        compare(
            work,
            (mine[0], mine[1][:, :part]),
            f"statsmodels with dummies ({part} of {count} timed, scaled)",
            dummies,
            scale=count / part,
            tolerance=1e-9,
        ),
        compare(
            f"sup-t critical value, {MONTHS} months, 20,000 draws",
            band,
            "multiplier bootstrap over people (2,000 draws timed, scaled)",
            bootstrap,
            scale=10.0,
            tolerance=0.05,
        ),
        *run_redraws(),
    ]


def markdown(rows: list[dict[str, Any]]) -> str:
    """Lay rows out as a Markdown table."""
    lines = ["| work | ours, s | peer | peer, s | ratio | agree |", "|---|---:|---|---:|---:|---|"]
    lines += [
        f"| {row['work']} | {row['ours_s']:.3f} | {row['peer']} | {row['peer_s']:.2f} | {row['ratio']:.0f} | "
        f"{'yes' if row['agree'] else 'NO'} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(run()))
