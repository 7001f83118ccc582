"""Who is in a regression: common samples, and outcomes grouped by who is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Missing,
    as_columns,
    check_choice,
)


@dataclass(frozen=True, eq=False, repr=False)
class CommonSample:
    """People with a value in every column.

    Attributes
    ----------
    rows
        Boolean mask of the people kept, shape (n,).
    n_before, n_after
        People before and after.
    missing
        People without a value, for each column by itself.
    lost
        People lost to each column, each counted once, at the first column in order that lacks their value;
        sums to ``n_before - n_after``.
    """

    rows: BoolArray
    n_before: int
    n_after: int
    missing: dict[str, int]
    lost: dict[str, int]

    def to_frame(self) -> pd.DataFrame:
        """One row a column: column, missing, lost."""
        return pd.DataFrame(
            {"column": list(self.missing), "missing": list(self.missing.values()), "lost": list(self.lost.values())}
        )


def common_sample(columns: Columns) -> CommonSample:
    """Return the people with a finite value in every column, and the column to which each other person was lost.

    Parameters
    ----------
    columns
        Shape (n, k): outcomes, controls, take-up, in the order in which losses are counted.
    """
    values, names = as_columns(columns, None, what="columns")
    absent = ~np.isfinite(values)
    first = np.where(absent.any(axis=1), absent.argmax(axis=1), len(names))
    lost = np.bincount(first, minlength=len(names) + 1)
    return CommonSample(
        rows=first == len(names),
        n_before=values.shape[0],
        n_after=int(lost[len(names)]),
        missing=dict(zip(names, np.count_nonzero(absent, axis=0).tolist(), strict=True)),
        lost=dict(zip(names, lost[: len(names)].tolist(), strict=True)),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Pattern:
    """Columns observed for the same people: ``rows`` is a boolean mask of shape (n,), ``columns`` their numbers."""

    rows: BoolArray
    columns: IntArray


def missing_patterns(values: FloatArray, *, among: BoolArray | None = None) -> Iterator[Pattern]:
    """Group columns by who is missing (or outside ``among``), in order of first appearance."""
    absent = ~np.isfinite(values)
    if among is not None:
        absent |= ~among[:, None]
    groups: dict[bytes, list[int]] = {}
    for k, packed in enumerate(np.packbits(absent, axis=0).T):
        groups.setdefault(packed.tobytes(), []).append(k)
    for columns in groups.values():
        yield Pattern(rows=~absent[:, columns[0]], columns=np.asarray(columns, dtype=np.int64))


def choose_samples(
    values: FloatArray, names: tuple[str, ...], missing: Missing, *, among: BoolArray | None = None
) -> list[Pattern]:
    """Return the samples of outcomes under a rule for missing values.

    Parameters
    ----------
    values
        Outcomes, shape (n, J), missing as NaN.
    names
        Their names.
    missing
        ``"error"`` accepts none; ``"common"`` keeps the people observed in every column; ``"available"`` gives each
        column its own people.
    among
        The people in question, shape (n,); None means all.

    Raises
    ------
    UserError
        When values are missing under ``"error"``, or no person remains.
    """
    check_choice(missing, Missing, what="rule for missing outcomes")
    everyone = np.ones(values.shape[0], dtype=bool) if among is None else among
    if everyone.all() and np.isfinite(values).all():
        return [Pattern(rows=everyone, columns=np.arange(values.shape[1]))]
    if missing == "available":
        return list(missing_patterns(values, among=among))
    # One sample for all outcomes, so that the rows of a table describe the same people.
    sample = common_sample(pd.DataFrame(values[everyone], columns=list(names)))
    lost = sample.n_before - sample.n_after
    if missing == "error" and lost:
        listed = ", ".join(f"'{name}' ({count})" for name, count in sample.missing.items() if count)
        raise UserError(
            f"Outcomes are missing for {lost} of {sample.n_before} people: {listed}. "
            "Choose one common sample (missing='common'), or each outcome's own (missing='available')."
        )
    if not sample.n_after:
        raise UserError("No person is observed in every outcome; common_sample(...).lost says which columns lose them.")
    rows = everyone.copy()
    rows[everyone] = sample.rows
    return [Pattern(rows=rows, columns=np.arange(values.shape[1]))]
