"""Keys of tidy numbers where an exhibit has several treated arms or groups of people.

Where each treated arm has its own panels, the panel is `<arm>:<panel>`. A panel by group is `<panel>:<group>`, in lower case;
the panel `groups` has a row for each group as the data spell it, with its people by arm. The panel `controls` has a row for
each control, or category of one, that was left out of a regression as collinear.
"""

from __future__ import annotations

import pandas as pd

from refino_eval.config.exhibit_base import By

ALL_ARMS = "all_arms"
"""Row of the test that no treated arm has an effect."""
CONTROLS = "controls"
"""Panel that lists controls left out of a regression as collinear."""
COEFFICIENTS = "coefficients"
"""Panel, or the end of a specification's panel, that has the coefficient of each control."""
NONRESPONSE = "nonresponse"
"""Panel that has the smallest and the largest weight for non-response."""
MEAN = "mean"
"""Row of the effect on the mean, next to those at quantiles."""
GROUPS = "groups"
"""Panel that lists the groups."""
WITHOUT_GROUP = "without_group"
"""The row that counts people of no group."""


def arm_panel(arm: str, panel: str) -> str:
    """Return the panel that holds one arm's numbers, where each treated arm has its own."""
    return f"{arm}:{panel}" if panel else arm


def difference_row(first: str, second: str) -> str:
    """Return the row of the difference between two treated arms."""
    return f"{first}_minus_{second}"


CLUSTERS, SINGLETONS, SMALL_CELLS = "clusters_", "singletons_", "small_cells_"
"""Beginnings of the rows that say how far the inference of an arm's effects can be trusted."""

FEW_FREEDOM = 10.0
"""Below this many effective degrees of freedom the randomisation test is reported in addition. (The t approximation is poor below
4 or 5: Pustejovsky and Tipton 2018, section 4; Bell and McCaffrey 2002.)"""
FEW_OF_AN_ARM = 5
"""The same below this many clusters of an arm (Imbens and Kolesar 2016; MacKinnon and Webb 2018)."""


def quantile_row(quantile: float) -> str:
    """Return the row of the effect at a quantile, in per cent."""
    return f"{100 * quantile:g}"


def clusters_row(arm: str) -> str:
    """Return the row of the clusters of an arm and the control arm, with the effective degrees of freedom."""
    return CLUSTERS + arm


def singletons_row(arm: str) -> str:
    """Return the row of people in cells of one person, where they make HC1 too large."""
    return SINGLETONS + arm


def small_cells_row(arm: str) -> str:
    """Return the row of people in cells with one person of an arm, where variances differ between arms."""
    return SMALL_CELLS + arm


def split_key(by: By) -> str:
    """Return the key of what splits people: the column's name, or the subgroups' names."""
    return by if isinstance(by, str) else "-".join(by)


def group_key(name: str) -> str:
    """Return a group's key in tidy numbers."""
    return name.lower()


def panel_of(panel: str, group: str) -> str:
    """Return the panel of one group (both as keys)."""
    return f"{panel}:{group}"


def groups_in(frame: pd.DataFrame, *, panel: str = GROUPS) -> list[str]:
    """Return an exhibit's groups in order, as the data spell them."""
    rows = frame.loc[frame["panel"] == panel, "row"]
    return [name for name in dict.fromkeys(rows) if name != WITHOUT_GROUP]


def without_group(frame: pd.DataFrame, *, panel: str = GROUPS) -> int:
    """Return how many people are in no group."""
    chosen = (frame["panel"] == panel) & (frame["row"] == WITHOUT_GROUP) & (frame["statistic"] == "count")
    return int(frame.loc[chosen, "value"].sum())
