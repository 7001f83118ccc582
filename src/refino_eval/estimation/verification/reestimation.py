"""Regressions that were recorded, estimated again by other engines; each number once, however often it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Combination, Recording, Regression
from refino_eval.estimation.verification.engines import MOST_DUMMIES, Answer, Engine, Problem, ask

FEW = 12
"""Up to so many outcomes of one design go through a program that fits them one by one with every dummy."""
ROUNDING = 1e-6
"""Differences are never measured against less than this part of the outcome."""
SAME = 1e-9
"""A shown number is a recorded one when they are this near, relative to the number and its precision."""


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
        0 has no relative precision of its own, and at least a millionth of the outcome, since a constant outcome leaves
        engines rounding errors of their own; for an F of about 0 that of its t.
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
        b, error = _told(regression)
        tests = [] if regression.take_up is not None else _tests(kept, b)
        sums = [] if regression.take_up is not None else _combinations(kept, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = (b / error) ** 2
        needed = [
            j
            for j in range(b.shape[1])
            if _any_shown(np.concatenate([b[:, j], error[:, j], squares[:, j]]), shown)
            or any(t[0] == j for t in tests)
            or any(place == j for place, _ in sums)
        ]
        if not needed:
            return
        answers = self._ask(regression, needed)
        for j in needed:
            told = {engine: columns[j] for engine, columns in answers.items()}
            errors = {engine: np.sqrt(np.diag(cov)) for engine, (_, cov) in told.items()}
            rounding = ROUNDING * float(np.sqrt(np.mean(regression.outcomes[:, j] ** 2)))
            for f in range(b.shape[0]):
                own, se = float(b[f, j]), float(error[f, j])
                yield Found("estimate", own, max(se, rounding), {e: float(a[0][f]) for e, a in told.items()})
                yield Found("std_error", se, rounding, {e: float(errors[e][f]) for e in told})
                if np.isfinite(squares[f, j]):
                    theirs = {e: float(a[0][f] ** 2 / a[1][f, f]) for e, a in told.items() if a[1][f, f] > 0}
                    yield Found("f_stat", float(squares[f, j]), min(1.0, float(np.sqrt(squares[f, j]))), theirs)
            for column, places, f_stat in tests:
                if column == j:
                    yield Found("f_stat", f_stat, 0.0, {e: _joint(a, places) for e, a in told.items()})
            for column, one in sums:
                if column == j:
                    theirs = {e: float(one.weights @ a[0]) for e, a in told.items()}
                    yield Found("estimate", one.value, max(one.std_error, rounding), theirs)
                    theirs = {e: float(np.sqrt(one.weights @ a[1] @ one.weights)) for e, a in told.items()}
                    yield Found("std_error", one.std_error, rounding, theirs)

    def _ask(self, regression: Regression, needed: list[int]) -> dict[str, dict[int, Answer]]:
        """Ask at least two engines for the columns whose answers are not known yet."""
        design = regression.fit.design
        problem = Problem(
            columns=regression.columns,
            n_focus=len(design.focus),
            cells=design.cells.codes,
            weights=None if design.root_weights is None else design.root_weights**2,
            cluster=design.cluster,
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


def _told(regression: Regression) -> tuple[FloatArray, FloatArray]:
    """Return the kernel's coefficients and standard errors, each (f, J)."""
    if regression.told is not None:
        return regression.told[0][None, :], regression.told[1][None, :]
    return regression.fit.coefficients, regression.fit.std_errors(regression.vcov)


def _engines(problem: Problem, regression: Regression, *, few: bool) -> list[Engine]:
    """Choose two engines: statsmodels and linearmodels where they can; quicker ones for long families of outcomes."""
    dummies = problem.cells.size * (int(problem.cells.max()) + 1) <= MOST_DUMMIES
    if problem.vcov in ("HC2", "HC3"):
        return ["statsmodels", "textbook"]
    if regression.take_up is not None:
        return ["statsmodels", "linearmodels"]
    return ["linearmodels", "statsmodels" if dummies and few else "within"]


def _tests(kept: Recording, b: FloatArray) -> list[tuple[int, list[int], float]]:
    """Return the joint tests of this regression's coefficients: outcome, which coefficients, F."""
    if b.shape[0] < 2:
        return []
    found = []
    for estimate, f_stat in kept.tests:
        for j in range(b.shape[1]):
            places = [int(k) for value in estimate for k in np.flatnonzero(b[:, j] == value)[:1]]
            if len(places) == estimate.size and len(set(places)) == len(places):
                found.append((j, places, f_stat))
    return found


def _combinations(kept: Recording, b: FloatArray) -> list[tuple[int, Combination]]:
    """Return the weighted sums of this regression's coefficients, each with its outcome."""
    return [(j, one) for one in kept.combinations for j in range(b.shape[1]) if np.array_equal(one.estimate, b[:, j])]


def _joint(answer: Answer, places: list[int]) -> float:
    b, cov = answer[0][places], answer[1][np.ix_(places, places)]
    return float(b @ np.linalg.solve(cov, b)) / len(places)


def _any_shown(values: FloatArray, shown: FloatArray) -> bool:
    """Whether a value is one of those shown, to rounding."""
    values = values[np.isfinite(values)]
    place = np.clip(np.searchsorted(shown, values), 1, max(shown.size - 1, 1)) if shown.size > 1 else None
    if place is None:
        return bool(shown.size and np.isclose(values, shown[0], rtol=SAME, atol=0).any())
    near = np.minimum(np.abs(shown[place] - values), np.abs(shown[place - 1] - values))
    return bool((near <= SAME * np.abs(values) + 1e-15).any())


def _digest(regression: Regression) -> str:
    design = regression.fit.design
    parts = [regression.columns, design.cells.codes, design.root_weights, design.cluster, regression.take_up]
    text = "|".join("" if part is None else _hash(np.asarray(part)) for part in parts)
    return f"{text}|{regression.vcov}|{len(design.focus)}"


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
