"""The numbers in one cell of a table: `0.35** (0.02)`, `0,35 [0,31; 0,39]`, `1,234`, `30 %`, `n/a`."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from refino_eval.published.reading.grids import Notation

Decimals = Literal[".", ","]
Shape = Literal["plain", "round", "square", "low", "high", "sigma", "of"]
"""How a number is set: alone, in parentheses, in brackets, as an end of an interval, after a plus-minus sign, or after a slash."""

_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_MINUS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_STARS = dict.fromkeys(map(ord, "\u2217\u22c6\u2605\uff0a\u204e"), "*")
_EMPTY = re.compile(
    r"[\s.\-_:/*…]*|n\.? ?/?a\.?|n\.d\.|na|nan|none|null|i\.?a\.?|ikke (?:tilgjengelig|relevant)|\(-+\)|\[-+\]",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"(?<=[\d*%)\]])\s?(?:[†‡§¶#+^¹²³⁴-⁹⁰ᵃ-ᵡ]+|\^?[a-h](?!\w)|\^\d|\([a-h]\)|\[\d{1,2}\])+(?=\s|$|\(|\[)|(?<=[\d*%]) \d\)$"
)
_STARS_FIRST = re.compile(r"^(\*{1,3}) ?([-+]?[\d.,]+)$")
_PAIRED = re.compile(r"\([^()]* \d\)$")
_CURRENCY = re.compile(r"(?:US)?[$€£]|\b(?:NOK|SEK|DKK|EUR|USD|GBP|kr)\b\.?|,-(?=\s|$)", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(?:pct\.?|per ?cent|pst\.?|prosent)(?=\W|$)", re.IGNORECASE)
_STATISTICS = {
    "p": "p_value", "P": "p_value", "t": "t_stat", "z": "t_stat", "F": "f_stat", "N": "n", "n": "n", "SE": "std_error", "SD": "sd",
    "M": "mean", "χ2": "chi2", "χ²": "chi2", "chi2": "chi2", "R2": "r_squared", "R²": "r_squared", "r": "value", "df": "df",
    "β": "estimate", "b": "estimate", "B": "estimate", "d": "value",
}  # fmt: skip
"""Letters that name a number in its cell (`p = .03`), and the statistic."""

_LETTERS = rf"(?<![^\W_])(?P<name>{'|'.join(sorted(_STATISTICS, key=len, reverse=True))})\s*"
_NAMED = re.compile(rf"{_LETTERS}(?==|<|>|≤|≥)")
_TEST = re.compile(rf"{_LETTERS}\(\s*(?P<df>[\d.]+)(?:\s*[,;]\s*(?P<second>[\d.]+))?\s*\)\s*(?P<sign>=|<|>)")
_CI = re.compile(r"(?:\d\d(?:[.,]\d)?\s?%?[\s-]*)?\b(?:CI|KI)\b\s*[:=]?\s*(?=[(\[\d+.-])")
_DIGITS = r"\d+(?:[.,' \u2019]\d+)*(?:[eE][-+]?\d+)?|[.,]\d+"
_NUMBER = re.compile(
    rf"(?P<sign>[-+])?\s?(?P<digits>{_DIGITS})\s?(?P<percent>%?)\s?(?P<stars>\*{{0,4}})\s?(?P<late>%?)"
)
_QUALIFIED = re.compile(
    r"^(?:=\s*)?(?P<word><=?|≤|>=?|≥|~|≈|ca\.?|about|approx\.?|om lag)?\s*(?P<rest>.*)$", re.IGNORECASE
)
_INTERVAL = re.compile(
    rf"(?:fra |from )?(?P<low>[-+]?\s?(?:{_DIGITS})\s?%?)\s*(?P<between>,\s|;|\bto\b|\btil\b|\bog\b|\band\b|\s-\s|/|-|,)\s*(?P<high>[-+]?\s?(?:{_DIGITS})\s?%?)"
)
_TOKEN = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|±[^([{]*|\+/-[^([{]*|[^([{±]+")

_GROUP_MARKS = re.compile("['\u2019]")

LONGEST_NUMBER = 24
"""Characters of a number; what is longer is an identifier."""


@dataclass(frozen=True)
class Piece:
    """One number of a cell.

    Attributes
    ----------
    text
        As published.
    printed
        With a decimal point, thousands grouped by spaces and ASCII signs, as `parse_printed` reads it.
    shape
        How it is set.
    qualifier
        `just_under` for `<`, `just_over` for `>`, `about`, or nothing.
    named
        The statistic that the cell itself names (`p = .03`), or nothing.
    """

    text: str
    printed: str
    shape: Shape
    qualifier: str = ""
    named: str = ""

    @property
    def percent(self) -> bool:
        """Whether it is published with a percent sign."""
        return "%" in self.printed

    @property
    def whole(self) -> bool:
        """Whether it is a whole number without a sign."""
        return re.fullmatch(r"[\d ]+", self.printed) is not None


def plain(text: str) -> str:
    """Return a text with ordinary spaces, minus signs and stars, and without currencies and footnote marks."""
    text = _INVISIBLE.sub("", text).translate(_MINUS).translate(_STARS)
    text = _SPACES.sub(" ", text.replace("\r", "\n"))
    text = _PERCENT.sub("%", _CURRENCY.sub("", text))
    # `0.35 1)` has a footnote; in `0.35 (2 1)` the parenthesis closes one that was opened.
    return (
        text if "(" in text and text.rstrip().endswith(")") and _PAIRED.search(text) else _MARKS.sub("", text)
    ).strip()


def is_empty(text: str) -> bool:
    """Return whether a cell states that there is no number: nothing, a dash, dots or `n/a`."""
    return _EMPTY.fullmatch(plain(text)) is not None


def decimal_sign(texts: Iterable[str], notation: Notation = "") -> Decimals:
    """Return the decimal sign that the numbers of a document show.

    A sign followed by one, two, four or more digits, or after a leading zero, separates decimals; one that occurs twice in a
    number groups thousands. What is left open (`1,234`) is decided by the other numbers, then by the document's language:
    a comma with three digits after it groups thousands in English.
    """
    votes: Counter[str] = Counter()
    for text in texts:
        for digits in re.findall(r"\d[\d.,]*\d|[.,]\d+", plain(text)):
            _vote(digits, votes)
    if votes["."] != votes[","]:
        return "." if votes["."] > votes[","] else ","
    return "," if notation == "nb" else "."


def _vote(digits: str, votes: Counter[str]) -> None:
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return
    last = signs[-1]
    before, _, after = digits.rpartition(last)
    if len(set(signs)) == 2:
        votes[last] += 3
    elif len(signs) > 1:
        votes["," if last == "." else "."] += 2 if all(len(part) == 3 for part in digits.split(last)[1:]) else 0
    elif len(after) != 3 or before in ("", "0"):
        votes[last] += 2


def pieces(text: str, decimals: Decimals) -> list[Piece] | None:
    """Return the numbers of a cell in order; None where it is not made of numbers alone.

    Parameters
    ----------
    text
        The cell's text.
    decimals
        The decimal sign of the document.

    Examples
    --------
    >>> [(piece.printed, piece.shape) for piece in pieces("0,35** (0,02)", ",")]
    [('0.35**', 'plain'), ('0.02', 'round')]
    """
    wanted = _TEST.sub(_with_degrees_of_freedom, _CI.sub("", plain(text).replace("\n", " "))).strip()
    result: list[Piece] = []
    for token in _TOKEN.findall(wanted):
        inner, shape = _shape_of(token.strip(" ,;"))
        if not inner:
            continue
        if set(inner) <= {"*"} and result:
            # Stars after the parenthesis belong to the number before it.
            result[0] = replace(result[0], printed=result[0].printed + inner)
            continue
        # `*0.35` is set as `0.35*`.
        inner = _STARS_FIRST.sub(r"\2\1", inner)
        for part in _parts_with_names(inner):
            numbers = _named_numbers(part, shape, decimals)
            if numbers is None:
                return None
            result += numbers
    # The degrees of freedom follow their test.
    return sorted(result, key=lambda piece: piece.named == "df" and len(result) > 1) or None


def _shape_of(token: str) -> tuple[str, Shape]:
    """Return what a token holds, and how it is set."""
    if token[:1] in ("(", "[", "{"):
        return token[1:-1].strip(), "round" if token[0] == "(" else "square"
    if token[:1] in ("±", "+") and token and not re.match(r"\+\s?\d", token):
        return token.lstrip("±+/- "), "sigma"
    return token, "plain"


def _with_degrees_of_freedom(match: re.Match[str]) -> str:
    """Write `t(98) =` as `df = 98, t =`; an F-test has two numbers of degrees of freedom, which are kept as values."""
    name, first, second = match["name"], match["df"], match["second"]
    degrees = f"d = {first}, d = {second}" if second else f"df = {first}"
    return f"{degrees}, {name} {match['sign']}"


def _parts_with_names(text: str) -> list[str]:
    """Divide `t = 2.3, p = .03` at each name."""
    starts = [match.start() for match in _NAMED.finditer(text)]
    cuts = [0, *(start for start in starts if start), len(text)]
    return [part for low, high in itertools.pairwise(cuts) if (part := text[low:high].strip(" ,;"))]


def _named_numbers(text: str, shape: Shape, decimals: Decimals) -> list[Piece] | None:
    """Return the numbers of one token, with the statistic that it names itself."""
    match = _NAMED.match(text)
    numbers = _numbers(text[match.end() :].strip() if match else text, shape, decimals)
    if match is None or numbers is None:
        return numbers
    statistic = _STATISTICS[match["name"]]
    return [piece if piece.shape in ("low", "high", "of") else replace(piece, named=statistic) for piece in numbers]


def _numbers(text: str, shape: Shape, decimals: Decimals) -> list[Piece] | None:
    """Return the number, or the two ends of the interval, in one token."""
    one = _number(text, shape, decimals)
    if one is not None:
        return [one]
    part, slash, size = text.partition("/")
    if slash and shape == "plain" and all(re.fullmatch(r"\d[\d.,' ]*", each.strip()) for each in (part, size)):
        both = _number(part, "plain", decimals), _number(size, "of", decimals)
        return [each for each in both if each is not None]
    match = _INTERVAL.fullmatch(text)
    if match is None or (shape == "plain" and match["between"] in ("/", "-", ",")):
        return None
    low, high = _number(match["low"], "low", decimals), _number(match["high"], "high", decimals)
    return [low, high] if low is not None and high is not None else None


def _number(text: str, shape: Shape, decimals: Decimals) -> Piece | None:
    qualified = _QUALIFIED.match(text)
    word, rest = (qualified["word"] or "", qualified["rest"]) if qualified else ("", text)
    match = _NUMBER.fullmatch(rest.strip())
    if match is None:
        return None
    digits = canonical(match["digits"].strip(), decimals)
    if digits is None:
        return None
    percent = "%" if match["percent"] or match["late"] else ""
    stars = match["stars"][:3]
    sign = "-" if match["sign"] == "-" else ""
    return Piece(text.strip(), f"{sign}{digits}{percent}{stars}", shape, _qualifier(word))


def _qualifier(word: str) -> str:
    """Return what a sign or word before a number says about it."""
    if not word:
        return ""
    return {"<": "just_under", "≤": "just_under", ">": "just_over", "≥": "just_over"}.get(word[0], "about")


def canonical(digits: str, decimals: Decimals) -> str | None:
    """Return digits with a decimal point and thousands grouped by spaces; None where the signs make no number."""
    if len(digits) > LONGEST_NUMBER:
        return None
    if "e" in digits.lower():
        return _without_exponent(digits)
    if _is_other_notation(digits, decimals):
        decimals = "," if decimals == "." else "."
    group = "," if decimals == "." else "."
    whole, _, fraction = _GROUP_MARKS.sub(" ", digits.replace(group, " ")).partition(decimals)
    if not re.fullmatch(r"\d*", fraction) or not re.fullmatch(r"\d{1,3}(?: \d{1,3})* \d{3}|\d*", whole):
        return None
    return f"{whole or '0'}.{fraction}" if fraction else whole or None


def _without_exponent(digits: str) -> str | None:
    """Return `1.2e-3` as `0.0012`; None where it is too long to be a number of a table."""
    written = f"{float(digits.replace(',', '.')):.12f}".rstrip("0").rstrip(".")
    return written if len(written) <= LONGEST_NUMBER and written[0].isdigit() else None


def _is_other_notation(digits: str, decimals: Decimals) -> bool:
    """Return whether the other sign separates decimals here, by a slip of notation.

    That is so where it occurs once, alone, and not in front of three digits, which it would group: `0,35` between numbers
    like `1.20`.
    """
    other = "," if decimals == "." else "."
    before, sign, after = digits.partition(other)
    if not sign or decimals in digits or other in after:
        return False
    return len(after) != 3 or before in ("", "0")
