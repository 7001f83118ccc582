"""What was regressed on what: kept while a `recording` is open, so that others can do the same again.

An analysis asks the kernel for coefficients and their variances in many ways. Rather than have each of them say a second
time what it regressed, the kernel notes it where the numbers are made; outside a recording it notes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from refino_eval.estimation.core.arrays import FloatArray, Vcov

if TYPE_CHECKING:
    from refino_eval.estimation.core.kernel import Design, Fit


@dataclass(frozen=True, eq=False, repr=False)
class Regression:
    """Outcomes regressed on the columns of one design, or on take-up with the draw as its instrument.

    Attributes
    ----------
    fit
        What the kernel made of it.
    columns
        Its design's columns as they came, of interest first, for the people in use, shape (n, k).
    outcomes
        For the people in use, shape (n, J).
    vcov
        The covariance asked for.
    take_up
        For the people in use, shape (n,); None for least squares.
    told
        Estimates and standard errors, each (J,), of an instrumented regression; least squares has them in `fit`.
    """

    fit: Fit
    columns: FloatArray
    outcomes: FloatArray
    vcov: Vcov
    take_up: FloatArray | None = None
    told: tuple[FloatArray, FloatArray] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Combination:
    """A weighted sum of one regression's coefficients.

    Attributes
    ----------
    estimate
        The coefficients, shape (f,).
    weights
        Shape (f,).
    value, std_error
        The sum, and its standard error.
    """

    estimate: FloatArray
    weights: FloatArray
    value: float
    std_error: float


@dataclass(eq=False, repr=False)
class Recording:
    """Everything that was regressed while the recording was open.

    Attributes
    ----------
    regressions
        In the order in which their variances were first asked for.
    combinations
        Weighted sums of coefficients, as differences between arms are.
    tests
        Coefficients that were tested jointly and the F that was found.
    """

    regressions: list[Regression] = field(default_factory=list)
    combinations: list[Combination] = field(default_factory=list)
    tests: list[tuple[FloatArray, float]] = field(default_factory=list)
    _columns: dict[Design, FloatArray] = field(default_factory=dict)
    _outcomes: dict[Fit, FloatArray] = field(default_factory=dict)
    _known: set[tuple[Fit, Vcov]] = field(default_factory=set)


_OPEN: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextmanager
def recording() -> Iterator[Recording]:
    """Note every regression made inside the block; recordings do not nest."""
    kept = Recording()
    token = _OPEN.set(kept)
    try:
        yield kept
    finally:
        _OPEN.reset(token)


def note_design(design: Design, columns: FloatArray) -> None:
    """Note the columns of a design, of interest first, shape (n, k)."""
    if (kept := _OPEN.get()) is not None:
        kept._columns[design] = columns


def note_fit(fit: Fit, outcomes: FloatArray) -> None:
    """Note the outcomes of a fit, shape (n, J)."""
    if (kept := _OPEN.get()) is not None:
        kept._outcomes[fit] = outcomes


def note_variance(fit: Fit, vcov: Vcov) -> None:
    """Note that a fit's variances were asked for: now it is a regression that numbers come from."""
    kept = _OPEN.get()
    if kept is not None and (fit, vcov) not in kept._known and fit.design in kept._columns:
        kept._known.add((fit, vcov))
        kept.regressions.append(Regression(fit, kept._columns[fit.design], kept._outcomes[fit], vcov))


def note_instrumented(fit: Fit, vcov: Vcov, estimate: FloatArray, std_error: FloatArray) -> None:
    """Note two-stage least squares: a fit whose first outcome is take-up, and the others those that it explains."""
    kept = _OPEN.get()
    if kept is not None and fit.design in kept._columns:
        both = kept._outcomes[fit]
        kept.regressions.append(
            Regression(fit, kept._columns[fit.design], both[:, 1:], vcov, both[:, 0], (estimate, std_error))
        )


def note_test(estimate: FloatArray, f_stat: float) -> None:
    """Note a joint test of coefficients."""
    if (kept := _OPEN.get()) is not None:
        kept.tests.append((estimate, f_stat))


def note_combination(estimate: FloatArray, weights: FloatArray, value: float, std_error: float) -> None:
    """Note a weighted sum of one regression's coefficients."""
    if (kept := _OPEN.get()) is not None:
        kept.combinations.append(Combination(estimate, weights, value, std_error))
