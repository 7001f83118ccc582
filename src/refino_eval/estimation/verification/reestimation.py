"""Recorded regressions estimated again by other engines; each regression once, however often its numbers are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from refino_eval.covariances import COVARIANCES
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Combination, Recording, Regression
from refino_eval.estimation.verification.engines import MOST_DUMMIES, Answer, Engine, Problem, ask

TOLERANCE = 1e-8
"""Largest relative difference between the kernel and an engine."""
FEW = 12
"""Up to so many outcomes of one design go through a program that fits them one by one with every dummy."""
ROUNDING = 1e-6
"""Differences are never measured against less than this part of the outcome."""
SAME = 1e-9
"""A number shown is a recorded one when they are this near, relative to the number and its precision."""


class VerificationError(Exception):
    """A number that another engine does not give: a fault of the program, or of the engine."""


@dataclass(frozen=True)
class Found:
    """One recorded number, and what each engine makes of it.

    Attributes
    ----------
    statistic
        estimate, std_error or f_stat.
    value
        The kernel's.
    scale
        What a difference is measured against when the value is smaller: the standard error of an estimate, since an effect of about
        0 has no relative precision, and at least a millionth of the outcome, since engines leave rounding errors for a constant
        outcome; for an F of about 0 that of its t.
    engines
        Engine -> its value.
    """

    statistic: str
    value: float
    scale: float
    engines: dict[str, float]


@dataclass(eq=False, repr=False)
class Reestimator:
    """Asks engines about recorded regressions and remembers their answers.

    Attributes
    ----------
    dummies
        Whether programs that take every dummy are asked too where they can be; else those that absorb cells, which are
        quicker for many designs.
    """

    dummies: bool = True
    _answers: dict[tuple[str, ...], Answer] = field(default_factory=dict)

    def numbers(self, kept: Recording, wanted: Sequence[float]) -> list[Found]:
        """Estimate again whatever a wanted number came from.

        Parameters
        ----------
        kept
            What was recorded.
        wanted
            The numbers shown; regressions that gave none of them are left alone.
        """
        shown = np.unique(np.asarray(wanted, dtype=np.float64))
        found: list[Found] = []
        for regression in kept.regressions:
            found += self._regression(regression, kept, shown)
        return found

    def _regression(self, regression: Regression, kept: Recording, shown: FloatArray) -> Iterator[Found]:
        b, error = regression.coefficients, regression.std_errors
        tests = [] if regression.take_up is not None else _tests(kept, b)
        sums = [] if regression.take_up is not None else _combinations(kept, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = (b / error) ** 2
        concerned = {j for j, *_ in tests} | {j for j, _ in sums}
        columns = np.vstack((b, error, squares))
        needed = [j for j in range(b.shape[1]) if j in concerned or _any_shown(columns[:, j], shown)]
        if not needed:
            return
        answers = self._ask(regression, needed)
        for j in needed:
            theirs = {engine: columns[j] for engine, columns in answers.items()}
            rounding = ROUNDING * float(np.sqrt(np.mean(regression.outcomes[:, j] ** 2)))
            for f in range(b.shape[0]):
                yield from _coefficient(f, float(b[f, j]), float(error[f, j]), rounding, theirs)
            for column, places, f_stat in tests:
                if column == j:
                    yield Found("f_stat", f_stat, 0.0, {e: _joint(a, places) for e, a in theirs.items()})
            for column, one in sums:
                if column == j:
                    yield from _combination(one, rounding, theirs)

    def _ask(self, regression: Regression, needed: list[int]) -> dict[str, dict[int, Answer]]:
        """Ask at least two engines for the columns whose answers are not known yet."""
        problem = Problem(
            columns=regression.columns,
            n_focus=regression.coefficients.shape[0],
            cells=regression.cells,
            weights=regression.weights,
            cluster=regression.cluster,
            vcov=regression.vcov,
        )
        about = _digest(regression)
        names = {j: (about, _hash(regression.outcomes[:, j])) for j in needed}
        engines = _engines(problem, regression, few=self.dummies and len(set(names.values())) <= FEW)
        answers: dict[str, dict[int, Answer]] = {}
        for engine in engines:
            new = {names[j]: j for j in needed if (engine, *names[j]) not in self._answers}
            if new:
                columns = list(new.values())
                given = ask(engine, problem, regression.outcomes[:, columns], regression.take_up)
                for name, answer in zip(new, given, strict=True):
                    self._answers[(engine, *name)] = answer
            answers[engine] = {j: self._answers[(engine, *names[j])] for j in needed}
        return answers


def _coefficient(f: int, b: float, error: float, rounding: float, theirs: dict[str, Answer]) -> Iterator[Found]:
    """Compare one coefficient, its standard error and its F."""
    yield Found("estimate", b, max(error, rounding), {e: float(a[0][f]) for e, a in theirs.items()})
    yield Found("std_error", error, rounding, {e: float(np.sqrt(a[1][f, f])) for e, a in theirs.items()})
    with np.errstate(divide="ignore", invalid="ignore"):
        t = abs(np.float64(b) / error)
    if np.isfinite(t**2):
        squares = {e: float(a[0][f] ** 2 / a[1][f, f]) for e, a in theirs.items() if a[1][f, f] > 0}
        yield Found("f_stat", float((b / error) ** 2), min(1.0, float(t)), squares)


def _combination(one: Combination, rounding: float, theirs: dict[str, Answer]) -> Iterator[Found]:
    sums = {e: float(one.weights @ a[0]) for e, a in theirs.items()}
    yield Found("estimate", one.value, max(one.std_error, rounding), sums)
    errors = {e: float(np.sqrt(one.weights @ a[1] @ one.weights)) for e, a in theirs.items()}
    yield Found("std_error", one.std_error, rounding, errors)


def _engines(problem: Problem, regression: Regression, *, few: bool) -> list[Engine]:
    """Choose two engines: statsmodels and linearmodels where they can; quicker ones for long families of outcomes."""
    dummies = problem.cells.size * (int(problem.cells.max()) + 1) <= MOST_DUMMIES
    if COVARIANCES[problem.vcov].leverage_power:
        return ["statsmodels", "textbook"]
    if regression.take_up is not None:
        return ["statsmodels", "linearmodels"]
    return ["linearmodels", "statsmodels" if dummies and few else "within"]


def _tests(kept: Recording, b: FloatArray) -> list[tuple[int, list[int], float]]:
    """Return the joint tests of this regression's coefficients: outcome, which coefficients, F."""
    if b.shape[0] < 2:
        return []
    tests = []
    for estimate, f_stat in kept.tests:
        for j in range(b.shape[1]):
            places = [int(k) for value in estimate for k in np.flatnonzero(b[:, j] == value)[:1]]
            if len(places) == estimate.size and len(set(places)) == len(places):
                tests.append((j, places, f_stat))
    return tests


