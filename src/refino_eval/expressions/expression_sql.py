"""Expressions as SQL text over columns of doubles, NULL for missing; true and false become 1 and 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from refino_eval.expressions.expression_tree import COMPARISONS, Call, Constant, Name, Tree, kind_of, walk
from refino_eval.expressions.language import Problem
from refino_eval.sql.quoting import double_literal, identifier

LONGEST_SQL = 20_000
LARGEST = "1.7976931348623157E308"


def to_sql(tree: Tree) -> str:
    """Write an expression over states as SQL that gives a double, NULL where it is missing.

    Raises
    ------
    Problem
        When the text becomes too long for anybody to read.

    Notes
    -----
    An expression that is missing as soon as anything in it is gets one guard in front and is then written as it reads,
    which is what auditors see of almost all states. Elsewhere SQL's own three-valued logic decides.
    """
    if isinstance(tree, Call) and _is_strict(tree):
        return _guarded(tree)
    return _number(tree)


def _is_strict(tree: Tree) -> bool:
    """Return whether a tree is missing where a state or a divisor in it is, and nowhere else."""
    calls = [node for node in walk(tree) if isinstance(node, Call)]
    return all(
        call.operator in _STRICT
        # A limit or a listed value that is missing need not decide.
        or (
            call.operator in ("between", "in")
            and not any(isinstance(n, Name) for o in call.operands[1:] for n in walk(o))
        )
        for call in calls
    )


_STRICT = COMPARISONS | {"neg", "+", "-", "*", "/", "min", "max", "abs", "floor", "round", "not"}


def _guarded(tree: Call) -> str:
    """Write a strict expression with its missing values in front."""
    names = dict.fromkeys(node.name for node in walk(tree) if isinstance(node, Name))
    missing = [f"{identifier(name)} IS NULL" for name in names]
    divisors = [node.operands[1] for node in walk(tree) if isinstance(node, Call) and node.operator == "/"]
    missing += [f"{_number(divisor)} = 0" for divisor in divisors if not isinstance(divisor, Constant)]
    guard = f"WHEN {' OR '.join(missing)} THEN NULL " if missing else ""
    if kind_of(tree) == "boolean":
        return f"CASE {guard}WHEN {_condition(tree)} THEN 1E0 ELSE 0E0 END"
    return f"CASE {guard}ELSE {_number(tree)} END" if guard else _number(tree)


def _number(tree: Tree) -> str:
    """Write a tree as a number."""
    if isinstance(tree, Constant):
        assert not isinstance(tree.value, str)
        return double_literal(tree.value)
    if isinstance(tree, Name):
        return identifier(tree.name)
    if tree.operator in _NUMBERS:
        text = _NUMBERS[tree.operator](*map(_number, tree.operands))
    elif tree.operator == "if":
        condition = _condition(tree.operands[0])
        then, other = map(_number, tree.operands[1:])
        text = f"CASE WHEN {condition} THEN {then} WHEN NOT ({condition}) THEN {other} END"
    else:
        text = f"CAST(({_condition(tree)}) AS DOUBLE)"
    if len(text) > LONGEST_SQL:
        raise Problem("it becomes too long as SQL: make parts of it states of their own")
    return text


def _condition(tree: Tree) -> str:
    """Write a true/false tree as a condition."""
    if not isinstance(tree, Call) or kind_of(tree) != "boolean" or tree.operator in _NUMBERS or tree.operator == "if":
        return f"{_number(tree)} <> 0"
    if tree.operator == "not":
        return f"NOT ({_condition(tree.operands[0])})"
    if tree.operator in ("and", "or"):
        return "(" + f" {tree.operator.upper()} ".join(_condition(operand) for operand in tree.operands) + ")"
    operands = [_number(operand) for operand in tree.operands]
    if tree.operator == "missing":
        return f"{operands[0]} IS NULL"
    if tree.operator == "in":
        return f"{operands[0]} IN ({', '.join(operands[1:])})"
    if tree.operator == "between":
        return f"{operands[0]} BETWEEN {operands[1]} AND {operands[2]}"
    assert tree.operator in COMPARISONS
    left, right = operands
    return f"{left} {'<>' if tree.operator == '!=' else tree.operator} {right}"


def _binary(sign: str) -> Callable[[str, str], str]:
    return lambda left, right: f"({left} {sign} {right})"


def _extreme(function: str) -> Callable[..., str]:
    """Write LEAST or GREATEST, which leave NULL out in some engines, so that NULL makes NULL."""

    def write(*operands: str) -> str:
        unknown = " OR ".join(f"{operand} IS NULL" for operand in operands)
        return f"CASE WHEN {unknown} THEN NULL ELSE {function}({', '.join(operands)}) END"

    return write


def _finite(function: str) -> Callable[..., str]:
    """Write a function whose result is missing where it is not finite."""

    def write(*operands: str) -> str:
        value = f"{function}({', '.join(operands)})"
        return f"CASE WHEN ABS({value}) <= {LARGEST} THEN {value} END"

    return write


def _band(value: str, *limits: str) -> str:
    # `x - x` carries a missing value into the sum, each of whose parts would be 0 without it.
    return "(" + " + ".join([f"({value} - {value})", *_steps(value, limits)]) + ")"


def _steps(value: str, limits: Sequence[str]) -> list[str]:
    return [f"CASE WHEN {value} >= {limit} THEN 1E0 ELSE 0E0 END" for limit in limits]


_NUMBERS: Mapping[str, Callable[..., str]] = {
    "neg": lambda operand: f"(- {operand})",
    "+": _binary("+"),
    "-": _binary("-"),
    "*": _binary("*"),
    "/": lambda left, right: f"({left} / NULLIF({right}, 0))",
    "**": _finite("POWER"),
    "min": _extreme("LEAST"),
    "max": _extreme("GREATEST"),
    "abs": lambda operand: f"ABS({operand})",
    "floor": lambda operand: f"FLOOR({operand})",
    "round": lambda operand: f"ROUND_EVEN({operand}, 0)",
    "log": _finite("LN"),
    "exp": _finite("EXP"),
    "sqrt": _finite("SQRT"),
    "band": _band,
    "coalesce": lambda *operands: f"COALESCE({', '.join(operands)})",
}
