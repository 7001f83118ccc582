"""The tree of an expression, and what kind of value it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "boolean", "text", "any"]
"""What a value is; `any` is a column of a person table, whose values show whether it is a number or true/false."""

COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
TRUTHS = COMPARISONS | {"between", "in", "and", "or", "not", "missing"}
"""Operators whose result is true or false."""


@dataclass(frozen=True)
class Constant:
    """A number, a text, or true or false (1 or 0) as written."""

    value: float | str
    kind: Kind


@dataclass(frozen=True)
class Name:
    """The value of a state or a column."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Call:
    """An operator or function with its operands.

    `operator` is one of ``neg + - * / **``, of `TRUTHS`, of `language.FUNCTIONS`, or ``if`` (condition, value, other value).
    """

    operator: str
    operands: tuple[Tree, ...]


Tree = Constant | Name | Call


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and everything below it, in order of appearance."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Call):
            waiting += reversed(node.operands)


def kind_of(tree: Tree) -> Kind:
    """Return whether a tree's value is a number, true/false, a text, or any of them."""
    if not isinstance(tree, Call):
        return tree.kind
    if tree.operator in TRUTHS:
        return "boolean"
    if tree.operator in ("if", "coalesce"):
        return _common(tree.operands[1:] if tree.operator == "if" else tree.operands)
    names = [node.kind for node in walk(tree) if isinstance(node, Name)]
    return "any" if names and all(kind in ("any", "text") for kind in names) else "number"


def _common(trees: tuple[Tree, ...]) -> Kind:
    """Return the kind of one of several values; 0 and 1 may be true or false."""
    kinds = {kind_of(tree) for tree in trees if not (isinstance(tree, Constant) and tree.value in (0, 1))}
    if len(kinds) > 1:
        return "any"
    return kinds.pop() if kinds else "boolean"


def is_constant(tree: Tree) -> bool:
    """Return whether a tree names no state and no column."""
    return not any(isinstance(node, Name) for node in walk(tree))
