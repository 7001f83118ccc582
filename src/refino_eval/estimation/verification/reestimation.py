"""Recorded regressions estimated again by other engines: each once, and all outcomes that share a design together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from refino_eval.covariances import COVARIANCES
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Key, Recording, Regression, Source
from refino_eval.estimation.verification.engines import (
    MOST_DUMMIES,
    Answer,
    Engine,
    Problem,
    ask,
    degrees_of_freedom,
    influences,
)
from refino_eval.recent_results import content_of

TOLERANCE = 1e-8
"""Largest relative difference between the kernel and an engine."""
FEW = 12
"""Up to so many outcomes of one design go through a program that fits them one by one with every dummy."""
ROUNDING = 1e-6
"""Differences are never measured against less than this part of the terms that a coefficient sums."""
MOST_PENDING = 50_000_000
"""Numbers of outcomes that are kept for engines to be asked together; beyond it they are asked at once, to bound memory."""
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


@dataclass(frozen=True, eq=False, repr=False)
class Question:
    """A number that engines are asked for, and where their answers are kept.

    Attributes
    ----------
    statistic
        estimate, std_error, f_stat, df or df_residual.
    loadings
        L, as in `Source`.
    scale, std_errors
        The kernel's, of the outcome, each shape (f,).
    engines
        The engines asked.
    design, outcome
        Hashes that identify the regression.
    freedom
        Degrees of freedom of the covariance of L b by the textbook, where the covariance estimates them; NaN otherwise.
    estimates_freedom
        Whether the covariance estimates them.
    """

    statistic: str
    loadings: FloatArray
    scale: FloatArray
    std_errors: FloatArray
    engines: tuple[Engine, ...]
    design: bytes
    outcome: bytes
    freedom: float = float("nan")
    estimates_freedom: bool = False


@dataclass(eq=False, repr=False)
class _Pending:
    """A design that an engine has still to be asked about, with outcomes by hash."""

    problem: Problem
    take_up: FloatArray | None
    outcomes: dict[bytes, FloatArray] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Reestimator:
    """Asks engines about recorded regressions: once for each design, with the outcomes of all exhibits that share it."""

    _pending: dict[tuple[Engine, bytes], _Pending] = field(default_factory=dict)
    _answers: dict[tuple[Engine, bytes, bytes], Answer] = field(default_factory=dict)
    _freedoms: dict[tuple[bytes, bytes], float] = field(default_factory=dict)

    def questions(
        self, kept: Recording, wanted: Sequence[tuple[Source, str]], *, dummies: bool = True
    ) -> list[Question | None]:
        """Note what engines must be asked for numbers; `reestimate` gives the answers.

        Parameters
        ----------
        kept
            What was recorded.
        wanted
            Where each number comes from, and its statistic: estimate, std_error, f_stat, df or df_residual.
        dummies
            Whether programs that take every dummy are asked too where they can be; else those that absorb cells, which are
            quicker for many designs.

        Returns
        -------
        list
            One question per number; None where no regression was recorded.
        """
        needed: dict[Key, dict[int, None]] = {}
        for source, _ in wanted:
            needed.setdefault(source.key, {})[source.outcome] = None
        noted = {
            key: self._note(kept.regressions[key], outcomes, dummies)
            for key, outcomes in needed.items()
            if key in kept.regressions
        }
        if sum(values.size for one in self._pending.values() for values in one.outcomes.values()) > MOST_PENDING:
            self._ask()
        return [
            None
            if source.key not in noted
            else replace(
                _question(source, statistic, kept.regressions[source.key], noted[source.key]),
                freedom=self._freedom(source, statistic, kept.regressions[source.key]),
                estimates_freedom=COVARIANCES[source.key.vcov].has_satterthwaite,
            )
            for source, statistic in wanted
        ]

    def reestimate(self, question: Question) -> Reestimate:
        """Return one number by each engine: L b, its standard error, or the F of the test that L b is 0."""
        self._ask()
        answers = {engine: self._answers[(engine, question.design, question.outcome)] for engine in question.engines}
        if question.statistic in ("estimate", "std_error") or not question.estimates_freedom:
            return _reestimate(question, answers)
        eta, q = question.freedom, question.loadings.shape[0]
        if not np.isfinite(eta):
            return Reestimate(0.0, {})
        if question.statistic == "f_stat":
            # Hotelling's test, whose F has the degrees of freedom of the covariance in it.
            plain, share = _reestimate(question, answers), (eta - q + 1.0) / eta
            return Reestimate(plain.scale, {engine: value * share for engine, value in plain.engines.items()})
        return Reestimate(0.0, {"textbook": eta if question.statistic == "df" else eta - q + 1.0})

    def _freedom(self, source: Source, statistic: str, regression: Regression) -> float:
        """Return the degrees of freedom that a number depends on, once for each design and combination of coefficients."""
        if not COVARIANCES[regression.vcov].has_satterthwaite or statistic in ("estimate", "std_error"):
            return float("nan")
        problem = _problem_of(regression)
        key = _digest(problem, regression), source.loadings.tobytes()
        if key not in self._freedoms:
            self._freedoms[key] = degrees_of_freedom(problem, source.loadings)
        return self._freedoms[key]

    def _note(self, regression: Regression, outcomes: Iterable[int], dummies: bool) -> _Noted:
        """Note the outcomes of a regression for at least two engines."""
        problem = _problem_of(regression)
        design = _digest(problem, regression)
        names = {j: content_of(regression.outcomes[:, j]) for j in outcomes}
        engines = _engines(problem, regression, few=dummies and len(set(names.values())) <= FEW)
        for engine in engines:
            for j, name in names.items():
                if (engine, design, name) not in self._answers:
                    about = self._pending.setdefault((engine, design), _Pending(problem, regression.take_up))
                    about.outcomes.setdefault(name, regression.outcomes[:, j].copy())
        return tuple(engines), design, names

    def _ask(self) -> None:
        """Ask each engine about each design once, for all outcomes noted."""
        for (engine, design), about in self._pending.items():
            given = ask(engine, about.problem, np.column_stack(list(about.outcomes.values())), about.take_up)
            self._answers |= {
                (engine, design, name): answer for name, answer in zip(about.outcomes, given, strict=True)
            }
        self._pending.clear()


def joint_estimates(kept: Recording, wanted: Sequence[tuple[Sequence[Source], Sequence[int]]]) -> list[Answer | None]:
    """Estimate numbers of several regressions together, with their joint covariance, by `within`.

    Parameters
    ----------
    kept
        What was recorded.
    wanted
        Sources of one row of loadings each, and for each the set of people that its rows are of: regressions of different sets
        share nobody.

    Returns
    -------
    list
        Estimates (p,) and covariance (p, p); None where a regression was not recorded, or its covariance has another form.
    """
    influence_of = _influences_of(kept, [source for sources, _ in wanted for source in sources])
    return [
        _together([kept.regressions[source.key] for source in sources], sources, people, influence_of)
        if all((source.key, source.outcome) in influence_of for source in sources)
        else None
        for sources, people in wanted
    ]


def _influences_of(kept: Recording, wanted: Iterable[Source]) -> dict[tuple[Key, int], Answer]:
    """Return coefficients and influences by regression and outcome, where these were recorded and have them; each design once."""
    needed: dict[Key, dict[int, None]] = {}
    for source in wanted:
        needed.setdefault(source.key, {})[source.outcome] = None
    influence_of: dict[tuple[Key, int], Answer] = {}
    for key, outcomes in needed.items():
        regression = kept.regressions.get(key)
        if regression is None or regression.take_up is not None:
            continue
        if (answer := influences(_problem_of(regression), regression.outcomes[:, list(outcomes)])) is not None:
            influence_of |= {(key, j): (answer[0][:, k], answer[1][:, :, k]) for k, j in enumerate(outcomes)}
    return influence_of


def _together(
    regressions: Sequence[Regression],
    sources: Sequence[Source],
    people: Sequence[int],
    influence_of: Mapping[tuple[Key, int], Answer],
) -> Answer:
    """Return one estimate a regression, and their covariance: products of influences, summed in units that they share."""
    codes = _shared_units(regressions, people)
    n_units = 1 + max(int(code.max()) for code in codes if code.size)
    parts = [(*influence_of[source.key, source.outcome], source.loadings[0]) for source in sources]
    scores: FloatArray = np.column_stack(
        [
            np.bincount(code, weights=influence @ own, minlength=n_units)
            for code, (_, influence, own) in zip(codes, parts, strict=False)
        ]
    )
    return np.array([float(own @ b) for b, _, own in parts]), scores.T @ scores


def _shared_units(regressions: Sequence[Regression], people: Sequence[int]) -> list[npt.NDArray[np.intp]]:
    """Give the clusters (or people) of all regressions numbers in common; those of different sets of people differ."""
    units = [one.people if one.cluster is None else one.cluster for one in regressions]
    size = 1 + max(int(unit.max()) for unit in units)
    numbers = [whose * size + unit for whose, unit in zip(people, units, strict=True)]
    codes = np.unique(np.concatenate(numbers), return_inverse=True)[1]
    return np.split(codes, np.cumsum([n.size for n in numbers]))


def _problem_of(regression: Regression) -> Problem:
    return Problem(
        columns=regression.columns,
        n_focus=regression.coefficients.shape[0],
        cells=regression.cells,
        weights=regression.weights,
        cluster=regression.cluster,
        vcov=regression.vcov,
        fixed_effects=regression.fixed_effects,
    )


_Noted = tuple[tuple[Engine, ...], bytes, dict[int, bytes]]


def _question(source: Source, statistic: str, regression: Regression, noted: _Noted) -> Question:
    engines, design, names = noted
    j = source.outcome
    return Question(
        statistic, source.loadings, regression.scale[:, j], regression.std_errors[:, j], engines, design, names[j]
    )


def _reestimate(question: Question, answers: Mapping[Engine, Answer]) -> Reestimate:
    loadings, statistic = question.loadings, question.statistic
    able = {engine: answer for engine, answer in answers.items() if np.isfinite(answer[0]).all()}
    theirs = {engine: _combined(loadings, answer) for engine, answer in able.items()}
    size = float(np.max(np.abs(loadings) @ question.scale))
    if statistic == "f_stat":
        tests = {engine: f for engine, (b, cov) in theirs.items() if (f := _f_stat(b, cov)) is not None}
        t = np.sqrt(next(iter(tests.values()), 0.0))
        return Reestimate(min(1.0, float(t)) if loadings.shape[0] == 1 else 0.0, tests)
    errors = {
        engine: float(np.sqrt(max(cov[0, 0], 0.0))) for engine, (_, cov) in theirs.items() if np.isfinite(cov[0, 0])
    }
    # Where the kernel has no sampling variation, engines have the square root of a rounding error.
    exact = not np.any(loadings[:, question.std_errors != 0])
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
    if COVARIANCES[problem.vcov].has_cluster_leverage:
        return ["textbook", "linearmodels"]
    if COVARIANCES[problem.vcov].leverage_power:
        return ["statsmodels", "textbook"]
    if regression.take_up is not None:
        return ["statsmodels", "linearmodels"]
    return ["linearmodels", "statsmodels" if dummies and few else "within"]


def _digest(problem: Problem, regression: Regression) -> bytes:
    return content_of(
        problem.content, problem.cluster, regression.take_up, problem.fixed_effects, problem.vcov, problem.n_focus
    )
