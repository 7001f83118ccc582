"""What `check` says of the clusters of an evaluation: how many each arm has, and at which level to cluster."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval.config.evaluation import CLUSTER_COLUMNS

FEW_OF_AN_ARM = 5
"""Below this many clusters of an arm standard errors are a weak basis, or none."""
SMALL_STRATUM = 10
"""Up to this many clusters a stratum, CRV1 with fixed effects of strata is too small (de Chaisemartin and Ramirez-Cuellar 2024)."""


def cluster_advice(people: pd.DataFrame, strata: tuple[str, ...]) -> Iterator[str]:
    """Yield lines on the clusters of the people assigned; none without clusters.

    Parameters
    ----------
    people
        The cohort's frame, with `treated`, `cell` and, where the evaluation names clusters, `cluster`.
    strata
        Names of the strata, for the proposal.
    """
    if "cluster" not in people:
        return
    if CLUSTER_COLUMNS[1] in people:
        first, second = (people[name].nunique() for name in CLUSTER_COLUMNS)
        yield (
            f"clusters in two dimensions: {first:,} and {second:,}; the t distribution has {min(first, second) - 1:,} degrees of freedom"
        )
        return
    arms = people.groupby("cluster")[["treated", "cell"]].agg(["nunique", "first"])
    counts = people.groupby("treated")["cluster"].nunique()
    treated, control = int(counts.get(1, 0)), int(counts.get(0, 0))
    yield f"clusters: {len(arms):,} ({treated:,} with people in a treated arm, {control:,} with people in the control arm)"
    fewest = min(treated, control)
    if fewest < 2:
        yield (
            "  an arm has one cluster: no standard error can be estimated, and tables report the randomisation test alone. "
            "Pool arms, or add an exhibit of kind `tests`."
        )
    elif fewest < FEW_OF_AN_ARM:
        yield f"  an arm has {fewest} clusters: tables of effects also report the randomisation test. Rely on it."
    cells = people.groupby("cell")["cluster"].nunique()
    if strata and len(cells) > 1 and (cells == 1).all():
        yield (
            "  strata are nested in clusters: CRV1 counts their fixed effects among the parameters, as Stata's areg does, and CRV1_nested "
            "does not, as reghdfe and fixest do."
        )
    whole = (arms["treated", "nunique"] == 1) & (arms["cell", "nunique"] == 1)
    if not strata or not whole.all():
        return
    sizes = arms.groupby(("cell", "first")).size()
    typical = float(np.median(sizes))
    if len(sizes) > 1 and typical <= SMALL_STRATUM:
        named = strata[0] if len(strata) == 1 else "the stratum"
        yield (
            f"  clusters were assigned within {len(sizes):,} strata of {typical:g} clusters each (median). Use CR2 (the default), which "
            f"allows for it. CRV1 would be too small; if it is needed, cluster at the stratum (`cluster: {named}`)."
        )
