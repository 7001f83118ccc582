"""Relations that must hold among the numbers of one document, up to rounding.

`data/published/<document>.relations.yaml` is a list of entries, each of one kind. A number is named by its key,
`exhibit/panel/row/column/statistic` (an empty part for no panel). In place of a part, `*` stands for every value there is,
and the relation is checked for each; `+` stands for all values together, added up (never the number `is` itself). In `of`,
`document:exhibit/...` is a number of another file of published values.

==================  ============================================================================================
kind                meaning
==================  ============================================================================================
sum                 the numbers of `of` add up to `is`
difference          the first number of `of` minus all others is `is`
product, ratio      the product of `of`, or its first number divided by all others, is `is`
weighted_mean       `is` is the mean of `of`, weighted by `weights`
same                the numbers of `of` and `is` are one number
at_most             `is` is not greater than any number of `of` (a part of a whole)
between             `is` is between the smallest and the largest of `of` (a mean of groups)
shares              the numbers of `of` add up to `total` (100, or 1 for numbers with a per cent sign)
rising              the numbers of `of`, in this order, never fall
bounds              every number of `of` is between `low` and `high`
counts              the shares of `of` are whole counts out of the number `is`
binary              the numbers of `of` are means and standard deviations of a binary variable
stars               the numbers of `of` have one star for `levels[0]`, two for `levels[1]`, ...; `df` when known
nested              each model of `of` (a key whose row is `+`) has all regressors of the preceding one
explained           a complaint of the audit's rule `rule` about `of` has an explanation; it is not reported
==================  ============================================================================================

`sure` states how sure a failure is: `certain` (the default), `likely` or `possible`, where the document may have a reason.
`factor` multiplies what follows from `of`: "6/5" or "1.2" for a tax, "100000" for a unit of 100 000 kr. `exact: true` means
that the document calculated with the numbers of `of` as published (a cost of 9 months, not of 8.5 to 9.5).
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from refino_eval.config.base import Label, Strict
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError, raise_problems
from refino_eval.published.intervals import Interval, added, point

Key = tuple[str, ...]
Reading = Callable[[Key], Interval]

FOLLOWING = ("sum", "difference", "product", "ratio", "weighted_mean", "same", "at_most", "between")
"""Kinds that determine or bound one number, `is`."""

GROUPED = ("shares", "rising", "bounds")
"""Kinds about the numbers of `of` alone."""


def _exact(number: Any) -> str:
    """Return a number of the file as exact text: 1.2 is twelve tenths."""
    Fraction(str(number))
    return str(number)


Exact = Annotated[str, BeforeValidator(_exact)]


class Relation(Strict):
    """One relation among published numbers."""

    kind: Literal[
        "sum", "difference", "product", "ratio", "weighted_mean", "same", "at_most", "between",
        "shares", "rising", "bounds", "counts", "binary", "stars", "nested", "explained",
    ]  # fmt: skip
    why: str | Label = Field(description="Why it must hold, in English or in both languages.")
    is_: str | None = Field(default=None, alias="is", description="Key of the number that follows.")
    of: tuple[str, ...] = Field(min_length=1, description="Keys of the numbers it follows from, or is about.")
    weights: tuple[str, ...] = Field(default=(), description="Keys of the weights, for weighted_mean.")
    factor: Exact = Field(default="1", description="What follows from `of` is multiplied by this exact number.")
    exact: bool = Field(default=False, description="The document calculated with the numbers of `of` as published.")
    sure: Literal["certain", "likely", "possible"] = Field(
        default="certain", description="How sure a failure is at most."
    )
    total: Exact = Field(default="100", description="Sum of the shares.")
    low: Exact | None = Field(default=None, description="Smallest number, for bounds.")
    high: Exact | None = Field(default=None, description="Largest number, for bounds.")
    levels: tuple[Exact, ...] = Field(default=(), description="Significance levels of one, two, three stars.")
    df: int | None = Field(default=None, ge=1, description="Degrees of freedom of the tests, when known.")
    rule: str = Field(default="", description="Rule of the audit whose complaint is explained.")

    @model_validator(mode="after")
    def _whole(self) -> Relation:
        """Require the keys that the kind needs, and no others."""
        if (self.is_ is None) == (self.kind in (*FOLLOWING, "counts")):
            raise ValueError(f"a relation of kind {self.kind} takes {'one' if self.is_ is None else 'no'} `is`")
        if bool(self.weights) != (self.kind == "weighted_mean") or len(self.weights) not in (0, len(self.of)):
            raise ValueError("weighted_mean, and no other kind, takes as many `weights` as `of`")
        for name, kind in (("levels", "stars"), ("rule", "explained")):
            if bool(getattr(self, name)) != (self.kind == kind):
                raise ValueError(f"kind {kind}, and no other, takes `{name}`")
        return self

    def reason(self, language: str) -> str:
        """Return why it holds, in a language; a reason in one language is used for both."""
        return self.why if isinstance(self.why, str) else self.why[language]


@dataclass(frozen=True)
class Check:
    """One relation checked for one number or group.

    Attributes
    ----------
    relation
        The relation.
    target
        Key of the number that follows, or of the first in the group.
    groups
        Keys that each name of `of` stands for; of a relation without `is`, all its numbers.
    weights
        Keys of the weights.
    implied
        The range that the other numbers allow the target (of a group of shares: their sum).
    printed
        The range of the published target (of a group of shares: the total).
    holds
        Whether the two are compatible.
    """

    relation: Relation
    target: Key
    groups: tuple[tuple[Key, ...], ...]
    weights: tuple[tuple[Key, ...], ...]
    implied: Interval
    printed: Interval
    holds: bool

    @property
    def cells(self) -> tuple[Key, ...]:
        """Keys of all numbers that take part, the target first, without repetition."""
        return tuple(dict.fromkeys([self.target, *itertools.chain.from_iterable((*self.groups, *self.weights))]))

    def again(self, read: Reading, *, exactly: Reading | None = None) -> Check:
        """Return the same check with other ranges; `exactly` gives those of numbers that are taken as published."""
        check = _evaluate(self.relation, self.target, self.groups, self.weights, read, exactly)
        return self if check is None else check


def load_relations(path: Path | str) -> tuple[Relation, ...]:
    """Read the relations of a document.

    Raises
    ------
    UserError
        When the file is not a list of relations: each invalid entry, by its position.
    """
    path = Path(path)
    entries = read_yaml(path, path.name) or []
    if not isinstance(entries, list):
        raise UserError(f"{path.name}: not a list of relations. Each begins with '- kind: sum' or another kind.")
    relations: list[Relation] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            relations.append(validate(entry, Relation, f"{path.name}, entry {number}"))
        except UserError as error:
            problems += error.problems
    raise_problems(problems)
    return tuple(relations)


def checks(relation: Relation, keys: tuple[Key, ...], read: Reading) -> Iterator[Check]:
    """Yield the checks of a relation, wherever all its numbers are published.

    Parameters
    ----------
    relation
        Of a kind in `FOLLOWING` or `GROUPED`; others state facts and have no checks.
    keys
        Keys of all published numbers, in the document's order.
    read
        Function from a key to the range of its number.
    """
    if relation.kind in FOLLOWING and relation.is_ is not None:
        for target in keys:
            stars = match(relation.is_, target)
            if stars is not None:
                yield from _check_target(relation, target, stars, keys, read)
    elif relation.kind in GROUPED:
        yield from _check_groups(relation, keys, read)


def match(pattern: str, key: Key) -> dict[int, str] | None:
    """Return the parts that the stars of a pattern match, by position, or None if the key does not match.

    A `+` matches anything and is not returned.
    """
    parts = pattern.split("/")
    if len(parts) != len(key):
        return None
    if any(part not in ("*", "+", value) for part, value in zip(parts, key, strict=True)):
        return None
    return {index: value for index, (part, value) in enumerate(zip(parts, key, strict=True)) if part == "*"}


def fits(patterns: tuple[str, ...], key: Key) -> bool:
    """Return whether a key matches one of the patterns."""
    return any(match(pattern, key) is not None for pattern in patterns)


def fill(pattern: str, stars: Mapping[int, str]) -> str:
    """Return a pattern with its stars replaced by what they matched.

    A star takes what the star of the same part matched. Where the parts differ (a table printed with rows for columns), stars
    are taken in order.
    """
    parts = pattern.split("/")
    places = [index for index, part in enumerate(parts) if part == "*"]
    if not set(places) <= set(stars) and len(places) == len(stars):
        stars = dict(zip(places, stars.values(), strict=True))
    return "/".join(stars.get(index, part) if part == "*" else part for index, part in enumerate(parts))


def _members(pattern: str, stars: Mapping[int, str], keys: tuple[Key, ...], leave: Key | None) -> tuple[Key, ...]:
    """Return the keys that a pattern names once its stars are filled in; a `+` names all that match."""
    filled = fill(pattern, stars)
    return tuple(key for key in keys if key != leave and match(filled, key) is not None)


def _check_target(
    relation: Relation, target: Key, stars: Mapping[int, str], keys: tuple[Key, ...], read: Reading
) -> Iterator[Check]:
    """Yield the check of one number, if all numbers that it follows from are published."""
    groups = tuple(_members(pattern, stars, keys, target) for pattern in relation.of)
    weights = tuple(_members(pattern, stars, keys, target) for pattern in relation.weights)
    if any(not group for group in itertools.chain(groups, weights)):
        return
    if weights and [len(group) for group in groups] != [len(group) for group in weights]:
        return
    check = _evaluate(relation, target, groups, weights, read)
    if check is not None:
        yield check


def _check_groups(relation: Relation, keys: tuple[Key, ...], read: Reading) -> Iterator[Check]:
    """Yield the checks of a relation without `is`: one group for each combination that its stars match."""
    groups: dict[tuple[tuple[int, str], ...], list[Key]] = {}
    for pattern in relation.of:
        for key in keys:
            stars = match(pattern, key)
            if stars is not None:
                groups.setdefault(tuple(sorted(stars.items())), []).append(key)
    for members in groups.values():
        tasks = [(members[0], tuple(members))]
        if relation.kind == "rising":
            tasks = [(after, (after, before)) for before, after in itertools.pairwise(members)]
        elif relation.kind == "bounds":
            tasks = [(key, (key,)) for key in members]
        for target, cells in tasks:
            check = _evaluate(relation, target, (cells,), (), read)
            if check is not None:
                yield check


def _evaluate(
    relation: Relation,
    target: Key,
    groups: tuple[tuple[Key, ...], ...],
    weights: tuple[tuple[Key, ...], ...],
    read: Reading,
    exactly: Reading | None = None,
) -> Check | None:
    """Return one check, or None where it would divide by a number that may be zero."""
    kind, own = relation.kind, read(target)
    if relation.exact and exactly is not None:
        read = exactly
    ranges = [[read(key) for key in group] for group in groups]
    weight_ranges = [read(key) for group in weights for key in group]
    try:
        implied = _range_implied(relation, own, ranges, weight_ranges)
    except ZeroDivisionError:
        return None
    if kind == "shares":
        own = point(Fraction(relation.total))
    compare = _COMPARISONS.get(kind, Interval.meets)
    return Check(relation, target, groups, weights, implied, own, compare(own, implied))


_COMPARISONS: Mapping[str, Callable[[Interval, Interval], bool]] = {
    "same": Interval.agrees,
    "between": Interval.agrees,
    "at_most": Interval.reaches,
    "rising": lambda own, before: before.reaches(own),
}
"""How the target is compared with its implied range, where it is not enough that the two meet."""


def _range_implied(
    relation: Relation, own: Interval, ranges: list[list[Interval]], weights: list[Interval]
) -> Interval:
    """Return the range that a relation implies for its target."""
    members = list(itertools.chain.from_iterable(ranges))
    if relation.kind == "shares":
        return added(members)
    if relation.kind == "rising":
        return members[1]
    if relation.kind == "bounds":
        return _allowed(relation, own)
    summed = relation.kind in ("sum", "difference", "product", "ratio")
    parts = [added(group) for group in ranges] if summed else members
    if relation.exact:
        parts = [point(part.middle) for part in parts]
    return _implied(relation.kind, parts, weights).times(Fraction(relation.factor))


def _allowed(relation: Relation, own: Interval) -> Interval:
    """Return the range of a relation of kind bounds; an open end lies beyond the number."""
    low = None if relation.low is None else Fraction(relation.low)
    high = None if relation.high is None else Fraction(relation.high)
    return Interval(
        low if low is not None else min(own.low, own.low if high is None else high),
        high if high is not None else max(own.high, own.high if low is None else low),
    )


def _implied(kind: str, parts: list[Interval], weights: list[Interval]) -> Interval:
    """Return the range of the number that follows from others."""
    first, rest = parts[0], parts[1:]
    if kind == "sum":
        return added(parts)
    if kind == "difference":
        return first - added(rest)
    if kind in ("product", "ratio"):
        return functools.reduce(operator.mul if kind == "product" else operator.truediv, rest, first)
    if kind == "weighted_mean":
        return weighted_mean(parts, [weight.middle for weight in weights])
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    return Interval(max(lows) if kind == "same" else min(lows), max(highs) if kind == "between" else min(highs))


def weighted_mean(parts: list[Interval], weights: list[Fraction]) -> Interval:
    """Return the range of a weighted mean of numbers from each interval, with exact weights."""
    total = sum(weights, Fraction(0))
    low = sum((part.low * weight for part, weight in zip(parts, weights, strict=True)), Fraction(0))
    high = sum((part.high * weight for part, weight in zip(parts, weights, strict=True)), Fraction(0))
    return Interval(low / total, high / total)
