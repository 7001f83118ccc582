"""The small language of derived states and of outcomes: comparisons and arithmetic on the states of one period.

::

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | comparison
    comparison  = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
                      | ["not"] "between" sum "and" sum
                      | ["not"] "in" "(" number { "," number } ")" ]
    sum         = product { ("+" | "-") product }
    product     = factor { ("*" | "/") factor }
    factor      = "-" factor | number | name | ("min" | "max") "(" sum "," sum ")" | "(" expression ")"

A true or false value counts as 1 or 0 in arithmetic; `and`, `or` and `not` take true or false values only, so a number
has to be compared with something first. Whatever the operators, the result is missing when any state that is named is
missing, or when something is divided by zero. The text is parsed into a tree; nothing of it is ever executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from refino_eval.config.dependencies import EXPRESSION_WORDS, LONGEST_EXPRESSION
from refino_eval.errors import UserError, nearest
from refino_eval.months.quoting import double_literal, identifier

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Kind = Literal["number", "boolean"]

MAX_LENGTH = LONGEST_EXPRESSION
MAX_DEPTH = 40

# ASCII only: digits and spaces of other scripts look like what they are not.
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[a-z][a-z0-9_]*)|(?P<sign><=|>=|!=|<>|==|[-+*/()<>=,]))", re.ASCII
)
WORDS = EXPRESSION_WORDS
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_TRUTHS = frozenset(("and", "or", "not", "between", "in"))
_SPELLINGS = {"==": "=", "<>": "!="}


@dataclass(frozen=True)
class Number:
    """A number as written."""

    value: float


@dataclass(frozen=True)
class Name:
    """The value of a state."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Call:
    """An operator or function with its operands.

    `operator` is one of ``neg + - * / min max``, which give a number, or of ``= != < <= > >= between in and or not``,
    which give true or false.
    """

    operator: str
    operands: tuple[Tree, ...]


Tree = Number | Name | Call


class _Fault(Exception):
    """What is wrong with an expression, before it is known which state it belongs to."""


def kind_of(tree: Tree) -> Kind:
    """Return whether a tree's value is a number or true/false."""
    if isinstance(tree, Number):
        return "number"
    if isinstance(tree, Name):
        return tree.kind
    return "boolean" if tree.operator in _COMPARISONS or tree.operator in _TRUTHS else "number"


