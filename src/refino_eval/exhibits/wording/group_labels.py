"""How groups stand in tidy numbers, and what a reader calls them.

A panel of an exhibit told by group is `<panel>:<group>`, in lower case; the panel `groups` has a row for each group as the
data spell it, with its people by arm.
"""

from __future__ import annotations

import pandas as pd

from refino_eval.config.exhibit_base import By
from refino_eval.exhibits.wording.labels import LabelBook, inside, plain

GROUPS = "groups"


WITHOUT_GROUP = "without_group"
"""The row that counts people of no group."""


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


def group_label(by: By, name: str, labels: LabelBook) -> str:
    """Return what a reader calls a group; a covariate that is 0 or 1 is told by its name and yes or no."""
    if not isinstance(by, str):
        entry = labels.definitions.subgroups.get(name)
        return entry.label[labels.language] if entry is not None else plain(name)
    if by in labels.definitions.covariates:
        covariate = labels.covariate(by, unit=False)
        answer = {"1": labels.word("yes"), "0": labels.word("no")}.get(name, name)
        return f"{covariate}: {inside(answer)}"
    return name


def split_label(by: By, labels: LabelBook) -> str:
    """Return what a reader calls the question that splits people."""
    if not isinstance(by, str):
        found = [labels.definitions.subgroups[name].covariate for name in by if name in labels.definitions.subgroups]
        return labels.covariate(found[0], unit=False) if found else plain(split_key(by))
    if by in labels.definitions.covariates:
        return labels.covariate(by, unit=False)
    if by in labels.strata_labels:
        text = labels.strata_labels[by][labels.language]
        return text[:1].upper() + text[1:]
    return labels.word(by)
