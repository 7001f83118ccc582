"""The covariances that a regression can be given: one registration each, for the configuration and for estimation.

With n people, K parameters, residuals e and leverage h, a covariance is a sum of products of scores psi (White 1980),
except the classical one. The registered ones differ in what is squared, in the small-sample factor and in the
degrees of freedom of the t distribution that they are used with:

===========  ==========================================================================================================
iid          e'e / (n - K), classical; n - K degrees of freedom
HC0          sum psi^2; n - K
HC1          HC0 n / (n - K): Stata `areg, robust`, `fixest` with K.fixef = "full"; n - K
HC2          e^2 / (1 - h); HC3 e^2 / (1 - h)^2 (MacKinnon and White 1985): R `estimatr::lm_robust(fixed_effects =)`; n - K
HC2_BM       HC2 with Satterthwaite degrees of freedom (Bell and McCaffrey 2002; Imbens and Kolesar 2016)
CR2          psi summed in clusters, residuals of cluster g multiplied by (I - H_gg)^(-1/2); Satterthwaite degrees of
             freedom (Pustejovsky and Tipton 2018): R `clubSandwich`, `estimatr::lm_robust(clusters =)`
CR3          as CR2 with (I - H_gg)^(-1), the cluster jackknife without a factor: R `clubSandwich` "CR3"
CRV1         psi summed in clusters, G / (G - 1) (n - 1) / (n - K): Stata `areg, cluster`, `pyfixest` k_fixef="full";
             G - 1
CRV1_nested  as CRV1, but K counts fixed effects that are nested in clusters as one constant: Stata `reghdfe`,
             R `fixest` and `pyfixest` by default (k_fixef="nonnested"); G - 1
===========  ==========================================================================================================

With two dimensions of clusters (Cameron, Gelbach and Miller 2011, Journal of Business & Economic Statistics 29(2), eq. 2.11)
the two forms of CRV1 are the sum of the covariance of each dimension less that of their intersection, all with G, in the factor
and the degrees of freedom, the fewer clusters of the two. Negative eigenvalues of the covariance of coefficients are set to 0.

A new covariance of one of these forms is one more entry of `COVARIANCES` and of `Vcov`; its label is the text
``labels.vcov_<name>``. One with another form also needs its formula in `estimation.core`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Vcov = Literal["iid", "HC0", "HC1", "HC2", "HC2_BM", "HC3", "CR2", "CR3", "CRV1", "CRV1_nested"]
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
        Whether scores are summed within clusters first.
    leverage_power
        Each squared residual is divided by (1 - leverage) to this power; with clusters the vector of residuals of a cluster is
        multiplied by (I - H_gg) to minus half of it.
    small_sample
        Factor for small samples: none; n / (n - K) (``parameters``); or G / (G - 1) (n - 1) / (n - K) (``clusters``).
    has_satterthwaite
        Whether the t distribution has Satterthwaite degrees of freedom, separate for each coefficient; otherwise it has
        n - K, or clusters - 1.
    counts_nested
        Whether K counts the fixed effects of cells that each lie within one cluster; a clustered covariance allows for them
        already (Cameron and Miller 2015, Journal of Human Resources 50(2), section III.B).
    """

    is_robust: bool = True
    is_clustered: bool = False
    leverage_power: int = 0
    small_sample: SmallSample = "none"
    has_satterthwaite: bool = False
    counts_nested: bool = True

    @property
    def has_cluster_leverage(self) -> bool:
        """Whether the residuals of a cluster are adjusted together for their leverage."""
        return self.is_clustered and self.leverage_power > 0

    def factor(self, *, n: int, df_resid: int, n_clusters: int = 0, n_nested: int = 0) -> float:
        """Return the small-sample factor for n people, n - K = ``df_resid`` and G = ``n_clusters``.

        ``n_nested`` is how many of the K parameters are fixed effects nested in clusters, all but one.
        """
        if not self.counts_nested:
            df_resid += n_nested
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
    "HC2_BM": Covariance(leverage_power=1, has_satterthwaite=True),
    "HC3": Covariance(leverage_power=2),
    "CR2": Covariance(is_clustered=True, leverage_power=1, has_satterthwaite=True),
    "CR3": Covariance(is_clustered=True, leverage_power=2, has_satterthwaite=True),
    "CRV1": Covariance(is_clustered=True, small_sample="clusters"),
    "CRV1_nested": Covariance(is_clustered=True, small_sample="clusters", counts_nested=False),
}
CLUSTERED = tuple(name for name, covariance in COVARIANCES.items() if covariance.is_clustered)
"""Covariances that need a cluster."""
CRV1 = tuple(name for name, covariance in COVARIANCES.items() if covariance.small_sample == "clusters")
"""Clustered covariances whose t distribution has the number of clusters less one as degrees of freedom."""
UNCLUSTERED = tuple(name for name, covariance in COVARIANCES.items() if not covariance.is_clustered)
ROBUST = tuple(name for name, covariance in COVARIANCES.items() if covariance.is_robust)


def is_clustered(vcov: Vcov) -> bool:
    """Return whether a covariance needs clusters."""
    return COVARIANCES[vcov].is_clustered


def studentising(vcov: Vcov) -> Vcov:
    """Return the covariance by which a randomisation test studentises in place of one with Satterthwaite degrees of freedom.

    A randomisation test has the right size with any statistic. Degrees of freedom are no part of the statistic, and the
    leverage of clusters would have to be computed anew in every re-randomisation.
    """
    covariance = COVARIANCES[vcov]
    if not covariance.has_satterthwaite:
        return vcov
    return "CRV1" if covariance.is_clustered else "HC2"


def usual_vcov(*, clusters: int) -> Vcov:
    """Return the covariance of a regression that names none: HC1 without clusters, CR2 with them, CRV1 with two dimensions."""
    return ("HC1", "CR2", "CRV1")[clusters]
