"""Accepted input: numpy arrays, pandas columns and lists, checked once on entry.

Code behind these functions may assume float arrays of matching length. Errors name columns and numbers of rows, never a
person's id.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg

from refino_eval.errors import UserError, nearest

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

Vector: TypeAlias = npt.ArrayLike | pd.Series
Columns: TypeAlias = npt.ArrayLike | pd.Series | pd.DataFrame | Mapping[str, npt.ArrayLike]
Labels: TypeAlias = Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series | pd.Index | pd.DataFrame

Singletons = Literal["keep", "drop"]
Missing = Literal["error", "common", "available"]


def as_vector(values: Vector, *, what: str) -> FloatArray:
    """Return one column as floats, missing values as NaN, shape (n,)."""
    column = pd.Series(values) if not isinstance(values, pd.Series) else values
    if not _holds_numbers(column):
        raise UserError(f"{what} must be numbers, and holds {column.dtype} values; encode it before estimating.")
    return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _holds_numbers(column: pd.Series) -> bool:
    """Whether a column is numbers or booleans; pandas would convert dates and digits in text without a word."""
    kind = column.cat.categories.dtype if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype
    if pd.api.types.is_object_dtype(kind):
        return pd.api.types.infer_dtype(column, skipna=True) in _NUMBERS
    return pd.api.types.is_any_real_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)


_NUMBERS = ("boolean", "integer", "floating", "decimal", "mixed-integer-float", "empty")


def as_treated(treated: Vector) -> FloatArray:
    """Return assignment to treatment as floats 0 and 1, shape (n,).

    Raises
    ------
    UserError
        When a value is missing or is neither 0 nor 1, or when the sample is empty.
    """
    values = as_vector(treated, what="treated")
    if values.size == 0:
        raise UserError(
            "The sample is empty: no person is left to estimate on. Look at the sample flow for the step that lost them."
        )
    wrong = int(np.count_nonzero(~np.isin(values, (0.0, 1.0))))
    if wrong:
        absent = int(np.count_nonzero(np.isnan(values)))
        raise UserError(
            f"treated must be 0 or 1 for every person; {wrong} of {values.size} rows are not ({absent} of them missing). "
            "Recode the arm, or leave out people who were not assigned before estimating."
        )
    return values


def as_columns(
    values: Columns, n: int | None, *, what: str, names: Sequence[str] | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return columns as an (n, k) float matrix with missing values as NaN, and their k names.

    Raises
    ------
    UserError
        When the number of rows is not ``n`` (None: any), a column is not numeric, or names and columns do not match.
    """
    if isinstance(values, Mapping):
        values = pd.DataFrame(dict(values))
    if isinstance(values, pd.Series):
        values = values.to_frame(name=values.name if values.name is not None else what)
    if not isinstance(values, pd.DataFrame):
        raw = np.atleast_1d(np.asarray(values))
        raw = raw[:, None] if raw.ndim == 1 else raw
        if raw.ndim != 2:
            raise UserError(
                f"{what} must be one or more columns, and has {raw.ndim} dimensions; give shape (people, columns)."
            )
        found = tuple(f"{what.removesuffix('s')}_{k + 1}" for k in range(raw.shape[1]))
        if raw.dtype.kind in "biuf":
            matrix = np.ascontiguousarray(raw, dtype=np.float64)
        else:
            matrix, _ = as_columns(pd.DataFrame(raw, columns=list(found)), None, what=what)
    else:
        found = tuple(str(name) for name in values.columns)
        parts = [as_vector(values.iloc[:, k], what=f"{what} '{found[k]}'") for k in range(values.shape[1])]
        matrix = np.column_stack(parts) if parts else np.empty((len(values), 0))
    if names is not None:
        found = tuple(names)
    if len(found) != matrix.shape[1]:
        raise UserError(f"{what}: {matrix.shape[1]} columns but {len(found)} names; give one name a column.")
    if n is not None:
        check_length(matrix.shape[0], n, what=what)
    return matrix, found


def as_mask(rows: npt.ArrayLike, n: int) -> BoolArray:
    """Return a selection of people as a boolean mask, shape (n,).

    Raises
    ------
    UserError
        When it is not boolean or has another length.
    """
    mask = np.asarray(rows)
    if mask.dtype != np.bool_:
        raise UserError(f"rows must be a boolean mask of {n} values, one a person, and holds {mask.dtype} values.")
    check_length(mask.size, n, what="rows")
    return mask


def check_length(found: int, expected: int, *, what: str) -> None:
    """Raise when an input has another number of rows than treatment."""
    if found != expected:
        raise UserError(
            f"{what} has {found} rows where {expected} are expected; all inputs must describe the same people in the same order."
        )


def check_finite(matrix: FloatArray, names: Sequence[str], *, what: str, remedy: str) -> None:
    """Raise when a column holds missing or infinite values, naming the columns and the number of rows."""
    bad = np.count_nonzero(~np.isfinite(matrix), axis=0)
    if bad.any():
        listed = ", ".join(f"'{name}' ({count})" for name, count in zip(names, bad, strict=True) if count)
        raise UserError(f"{what} hold missing or infinite values: {listed} of {matrix.shape[0]} rows. {remedy}")


def check_choice(value: str, choices: object, *, what: str) -> None:
    """Raise when an option is not one of its closed list, with the nearest valid name."""
    valid = get_args(choices)
    if value not in valid:
        raise UserError(f"Unknown {what} '{value}'.{nearest(str(value), valid)}")


def check_level(level: float) -> None:
    """Raise when a confidence level is not a share between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise UserError(f"The confidence level must lie between 0 and 1, and is {level}; write 0.95 for 95 per cent.")


def object_array(items: Iterable[object]) -> npt.NDArray[np.object_]:
    """Return items as a one-dimensional array of objects."""
    listed = list(items)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def ratio(top: FloatArray, bottom: npt.ArrayLike, *, where: npt.ArrayLike | None = None) -> FloatArray:
    """Divide, with NaN where the divisor is 0 (or outside ``where``)."""
    divisor = np.broadcast_to(np.asarray(bottom, dtype=np.float64), top.shape)
    used = divisor != 0 if where is None else np.broadcast_to(np.asarray(where, dtype=bool), top.shape)
    result: FloatArray = np.divide(top, divisor, out=np.full(top.shape, np.nan), where=used)
    return result


INDEPENDENT = 1e-9
"""Directions of the covariates shorter than this share of the longest are rounding."""


def spanning(columns: FloatArray) -> FloatArray:
    """Return orthogonal columns with the same span and mean square 1."""
    length = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    columns = columns[:, length > 0] / length[length > 0]
    # With pivoting the diagonal falls: columns whose entry is small depend on those taken before.
    basis, triangle, _ = linalg.qr(columns, mode="economic", pivoting=True)
    size = np.abs(np.diag(triangle))
    return np.asarray(basis[:, size > INDEPENDENT * size[0]] * np.sqrt(columns.shape[0]))
