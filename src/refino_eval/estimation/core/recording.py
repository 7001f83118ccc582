"""A recording of regressions, and where each number comes from: for verification by other programs.

Results carry a `Source` for each estimate: the number of the fit, the covariance, the outcome, and the weights of the
coefficients. While a recording is open the kernel adds what was regressed on what under the same key, so that a number is
traced to its regression by identity, never by its value. Without a recording nothing but these small keys is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from refino_eval.estimation.core.nonresponse import ResponseWeights


class Key(NamedTuple):
    """Which regression: the number of its fit, its covariance, and whether it is two-stage least squares."""

    fit: int
    vcov: Vcov
    instrumented: bool


@dataclass(frozen=True, eq=False)
class Source:
    """Where an estimate comes from: L b, with b the coefficients of one outcome of one regression.

    Attributes
    ----------
    key
        The regression.
    outcome
        Number of the outcome in it.
    loadings
        L, shape (q, f): one row for an estimate and its standard error, q rows for a joint test that L b is 0.
    """

    key: Key
    outcome: int
    loadings: FloatArray

    def times(self, factor: float) -> Source:
        """Return the source of the estimate in other units."""
        return replace(self, loadings=self.loadings * factor)


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
    people
        Their rows in the inputs, shape (n,): regressions of one analysis share people.
    fixed_effects
        Of each column, which further fixed effect its dummy is of, or 0, shape (k,).
    vcov
        The covariance asked for.
    scale
        Size of the terms that each coefficient sums, shape (f, J): rounding errors are in proportion to it.
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
    scale: FloatArray
    people: IntArray
    fixed_effects: IntArray
    take_up: FloatArray | None = None


@dataclass(eq=False, repr=False)
class Recording:
    """Everything that was regressed while the recording was open.

    Attributes
    ----------
    regressions
        By key, in the order in which their variances were first asked for.
    columns, outcomes
        Columns of each design, shape (n, k), by the design; outcomes of each fit, shape (n, J), by its number.
    """

    regressions: dict[Key, Regression] = field(default_factory=dict)
    columns: dict[object, FloatArray] = field(default_factory=dict)
    outcomes: dict[int, FloatArray] = field(default_factory=dict)


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


@dataclass(frozen=True)
class HandledControls:
    """Names of controls, in order, that designs could not take as they are, and weights that were estimated.

    Attributes
    ----------
    dropped
        Left out as collinear or constant.
    filled
        With missing values, for which an indicator stands.
    response
        Weights for non-response.
    """

    dropped: dict[str, None] = field(default_factory=dict)
    filled: dict[str, None] = field(default_factory=dict)
    response: list[ResponseWeights] = field(default_factory=list)


_HANDLED: ContextVar[HandledControls | None] = ContextVar("handled_controls", default=None)


@contextmanager
def handled_controls() -> Iterator[HandledControls]:
    """Collect the controls that designs inside the block leave out, or fill with an indicator, and weights for non-response."""
    handled = HandledControls()
    token = _HANDLED.set(handled)
    try:
        yield handled
    finally:
        _HANDLED.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Make regressions inside the block leave no trace: those of re-randomisations, which are thousands."""
    tokens = _OPEN.set(None), _HANDLED.set(None)
    try:
        yield
    finally:
        _OPEN.reset(tokens[0])
        _HANDLED.reset(tokens[1])


def note_dropped(names: Iterable[str]) -> None:
    """Add controls to those that were left out."""
    if (handled := _HANDLED.get()) is not None:
        handled.dropped.update(dict.fromkeys(names))


def note_filled(names: Iterable[str]) -> None:
    """Add controls to those whose missing values have an indicator."""
    if (handled := _HANDLED.get()) is not None:
        handled.filled.update(dict.fromkeys(names))


def note_response(weights: ResponseWeights) -> None:
    """Add weights for non-response to those that were estimated."""
    if (handled := _HANDLED.get()) is not None:
        handled.response.append(weights)


def open_recording() -> Recording | None:
    """Return the recording that is open, if any."""
    return _OPEN.get()


def note_design(design: object, columns: FloatArray) -> None:
    """Record the columns of a design, those of interest first, shape (n, k)."""
    if (opened := _OPEN.get()) is not None:
        opened.columns[design] = columns


def note_outcomes(fit: int, outcomes: FloatArray) -> None:
    """Record the outcomes of a fit, shape (n, J)."""
    if (opened := _OPEN.get()) is not None:
        opened.outcomes[fit] = outcomes
