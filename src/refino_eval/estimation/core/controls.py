"""Control variables from a data frame: encodings and missing values, declared term by term.

How controls enter a regression is part of its specification, so it is data: a name, an encoding, a rule for missing.
The same frame and terms give the same columns, and the bins that quantiles chose are kept with the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Literal

import numpy as np
import pandas as pd

from refino_eval.errors import UserError, nearest
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, as_vector, check_choice
from refino_eval.estimation.core.recording import note_dropped, note_filled

Encoding = Literal["linear", "categories", "quantile_bins", "edges"]
MissingRule = Literal["indicator", "drop", "error"]


@dataclass(frozen=True)
class ControlTerm:
    """One control variable and how it enters.

    Attributes
    ----------
    name
        Column of the frame.
    encoding
        ``linear``: as it is. ``categories``: a dummy for each value but the first in sorted order.
        ``quantile_bins``: dummies for ``bins`` groups of equal size, a value on a boundary in the lower group (as
        Stata's `xtile` and pandas' `qcut`; a mass point at the bottom, such as zero earnings, is a separate group);
        ties leave fewer groups. ``edges``: dummies for [e1, e2), [e2, e3), ..., below e1 being the reference.
    bins
        Number of groups, for ``quantile_bins``.
    edges
        Increasing boundaries, for ``edges``.
    missing
        ``indicator``: a separate dummy (a linear term then has its mean in place). ``drop``: the person leaves
        the sample. ``error``: a fault.
    degree
        Of a linear term: the highest power that enters, named ``<term>:^2`` and so on; a missing value has the mean first.
    """

    name: str
    encoding: Encoding = "linear"
    bins: int | None = None
    edges: tuple[float, ...] | None = None
    missing: MissingRule = "error"
    degree: int = 1

    def __post_init__(self) -> None:
        """Check that the encoding has what it needs and nothing else."""
        check_choice(self.encoding, Encoding, what=f"encoding of control '{self.name}'")
        check_choice(self.missing, MissingRule, what=f"rule for missing values of control '{self.name}'")
        if (self.bins is not None) != (self.encoding == "quantile_bins") or (self.bins is not None and self.bins < 2):
            raise UserError(
                f"Control '{self.name}': 'quantile_bins' needs bins of at least 2, and no other encoding takes bins."
            )
        if (self.edges is not None) != (self.encoding == "edges"):
            raise UserError(
                f"Control '{self.name}': the encoding 'edges' needs edges, and no other encoding takes them."
            )
        if self.edges is not None and (
            not self.edges or np.any(np.diff(self.edges) <= 0) or not np.all(np.isfinite(self.edges))
        ):
            raise UserError(
                f"Control '{self.name}': edges must be increasing finite numbers, and are {list(self.edges)}."
            )


def control_term(column: str) -> str:
    """Return the control whose column this is: ``<term>``, ``<term>=<category>``, ``<term>:<group>`` or ``<term>=missing``."""
    return column.partition("=")[0].partition(":")[0]


@dataclass(frozen=True, eq=False, repr=False)
class ControlMatrix:
    """Columns ready for a regression.

    Attributes
    ----------
    values
        Shape (n, k), rows as in the frame; rows outside ``rows`` hold NaN where their value is missing.
    names
        Names of the k columns, ``<term>`` or ``<term>=<category>``, ``<term>:<group>``, ``<term>=missing``.
    dropped
        Columns left out because they are the same for everybody kept.
    rows
        Boolean mask of the people kept (rule ``drop``), shape (n,); the analyses take it as ``rows=``.
    edges
        Boundaries of each binned term.
    reference
        The omitted group of each term with dummies.
    """

    values: FloatArray
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    rows: BoolArray
    edges: dict[str, tuple[float, ...]]
    reference: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """Return the columns under their names."""
        return pd.DataFrame(self.values, columns=list(self.names))


@dataclass(frozen=True, eq=False, repr=False)
class _Encoded:
    columns: FloatArray
    names: list[str]
    edges: tuple[float, ...] | None = None
    reference: str | None = None


def build_controls(frame: pd.DataFrame, terms: Sequence[ControlTerm], *, interact: Sequence[str] = ()) -> ControlMatrix:
    """Encode control variables.

    Parameters
    ----------
    frame
        One row per person.
    terms
        The controls, in order.
    interact
        Names of terms whose products of two and more enter too, column by column, named ``<term>:*<other>``; the powers and the
        dummies of missing values are not multiplied.

    Raises
    ------
    UserError
        All problems at once: a column that is absent or named twice, missing values under ``error``, a linear or
        binned term that is not numeric or not finite.
    """
    _check_terms(frame, terms)
    missing = {term.name: frame[term.name].isna().to_numpy() for term in terms}
    rows = _people_kept(len(frame), terms, missing)
    encoded = [_encode_term(frame[term.name], term, missing[term.name], rows) for term in terms]
    encoded += _products({term.name: part for term, part in zip(terms, encoded, strict=True)}, interact)
    values = np.hstack([np.empty((len(frame), 0)), *(part.columns for part in encoded)])
    names = np.array([name for part in encoded for name in part.names], dtype=object)
    constant = _constant(values, rows)
    by_term = dict(zip(missing, encoded, strict=False))  # products come after the terms
    note_dropped(names[constant].tolist())
    note_filled(_filled(terms, missing, rows))
    return ControlMatrix(
        values=np.ascontiguousarray(values[:, ~constant]),
        names=tuple(names[~constant].tolist()),
        dropped=tuple(names[constant].tolist()),
        rows=rows,
        edges={name: part.edges for name, part in by_term.items() if part.edges is not None},
        reference={name: part.reference for name, part in by_term.items() if part.reference is not None},
    )


def _people_kept(people: int, terms: Sequence[ControlTerm], missing: Mapping[str, BoolArray]) -> BoolArray:
    """Return the people whom no term drops for a missing value."""
    dropping = [missing[term.name] for term in terms if term.missing == "drop"]
    return ~np.any(dropping, axis=0) if dropping else np.ones(people, dtype=bool)


def _filled(terms: Sequence[ControlTerm], missing: Mapping[str, BoolArray], rows: BoolArray) -> list[str]:
    """Return the terms that an indicator stands for where they are missing, for somebody kept."""
    return [term.name for term in terms if term.missing == "indicator" and missing[term.name][rows].any()]


def _products(encoded: Mapping[str, _Encoded], names: Sequence[str]) -> list[_Encoded]:
    """Return the products of the columns of two and more terms."""
    single = {
        name: [
            (column, values)
            for column, values in zip(encoded[name].names, encoded[name].columns.T, strict=True)
            if not column.endswith("=missing") and ":^" not in column
        ]
        for name in names
    }
    made = []
    for size in range(2, len(names) + 1):
        for chosen in combinations(names, size):
            for parts in product(*(single[name] for name in chosen)):
                head, *others = (column for column, _ in parts)
                values = np.prod([values for _, values in parts], axis=0)
                made.append(_Encoded(values[:, None], [f"{head}:*{'*'.join(others)}"]))
    return made


def _constant(values: FloatArray, rows: BoolArray) -> BoolArray:
    """Return the columns that have one value for everybody kept, shape (k,)."""
    kept = rows & np.isfinite(values).all(axis=1)
    if not kept.any():
        return np.zeros(values.shape[1], dtype=bool)
    return np.asarray(np.ptp(values[kept], axis=0) == 0)


def _check_terms(frame: pd.DataFrame, terms: Sequence[ControlTerm]) -> None:
    problems = []
    names = [term.name for term in terms]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"Control '{name}' is named {names.count(name)} times; name each control once.")
    for term in terms:
        if term.name not in frame.columns:
            problems.append(f"No column '{term.name}' for a control.{nearest(term.name, map(str, frame.columns))}")
            continue
        column = frame[term.name]
        absent = int(column.isna().sum())
        if absent and term.missing == "error":
            problems.append(
                f"Control '{term.name}' is missing for {absent} of {len(frame)} people; choose missing: indicator or drop."
            )
        if term.encoding != "categories":
            if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
                problems.append(
                    f"Control '{term.name}' holds {column.dtype} values and is encoded as {term.encoding}; use categories."
                )
            elif np.isinf(as_vector(column, what=term.name)).any():
                problems.append(f"Control '{term.name}' holds infinite values; recode them as missing.")
    if problems:
        raise UserError(*problems)


def _encode_term(column: pd.Series, term: ControlTerm, missing: BoolArray, rows: BoolArray) -> _Encoded:
    if term.encoding == "categories":
        part = _encode_categories(column, term.name, rows)
    else:
        values = as_vector(column, what=term.name)
        part = _encode_linear(values, term, rows) if term.encoding == "linear" else _encode_bins(values, term, rows)
    if term.missing == "indicator" and missing.any():
        filled = np.where(missing[:, None] & ~np.isfinite(part.columns), 0.0, part.columns)
        flag = missing.astype(np.float64)[:, None]
        return _Encoded(np.hstack((filled, flag)), [*part.names, f"{term.name}=missing"], part.edges, part.reference)
    return part


def _encode_linear(values: FloatArray, term: ControlTerm, rows: BoolArray) -> _Encoded:
    if term.missing == "indicator":
        known = rows & np.isfinite(values)
        values = np.where(np.isfinite(values), values, values[known].mean() if known.any() else 0.0)
    powers = range(2, term.degree + 1)
    columns = np.column_stack([values, *(values**power for power in powers)])
    return _Encoded(columns, [term.name, *(f"{term.name}:^{power}" for power in powers)])


def _encode_categories(column: pd.Series, name: str, rows: BoolArray) -> _Encoded:
    known = column[rows].dropna().unique().tolist()
    try:
        levels = sorted(known)
    except TypeError:
        levels = sorted(known, key=str)
    if not levels:
        return _Encoded(np.empty((len(column), 0)), [])
    dummies: FloatArray = np.column_stack(
        [column.eq(level).fillna(False).to_numpy(dtype=np.float64) for level in levels]
    )
    dummies[column.isna().to_numpy()] = np.nan
    return _Encoded(dummies[:, 1:], [f"{name}={_label(level)}" for level in levels[1:]], None, _label(levels[0]))


def _encode_bins(values: FloatArray, term: ControlTerm, rows: BoolArray) -> _Encoded:
    if term.edges is not None:
        edges = np.asarray(term.edges, dtype=np.float64)
        group = np.searchsorted(edges, values, side="right")
        name, reference = "{}:[{},{})", "<{}"
    else:
        edges = _quantiles(values[rows & np.isfinite(values)], term.bins or 1)
        group = np.searchsorted(edges, values, side="left")
        name, reference = "{}:({},{}]", "<={}"
    member = (group[:, None] == np.arange(1, edges.size + 1)).astype(np.float64)
    dummies = np.where(np.isfinite(values)[:, None], member, np.nan)
    bounds = [*(f"{edge:.10g}" for edge in edges), "inf"]
    return _Encoded(
        columns=dummies,
        names=[name.format(term.name, low, high) for low, high in pairwise(bounds)],
        edges=tuple(edges.tolist()),
        reference=reference.format(bounds[0]),
    )


def _quantiles(known: FloatArray, bins: int) -> FloatArray:
    """Return the distinct inner boundaries of ``bins`` groups of equal size."""
    if not known.size:
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, bins) / bins))


def _label(level: object) -> str:
    """Return a category as text: 3.0 read back from a file with missing values is 3."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)
