"""Confidence sets by inverting a randomisation test: closed form, one sort per outcome.

Take a constant effect tau of some variable w (treatment, or take-up) on the outcome, so that Y - tau w would have
been the same under any assignment. Re-randomisation r gives it the coefficient a_r - tau d_r, with a_r and d_r the
coefficients of Y and w on the re-randomised z; the observed assignment gives a_0 - tau d_0. The re-randomisation counts
against tau where

    |a_r - tau d_r| >= |a_0 - tau d_0|,

whose edges are (a_r - a_0) / (d_r - d_0) and (a_r + a_0) / (d_r + d_0): no search over tau. Studentised, both sides are
divided by standard errors whose squares are quadratic in tau, and the edges are the real roots of a quartic. With all
edges sorted, the number of re-randomisations that count is a running sum, and the set {tau: p(tau) > 1 - level} is read
off as it is: an interval, rays, the whole line, or several pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from refino_eval.estimation.core.arrays import BoolArray, FloatArray, check_level

# Coefficients nearer than this share of their scale are the same assignment computed twice.
SAME = 1e-9


@dataclass(frozen=True)
class ExactSet:
    """Effects that a randomisation test does not reject: closed pieces from the lowest to the highest.

    ``low`` and ``high`` of a piece may be infinite. An empty set has no pieces.
    """

    pieces: tuple[tuple[float, float], ...]

    @property
    def kind(self) -> Literal["empty", "interval", "ray", "rays", "line", "union"]:
        """What the set looks like; ``union`` for several pieces that are not just two rays."""
        if not self.pieces:
            return "empty"
        open_ends = int(np.isinf(self.low)) + int(np.isinf(self.high))
        if len(self.pieces) == 1:
            one: tuple[Literal["interval", "ray", "line"], ...] = ("interval", "ray", "line")
            return one[open_ends]
        return "rays" if len(self.pieces) == 2 and open_ends == 2 else "union"

    @property
    def low(self) -> float:
        """Lowest effect in the set; NaN when empty."""
        return self.pieces[0][0] if self.pieces else float("nan")

    @property
    def high(self) -> float:
        """Highest effect in the set; NaN when empty."""
        return self.pieces[-1][1] if self.pieces else float("nan")

    def contains(self, effect: float) -> bool:
        """Whether the test does not reject ``effect``."""
        return any(low <= effect <= high for low, high in self.pieces)

    def __str__(self) -> str:
        return " or ".join(f"[{low:.6g}, {high:.6g}]" for low, high in self.pieces) or "empty"


def invert_coefficients(
    outcome: float, direction: float, outcomes: FloatArray, directions: FloatArray, *, level: float = 0.95
) -> ExactSet:
    """Invert the test by the coefficient itself.

    Parameters
    ----------
    outcome, direction
        a_0 and d_0: coefficients of the outcome and of w on treatment (d_0 = 1 when w is treatment).
    outcomes, directions
        a_r and d_r of the re-randomisations, shape (R,); one that is not finite counts against no effect.
    level
        Confidence level.
    """
    check_level(level)
    undefined = ~(np.isfinite(outcomes) & np.isfinite(directions))
    outcomes, directions = np.where(undefined, 0.0, outcomes), np.where(undefined, 0.0, directions)
    scale_a, scale_d = _scale(outcome, outcomes), _scale(direction, directions)
    edges, signs, always = np.empty((outcomes.size, 2)), np.empty((outcomes.size, 2)), undefined
    for side, sign in enumerate((-1.0, 1.0)):
        # Half of the product [(a_r - a_0) - tau (d_r - d_0)] [(a_r + a_0) - tau (d_r + d_0)] >= 0.
        top, bottom = outcomes + sign * outcome, directions + sign * direction
        flat = np.abs(bottom) <= SAME * scale_d
        # A factor that is 0 for every tau is the observed assignment, or its mirror image: as extreme as itself everywhere.
        always = always | (flat & (np.abs(top) <= SAME * scale_a))
        edges[:, side] = np.where(flat, np.nan, top / np.where(flat, 1.0, bottom))
        # At tau = -inf a factor has the sign of its slope, or of its constant if it has no slope.
        signs[:, side] = np.where(flat, np.sign(top), np.sign(bottom))
    return _sweep(edges, signs.prod(axis=1) >= 0, always, level)


def invert_studentised(
    outcome: float,
    direction: float,
    variance: FloatArray,
    outcomes: FloatArray,
    directions: FloatArray,
    variances: FloatArray,
    *,
    level: float = 0.95,
) -> ExactSet:
    """Invert the test by the studentised coefficient.

    Parameters
    ----------
    outcome, direction, outcomes, directions, level
        As in `invert_coefficients`.
    variance
        Variance of a_0, covariance of a_0 and d_0, variance of d_0, shape (3,).
    variances
        The same of the re-randomisations, shape (R, 3).
    """
    check_level(level)
    undefined = ~(np.isfinite(outcomes) & np.isfinite(directions))
    outcomes, directions = np.where(undefined, 0.0, outcomes), np.where(undefined, 0.0, directions)
    variances = np.where(undefined[:, None], 0.0, variances)
    centre, unit = outcome / direction, np.sqrt(variance[0]) / abs(direction)
    if not (np.isfinite(centre) and np.isfinite(unit) and unit > 0):
        centre, unit = 0.0, 1.0
    # Effects in standard errors from the estimate keep the quartic's coefficients of one size.
    mine = _square(np.array([outcome]), np.array([direction]), centre, unit)
    theirs = _square(outcomes, directions, centre, unit)
    # Both sides squared and multiplied out: (a_r - tau d_r)^2 V_0(tau) >= (a_0 - tau d_0)^2 V_r(tau), of degree 4 in tau.
    product = _times(theirs, _variance(variance[None, :], centre, unit))
    against = _times(mine, _variance(variances, centre, unit))
    quartic = product - against
    size = np.abs(product).max(axis=1) + np.abs(against).max(axis=1)
    always = undefined | (np.abs(quartic).max(axis=1) <= SAME * size)
    edges = np.full((outcomes.size, 4), np.nan)
    edges[~always] = centre + unit * _real_roots(quartic[~always] / size[~always, None])
    leading = _leading_sign(quartic, size)
    # An odd number of real roots (a quartic that has lost its leading term) turns the sign round at minus infinity.
    odd = np.isfinite(edges).sum(axis=1) % 2 == 1
    return _sweep(edges, np.where(odd, -leading, leading) >= 0, always, level)


def _scale(own: float, others: FloatArray) -> float:
    return float(abs(own) + np.sqrt(np.mean(others**2)))


def _square(a: FloatArray, d: FloatArray, centre: float, unit: float) -> FloatArray:
    """Coefficients of (a - tau d)^2 in x, tau = centre + unit x, from the constant up, shape (R, 3)."""
    level, slope = a - centre * d, -unit * d
    return np.column_stack((level**2, 2 * level * slope, slope**2))


def _variance(parts: FloatArray, centre: float, unit: float) -> FloatArray:
    """Coefficients of v_aa - 2 tau v_ad + tau^2 v_dd in x, shape (R, 3)."""
    own, cross, other = parts.T
    return np.column_stack(
        (own - 2 * centre * cross + centre**2 * other, 2 * unit * (centre * other - cross), unit**2 * other)
    )


def _times(left: FloatArray, right: FloatArray) -> FloatArray:
    """Multiply quadratics, shape (R, 5)."""
    rows = max(left.shape[0], right.shape[0])
    product = np.zeros((rows, 5))
    for i in range(3):
        product[:, i : i + 3] += left[:, [i]] * right
    return product


# A leading coefficient below this share of the largest has its root so far out that it is taken as absent.
_VANISHED = 1e-13


def _leading_sign(quartic: FloatArray, size: FloatArray) -> FloatArray:
    """Sign of the highest coefficient that counts, shape (R,)."""
    present = np.abs(quartic) > _VANISHED * size[:, None]
    highest = 4 - np.argmax(present[:, ::-1], axis=1)
    return np.asarray(np.sign(quartic[np.arange(quartic.shape[0]), highest]))


def _real_roots(quartic: FloatArray) -> FloatArray:
    """Real roots of quartics with coefficients of size 1, shape (R, 4), NaN for the rest."""
    roots = np.full((quartic.shape[0], 4), np.nan)
    whole = np.abs(quartic[:, 4]) > _VANISHED
    # Roots are the eigenvalues of the companion matrix: `numpy.roots` does the same for one polynomial, this for all at once.
    companion = np.zeros((int(np.count_nonzero(whole)), 4, 4))
    companion[:, 0, :] = -quartic[whole, 3::-1] / quartic[whole, 4:]
    companion[:, (1, 2, 3), (0, 1, 2)] = 1.0
    found = np.linalg.eigvals(companion)
    roots[whole] = np.where(_is_real(found), found.real, np.nan)
    for row in np.flatnonzero(~whole):
        few = np.roots(np.where(np.abs(quartic[row]) > _VANISHED, quartic[row], 0.0)[::-1])
        real = few[_is_real(few)].real
        roots[row, : real.size] = real
    return roots


def _is_real(values: np.ndarray) -> BoolArray:
    # LAPACK gives real eigenvalues of a real matrix with imaginary part 0, and complex ones in pairs.
    return np.asarray(np.imag(values) == 0.0)


def _sweep(edges: FloatArray, at_first: BoolArray, always: BoolArray, level: float) -> ExactSet:
    """Read the set off the edges at which each re-randomisation starts or stops to count.

    Parameters
    ----------
    edges
        Shape (R, E), NaN where there is none; at each the re-randomisation changes sides.
    at_first
        Whether the re-randomisation counts for very low effects, shape (R,).
    always
        Whether it counts for all, whatever its edges, shape (R,).
    """
    count, kinds = edges.shape
    # p = (1 + k) / (1 + R) > alpha is k >= needed; the small addition keeps .05 x 2000 at 100.
    needed = int(np.floor((1.0 - level) * (count + 1) + 1e-9))
    base = int(np.count_nonzero(at_first | always))
    ordered = np.sort(edges[~always], axis=1)
    # Sides alternate: a re-randomisation that counts at -inf stops at its first edge (-1), starts at the second (+1), and so on.
    steps = np.where(at_first[~always, None], -1, 1) * (-1) ** np.arange(kinds)[None, :]
    real = np.isfinite(ordered)
    where, step = ordered[real], steps[real]
    # Sets are closed: at one value, those that start come before those that stop.
    order = np.lexsort((-step, where))
    where, running = where[order], base + np.cumsum(step[order])
    inside = np.concatenate(([base >= needed], running >= needed))
    starts, stops = np.flatnonzero(~inside[:-1] & inside[1:]), np.flatnonzero(inside[:-1] & ~inside[1:])
    lows = [*([-np.inf] if inside[0] else []), *where[starts].tolist()]
    highs = [*where[stops].tolist(), *([np.inf] if inside[-1] else [])]
    return ExactSet(_joined(list(zip(lows, highs, strict=True))))


def _joined(pieces: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join pieces that only rounding parts."""
    joined: list[tuple[float, float]] = []
    for low, high in pieces:
        if joined and low - joined[-1][1] <= SAME * max(abs(low), abs(joined[-1][1])):
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)