def _combinations(kept: Recording, b: FloatArray) -> list[tuple[int, Combination]]:
    """Return the weighted sums of this regression's coefficients, each with its outcome."""
    return [(j, one) for one in kept.combinations for j in range(b.shape[1]) if np.array_equal(one.estimate, b[:, j])]


def _joint(answer: Answer, places: list[int]) -> float:
    b, cov = answer[0][places], answer[1][np.ix_(places, places)]
    return float(b @ np.linalg.solve(cov, b)) / len(places)


def _any_shown(values: FloatArray, shown: FloatArray) -> bool:
    """Return whether a value is one of those shown, to rounding."""
    values = values[np.isfinite(values)]
    if shown.size < 2:
        return bool(shown.size and np.isclose(values, shown[0], rtol=SAME, atol=0).any())
    place = np.clip(np.searchsorted(shown, values), 1, shown.size - 1)
    near = np.minimum(np.abs(shown[place] - values), np.abs(shown[place - 1] - values))
    return bool((near <= SAME * np.abs(values) + 1e-15).any())


def _digest(regression: Regression) -> str:
    parts = (regression.columns, regression.cells, regression.weights, regression.cluster, regression.take_up)
    text = "|".join("" if part is None else _hash(np.asarray(part)) for part in parts)
    return f"{text}|{regression.vcov}|{regression.coefficients.shape[0]}"


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
