"""Estimates with the influence of each person, so that ratios and sums of them have standard errors.

For an estimate T the influence psi_i is the first-order part of T - theta owed to person i; the covariance of two
estimates is the sum of products of their psi (summed in clusters first), and the influence of a smooth function follows by
the chain rule (the delta method). `Estimate` does this arithmetic, so that a formula is written once, as in the source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray, IntArray, ratio
from refino_eval.estimation.core.kernel import cross_product


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """Estimates and the influence of each person on them.

    Attributes
    ----------
    value
        Shape (k,).
    psi
        Shape (n, k).
    cluster
        Clusters within which influences are summed, shape (n,), or None.
    """

    value: FloatArray
    psi: FloatArray
    cluster: IntArray | None = None

    @property
    def cov(self) -> FloatArray:
        """Joint covariance, shape (k, k)."""
        return cross_product(self.psi, self.cluster)

    @property
    def std_error(self) -> FloatArray:
        """Standard errors, shape (k,)."""
        if self.cluster is not None:
            return np.asarray(np.sqrt(np.diag(self.cov)))
        return np.asarray(np.sqrt(np.einsum("ik,ik->k", self.psi, self.psi)))

    def __add__(self, other: Estimate | float) -> Estimate:
        """Add another estimate of the same people, or a constant."""
        if isinstance(other, Estimate):
            return replace(self, value=self.value + other.value, psi=self.psi + other.psi)
        return replace(self, value=self.value + other)

    def __neg__(self) -> Estimate:
        """Change the sign."""
        return replace(self, value=-self.value, psi=-self.psi)

    def __sub__(self, other: Estimate | float) -> Estimate:
        """Subtract another estimate of the same people, or a constant."""
        return self + -other

    def __rsub__(self, other: float) -> Estimate:
        """Subtract from a constant."""
        return -self + other

    def __mul__(self, other: Estimate | FloatArray | float) -> Estimate:
        """Multiply by another estimate, or by constants of shape (k,)."""
        if isinstance(other, Estimate):
            psi = self.psi * other.value + other.psi * self.value
            return replace(self, value=self.value * other.value, psi=psi)
        return replace(self, value=np.asarray(self.value * other), psi=np.asarray(self.psi * other))

    def __truediv__(self, other: Estimate) -> Estimate:
        """Divide by another estimate; NaN where that is 0."""
        # Delta method: d(N / D) = (dN - (N / D) dD) / D.
        value = ratio(self.value * np.ones_like(other.value), other.value)
        return replace(self, value=value, psi=ratio(self.psi - other.psi * value, other.value))

    def take(self, columns: list[int] | slice) -> Estimate:
        """Return some of the estimates."""
        return replace(self, value=self.value[columns], psi=self.psi[:, columns])

    def combine(self, loadings: FloatArray) -> Estimate:
        """Return linear combinations, loadings of shape (k, m)."""
        return replace(self, value=self.value @ loadings, psi=self.psi @ loadings)


def stack(parts: list[Estimate]) -> Estimate:
    """Return estimates of the same people as one."""
    value, psi = np.concatenate([part.value for part in parts]), np.hstack([part.psi for part in parts])
    return replace(parts[0], value=value, psi=psi)
