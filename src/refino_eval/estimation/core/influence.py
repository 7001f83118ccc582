"""Numbers that carry each person's influence, so that ratios and sums of them have standard errors.

For an estimate T the influence psi_i is the first-order part of T - theta owed to person i; the covariance of two
estimates is the sum of products of their psi, and the influence of a smooth function follows by the chain rule (the
delta method). `Estimate` does this arithmetic, so that a formula is written once, as in the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray, ratio


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """Estimates and the influence of each person on them.

    Attributes
    ----------
    value
        Shape (k,).
    psi
        Shape (n, k).
    """

    value: FloatArray
    psi: FloatArray

    @property
    def cov(self) -> FloatArray:
        """Joint covariance, shape (k, k)."""
        return np.asarray(self.psi.T @ self.psi)

    @property
    def std_error(self) -> FloatArray:
        """Standard errors, shape (k,)."""
        return np.asarray(np.sqrt(np.einsum("ik,ik->k", self.psi, self.psi)))

    def __add__(self, other: Estimate | float) -> Estimate:
        """Add another estimate of the same people, or a constant."""
        if isinstance(other, Estimate):
            return Estimate(self.value + other.value, self.psi + other.psi)
        return Estimate(self.value + other, self.psi)

    def __neg__(self) -> Estimate:
        """Change the sign."""
        return Estimate(-self.value, -self.psi)

    def __sub__(self, other: Estimate | float) -> Estimate:
        """Subtract another estimate of the same people, or a constant."""
        return self + -other

    def __rsub__(self, other: float) -> Estimate:
        """Subtract from a constant."""
        return -self + other

    def __mul__(self, other: Estimate | FloatArray | float) -> Estimate:
        """Multiply by another estimate, or by constants of shape (k,)."""
        if isinstance(other, Estimate):
            return Estimate(self.value * other.value, self.psi * other.value + other.psi * self.value)
        return Estimate(np.asarray(self.value * other), np.asarray(self.psi * other))

    def __truediv__(self, other: Estimate) -> Estimate:
        """Divide by another estimate; NaN where that is 0."""
        value = ratio(self.value * np.ones_like(other.value), other.value)
        return Estimate(value, ratio(self.psi - other.psi * value, other.value))

    def take(self, columns: list[int] | slice) -> Estimate:
        """Return some of the estimates."""
        return Estimate(self.value[columns], self.psi[:, columns])

    def combine(self, loadings: FloatArray) -> Estimate:
        """Return linear combinations, loadings of shape (k, m)."""
        return Estimate(self.value @ loadings, self.psi @ loadings)


def stack(parts: list[Estimate]) -> Estimate:
    """Set estimates of the same people side by side."""
    return Estimate(np.concatenate([one.value for one in parts]), np.hstack([one.psi for one in parts]))
