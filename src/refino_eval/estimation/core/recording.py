"""A recording of regressions: what was regressed on what, for verification by other programs.

An analysis asks the kernel for coefficients and variances in many ways. Rather than have each of them repeat what it
regressed, the kernel adds it to the open recording where the numbers are made; without a recording nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Regression:
    """Outcomes regressed on the columns of one design, or on take-up with treatment as its instrument.

    Attributes
    ----------
    coefficients, std_errors
        The kernel's, of the coefficients of interest, each (f, J).
    columns
        Columns of the design as they were given, those of interest first, shape (n, k).
    outcomes
        Shape (n, J).
    cells, weights, cluster
        Of the people in use, each (n,); weights and cluster may be None.
    vcov
        The covariance asked for.
    take_up
        Shape (n,); None for least squares.
    """

    coefficients: FloatArray
    std_errors: FloatArray
    columns: FloatArray
    outcomes: FloatArray
    cells: IntArray
    weights: FloatArray | None
    cluster: IntArray | None
    vcov: Vcov
    take_up: FloatArray | None = None


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
        Weighted sums of coefficients, such as differences between arms.
    tests
        Coefficients that were tested jointly, and their F.
    columns, outcomes
        Columns of each design, shape (n, k), and outcomes of each fit, shape (n, J), by the object itself.
    known
        Fits and covariances that are recorded.
    """

    regressions: list[Regression] = field(default_factory=list)
    combinations: list[Combination] = field(default_factory=list)
    tests: list[tuple[FloatArray, float]] = field(default_factory=list)
    columns: dict[object, FloatArray] = field(default_factory=dict)
    outcomes: dict[object, FloatArray] = field(default_factory=dict)
    known: set[tuple[object, Vcov]] = field(default_factory=set)


_OPEN: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextmanager
def recording() -> Iterator[Recording]:
    """Record every regression made inside the block; recordings do not nest."""
    opened = Recording()
    token = _OPEN.set(opened)
    try:
        yield opened
    finally:
        _OPEN.reset(token)


def open_recording() -> Recording | None:
    """Return the recording that is open, if any."""
    return _OPEN.get()


def note_design(design: object, columns: FloatArray) -> None:
    """Record the columns of a design, those of interest first, shape (n, k)."""
    if (opened := _OPEN.get()) is not None:
        opened.columns[design] = columns


def note_outcomes(fit: object, outcomes: FloatArray) -> None:
    """Record the outcomes of a fit, shape (n, J)."""
    if (opened := _OPEN.get()) is not None:
        opened.outcomes[fit] = outcomes


def note_test(estimate: FloatArray, f_stat: float) -> None:
    """Record a joint test of coefficients."""
    if (opened := _OPEN.get()) is not None:
        opened.tests.append((estimate, f_stat))


def note_combination(estimate: FloatArray, weights: FloatArray, value: float, std_error: float) -> None:
    """Record a weighted sum of one regression's coefficients."""
    if (opened := _OPEN.get()) is not None:
        opened.combinations.append(Combination(estimate, weights, value, std_error))
