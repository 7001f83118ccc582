"""What each estimate, interval and test of a report is, in words and as a formula, for the exhibits that it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True)
class Explanation:
    """One entry in one language.

    Attributes
    ----------
    name
        For links.
    kinds
        Kinds of exhibits that show such numbers.
    title, words
        For those who decide.
    formula, source
        For those who check.
    """

    name: str
    kinds: tuple[str, ...]
    title: str
    words: str
    formula: str
    source: str


@cache
def _entries() -> dict[str, dict[str, Any]]:
    text = files("refino_eval.report.page").joinpath("explanations.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return entries


def explanations(kinds: Iterable[str], language: str) -> tuple[Explanation, ...]:
    """Return what is to be explained where exhibits of some kinds are shown, in the order of reading.

    Parameters
    ----------
    kinds
        Kinds of the evaluation's exhibits.
    language
        nb or en.
    """
    shown = set(kinds)
    return tuple(
        Explanation(
            name=name,
            kinds=tuple(entry["kinds"]),
            title=entry["title"][language],
            words=entry["words"][language],
            formula=entry["formula"],
            source=entry["source"],
        )
        for name, entry in _entries().items()
        if shown & set(entry["kinds"])
    )
