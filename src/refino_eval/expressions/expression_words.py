"""Expressions in words, for readers of the report and the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping

from refino_eval.errors import UserError
from refino_eval.expressions.expression_tree import Call, Constant, Name, Tree
from refino_eval.expressions.language import names_in, parse
from refino_eval.text import say

_TIGHTNESS = {"if": 0, "or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "neg": 7, "**": 8}
_COMPARISON, _WHOLE = 4, 9
_COMPARED = ("=", "!=", "<", "<=", ">", ">=", "between", "in", "missing")
_SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "-": "-", "neg": "-"}


def expression_words(text: str, labels: Mapping[str, str], language: str) -> str:
    """Write an expression with labels for names: ``«Half time» and not «Wage subsidy»``.

    Parameters
    ----------
    text
        The expression; one that cannot be read is returned as it is.
    labels
        Name -> label in the language; a name without one stays as it is.
    language
        ``nb`` or ``en``.
    """
    try:
        tree = parse(text, dict.fromkeys(names_in(text), "any"), where="", what="column")
    except UserError:
        return text
    return _words(tree, labels, language)


def _words(tree: Tree, labels: Mapping[str, str], language: str) -> str:
    if isinstance(tree, Name):
        return f"«{labels[tree.name]}»" if tree.name in labels else tree.name
    if isinstance(tree, Constant):
        return _constant(tree, language)
    parts = [_inside(operand, tree.operator, number, labels, language) for number, operand in enumerate(tree.operands)]
    match tree.operator:
        case "not" if _is_negated_comparison(tree.operands[0]):
            return _negated(tree.operands[0], labels, language)
        case "not":
            return f"{say('expressions.not', language)} {parts[0]}"
        case "and" | "or":
            return f" {say(f'expressions.{tree.operator}', language)} ".join(parts)
        case "if":
            return say("expressions.if", language, condition=parts[0], then=parts[1], other=parts[2])
        case "between":
            return say("expressions.between", language, value=parts[0], low=parts[1], high=parts[2])
        case "in":
            return say("expressions.in", language, value=parts[0], values=", ".join(parts[1:]))
        case "neg":
            return f"-{parts[0]}"
        case "missing":
            return say("expressions.missing", language, value=parts[0])
        case operator if operator in _TIGHTNESS or operator in _COMPARED:
            return f"{parts[0]} {_SIGNS.get(operator, operator)} {parts[1]}"
        case function:
            return f"{function}({', '.join(parts)})"


def _is_negated_comparison(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.operator in ("between", "in")


def _negated(tree: Tree, labels: Mapping[str, str], language: str) -> str:
    assert isinstance(tree, Call)
    parts = [_inside(operand, tree.operator, number, labels, language) for number, operand in enumerate(tree.operands)]
    if tree.operator == "between":
        return say("expressions.not_between", language, value=parts[0], low=parts[1], high=parts[2])
    return say("expressions.not_in", language, value=parts[0], values=", ".join(parts[1:]))


def _constant(tree: Constant, language: str) -> str:
    if isinstance(tree.value, str):
        return f"'{tree.value}'"
    if math.isnan(tree.value):
        return say("expressions.missing_value", language)
    if tree.kind == "boolean":
        return say(f"expressions.{'true' if tree.value else 'false'}", language)
    return f"{tree.value:.15g}"


def _inside(tree: Tree, operator: str, number: int, labels: Mapping[str, str], language: str) -> str:
    """Write an operand, in parentheses where it would otherwise be read as part of something else."""
    words = _words(tree, labels, language)
    tightness = _tightness(tree.operator) if isinstance(tree, Call) else _WHOLE
    return f"({words})" if tightness < _needed(operator, number) else words


def _tightness(operator: str) -> int:
    """Return how tightly an operator holds its operands together; a function, whose commas separate, does so wholly."""
    return _COMPARISON if operator in _COMPARED else _TIGHTNESS.get(operator, _WHOLE)


def _needed(operator: str, number: int) -> int:
    """Return how tightly an operand must hold together to stand without parentheses."""
    if operator == "missing":
        return _WHOLE
    tightness = _tightness(operator)
    if tightness == _WHOLE:
        return 0
    # The right-hand side of `a - (b - c)` needs parentheses, the left-hand side of `(a - b) - c` does not.
    return tightness + (operator in _COMPARED or operator == "if" or (number > 0 and operator in ("-", "/")))
