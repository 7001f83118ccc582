"""Cox models again: a step of Newton's method from given coefficients with Efron's score written out, and the information by complex steps.

At the maximum the step leads nowhere, so that coefficients that are not there are given back changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.models.survival import AtRisk, FittedHazard

Numbers = npt.NDArray[np.float64] | npt.NDArray[np.complex128]
MOST_HELD = 5_000_000
"""Entries of a matrix of people by ends that are held at once."""


def ask_hazard(fitted: FittedHazard) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and their standard errors, each (k,)."""
    sample, beta = fitted.sample, fitted.coefficients
    step = 1e-30
    slopes = [
        np.imag(_scores(sample, beta + 1j * step * direction).sum(axis=0)) / step for direction in np.eye(beta.size)
    ]
    inverse = np.linalg.inv(-np.array(slopes))
    scores = np.real(_scores(sample, beta))
    cov = inverse
    if sample.clusters is not None:
        sums = pd.DataFrame(scores).groupby(sample.clusters).sum().to_numpy()
        cov = inverse @ sums.T @ sums @ inverse * (len(sums) / (len(sums) - 1))
    return beta + inverse @ scores.sum(axis=0), np.sqrt(np.diag(cov))


def _scores(sample: AtRisk, beta: Numbers) -> npt.NDArray[Any]:
    """Return each person's part of the score, (n, k): x (a - h) less the means of those at risk times the same parts."""
    scores: npt.NDArray[Any] = np.zeros(sample.columns.shape, dtype=beta.dtype)
    for own in pd.DataFrame({"cell": sample.cells}).groupby("cell").indices.values():
        x, risk = sample.columns[own], np.exp(sample.columns[own] @ beta)
        for there, leaves, ends in _ends(sample.duration[own], sample.ended[own]):
            weight = risk[:, None] * (there - leaves)
            share = weight / weight.sum(axis=0)
            part = ends - share
            scores[own] += x * part.sum(axis=1)[:, None] - part @ (share.T @ x)
    return scores


def _ends(duration: FloatArray, ended: npt.NDArray[np.bool_]) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Yield, by person and end, who is at risk, which part of those who end together has left before, and whose end it is."""
    times, counts = np.unique(duration[ended], return_counts=True)
    moment, m = np.repeat(times, counts), np.repeat(counts, counts)
    before = np.concatenate([np.arange(count) for count in counts] or [np.array([])]) / m
    most = max(1, MOST_HELD // max(duration.size, 1))
    for start in range(0, moment.size, most):
        at = slice(start, start + most)
        ends = (duration[:, None] == moment[at]) & ended[:, None]
        yield (duration[:, None] >= moment[at]).astype(float), ends * before[at], ends / m[at]
