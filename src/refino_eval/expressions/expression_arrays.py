"""Expressions on whole arrays: the states of many people and periods, or the columns of a person table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from refino_eval.expressions.expression_tree import Call, Constant, Kind, Name, Tree, walk
from refino_eval.expressions.language import Problem, explained, names_in, parse
from refino_eval.sql.quoting import code_text

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def derive_column(text: str, frame: pd.DataFrame, *, name: str) -> pd.Series:
    """Compute a derived column of a person table.

    Parameters
    ----------
    text
        The expression.
    frame
        The columns that it may name.
    name
        What the new column is called, for messages.

    Returns
    -------
    pandas.Series
        Doubles, missing as NaN; text when the expression chooses between texts.

    Raises
    ------
    UserError
        For a text outside the language, an unknown column, or text where a number is needed.
    """
    import pandas as pd

    where = f"person_table.derive.{name}"
    kinds: dict[str, Kind] = {str(column): "any" if _is_numeric(frame[column]) else "text" for column in frame.columns}
    tree = parse(text, kinds, where=where, what="column")
    names = {node.name for node in walk(tree) if isinstance(node, Name)}
    try:
        value = to_array(tree, {column: _column(frame[column]) for column in names}, shape=(len(frame),))
    except Problem as problem:
        raise explained(problem, text, where) from None
    if value.dtype == object:
        return pd.Series([None if pd.isna(part) else part for part in value], index=frame.index, dtype=object)
    return pd.Series(value, index=frame.index)


def columns_in(text: str, *, name: str) -> tuple[str, ...]:
    """Return the columns that an expression names, in order of name; a text outside the language is refused."""
    return tuple(sorted({node.name for node in walk(_tree_of_columns(text, name)) if isinstance(node, Name)}))


def compared_with_text(text: str, *, name: str) -> set[str]:
    """Return the columns whose codes an expression uses, so that 0301 is not the number 301."""
    columns: set[str] = set()
    for node in walk(_tree_of_columns(text, name)):
        if isinstance(node, Call) and node.operator in _ON_CODES:
            operands = node.operands[1:] if node.operator == "if" else node.operands
            named = [operand.name for operand in operands if isinstance(operand, Name)]
            has_text = any(isinstance(operand, Constant) and operand.kind == "text" for operand in operands)
            # Two columns that are compared have to agree as codes; two branches of a choice need not.
            if has_text or (node.operator != "if" and len(named) == len(operands)):
                columns.update(named)
    return columns


_ON_CODES = ("=", "!=", "in", "if", "coalesce", "number_of")


def _tree_of_columns(text: str, name: str) -> Tree:
    kinds: dict[str, Kind] = dict.fromkeys(names_in(text), "any")
    return parse(text, kinds, where=f"person_table.derive.{name}", what="column")


def _is_numeric(values: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values)


def _column(values: pd.Series) -> Array:
    import pandas as pd

    if _is_numeric(values):
        return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
    return np.asarray([None if pd.isna(value) else value for value in values], dtype=object)


def to_array(tree: Tree, values: Mapping[str, Array], *, shape: tuple[int, ...] | None = None) -> Array:
    """Compute an expression for many people and periods at once.

    Parameters
    ----------
    tree
        The expression.
    values
        What it names, arrays of one shape: numbers with NaN for missing, or objects with None for missing.
    shape
        Shape of the result; by default that of the values.

    Returns
    -------
    numpy.ndarray
        Doubles, true and false as 1 and 0, NaN where the result is missing or not finite; objects for text.
    """
    with np.errstate(all="ignore"):
        result = _value(tree, values)
        if result.dtype != object:
            result = np.where(np.isfinite(result), result, np.nan)
    return np.broadcast_to(result, np.shape(next(iter(values.values()))) if shape is None else shape)


def _value(tree: Tree, values: Mapping[str, Array]) -> Array:
    if isinstance(tree, Constant):
        return np.asarray(tree.value, dtype=object if isinstance(tree.value, str) else float)
    if isinstance(tree, Name):
        return values[tree.name]
    operands = [_value(operand, values) for operand in tree.operands]
    if tree.operator in _ON_NUMBERS:
        # An arithmetic step without a finite result is missing at once: 1 ** nan is 1 to numpy, and 1 / (1 / 0) is 0.
        result = np.asarray(_ON_NUMBERS[tree.operator](*operands), dtype=float)
        unknown = np.logical_or.reduce(np.broadcast_arrays(~np.isfinite(result), *map(np.isnan, operands)))
        return np.where(unknown, np.nan, result)
    return np.asarray(_ON_VALUES[tree.operator](*operands))


def _missing(values: Array) -> Mask:
    import pandas as pd

    return np.isnan(values) if values.dtype != object else np.asarray(pd.isna(values))


def _known(holds: Array, *operands: Array) -> Array:
    """Return true and false as 1 and 0, missing where an operand is."""
    unknown = np.logical_or.reduce(np.broadcast_arrays(*map(_missing, operands)))
    return np.where(unknown, np.nan, np.asarray(holds, dtype=float))


def _all(*operands: Array) -> Array:
    """Join with `and`: false where any operand is false, else missing where any is missing."""
    false = np.logical_or.reduce(np.broadcast_arrays(*(operand == 0 for operand in operands)))
    return np.where(false, 0.0, _known(np.asarray(1.0), *operands))


def _any(*operands: Array) -> Array:
    """Join with `or`: true where any operand is true, else missing where any is missing."""
    return _not(_all(*map(_not, operands)))


def _not(operand: Array) -> Array:
    return _known(operand == 0, operand)


def _equal(left: Array, right: Array) -> Array:
    """Compare two values; a number in quotes is the number, so that codes may be written either way."""
    if (left.dtype == object) != (right.dtype == object):
        return _known(_as_text(left) == _as_text(right), left, right)
    return _known(np.asarray(left == right), left, right)


def _in(value: Array, *listed: Array) -> Array:
    return _any(*(_equal(value, other) for other in listed))


def _between(value: Array, low: Array, high: Array) -> Array:
    return _all(_known(value >= low, value, low), _known(value <= high, value, high))


def _chosen(condition: Array, then: Array, other: Array) -> Array:
    met, unknown = condition != 0, _missing(condition)
    if then.dtype == object or other.dtype == object:
        value = np.where(met, then.astype(object), other.astype(object))
        return np.where(unknown, None, value)  # type: ignore[call-overload, no-any-return]
    return np.where(unknown, np.nan, np.where(met, then, other))


def _first_known(*values: Array) -> Array:
    result = values[0]
    for other in values[1:]:
        result = np.where(_missing(result), other, result)
    return result


def _band(values: Array, *limits: Array) -> Array:
    return np.searchsorted(np.sort(np.asarray(limits, dtype=float)), values, side="right")


def _quantile_group(values: Array, count: Array) -> Array:
    groups = float(count)
    if not (groups.is_integer() and 2 <= groups <= 100) or np.ndim(values) == 0:
        raise Problem("quantile_group(...) takes a column and a number of groups from 2 to 100")
    present = values[~np.isnan(values)]
    limits = np.quantile(present, np.arange(1, groups) / groups) if present.size else np.asarray([])
    return 1 + np.searchsorted(limits, values, side="left")


def _chosen_rows(values: Array, condition: Array | None, what: str) -> Array:
    """Return the values of the rows that meet a condition, without missing ones."""
    if np.ndim(values) == 0:
        raise Problem(f"{what}(...) takes a column")
    chosen = ~np.isnan(values)
    if condition is not None:
        chosen &= np.broadcast_to(condition == 1, np.shape(values))
    if chosen.sum() < 2:
        raise Problem(f"{what}(...) needs two rows with a value, and finds {int(chosen.sum())} that meet its condition")
    return np.asarray(values[chosen])


def _mean(values: Array, condition: Array | None = None) -> Array:
    return np.asarray(_chosen_rows(values, condition, "mean").mean())


def _sd(values: Array, condition: Array | None = None) -> Array:
    return np.asarray(_chosen_rows(values, condition, "sd").std(ddof=1))


def _standardise(values: Array, condition: Array | None = None) -> Array:
    rows = _chosen_rows(values, condition, "standardise")
    if rows.std() == 0:
        raise Problem("standardise(...) divides by the standard deviation, and all its values are the same")
    return np.asarray((values - rows.mean()) / rows.std(ddof=1))


def _quantile(values: Array, share: Array, condition: Array | None = None) -> Array:
    if np.ndim(share) or not 0 <= float(share) <= 1:
        raise Problem("quantile(...) takes a column and a share from 0 to 1, for instance `quantile(pay, 0.99)`")
    return np.asarray(np.quantile(_chosen_rows(values, condition, "quantile"), float(share)))


def _standardised(condition: Array, columns: tuple[Array, ...]) -> Array:
    """Return the columns of an index, each standardised by the rows that meet its condition, shape (n, k)."""
    if not np.all(np.isin(condition, (0.0, 1.0)) | np.isnan(condition)):
        raise Problem("an index takes a condition first, as in `mean_index(arm = 0, x, y)`, and then its columns")
    return np.column_stack([_standardise(column, condition) for column in columns])


def _weighted_index(columns: Array, weights: Array) -> Array:
    """Return the weighted mean of each row's columns that are not missing; missing where all are, or their weights add up to 0."""
    present = ~np.isnan(columns)
    total = present @ weights
    return np.asarray(np.where(present, columns, 0.0) @ weights / np.where(np.abs(total) > 1e-12, total, np.nan))


