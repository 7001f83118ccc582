"""Which of our numbers each printed number of a document is held to, and which are held to none.

Most printed numbers have the key of one of ours. Of the others `data/published/<document>.source.yaml` says what they are, by
patterns of keys as in relations (`*` stands for any part):

ours
    The same quantity under another key: in a text that repeats a table, in another unit, without its sign, or as a sum or
    a difference. It is `times` the sum of the numbers `of`, less the numbers `less`; a `+` in `of` names all there are.
    `take: highest` takes the highest of them in place of their sum.
inputs
    Numbers that the calculation starts from. That they agree says nothing.
not_computed
    Numbers that registers cannot give, by reason; `reasons` says each reason in both languages.

So a printed number that has no number of ours, and of which nothing is said, is a mistake: ours or the transcription's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal

import pandas as pd
from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict
from refino_eval.errors import nearest, raise_problems
from refino_eval.published.relations import Exact, Key, match
from refino_eval.published.values import KEYS


class Ours(Strict):
    """A printed number that is one of ours, or follows from some of ours."""

    printed: str = Field(description="Key of the printed numbers; * stands for any part.")
    of: tuple[str, ...] = Field(min_length=1, description="Keys of ours that are added up; * as in `printed`.")
    less: tuple[str, ...] = Field(default=(), description="Keys of ours that are taken from the sum.")
    times: Exact = Field(default="1", description="What follows is multiplied by this exact number.")
    std_error_of: str | None = Field(
        default=None, description="A number of ours whose standard error serves, where `of` has none for their sum."
    )
    take: Literal["sum", "highest"] = Field(default="sum", description="What is done with the numbers of `of`.")

    @model_validator(mode="after")
    def _whole(self) -> Ours:
        """Refuse the highest of numbers less others, which has two readings."""
        if self.take == "highest" and self.less:
            raise ValueError("`take: highest` has no `less`")
        return self


class Links(Strict):
    """What a document's source says of its numbers."""

    ours: tuple[Ours, ...] = Field(default=(), description="Printed numbers that are ours under another key.")
    inputs: tuple[str, ...] = Field(default=(), description="Printed numbers that the calculation starts from.")
    not_computed: dict[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="Reason -> printed numbers that are not computed."
    )
    reasons: dict[Name, Label] = Field(default_factory=dict, description="Reason -> words for it.")

    @model_validator(mode="after")
    def _reasons_have_words(self) -> Links:
        """Ask for words for every reason that is given."""
        for reason in self.not_computed:
            if reason not in self.reasons:
                raise ValueError(f"`not_computed` gives the reason '{reason}', which `reasons` has no words for")
        return self

    def is_input(self, key: Key) -> bool:
        """Return whether the calculation starts from a printed number."""
        return any(match(pattern, key) is not None for pattern in self.inputs)

    def reason(self, key: Key) -> str:
        """Return the reason why a printed number is not computed; empty where none is given."""
        found = (
            reason
            for reason, patterns in self.not_computed.items()
            if any(match(pattern, key) is not None for pattern in patterns)
        )
        return next(found, "")

    def link(self, key: Key) -> Ours | None:
        """Return which of ours a printed number is, with the stars filled in; None where it has its own key."""
        for entry in self.ours:
            stars = match(entry.printed, key)
            if stars is not None:
                return entry.model_copy(
                    update={part: tuple(_filled(k, stars) for k in getattr(entry, part)) for part in ("of", "less")}
                )
        return None

    @property
    def patterns(self) -> Iterator[str]:
        """Every pattern of printed keys that the file has."""
        yield from (entry.printed for entry in self.ours)
        yield from self.inputs
        for patterns in self.not_computed.values():
            yield from patterns


def told(link: Ours) -> str:
    """Return a link as one line: which numbers of ours, and what is done with them."""
    text = " + ".join(link.of) + "".join(f" - {key}" for key in link.less)
    if link.take == "highest":
        text = f"highest of {text}"
    if Fraction(link.times) == 1:
        return text
    return f"{link.times} x ({text})" if len(link.of) + len(link.less) > 1 else f"{link.times} x {text}"


def _filled(pattern: str, stars: Mapping[int, str]) -> str:
    return "/".join(stars.get(place, part) if part == "*" else part for place, part in enumerate(pattern.split("/")))


def check_links(links: Links, published: pd.DataFrame, name: str) -> None:
    """Hold the patterns against the printed numbers.

    Parameters
    ----------
    links
        What is said.
    published
        The printed numbers, as `load_published` returns them.
    name
        Of the file that says it.

    Raises
    ------
    UserError
        A pattern that fits no printed number, or a number of which two things are said.
    """
    raise_problems(list(_faults(links, published, name)))


def _faults(links: Links, published: pd.DataFrame, name: str) -> Iterator[str]:
    """Return a paragraph for each pattern that fits nothing, and for each number that is spoken of twice."""
    keys = [tuple(map(str, row)) for row in published[list(KEYS)].to_numpy()]
    spoken: dict[Key, int] = {}
    for pattern in links.patterns:
        fitting = [key for key in keys if match(pattern, key) is not None]
        for key in fitting:
            spoken[key] = spoken.get(key, 0) + 1
        if not fitting:
            yield (
                f"{name}: '{pattern}' fits no printed number.{nearest(pattern, ['/'.join(key) for key in keys])} "
                f"A key is {'/'.join(KEYS)}, and * stands for any part."
            )
    for key, times in spoken.items():
        if times > 1:
            yield (
                f"{name}: '{'/'.join(key)}' stands in {times} places of `ours`, `inputs` and `not_computed`. "
                "A printed number is one of these; take it out of the others."
            )
