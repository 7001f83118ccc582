"""Which of our numbers each published number of a document is compared with, and which are compared with none.

Most published numbers have the key of one of ours. For the others `data/published/<document>.source.yaml` states what they
are, by patterns of keys as in relations (`*` stands for any part):

ours
    The same quantity under another key: in a text that repeats a table, in another unit, without its sign, or as a sum or
    a difference. It is `times` the sum of the numbers `of`, minus the numbers `less`; a `+` in `of` names all that match.
    `take: highest` takes the highest of them in place of their sum.
inputs
    Numbers that the calculation starts from. That they agree means nothing.
not_computed
    Numbers that registers cannot give, by reason; `reasons` states each reason in both languages.
explained
    Numbers that ours may differ from, by the reason: an error of the document, or a convention that it does not state. The
    verdict stays as it is.

So a published number that has no number of ours, and about which nothing is stated, is a mistake: ours or the
transcription's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import pandas as pd
from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict
from refino_eval.errors import nearest, raise_problems
from refino_eval.published.relations import Exact, Key, fill, fits, match
from refino_eval.published.values import KEYS


class Ours(Strict):
    """A published number that is one of ours, or follows from some of ours."""

    printed: str = Field(description="Key of the published numbers; * stands for any part.")
    of: tuple[str, ...] = Field(min_length=1, description="Keys of ours that are added up; * as in `printed`.")
    less: tuple[str, ...] = Field(default=(), description="Keys of ours that are subtracted from the sum.")
    times: Exact = Field(default="1", description="The result is multiplied by this exact number.")
    std_error_of: str | None = Field(
        default=None, description="A number of ours whose standard error is used, where the sum of `of` has none."
    )
    take: Literal["sum", "highest"] = Field(default="sum", description="How the numbers of `of` are combined.")

    @model_validator(mode="after")
    def _whole(self) -> Ours:
        """Refuse the highest of numbers minus others, which is ambiguous."""
        if self.take == "highest" and self.less:
            raise ValueError("`take: highest` cannot be combined with `less`")
        return self


class Links(Strict):
    """What a document's source states about its numbers."""

    ours: tuple[Ours, ...] = Field(default=(), description="Published numbers that are ours under another key.")
    inputs: tuple[str, ...] = Field(default=(), description="Published numbers that the calculation starts from.")
    not_computed: dict[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="Reason -> published numbers that are not computed."
    )
    explained: dict[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="Reason -> published numbers that ours differ from, and why."
    )
    reasons: dict[Name, Label] = Field(default_factory=dict, description="Reason -> its text.")

    @model_validator(mode="after")
    def _reasons_have_words(self) -> Links:
        """Require a text for every reason that is used."""
        for key in ("not_computed", "explained"):
            for reason in getattr(self, key):
                if reason not in self.reasons:
                    raise ValueError(f"`{key}` uses the reason '{reason}', which is missing from `reasons`")
        return self

    def is_input(self, key: Key) -> bool:
        """Return whether the calculation starts from a published number."""
        return fits(self.inputs, key)

    def reason(self, key: Key) -> str:
        """Return the reason why a published number is not computed; empty if none is stated."""
        return _reason_of(self.not_computed, key)

    def explanation(self, key: Key) -> str:
        """Return the reason why ours differs from a published number; empty if none is stated."""
        return _reason_of(self.explained, key)

    def link(self, key: Key) -> Ours | None:
        """Return the link of a published number, with the stars filled in; None if it has the key of ours."""
        for entry in self.ours:
            stars = match(entry.printed, key)
            if stars is not None:
                # Stars that nothing fills are refused by `check_links`.
                return entry.model_copy(
                    update={part: tuple(fill(k, stars) for k in getattr(entry, part)) for part in ("of", "less")}
                )
        return None

    @property
    def patterns(self) -> Iterator[str]:
        """Every pattern of published keys in the file."""
        yield from (entry.printed for entry in self.ours)
        yield from self.inputs
        for patterns in self.not_computed.values():
            yield from patterns


def _reason_of(reasons: Mapping[str, tuple[str, ...]], key: Key) -> str:
    return next((reason for reason, patterns in reasons.items() if fits(patterns, key)), "")


def describe_link(link: Ours) -> str:
    """Return a link in one line: which numbers of ours, and how they are combined."""
    text = " + ".join(link.of) + "".join(f" - {key}" for key in link.less)
    if link.take == "highest":
        text = f"highest of {text}"
    if Fraction(link.times) == 1:
        return text
    return f"{link.times} x ({text})" if len(link.of) + len(link.less) > 1 else f"{link.times} x {text}"


def check_links(links: Links, published: pd.DataFrame, name: str) -> None:
    """Check the patterns against the published numbers.

    Parameters
    ----------
    links
        The links.
    published
        The published numbers, as `load_published` returns them.
    name
        Name of the file with the links.

    Raises
    ------
    UserError
        A pattern that matches no published number, or a number that is matched twice.
    """
    raise_problems(list(_problems(links, published, name)))


def _matched(pattern: str, keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if match(pattern, key) is not None]


def _stars_without_value(links: Links, name: str) -> Iterator[str]:
    """Yield patterns of our numbers with a star that no star of the published key fills."""
    for entry in links.ours:
        stars = {index: "x" for index, part in enumerate(entry.printed.split("/")) if part == "*"}
        for pattern in (*entry.of, *entry.less):
            if "*" in fill(pattern, stars).split("/"):
                yield (
                    f"{name}: '{pattern}' has a star that no star of '{entry.printed}' fills. Give both as many stars, or write + for "
                    "the sum of all that match."
                )


def _problems(links: Links, published: pd.DataFrame, name: str) -> Iterator[str]:
    """Yield a problem for each pattern that matches nothing, and for each number that is matched twice."""
    keys = [tuple(map(str, row)) for row in published[list(KEYS)].to_numpy()]
    explained = [pattern for patterns in links.explained.values() for pattern in patterns]
    matches = [(pattern, _matched(pattern, keys)) for pattern in (*links.patterns, *explained)]
    for pattern, matched in matches:
        if not matched:
            yield (
                f"{name}: '{pattern}' matches no published number.{nearest(pattern, map('/'.join, keys))} "
                f"A key is {'/'.join(KEYS)}, and * stands for any part."
            )
    yield from _stars_without_value(links, name)
    # A number that is linked or computed may be explained as well.
    times_matched = Counter(key for pattern, matched in matches if pattern not in explained for key in matched)
    for key, times in times_matched.items():
        if times > 1:
            yield (
                f"{name}: '{'/'.join(key)}' is listed {times} times in `ours`, `inputs` and `not_computed`. "
                "A published number is one of these; remove it from the others."
            )
