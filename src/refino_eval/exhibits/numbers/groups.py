"""Groups of people known at the draw: the people whom each exhibit with `by` puts together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config import definitions as d
from refino_eval.config.exhibit_base import MOST_GROUPS, By
from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.keys import GROUPS, WITHOUT_GROUP, group_key, panel_of, split_key
from refino_eval.exhibits.numbers.study import Row, Study, cell, of_arm
from refino_eval.trial.group_counts import comparable_levels


@dataclass(frozen=True)
class Groups:
    """Who is in which group.

    Attributes
    ----------
    split
        Key of what splits people (see `splits.split_key`).
    names
        Groups in order, as the data or the definitions name them.
    member
        Place of each person's group among `names`, -1 without one, shape (n,).
    """

    split: str
    names: tuple[str, ...]
    member: npt.NDArray[np.int64]

    @property
    def keys(self) -> tuple[str, ...]:
        """The names as keys of tidy numbers."""
        return tuple(group_key(name) for name in self.names)

    def rows(self, place: int) -> npt.NDArray[np.bool_]:
        """Return who is in a group."""
        return np.asarray(self.member == place)

    def counts(self, cohort: pd.DataFrame, study: Study, *, panel: str = "") -> Iterator[Row]:
        """Count each group's people by arm, and those without a group where there are any."""
        panel = panel_of(panel, GROUPS) if panel else GROUPS
        listed = [*((name, self.rows(k)) for k, name in enumerate(self.names)), (WITHOUT_GROUP, self.member < 0)]
        for name, rows in listed:
            if name == WITHOUT_GROUP and not rows.any():
                continue
            for column in (*study.treated_arms, study.control):
                count = int(np.count_nonzero(rows & of_arm(cohort, column, study)))
                yield cell(name, column, "count", count, count, panel=panel)


def values_as_text(cohort: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
    """Return a column of the cohort as texts, shape (n,): whole numbers without decimals, `without_group` where it is missing."""
    if column == "draw_year" and column not in cohort:
        return cohort["draw_month"].str.slice(0, 4).to_numpy(dtype=object)
    values = cohort[column]
    return np.array(
        [
            WITHOUT_GROUP if pd.isna(v) else str(int(v)) if isinstance(v, float) and v.is_integer() else str(v)
            for v in values
        ],
        dtype=object,
    )


def groups_of(by: By, cohort: pd.DataFrame, study: Study, *, most: int = MOST_GROUPS) -> Groups:
    """Put the people of a sample into groups.

    Parameters
    ----------
    by
        A column of the cohort, `draw_year`, or subgroups.
    cohort
        The sample.
    study
        Definitions of subgroups.
    most
        No more groups than this.

    Returns
    -------
    Groups
        A column's groups stand in increasing order, subgroups as they are listed; a value without people is no group.

    Raises
    ------
    UserError
        When the column is not there or has one value, or more values than a reader can compare, or when somebody is in
        two of the subgroups.
    """
    if not isinstance(by, str):
        return _subgroups(by, cohort, study)
    values = _column(by, cohort)
    levels = comparable_levels(values, by, most)
    place = {value: k for k, value in enumerate(levels)}
    member = np.array([place.get(value, -1) for value in values], dtype=np.int64)
    return Groups(split=split_key(by), names=tuple(_text(value) for value in levels), member=member)


def _column(by: str, cohort: pd.DataFrame) -> pd.Series:
    if by == "draw_year" and by not in cohort and "draw_month" in cohort:
        return cohort["draw_month"].str.slice(0, 4)
    if by not in cohort:
        columns = [*cohort.columns, "draw_year"] if "draw_month" in cohort else list(cohort.columns)
        raise UserError(f"is split by '{by}', which the cohort does not have.{nearest(by, columns)}")
    return cohort[by]


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _subgroups(names: tuple[str, ...], cohort: pd.DataFrame, study: Study) -> Groups:
    member = np.full(len(cohort), -1, dtype=np.int64)
    kept: list[str] = []
    for name in names:
        inside = members_of(study.subgroups[name], cohort)
        twice = int(np.count_nonzero(inside & (member >= 0)))
        if twice:
            raise UserError(
                f"is split by the subgroups {', '.join(names)}, and {twice:,} people are in '{name}' and in one before it. "
                "Groups that are compared share nobody: correct the definitions in config/definitions/subgroups.yaml."
            )
        if inside.any():
            member[inside] = len(kept)
            kept.append(name)
    if len(kept) < 2:
        raise UserError(
            f"is split by the subgroups {', '.join(names)}, of which {len(kept)} has people in the sample; a comparison "
            "needs two."
        )
    return Groups(split=split_key(names), names=tuple(kept), member=member)


def members_of(subgroup: d.Subgroup, cohort: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return who is in a subgroup; people who lack the covariate are in none."""
    values = cohort[subgroup.covariate]
    inside = values.notna().to_numpy()
    if subgroup.equals is not None:
        inside = (
            inside & values.isin([float(v) if isinstance(v, int | float) else v for v in subgroup.equals]).to_numpy()
        )
    if subgroup.at_least is not None:
        inside = inside & (values >= subgroup.at_least).to_numpy()
    if subgroup.below is not None:
        inside = inside & (values < subgroup.below).to_numpy()
    return np.asarray(inside, dtype=bool)
