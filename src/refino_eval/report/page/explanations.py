"""What each estimate, interval and test of a report means, in words and as a formula, for the exhibits that it shows.

The texts are in `text/explanations.yaml`; the model of a kind of exhibit names those that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from refino_eval.config.base import Design
from refino_eval.config.exhibits import Exhibit
from refino_eval.text import texts_of

ENDING = "_title"


@dataclass(frozen=True)
class Explanation:
    """One explanation in one language: title and text for those who decide, formula and source for those who check."""

    name: str
    title: str
    text: str
    formula: str
    source: str


REST_ON_RANDOMISATION = ("randomisation", "null_result", "late", "weak_instrument", "compliers", "missing")
"""Explanations of what is not estimated where people were not randomised."""


def explanations(exhibits: Iterable[Exhibit], language: str, design: Design = "randomised") -> tuple[Explanation, ...]:
    """Return what the numbers of some exhibits mean, in the order of the catalogue of texts.

    Parameters
    ----------
    exhibits
        Those that the report shows.
    language
        ``"nb"`` or ``"en"``.
    design
        Of the study; what has no meaning under it is not explained.
    """
    texts = texts_of("explanations", language)
    needed = {name for exhibit in exhibits for name in exhibit.explanations}
    names = [key.removesuffix(ENDING) for key in texts if key.endswith(ENDING)]
    return tuple(
        Explanation(name, *(texts[f"{name}_{part}"] for part in ("title", "text", "formula", "source")))
        for name in names
        if name in needed and (design == "randomised" or name not in REST_ON_RANDOMISATION)
    )
