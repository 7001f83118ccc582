"""The small language of derived states, outcomes and derived columns: one text, one tree.

::

    weekly_hours >= 18.75 and not wage_subsidy
    hours between 4 and 18.75 or contract in (1, 2)
    0 if missing(visits) else visits > 0
    min(duration, 90) / 30
    `Region Code` = 'north'

Operators, the loosest first: ``a if condition else b``; ``or``; ``and``; ``not``; comparisons (``= == != <> < <= > >=``,
``between A and B``, ``in (...)``, the last two also after ``not``); ``+ -``; ``* /``; a sign; ``**``. True and false
(also written ``true`` and ``false``) count as 1 and 0 in arithmetic. A name that is not a plain word is written in
backticks. `FUNCTIONS` lists the functions.

Missing values follow three-valued logic, as in SQL, R and pandas: ``missing(x) or x > 1`` is true where x is missing,
``x > 1 and false`` is false. Everything else is missing where a value that it needs is missing, where something is
divided by zero, and where a logarithm, root or power has no finite value.

The text is translated token by token into Python's expression syntax and parsed by `ast`, which settles precedence and
nesting. No token reaches Python as written: names, numbers and texts become placeholders, and nothing is executed.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from refino_eval.errors import UserError, nearest
from refino_eval.expressions.expression_tree import (
    Call,
    Constant,
    Kind,
    Name,
    Tree,
    is_constant,
    kind_of,
    walk,
)
from refino_eval.expressions.plain import evaluate

WORDS = frozenset(("and", "or", "not", "between", "in", "if", "else", "true", "false"))
RESERVED = WORDS | {"min", "max"}
"""Words that no state may have as its name."""

LONGEST = 1000
DEEPEST_BRACKETS = 40
DEEPEST_TREE = 200
EXACT_BELOW = 2**53

Takes = Literal["numbers", "values", "dates", "column", "whole column"]


@dataclass(frozen=True)
class Function:
    """How a function is called.

    Attributes
    ----------
    fewest, most
        Number of operands.
    takes
        ``numbers``; ``values`` of any type; ``dates``; or a column of a person table, all of whose rows decide.
    """

    fewest: int
    most: int
    takes: Takes

    @property
    def of_person_tables_only(self) -> bool:
        """Whether it needs text, dates or a whole column, which states do not have."""
        return self.takes in ("dates", "column", "whole column")


FUNCTIONS: Mapping[str, Function] = {
    "missing": Function(0, 1, "values"),
    "coalesce": Function(2, 20, "values"),
    "min": Function(2, 20, "numbers"),
    "max": Function(2, 20, "numbers"),
    "log": Function(1, 1, "numbers"),
    "exp": Function(1, 1, "numbers"),
    "sqrt": Function(1, 1, "numbers"),
    "abs": Function(1, 1, "numbers"),
    "floor": Function(1, 1, "numbers"),
    "round": Function(1, 1, "numbers"),
    "band": Function(2, 20, "numbers"),
    "quantile_group": Function(2, 2, "whole column"),
    "mean": Function(1, 2, "whole column"),
    "sd": Function(1, 2, "whole column"),
    "standardise": Function(1, 2, "whole column"),
    "quantile": Function(2, 3, "whole column"),
    "mean_index": Function(3, 41, "whole column"),
    "covariance_index": Function(3, 41, "whole column"),
    "number_of": Function(1, 1, "column"),
    "days": Function(1, 1, "dates"),
    "year": Function(1, 1, "dates"),
    "month": Function(1, 1, "dates"),
}
"""`round` takes a half to the even neighbour. `days` counts from 1970-01-01, of a date column or a date in quotes.

`mean(x)` and `sd(x)` are of all rows of the file, and `mean(x, arm = 0)` of those that meet the condition; `standardise(x, arm = 0)`
is x less that mean, in units of that standard deviation (n - 1). `quantile(x, 0.99)` is the value below which 99 per cent of these
rows are, by linear interpolation.

`mean_index(arm = 0, x, y, z)` is the mean of the columns, each standardised by the rows that meet the condition (Kling, Liebman and
Katz 2007); `covariance_index(arm = 0, x, y, z)` weights them by the row sums of the inverse of their covariance matrix over all rows
without missing values (Anderson 2008). Both use a row's columns that are not missing, with the weights of these.

`missing(x)` asks whether x is missing; `missing()` is a missing value, for columns of a person table.

