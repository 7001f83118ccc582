"""The covariances that a regression can be given: one registration each, for the configuration and for estimation.

With n people, K parameters, residuals e and leverage h, a covariance is a sum of products of scores psi (White 1980),
except the classical one. The registered ones differ in what is squared and in the small-sample factor:

======  ==============================================================================================
iid     e'e / (n - K), classical
HC0     sum psi^2
HC1     HC0 n / (n - K): Stata `areg, robust`, `fixest` with K.fixef = "full"
HC2     e^2 / (1 - h); HC3 e^2 / (1 - h)^2 (MacKinnon and White 1985): R `estimatr::lm_robust(fixed_effects =)`
CRV1    psi summed in clusters, G / (G - 1) (n - 1) / (n - K): Stata `areg, cluster`, `pyfixest` k_fixef="full"
======  ==============================================================================================

A new covariance of one of these forms is one more entry of `COVARIANCES` and of `Vcov`; its label is the text
``labels.vcov_<name>``. One with another form also needs its formula in `estimation.core.kernel.Fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Vcov = Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"]
SmallSample = Literal["none", "parameters", "clusters"]


@dataclass(frozen=True)
class Covariance:
    """How the covariance of a regression is computed.

    Attributes
    ----------
    is_robust
        Whether it is a sum of products of scores; the classical covariance is not, so it has no form for estimates of
        different samples.
    is_clustered
        Whether scores are summed within clusters first; the t distribution then has clusters - 1 degrees of freedom.
    leverage_power
        Each squared residual is divided by (1 - leverage) to this power.
    small_sample
        Factor for small samples: none; n / (n - K) (``parameters``); or G / (G - 1) (n - 1) / (n - K) (``clusters``).
    """

    is_robust: bool = True
    is_clustered: bool = False
    leverage_power: int = 0
    small_sample: SmallSample = "none"

    def factor(self, *, n: int, df_resid: int, n_clusters: int = 0) -> float:
        """Return the small-sample factor for n people, n - K = ``df_resid`` and G = ``n_clusters``."""
        if self.small_sample == "parameters":
            return n / df_resid
        if self.small_sample == "clusters":
            return n_clusters / (n_clusters - 1) * (n - 1) / df_resid
        return 1.0


COVARIANCES: Mapping[Vcov, Covariance] = {
    "iid": Covariance(is_robust=False),
    "HC0": Covariance(),
    "HC1": Covariance(small_sample="parameters"),
    "HC2": Covariance(leverage_power=1),
    "HC3": Covariance(leverage_power=2),
    "CRV1": Covariance(is_clustered=True, small_sample="clusters"),
}
CLUSTERED = tuple(name for name, covariance in COVARIANCES.items() if covariance.is_clustered)
"""Covariances that need a cluster."""
UNCLUSTERED = tuple(name for name, covariance in COVARIANCES.items() if not covariance.is_clustered)
ROBUST = tuple(name for name, covariance in COVARIANCES.items() if covariance.is_robust)


def is_clustered(vcov: Vcov) -> bool:
    """Return whether a covariance needs clusters."""
    return COVARIANCES[vcov].is_clustered
