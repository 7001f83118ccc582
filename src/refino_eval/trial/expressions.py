"""The small language of derived columns of a person table: arithmetic, comparisons and choices on a row's columns.

::

    took_part: "0 if missing(hra_c_yr1) else hra_c_yr1"
    log_pay: "log(pay_2006 + 1)"
    older: "age >= 50"
    ended: "duration <= 180 and reason in ('job', 'training')"
    waited: "days(first_job) - days(drawn)"
    region: "`Region Code`"

Numbers and columns with ``+ - * / **``, ``= == != < <= > >=``, ``in (...)``, ``and or not``, ``a if condition else b``,
and the functions of `FUNCTIONS`. A name that is no plain word stands in backticks. True and false count as 1 and 0.
The result is missing where anything that it needs is missing, where something is divided by zero, and where a
logarithm or root has no value; `missing`, `coalesce` and the branch of an `if` that is not taken are the exceptions.

The text is parsed into a tree of known nodes and worked out on whole columns; nothing of it is ever executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError, nearest

LONGEST = 1000
DEEPEST = 40

Array = npt.NDArray[Any]


def _least(*values: Array) -> Array:
    return np.asarray(np.minimum.reduce(np.broadcast_arrays(*values)))


def _most(*values: Array) -> Array:
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*values)))


def _first_known(*values: Array) -> Array:
    found = values[0]
    for other in values[1:]:
        found = np.where(_missing(found), other, found)
    return np.asarray(found)


def _band(values: Array, *limits: Array) -> Array:
    found = np.searchsorted(np.sort(np.asarray(limits, dtype=float)), values, side="right")
    return np.where(np.isnan(values), np.nan, found)


def _quantile_group(values: Array, count: Array) -> Array:
    groups = float(count) if np.ndim(count) == 0 else np.nan
    if not (groups.is_integer() and 2 <= groups <= 100) or np.ndim(values) == 0:
        raise Fault("quantile_group(...) takes a column and a number of groups from 2 to 100")
    known = values[~np.isnan(values)]
    if not known.size:
        return np.full(values.shape, np.nan)
    limits = np.quantile(known, np.arange(1, groups) / groups)
    return np.where(np.isnan(values), np.nan, 1 + np.searchsorted(limits, values, side="left"))


def _number_of(values: Array) -> Array:
    if np.ndim(values) == 0:
        raise Fault("number_of(...) takes a column")
    text, unknown = _as_text(values).astype(str), _missing(values)
    return np.where(unknown, np.nan, 1 + np.searchsorted(np.unique(text[~unknown]), text))


FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Array]]] = {
    "missing": (1, 1, lambda x: _missing(x).astype(float)),
    "coalesce": (2, 20, _first_known),
    "min": (2, 20, _least),
    "max": (2, 20, _most),
    "log": (1, 1, np.log),
    "exp": (1, 1, np.exp),
    "sqrt": (1, 1, np.sqrt),
    "abs": (1, 1, np.abs),
    "floor": (1, 1, np.floor),
    "round": (1, 1, np.round),
    "band": (2, 20, _band),
    "quantile_group": (2, 2, _quantile_group),
    "number_of": (1, 1, _number_of),
    "days": (1, 1, lambda x: x),
    "year": (1, 1, lambda x: x),
    "month": (1, 1, lambda x: x),
}
"""Function -> fewest and most operands, and what it does. `days` counts from 1970-01-01, of a date column or a date in quotes.