`band(x, 25, 40)` is 0 below 25, 1 from 25, 2 from 40 on; `quantile_group(x, 4)` is 1 for the lowest quarter of all rows
of the file, a value at a limit being in the lower group; `number_of(x)` numbers the different values of x from 1, in
order of their text.
"""


class Problem(Exception):
    """What is wrong with an expression, before it is known which entry it belongs to."""


# ASCII digits and blanks only: those of other scripts look like what they are not.
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<number>(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | `(?P<quoted>[^`]+)`
    | (?P<word>[^\W\d]\w*)
    | (?P<sign><=|>=|!=|<>|==|\*\*|[-+*/()<>=,\[\]]))""",
    re.VERBOSE,
)
_SPELLINGS = {"=": "==", "<>": "!="}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    if len(text) > LONGEST:
        raise Problem(f"it is longer than {LONGEST} characters: make parts of it entries with names")
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise Problem(f"the character '{text[position:].lstrip()[0]}' has no meaning here")
        kind = match.lastgroup or ""
        word = match.group(kind)
        # `True` and `False` are accepted as Python and R write them; other words of the language are in lower case.
        tokens.append(_Token(kind, word.lower() if word in ("True", "False") else word))
        position = match.end()
    return tokens


def _is_word(token: _Token) -> bool:
    return token.kind == "word" and token.text in WORDS


class _Translation:
    """Tokens written as a Python expression, with a placeholder for every name, number and text.

    `between A and B` becomes `in A | B`: Python has no such operator, and `|` binds more tightly than a comparison and
    less tightly than a sum, as the `and` of `between` does. No user can write `|`, so that it means nothing else.
    """

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.words: list[str] = []
        self.brackets: list[str] = []
        self.betweens: list[int] = []
        for number, token in enumerate(tokens):
            self.words.append(self._word(number, token))
        if self.brackets:
            raise Problem(f"'{_CLOSING[self.brackets[-1]]}' is missing before the end")
        if self.betweens:
            raise Problem("'between' is followed by a lower limit, 'and' and an upper limit")

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def at(self, offset: int) -> str:
        """Return the token at a position of the Python text."""
        position = 0
        for token, word in zip(self.tokens, self.words, strict=True):
            position += len(word) + 1
            if offset <= position:
                return f"at '{token.text[:40]}'"
        return "at its end"

    def _word(self, number: int, token: _Token) -> str:
        if token.kind == "sign":
            return self._sign(token.text)
        if not _is_word(token) or token.text in ("true", "false"):
            if token.kind == "text" and number and self.tokens[number - 1].kind == "text":
                raise Problem(
                    "two texts follow one another; write a quote inside a text between the other kind of quotes"
                )
            return f"_{number}_"
        if token.text == "between":
            self.betweens.append(len(self.brackets))
            return "in"
        if token.text == "and" and self.betweens and self.betweens[-1] == len(self.brackets):
            self.betweens.pop()
            return "|"
        following = self.tokens[number + 1].text if number + 1 < len(self.tokens) else ""
        if token.text == "in" and following not in ("(", "["):
            raise Problem("'in' takes values in parentheses, for instance `grade in (50, 100)`")
        return token.text

    def _sign(self, sign: str) -> str:
        if sign in _CLOSING:
            self.brackets.append(sign)
            if len(self.brackets) > DEEPEST_BRACKETS:
                raise Problem(f"it is nested more than {DEEPEST_BRACKETS} deep: make parts of it entries with names")
        elif sign in _CLOSING.values():
            if not self.brackets or _CLOSING[self.brackets.pop()] != sign:
                raise Problem(f"'{sign}' closes a bracket that was not opened")
            if self.betweens and self.betweens[-1] > len(self.brackets):
                raise Problem("'between' is followed by a lower limit, 'and' and an upper limit")
        return _SPELLINGS.get(sign, sign)


_CLOSING = {"(": ")", "[": "]"}


def _python_tree(translation: _Translation) -> ast.expr:
    if not translation.tokens:
        raise Problem("it is empty")
    try:
        return ast.parse(translation.text, mode="eval").body
    except SyntaxError as error:
        raise Problem(f"it makes no sense {translation.at(error.offset or len(translation.text) + 2)}") from None
    except (ValueError, RecursionError, MemoryError):
        raise Problem("it is nested too deeply: make parts of it entries with names") from None