def _mean_index(condition: Array, *columns: Array) -> Array:
    """Return the index of Kling, Liebman and Katz (2007, Econometrica 75, p. 89): the mean of standardised outcomes."""
    standardised = _standardised(condition, columns)
    return _weighted_index(standardised, np.ones(standardised.shape[1]))


def _covariance_index(condition: Array, *columns: Array) -> Array:
    """Return the index of Anderson (2008, JASA 103, p. 1485): standardised outcomes, weighted by the inverse of their covariance."""
    standardised = _standardised(condition, columns)
    complete = standardised[~np.isnan(standardised).any(axis=1)]
    covariance = np.atleast_2d(np.cov(complete, rowvar=False)) if len(complete) > 1 else np.full((1, 1), np.nan)
    if not np.all(np.isfinite(covariance)) or np.linalg.matrix_rank(covariance) < len(columns):
        raise Problem(
            f"covariance_index(...) needs the inverse of the covariance matrix of its {len(columns)} columns, which "
            f"{len(complete)} complete rows do not give: a column repeats others, or too few rows are complete"
        )
    return _weighted_index(standardised, np.linalg.solve(covariance, np.ones(len(columns))))


def _number_of(values: Array) -> Array:
    if np.ndim(values) == 0:
        raise Problem("number_of(...) takes a column")
    text, unknown = _as_text(values).astype(str), _missing(values)
    return np.where(unknown, np.nan, 1 + np.searchsorted(np.unique(text[~unknown]), text))