class _Parser:
    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0

    def parse(self) -> Tree:
        tree = self.expression()
        if self.here is not None:
            raise _Fault(f"'{self.here}' stands where the expression should have ended")
        return tree

    @property
    def here(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        here = self.here
        if here is not None and here in wanted:
            self.position += 1
            return here
        return None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise _Fault(f"'{wanted}' is missing before {self._place()}")

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Fault(f"it is nested more than {MAX_DEPTH} deep: make parts of it states of their own")
        tree = self._chain(self.conjunction, "or")
        self.depth -= 1
        return tree

    def conjunction(self) -> Tree:
        return self._chain(self.negation, "and")

    def negation(self) -> Tree:
        negations = 0
        while self.take("not"):
            negations += 1
        tree = self.comparison()
        if negations:
            self._truth("not", tree)
        return Call("not", (tree,)) if negations % 2 else tree

    def comparison(self) -> Tree:
        left = self.sum()
        sign = self.take(*_COMPARISONS, *_SPELLINGS)
        if sign is not None:
            tree: Tree = Call(_SPELLINGS.get(sign, sign), (left, self.sum()))
            if self.here in _COMPARISONS or self.here in _SPELLINGS:
                raise _Fault("comparisons cannot be chained: join them with 'and', or use 'between'")
            return tree
        opposite = self.take("not") is not None
        if self.take("between"):
            low = self.sum()
            self.need("and")
            tree = Call("between", (left, low, self.sum()))
        elif self.take("in"):
            tree = Call("in", (left, *self._values()))
        elif opposite:
            raise _Fault(f"'not' is followed by {self._place()}; after a value it goes with 'between' and 'in' only")
        else:
            return left
        return Call("not", (tree,)) if opposite else tree

    def sum(self) -> Tree:
        tree = self.product()
        while sign := self.take("+", "-"):
            tree = Call(sign, (tree, self.product()))
        return tree

    def product(self) -> Tree:
        tree = self.factor()
        while sign := self.take("*", "/"):
            other = self.factor()
            if sign == "/" and not any(isinstance(n, Name) for n in _walk(other)) and not evaluate(other, {}):
                raise _Fault("it divides by zero, whatever the states are")
            tree = Call(sign, (tree, other))
        return tree

    def factor(self) -> Tree:
        negative = False
        while self.take("-"):
            negative = not negative
        tree = self._atom()
        return Call("neg", (tree,)) if negative else tree

    def _atom(self) -> Tree:
        here = self.here
        if here is None:
            raise _Fault("it ends too early")
        self.position += 1
        if here == "(":
            tree = self.expression()
            self.need(")")
            return tree
        if here in ("min", "max"):
            self.need("(")
            left = self.expression()
            self.need(",")
            right = self.expression()
            self.need(")")
            return Call(here, (left, right))
        if here[0].isdigit():
            return Number(float(here))
        if here in WORDS or not here[0].isalpha():
            raise _Fault(f"'{here}' stands where a number, a state or a parenthesis should be")
        if here not in self.kinds:
            raise _Fault(f"there is no state '{here}'.{nearest(here, self.kinds)}")
        return Name(here, self.kinds[here])

    def _values(self) -> tuple[Tree, ...]:
        self.need("(")
        values: list[Tree] = []
        while True:
            negative = self.take("-") is not None
            here = self.here
            if here is None or not here[0].isdigit():
                raise _Fault("'in' takes a list of numbers in parentheses, for instance `grade in (50, 100)`")
            self.position += 1
            values.append(Number(-float(here) if negative else float(here)))
            if self.take(","):
                continue
            self.need(")")
            return tuple(values)

    def _chain(self, part: Callable[[], Tree], word: str) -> Tree:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        for tree in parts:
            self._truth(word, tree)
        return Call(word, tuple(parts))

    def _truth(self, word: str, tree: Tree) -> None:
        if kind_of(tree) != "boolean":
            what = f"the state '{tree.name}'" if isinstance(tree, Name) else "what stands beside it"
            raise _Fault(
                f"'{word}' joins statements that are true or false, and {what} is a number: compare it, as in `... > 0`"
            )

    def _place(self) -> str:
        return "the end" if self.here is None else f"'{self.here}'"


def _tokens(text: str) -> list[str]:
    if len(text) > MAX_LENGTH:
        raise _Fault(f"it is longer than {MAX_LENGTH} characters: make parts of it states of their own")
    tokens: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _Fault(f"the character '{text[position:].lstrip()[0]}' has no meaning here")
        tokens.append(match.group(match.lastgroup or 0))
        position = match.end()
    return tokens


def parse(text: str, kinds: Mapping[str, Kind], *, state: str, what: str = "State") -> Tree:
    """Parse the expression of a derived state or of an outcome.

    Parameters
    ----------
    text
        The expression.
    kinds
        The states that it may name, and whether each is a number or true/false.
    state, what
        Name of the entry that it belongs to, and what that is, for the message.

    Returns
    -------
    Tree
        The expression as a tree.

    Raises
    ------
    UserError
        For a text outside the language, an unknown state, or a number where true/false is needed.
    """
    try:
        return _Parser(text, kinds).parse()
    except _Fault as fault:
        raise UserError(
            f"{what} '{state}': its expression `{text[:80]}` cannot be read: {str(fault).rstrip('.')}."
        ) from None


def names_in(text: str) -> tuple[str, ...]:
    """Return the states that an expression names, in order of appearance; text outside the language names none."""
    try:
        tokens = _tokens(text)
    except _Fault:
        return ()
    return tuple(dict.fromkeys(token for token in tokens if token[0].isalpha() and token not in WORDS))


def _walk(tree: Tree) -> Iterator[Tree]:
    yield tree
    if isinstance(tree, Call):
        for operand in tree.operands:
            yield from _walk(operand)


def evaluate(tree: Tree, values: Mapping[str, float | None]) -> float | None:
    """Return the value of an expression for one person and period, true and false as 1 and 0; None when missing."""
    known: dict[str, float] = {}
    for node in _walk(tree):
        if isinstance(node, Name):
            value = values[node.name]
            if value is None:
                return None
            known[node.name] = value
    try:
        return float(_value(tree, known))
    except ZeroDivisionError:
        return None


def _value(tree: Tree, values: Mapping[str, float]) -> float:
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Name):
        return values[tree.name]
    # Every operand is worked out, so that a division by zero makes the result missing wherever it stands.
    operands = [_value(operand, values) for operand in tree.operands]
    if tree.operator == "and":
        return float(all(operands))
    if tree.operator == "or":
        return float(any(operands))
    if tree.operator in ("not", "neg"):
        return float(not operands[0]) if tree.operator == "not" else -operands[0]
    if tree.operator == "in":
        return float(operands[0] in operands[1:])
    if tree.operator == "between":
        return float(operands[1] <= operands[0] <= operands[2])
    left, right = operands
    if tree.operator in _COMPARISONS:
        return float(_COMPARISONS[tree.operator](left, right))
    match tree.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "min":
            return min(left, right)
        case _:
            return max(left, right)


