"""Expressions of one person and period, step by step: what worked examples and tests hold the other back ends against."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from refino_eval.expressions.expression_tree import Constant, Name, Tree

Value = float | None


def evaluate(tree: Tree, values: Mapping[str, Value]) -> Value:
    """Return the value of an expression over states for one person and period, true and false as 1 and 0; None when missing."""
    if isinstance(tree, Constant):
        assert not isinstance(tree.value, str)
        return tree.value
    if isinstance(tree, Name):
        return values[tree.name]
    operands = [evaluate(operand, values) for operand in tree.operands]
    if tree.operator in _LOGIC:
        return _LOGIC[tree.operator](operands)
    present = [operand for operand in operands if operand is not None]
    if len(present) < len(operands):
        return None
    try:
        result = _NUMBERS[tree.operator](present)
    except (ArithmeticError, ValueError):
        return None
    return float(result) if not isinstance(result, complex) and math.isfinite(result) else None


def _and(operands: list[Value]) -> Value:
    if any(operand == 0 for operand in operands):
        return 0.0
    return None if None in operands else 1.0


def _not(operand: Value) -> Value:
    return None if operand is None else float(operand == 0)


def _or(operands: list[Value]) -> Value:
    return _not(_and([_not(operand) for operand in operands]))


def _same(left: Value, right: Value) -> Value:
    return None if left is None or right is None else float(left == right)


def _at_least(left: Value, right: Value) -> Value:
    return None if left is None or right is None else float(left >= right)


def _if(operands: list[Value]) -> Value:
    condition, then, other = operands
    return None if condition is None else then if condition else other


_LOGIC: Mapping[str, Callable[[list[Value]], Value]] = {
    "and": _and,
    "or": _or,
    "not": lambda x: _not(x[0]),
    "if": _if,
    "missing": lambda x: float(x[0] is None),
    "coalesce": lambda x: next((operand for operand in x if operand is not None), None),
    "in": lambda x: _or([_same(x[0], other) for other in x[1:]]),
    "between": lambda x: _and([_at_least(x[0], x[1]), _at_least(x[2], x[0])]),
}
"""Operators for which a missing operand need not make the result missing."""

_NUMBERS: Mapping[str, Callable[[list[float]], float]] = {
    "neg": lambda x: -x[0],
    "+": lambda x: x[0] + x[1],
    "-": lambda x: x[0] - x[1],
    "*": lambda x: x[0] * x[1],
    "/": lambda x: x[0] / x[1],
    "**": lambda x: x[0] ** x[1],
    "=": lambda x: x[0] == x[1],
    "!=": lambda x: x[0] != x[1],
    "<": lambda x: x[0] < x[1],
    "<=": lambda x: x[0] <= x[1],
    ">": lambda x: x[0] > x[1],
    ">=": lambda x: x[0] >= x[1],
    "min": min,
    "max": max,
    "abs": lambda x: abs(x[0]),
    "floor": lambda x: math.floor(x[0]),
    "round": lambda x: round(x[0]),
    "log": lambda x: math.log(x[0]),
    "exp": lambda x: math.exp(x[0]),
    "sqrt": lambda x: math.sqrt(x[0]),
    "band": lambda x: sum(limit <= x[0] for limit in x[1:]),
}
