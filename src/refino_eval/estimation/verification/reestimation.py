"""Recorded regressions estimated again by other engines; each regression once, however often its numbers are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from refino_eval.covariances import COVARIANCES
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Key, Recording, Regression, Source
from refino_eval.estimation.verification.engines import MOST_DUMMIES, Answer, Engine, Problem, ask

TOLERANCE = 1e-8
"""Largest relative difference between the kernel and an engine."""
FEW = 12
"""Up to so many outcomes of one design go through a program that fits them one by one with every dummy."""
ROUNDING = 1e-6
"""Differences are never measured against less than this part of the terms that a coefficient sums."""
EXACT = 1e3
"""A standard error of 0 agrees with one of up to this times `TOLERANCE` of these terms."""


class VerificationError(Exception):
    """A number that another engine does not give: a fault of the program, or of the engine."""


@dataclass(frozen=True)
class Reestimate:
    """What each engine makes of one number.

    Attributes
    ----------
    scale
        What a difference is measured against when the number is smaller: the standard error of an estimate, since an effect
        of about 0 has no relative precision; at least a part of the terms that are summed, since engines leave rounding
        errors where the kernel has 0; for an F of about 0 that of its t.
    engines
        Engine -> its value.
    """

    scale: float
    engines: Mapping[Engine, float]


@dataclass(eq=False, repr=False)
class Reestimator:
    """Asks engines about recorded regressions and remembers their answers, which several exhibits may need."""

    _answers: dict[tuple[str, ...], Answer] = field(default_factory=dict)

    def numbers(
        self, kept: Recording, wanted: Sequence[tuple[Source, str]], *, dummies: bool = True
    ) -> list[Reestimate | None]:
        """Estimate numbers again.

        Parameters
        ----------
        kept
            What was recorded.
        wanted
            Where each number comes from, and its statistic: estimate, std_error or f_stat.
        dummies
            Whether programs that take every dummy are asked too where they can be; else those that absorb cells, which are
            quicker for many designs.

        Returns
        -------
        list
            One answer per number; None where no regression was recorded.
        """
        needed: dict[Key, dict[int, None]] = {}
        for source, _ in wanted:
            needed.setdefault(source.key, {})[source.outcome] = None
        answers = {
            key: self._ask(kept.regressions[key], outcomes, dummies)
            for key, outcomes in needed.items()
            if key in kept.regressions
        }
        return [
            _reestimate(source, statistic, kept.regressions[source.key], answers[source.key])
            if source.key in answers
            else None
            for source, statistic in wanted
        ]

    def _ask(self, regression: Regression, outcomes: Iterable[int], dummies: bool) -> dict[Engine, dict[int, Answer]]:
        """Ask at least two engines for the outcomes whose answers are not known yet."""
        problem = Problem(
            columns=regression.columns,
            n_focus=regression.coefficients.shape[0],
            cells=regression.cells,
            weights=regression.weights,
            cluster=regression.cluster,
            vcov=regression.vcov,
        )
        about = _digest(regression)
        names = {j: (about, _hash(regression.outcomes[:, j])) for j in outcomes}
        answers: dict[Engine, dict[int, Answer]] = {}
        for engine in _engines(problem, regression, few=dummies and len(set(names.values())) <= FEW):
            new = {names[j]: j for j in names if (engine, *names[j]) not in self._answers}
            if new:
                given = ask(engine, problem, regression.outcomes[:, list(new.values())], regression.take_up)
                self._answers |= {(engine, *name): answer for name, answer in zip(new, given, strict=True)}
            answers[engine] = {j: self._answers[(engine, *names[j])] for j in names}
        return answers


def _reestimate(
    source: Source, statistic: str, regression: Regression, answers: dict[Engine, dict[int, Answer]]
) -> Reestimate:
    """Return one number by each engine: L b, its standard error, or the F of the test that L b is 0."""
    loadings, j = source.loadings, source.outcome
    theirs = {engine: _combined(loadings, by_outcome[j]) for engine, by_outcome in answers.items()}
    size = float(np.max(np.abs(loadings) @ regression.scale[:, j]))
    if statistic == "f_stat":
        tests = {engine: f for engine, (b, cov) in theirs.items() if (f := _f_stat(b, cov)) is not None}
        t = np.sqrt(next(iter(tests.values()), 0.0))
        return Reestimate(min(1.0, float(t)) if loadings.shape[0] == 1 else 0.0, tests)
    errors = {engine: float(np.sqrt(max(cov[0, 0], 0.0))) for engine, (_, cov) in theirs.items()}
    # Where the kernel has no sampling variation, engines have the square root of a rounding error.
    exact = not np.any(loadings[:, regression.std_errors[:, j] != 0])
    if statistic == "std_error":
        return Reestimate(size * EXACT if exact else size * ROUNDING, errors)
    scale = max(size if exact else size * ROUNDING, *errors.values())
    return Reestimate(scale, {engine: float(b[0]) for engine, (b, _) in theirs.items()})


def _combined(loadings: FloatArray, answer: Answer) -> Answer:
    return loadings @ answer[0], loadings @ answer[1] @ loadings.T


def _f_stat(b: FloatArray, cov: FloatArray) -> float | None:
    """Return the F of b = 0; None where the covariance is singular, as under full compliance."""
    scale = np.sqrt(np.diag(cov))
    if not np.all(scale > 0):
        return None
    correlation = cov / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return None
    t = b / scale
    return float(t @ np.linalg.solve(correlation, t)) / b.size


def _engines(problem: Problem, regression: Regression, *, few: bool) -> list[Engine]:
    """Choose two engines: statsmodels and linearmodels where they can; quicker ones for long families of outcomes."""
    dummies = problem.cells.size * (int(problem.cells.max()) + 1) <= MOST_DUMMIES
    if COVARIANCES[problem.vcov].leverage_power:
        return ["statsmodels", "textbook"]
    if regression.take_up is not None:
        return ["statsmodels", "linearmodels"]
    return ["linearmodels", "statsmodels" if dummies and few else "within"]


def _digest(regression: Regression) -> str:
    parts = (regression.columns, regression.cells, regression.weights, regression.cluster, regression.take_up)
    text = "|".join("" if part is None else _hash(np.asarray(part)) for part in parts)
    return f"{text}|{regression.vcov}|{regression.coefficients.shape[0]}"


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