def to_array(tree: Tree, values: Mapping[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Work out an expression for many persons and periods at once.

    Parameters
    ----------
    tree
        The expression.
    values
        The states that it names, arrays of one shape with NaN for missing.

    Returns
    -------
    numpy.ndarray
        Of the same shape: true and false as 1 and 0, NaN where a state is missing or something is divided by zero.
    """
    import numpy as np

    names = list(dict.fromkeys(node.name for node in _walk(tree) if isinstance(node, Name)))
    missing = np.zeros(np.shape(next(iter(values.values()))), dtype=bool)
    for name in names:
        missing |= np.isnan(values[name])
    with np.errstate(all="ignore"):
        result = np.broadcast_to(_array(tree, values, missing), missing.shape)
    return np.where(missing, np.nan, result)


def _array(
    tree: Tree, values: Mapping[str, npt.NDArray[np.float64]], missing: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Work out a tree; where something is divided by zero, `missing` is set."""
    import numpy as np

    if isinstance(tree, Number):
        return np.asarray(tree.value)
    if isinstance(tree, Name):
        return values[tree.name]
    operands = [_array(operand, values, missing) for operand in tree.operands]
    first = operands[0]
    match tree.operator:
        case "and" | "or":
            joined = np.logical_and if tree.operator == "and" else np.logical_or
            found = joined.reduce(np.broadcast_arrays(*(operand != 0 for operand in operands)))
        case "not":
            found = first == 0
        case "in":
            found = np.isin(first, [float(operand) for operand in operands[1:]])
        case "between":
            found = (operands[1] <= first) & (first <= operands[2])
        case "neg":
            found = -first
        case "/":
            missing |= operands[1] == 0
            found = first / np.where(operands[1] == 0, 1.0, operands[1])
        case operator:
            found = _ufuncs()[operator](first, operands[1])
    return np.asarray(found, dtype=np.float64)


def _ufuncs() -> Mapping[str, Callable[..., npt.NDArray[np.generic]]]:
    import numpy as np

    return {
        "+": np.add, "-": np.subtract, "*": np.multiply, "min": np.minimum, "max": np.maximum,
        "=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    }  # fmt: skip


def to_sql(tree: Tree) -> str:
    """Write an expression as SQL giving a double; missing when a state is missing or a divisor is zero."""
    missing = [
        f"{identifier(name)} IS NULL" for name in dict.fromkeys(n.name for n in _walk(tree) if isinstance(n, Name))
    ]
    divisors = [n.operands[1] for n in _walk(tree) if isinstance(n, Call) and n.operator == "/"]
    missing += [
        f"{_number(divisor)} = 0" for divisor in divisors if not (isinstance(divisor, Number) and divisor.value)
    ]
    guard = f"WHEN {' OR '.join(missing)} THEN NULL " if missing else ""
    if isinstance(tree, Call) and kind_of(tree) == "boolean":
        return f"CASE {guard}WHEN {_condition(tree)} THEN 1E0 ELSE 0E0 END"
    return f"CASE {guard}ELSE {_number(tree)} END" if guard else _number(tree)


def _number(tree: Tree) -> str:
    """Write a tree as a number; the caller has seen to missing values."""
    if isinstance(tree, Number):
        return double_literal(tree.value)
    if isinstance(tree, Name):
        return identifier(tree.name)
    if kind_of(tree) == "boolean":
        return f"CASE WHEN {_condition(tree)} THEN 1E0 ELSE 0E0 END"
    operands = [_number(operand) for operand in tree.operands]
    match tree.operator:
        case "neg":
            return f"(- {operands[0]})"
        case "min":
            return f"LEAST({operands[0]}, {operands[1]})"
        case "max":
            return f"GREATEST({operands[0]}, {operands[1]})"
        case "/":
            return f"({operands[0]} / NULLIF({operands[1]}, 0))"
        case sign:
            return f"({operands[0]} {sign} {operands[1]})"


def _condition(tree: Tree) -> str:
    """Write a true/false tree as a condition."""
    if not isinstance(tree, Call):
        return f"{_number(tree)} <> 0"
    if tree.operator == "not":
        return f"NOT ({_condition(tree.operands[0])})"
    if tree.operator in ("and", "or"):
        return "(" + f" {tree.operator.upper()} ".join(_condition(operand) for operand in tree.operands) + ")"
    operands = [_number(operand) for operand in tree.operands]
    if tree.operator == "in":
        return f"{operands[0]} IN ({', '.join(operands[1:])})"
    if tree.operator == "between":
        return f"{operands[0]} BETWEEN {operands[1]} AND {operands[2]}"
    left, right = operands
    return f"{left} {'<>' if tree.operator == '!=' else tree.operator} {right}"
