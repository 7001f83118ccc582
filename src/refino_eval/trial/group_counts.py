"""What `check` says of groups that exhibits compare: a column with one value, or with more values than a reader can compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from refino_eval.config import Evaluation
from refino_eval.errors import UserError


def comparable_levels(values: pd.Series, by: str, most: int) -> list[Any]:
    """Return the groups of a column in increasing order.

    Raises
    ------
    UserError
        When they are fewer than two or more than `most`.
    """
    levels = sorted(set(values[values.notna()]))
    if not 2 <= len(levels) <= most:
        what = "one value" if len(levels) == 1 else f"{len(levels)} values"
        raise UserError(
            f"is split by '{by}', which has {what} among the {len(values):,} people of the sample; between 2 and {most} "
            "groups can be compared. Define subgroups (definitions.subgroups) and list them, or choose another."
        )
    return levels


def group_problems(
    people: pd.DataFrame, outcomes: pd.DataFrame | None, study: Evaluation, exhibits: Mapping[str, Any]
) -> list[str]:
    """Return a message for each exhibit that could not be made because of how many groups a column has.

    Parameters
    ----------
    people
        The cohort's frame, with `arm`, samples and the columns that split people.
    outcomes
        The people's outcomes in the same order; None where they are computed later.
    study
        The evaluation.
    exhibits
        Its exhibits, by name.
    """
    problems = (
        f"The exhibit '{name}' {problem}"
        for name, exhibit in exhibits.items()
        if exhibit.most_groups is not None
        for problem in _of_exhibit(people, outcomes, study, exhibit)
    )
    return list(dict.fromkeys(problems))


def _of_exhibit(people: pd.DataFrame, outcomes: pd.DataFrame | None, study: Evaluation, exhibit: Any) -> Iterator[str]:
    sample = (
        people[f"sample_{exhibit.sample}"] if f"sample_{exhibit.sample}" in people else pd.Series(True, people.index)
    )
    names = [name for name in exhibit.outcome_columns.values() if outcomes is not None and name in outcomes]
    if outcomes is not None and getattr(exhibit, "missing", "") == "common" and names:
        sample &= outcomes[names].notna().all(axis=1)
    for split in exhibit.splits:
        if not isinstance(split, str) or split not in people:
            continue
        for rows in _compared(people, study, exhibit.arm, exhibit.against):
            try:
                comparable_levels(people.loc[sample & rows, split], split, exhibit.most_groups)
            except UserError as error:
                yield from error.problems


def _compared(people: pd.DataFrame, study: Evaluation, arm: str | None, against: str | None) -> Iterable[pd.Series]:
    """Return who is in each comparison of arms that an exhibit makes."""
    treated = [one.name for one in study.arms.treated_arms]
    if arm is not None and arm not in treated:
        return [pd.Series(True, people.index)]
    chosen = treated if arm is None else [arm]
    return [people["arm"].isin([name, against or study.arms.control.name]) for name in chosen]