_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_COMPARING: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class _Builder:
    """Turns Python's tree into the language's own, and checks what each operator takes."""

    def __init__(self, tokens: list[_Token], kinds: Mapping[str, Kind], what: str) -> None:
        self.tokens, self.kinds, self.what = tokens, kinds, what
        self.depth = 0

    def tree(self, node: ast.expr) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST_TREE:
            raise Problem("it has too many parts: make parts of it entries with names")
        match node:
            case ast.Name():
                tree = self.leaf(node)
            case ast.BinOp(op=operator, left=left, right=right):
                tree = self.arithmetic(operator, left, right)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                tree = Call("not", (self.truth("not", operand),))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                value = self.number(operand)
                tree = Call("neg", (value,)) if isinstance(node.op, ast.USub) else value
            case ast.BoolOp(op=joint, values=values):
                word = "and" if isinstance(joint, ast.And) else "or"
                tree = Call(word, tuple(self.truth(word, value) for value in values))
            case ast.Compare():
                tree = self.comparison(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                tree = Call("if", (self.truth("if", test), self.tree(body), self.tree(other)))
            case ast.Call():
                tree = self.function(node)
            case ast.Tuple() | ast.List():
                raise Problem("a list of values has a meaning after 'in' only")
            case _:
                raise Problem("it holds something that has no meaning here")
        self.depth -= 1
        return tree

    def token(self, node: ast.expr) -> _Token:
        assert isinstance(node, ast.Name)
        return self.tokens[int(node.id.strip("_"))]

    def leaf(self, node: ast.Name) -> Tree:
        token = self.token(node)
        if token.kind == "number":
            return Constant(_number(token.text), "number")
        if token.kind == "text":
            return Constant(str(ast.literal_eval(token.text)), "text")
        if token.kind == "word" and token.text in ("true", "false"):
            return Constant(float(token.text == "true"), "boolean")
        if self.what != "column" and not token.text.isascii():
            # A letter of another script may look like a Latin one: a hint of the nearest name would show no difference.
            other = next(letter for letter in token.text if not letter.isascii())
            raise Problem(f"the character '{other}' (U+{ord(other):04X}) has no meaning here")
        if token.text not in self.kinds:
            hint = unknown_column_hint if self.what == "column" else nearest
            raise Problem(f"there is no {self.what} '{token.text}'.{hint(token.text, self.kinds)}")
        return Name(token.text, self.kinds[token.text])

    def arithmetic(self, operator: ast.operator, left: ast.expr, right: ast.expr) -> Tree:
        if type(operator) not in _ARITHMETIC:
            # Only `|`, which stands for the limits of `between` where none can be.
            raise Problem("'between' is followed by a lower limit, 'and' and an upper limit")
        sign, operands = _ARITHMETIC[type(operator)], (self.number(left), self.number(right))
        if sign == "/" and is_constant(operands[1]) and evaluate(operands[1], {}) == 0:
            raise Problem("it divides by zero, whatever the values are")
        return Call(sign, operands)

    def comparison(self, node: ast.Compare) -> Tree:
        if len(node.ops) > 1:
            raise Problem("comparisons cannot be chained: join them with 'and', or use 'between'")
        left, operator, right = self.tree(node.left), node.ops[0], node.comparators[0]
        if isinstance(operator, ast.In | ast.NotIn):
            tree = self.membership(left, right)
            return Call("not", (tree,)) if isinstance(operator, ast.NotIn) else tree
        other, sign = self.tree(right), _COMPARING[type(operator)]
        if sign in ("=", "!="):
            self.comparable(left, other)
        else:
            self.ordered(left, other)
        return Call(sign, (left, other))

    def membership(self, left: Tree, right: ast.expr) -> Tree:
        if isinstance(right, ast.BinOp) and isinstance(right.op, ast.BitOr):
            low, high = self.tree(right.left), self.tree(right.right)
            self.ordered(left, low, high)
            return Call("between", (left, low, high))
        listed = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
        if not listed:
            raise Problem("'in' takes at least one value in parentheses, for instance `grade in (50, 100)`")
        values = tuple(self.tree(value) for value in listed)
        self.comparable(left, *values)
        return Call("in", (left, *values))

    def function(self, node: ast.Call) -> Tree:
        if not isinstance(node.func, ast.Name) or self.token(node.func).kind != "word":
            raise Problem("a parenthesis follows something that is not a function")
        name = self.token(node.func).text
        function = FUNCTIONS.get(name)
        if function is None:
            raise Problem(f"there is no function '{name[:40]}'.{nearest(name, FUNCTIONS)}")
        if function.of_person_tables_only and self.what != "column":
            raise Problem(f"{name}(...) is for columns of a person table, and a {self.what} is a number")
        if name == "missing" and not node.args:
            return self.missing_value()
        fewest, most = function.fewest, function.most
        if not fewest <= len(node.args) <= most:
            raise Problem(f"{name}(...) takes {fewest if fewest == most else f'{fewest} to {most}'} values")
        make = self.number if function.takes in ("numbers", "whole column") else self.tree
        operands = tuple(make(value) for value in node.args)
        self.check_operands(name, operands)
        return Call(name, operands)

    def check_operands(self, name: str, operands: Sequence[Tree]) -> None:
        """Refuse operands that a function cannot take at their place: limits that vary, a column in place of a condition."""
        if name in ("band", "quantile_group") and not all(is_constant(limit) for limit in operands[1:]):
            raise Problem(f"{name}(...) takes numbers after its first value")
        if name in ("mean_index", "covariance_index") and kind_of(operands[0]) == "number":
            raise Problem(f"{name}(...) takes a condition first, as in `{name}(arm = 0, x, y)`, and then the columns")

    def missing_value(self) -> Tree:
        """Return the constant that is missing; a state is missing where its spells or other states are."""
        if self.what != "column":
            raise Problem(f"missing() is for columns of a person table; missing(...) takes a {self.what}")
        return Constant(math.nan, "any")

    def number(self, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if kind_of(tree) == "text":
            raise Problem(f"'{_written(tree)}' is text or a date where a number is needed")
        return tree

    def truth(self, word: str, node: ast.expr) -> Tree:
        tree = self.tree(node)
        if kind_of(tree) in ("number", "text"):
            raise Problem(
                f"'{word}' takes what is true or false, and {_named(tree, self.what)} is a {kind_of(tree)}: compare it, "
                "as in `... > 0`"
            )
        return tree

    def comparable(self, *trees: Tree) -> None:
        """Refuse a text against a state, which is a number; a column may hold codes that are written either way."""
        kinds = [kind_of(tree) for tree in trees]
        if self.what != "column" and "text" in kinds:
            text = trees[kinds.index("text")]
            raise Problem(f"'{_written(text)}' is a text, and a {self.what} is a number: leave the quotes out")

    def ordered(self, *trees: Tree) -> None:
        self.comparable(*trees)
        if any(kind_of(tree) == "text" for tree in trees):
            raise Problem("text can be compared by = and != only; of dates, compare days(...)")


def unknown_column_hint(name: str, valid: Iterable[str]) -> str:
    """Return a hint for a name that is no column: how a missing value is written, or the nearest column."""
    if name.lower() in ("missing", "na", "nan", "null", "none"):
        return " A missing value is written `missing()`."
    return nearest(name, valid)


def _number(text: str) -> float:
    value = float(text)
    if value == float("inf"):
        raise Problem(f"the number '{text[:20]}...' is too large")
    if value >= EXACT_BELOW and not re.search(r"[.eE]", text) and int(value) != int(text):
        raise Problem(f"the number '{text[:40]}' has more digits than a number can hold exactly")
    return value


def _written(tree: Tree) -> str:
    names = [
        str(node.name if isinstance(node, Name) else node.value) for node in walk(tree) if not isinstance(node, Call)
    ]
    return names[0][:40]


def _named(tree: Tree, what: str) -> str:
    return f"the {what} '{tree.name}'" if isinstance(tree, Name) else "one of its operands"


def parse(text: str, kinds: Mapping[str, Kind], *, where: str, what: str = "state") -> Tree:
    """Parse an expression.

    Parameters
    ----------
    text
        The expression.
    kinds
        The names that it may use, and what their values are.
    where
        The entry that it belongs to, for messages: ``State 'employed'``.
    what
        What names are: ``state``, or ``column`` of a person table. Text, dates and functions of whole columns are for
        columns only.

    Returns
    -------
    Tree
        The expression as a tree.

    Raises
    ------
    UserError
        For a text outside the language, an unknown name, or a value of the wrong kind.
    """
    try:
        tokens = _tokens(text)
        tree = _Builder(tokens, kinds, what).tree(_python_tree(_Translation(tokens)))
        if what != "column" and kind_of(tree) == "text":
            raise Problem(f"its value is a text, and a {what} is a number")
        return tree
    except Problem as problem:
        raise explained(problem, text, where) from None


def explained(problem: Problem, text: str, where: str) -> UserError:
    """Return the user error for a problem of an expression."""
    reason = str(problem)
    return UserError(
        f"{where}: `{text[:100]}` cannot be read: {reason if reason.endswith(('.', '?')) else f'{reason}.'}"
    )


@lru_cache(maxsize=4096)
def names_in(text: str) -> tuple[str, ...]:
    """Return the names in an expression, in order of appearance; whether they exist is for the caller to say.

    A text with characters that have no meaning names nothing.
    """
    try:
        tokens = _tokens(text)
    except Problem:
        return ()
    calls = {
        number
        for number, token in enumerate(tokens[:-1])
        if token.kind == "word" and tokens[number + 1].text == "(" and tokens[number + 1].kind == "sign"
    }
    return tuple(
        dict.fromkeys(
            token.text
            for number, token in enumerate(tokens)
            if number not in calls and (token.kind == "quoted" or (token.kind == "word" and token.text not in WORDS))
        )
    )