`band(x, 25, 40)` is 0 below 25, 1 from 25, 2 from 40 on; `quantile_group(x, 4)` is 1 for the lowest quarter of all rows of the
file, a value at a limit being in the lower group; `number_of(x)` numbers the different values of x from 1, in order of their text.
"""

_DATES = ("days", "year", "month")
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


class Fault(Exception):
    """What is wrong with an expression, before it is known which column it makes."""


def columns_in(text: str, *, name: str) -> tuple[str, ...]:
    """Return the columns that an expression names, in order of name.

    Raises
    ------
    UserError
        For a text outside the language.
    """
    try:
        tree, quoted = _parsed(text)
        _known_nodes(tree)
    except Fault as fault:
        raise _told(name, text, fault) from None
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}
    return tuple(sorted(quoted.get(each, each) for each in names))


def compared_with_text(text: str, *, name: str) -> set[str]:
    """Return the columns whose codes an expression uses, so that 0301 is not the number 301.

    Raises
    ------
    UserError
        For a text outside the language.
    """
    try:
        tree, quoted = _parsed(text)
    except Fault as fault:
        raise _told(name, text, fault) from None
    return {
        quoted.get(operand.id, operand.id)
        for node in ast.walk(tree)
        for operand in _operands_used_as_codes(node)
        if isinstance(operand, ast.Name)
    }


def _operands_used_as_codes(node: ast.AST) -> list[ast.expr]:
    """Return the operands of a comparison, choice or function that are codes: next to a text, or columns only."""
    if isinstance(node, ast.IfExp):
        operands, columns_only = [node.body, node.orelse], False
    elif isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
        operands = [node.left, *(part for right in node.comparators for part in getattr(right, "elts", [right]))]
        columns_only = all(isinstance(operand, ast.Name) for operand in operands)
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("coalesce", "number_of"):
        operands = list(node.args)
        columns_only = all(isinstance(operand, ast.Name) for operand in operands)
    else:
        return []
    texts = any(isinstance(operand, ast.Constant) and isinstance(operand.value, str) for operand in operands)
    return operands if texts or columns_only else []


def derive_column(text: str, frame: pd.DataFrame, *, name: str) -> pd.Series:
    """Work out a derived column.

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
        For a text outside the language, a column that is not there, or text where a number is needed.
    """
    try:
        tree, quoted = _parsed(text)
        _known_nodes(tree)
        with np.errstate(all="ignore"):
            value = _Evaluation(frame, quoted).value(tree.body)
    except Fault as fault:
        raise _told(name, text, fault) from None
    value = np.broadcast_to(value, (len(frame),))
    if value.dtype == object:
        return pd.Series([None if pd.isna(each) else each for each in value], index=frame.index, dtype=object)
    return pd.Series(np.where(np.isfinite(value), value, np.nan), index=frame.index)


def _told(name: str, text: str, fault: Fault) -> UserError:
    return UserError(f"person_table.derive.{name}: `{text[:100]}` cannot be read: {_ended(str(fault))}")


def _ended(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _parsed(text: str) -> tuple[ast.Expression, dict[str, str]]:
    if len(text) > LONGEST:
        raise Fault(f"it is longer than {LONGEST} characters: make parts of it columns of their own")
    quoted: dict[str, str] = {}

    def plain(match: re.Match[str]) -> str:
        quoted[f"_quoted_{len(quoted)}"] = match.group(1)
        return f" _quoted_{len(quoted) - 1} "

    words = re.sub(r"`([^`]+)`", plain, text)
    words = re.sub(r"(?<![=!<>])=(?!=)", "==", words)
    try:
        return ast.parse(words.strip(), mode="eval"), quoted
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Fault("it is no expression; see the how-to page for what may stand in one") from None


_KNOWN = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant,
    ast.Tuple, ast.List, ast.Load, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.In, ast.NotIn,
    *_ARITHMETIC, *_COMPARISONS,
)  # fmt: skip


def _known_nodes(tree: ast.Expression) -> None:
    def walk(node: ast.AST, depth: int) -> None:
        if depth > DEEPEST:
            raise Fault(f"it is nested more than {DEEPEST} deep: make parts of it columns of their own")
        if not isinstance(node, _KNOWN):
            raise Fault(f"'{ast.unparse(node)[:40]}' has no meaning here")
        for child in ast.iter_child_nodes(node):
            walk(child, depth + 1)

    walk(tree, 0)


class _Evaluation:
    """Works a tree out on whole columns: floats with NaN for missing, or objects for text."""

    def __init__(self, frame: pd.DataFrame, quoted: Mapping[str, str]) -> None:
        self.frame, self.quoted = frame, quoted

    def value(self, node: ast.expr) -> Array:
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name():
                return self.column(node)
            case ast.BinOp():
                return _arithmetic(node.op, self.number(node.left), self.number(node.right))
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BoolOp():
                return self.joined(node)
            case ast.Compare():
                return self.compared(node)
            case ast.IfExp():
                return self.chosen(node)
            case ast.Call():
                return self.called(node)
            case _:
                raise Fault("a list of values stands after 'in' only")

    def constant(self, node: ast.Constant) -> Array:
        if isinstance(node.value, bool | int | float):
            return np.asarray(float(node.value))
        if isinstance(node.value, str):
            return np.asarray(node.value, dtype=object)
        raise Fault(f"'{ast.unparse(node)[:40]}' is neither a number nor a text")

    def column(self, node: ast.Name) -> Array:
        name = self.quoted.get(node.id, node.id)
        if name not in self.frame.columns:
            hint = nearest(name, map(str, self.frame.columns))
            raise Fault(f"there is no column '{name}'.{hint}")
        values = self.frame[name]
        if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
            return values.to_numpy(dtype=float, na_value=np.nan)
        return np.asarray([None if pd.isna(each) else each for each in values], dtype=object)

    def number(self, node: ast.expr) -> Array:
        value = self.value(node)
        if value.dtype == object:
            raise Fault(f"'{ast.unparse(node)[:40]}' is text or a date where a number is needed")
        return value

    def unary(self, node: ast.UnaryOp) -> Array:
        operand = self.number(node.operand)
        if isinstance(node.op, ast.Not):
            return np.where(np.isnan(operand), np.nan, (operand == 0).astype(float))
        return -operand if isinstance(node.op, ast.USub) else operand

    def joined(self, node: ast.BoolOp) -> Array:
        operands = [self.number(each) for each in node.values]
        unknown = np.logical_or.reduce(np.broadcast_arrays(*map(np.isnan, operands)))
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        met = join.reduce(np.broadcast_arrays(*[operand != 0 for operand in operands]))
        return np.where(unknown, np.nan, met.astype(float))

    def compared(self, node: ast.Compare) -> Array:
        if len(node.ops) > 1:
            raise Fault("comparisons cannot be chained: join them with 'and'")
        left, operator, right = self.value(node.left), node.ops[0], node.comparators[0]
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List):
                raise Fault("'in' takes values in parentheses, for instance `code in (1, 2)`")
            found = np.zeros(np.shape(left), dtype=bool)
            for each in right.elts:
                found |= _same(left, self.value(each))
            met = ~found if isinstance(operator, ast.NotIn) else found
        else:
            other = self.value(right)
            if isinstance(operator, ast.Eq | ast.NotEq):
                met = _same(left, other) if isinstance(operator, ast.Eq) else ~_same(left, other)
            elif left.dtype == object or other.dtype == object:
                raise Fault("text can be compared by = and != only; of dates, compare days(...)")
            else:
                met = _COMPARISONS[type(operator)](left, other)
            left = np.where(_missing(other), np.nan, left) if other.dtype != object else left
        return np.where(_missing(left), np.nan, np.asarray(met, dtype=float))

    def chosen(self, node: ast.IfExp) -> Array:
        condition, then, other = self.number(node.test), self.value(node.body), self.value(node.orelse)
        value = np.where(condition != 0, then, other)
        if value.dtype == object:
            return np.asarray(
                [None if unknown else each for unknown, each in zip(np.isnan(condition), value, strict=True)],
                dtype=object,
            )
        return np.where(np.isnan(condition), np.nan, value)

    def called(self, node: ast.Call) -> Array:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name not in FUNCTIONS:
            raise Fault(f"there is no function '{name[:40]}'.{nearest(name, FUNCTIONS)}")
        fewest, most, work = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            raise Fault(f"{name}(...) takes {fewest if fewest == most else f'{fewest} to {most}'} values")
        if name in _DATES:
            return self.date_part(name, node.args[0])
        take = self.value if name in ("missing", "coalesce", "number_of") else self.number
        return np.asarray(work(*[take(each) for each in node.args]))

    def date_part(self, part: str, node: ast.expr) -> Array:
        value = self.value(node)
        dates = pd.to_datetime(
            pd.Series(np.atleast_1d(value).tolist(), dtype=object), errors="coerce", format="ISO8601"
        )
        if value.dtype != object or dates.isna().sum() > _missing(value).sum():
            raise Fault(f"'{ast.unparse(node)[:40]}' holds no dates (yyyy-mm-dd)")
        told = {
            "days": (dates - pd.Timestamp(0)) // pd.Timedelta(days=1),
            "year": dates.dt.year,
            "month": dates.dt.month,
        }[part]
        return np.asarray(told.to_numpy(dtype=float, na_value=np.nan)).reshape(np.shape(value))


def _arithmetic(operator: ast.operator, left: Array, right: Array) -> Array:
    # 1 ** nan is 1 to numpy: what is missing makes the result missing.
    unknown = np.isnan(left) | np.isnan(right)
    return np.where(unknown, np.nan, _ARITHMETIC[type(operator)](left, right))


def _missing(values: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(pd.isna(values))


def _same(left: Array, right: Array) -> npt.NDArray[np.bool_]:
    """Tell where two values are the same; a number in quotes is the number, so that codes may be written either way."""
    if (left.dtype == object and right.dtype != object) or (left.dtype != object and right.dtype == object):
        return np.asarray(_as_text(left) == _as_text(right), dtype=bool)
    return np.asarray(left == right, dtype=bool)


def _as_text(values: Array) -> Array:
    from refino_eval.trial.arm_codes import code_text

    return np.asarray(np.vectorize(code_text, otypes=[object])(values))