def _date_part(part: str) -> Callable[[Array], Array]:
    def take(value: Array) -> Array:
        import pandas as pd

        given = pd.Series(np.atleast_1d(value).tolist(), dtype=object)
        dates = pd.to_datetime(given, errors="coerce", format="ISO8601")
        if value.dtype != object or dates.isna().sum() > _missing(value).sum():
            raise Problem(f"{part}(...) takes dates, and its value holds no dates (yyyy-mm-dd) in some rows")
        days = (dates - pd.Timestamp(0)) // pd.Timedelta(days=1)
        numbers = {"days": days, "year": dates.dt.year, "month": dates.dt.month}[part]
        return np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan)).reshape(np.shape(value))

    return take


def _as_text(values: Array) -> Array:
    return np.asarray(np.vectorize(code_text, otypes=[object])(values))


def _least(*values: Array) -> Array:
    return np.asarray(np.minimum.reduce(np.broadcast_arrays(*values)))


def _most(*values: Array) -> Array:
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*values)))


_ON_NUMBERS: Mapping[str, Callable[..., Array]] = {
    "neg": np.negative, "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
    "min": _least, "max": _most, "abs": np.abs, "floor": np.floor, "round": np.round,
    "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "band": _band, "quantile_group": _quantile_group,
}  # fmt: skip
"""Operators that are missing wherever an operand is."""

_ON_VALUES: Mapping[str, Callable[..., Array]] = {
    "and": _all, "or": _any, "not": _not, "if": _chosen, "between": _between, "in": _in,
    "=": _equal, "!=": lambda left, right: _not(_equal(left, right)),
    "<": lambda left, right: _known(left < right, left, right),
    "<=": lambda left, right: _known(left <= right, left, right),
    ">": lambda left, right: _known(left > right, left, right),
    ">=": lambda left, right: _known(left >= right, left, right),
    "missing": lambda value: _missing(value).astype(float), "coalesce": _first_known, "number_of": _number_of,
    "mean": _mean, "sd": _sd, "standardise": _standardise,
    "quantile": _quantile, "mean_index": _mean_index, "covariance_index": _covariance_index,
    "days": _date_part("days"), "year": _date_part("year"), "month": _date_part("month"),
}  # fmt: skip
