"""A finding of the audit, how sure it is, and the rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from refino_eval.config.base import Label
from refino_eval.published.relations import Key
from refino_eval.text import say

CERTAINTIES = ("certain", "likely", "possible")
"""How sure a finding is, surest first."""

RULES = (
    "swap", "displaced", "grouping", "sign", "magnitude", "impossible", "sums", "differences", "products", "means",
    "repeats", "order", "t_stat", "p_value", "interval", "stars", "stars_missing", "stars_size", "share_counts",
    "binary_sd", "whole_numbers", "two_shares", "group_tests", "nested", "copied", "sample", "other_document",
)  # fmt: skip
"""The rules in the order in which they explain: a number explained by an earlier rule is not reported again."""

EXCHANGES = ("swap", "displaced")
"""Rules that say of several numbers that each is in the wrong cell."""

ABOUT_ONE_NUMBER = ("grouping", "sign", "magnitude", "impossible")
"""Rules that say what is wrong with one number; further numbers of a finding are what it explains."""


def rule_text(part: str, rule: str, language: str) -> str:
    """Return the `title` of a rule, what `must` hold, or its `source`."""
    return say(f"audit.{part}_{rule}", language)


@dataclass(frozen=True)
class Quote:
    """A published number that a finding is about.

    Attributes
    ----------
    name
        Its name.
    text
        Its published form.
    place
        Where it is.
    key
        Its key.
    stands_for
        The values that round to it, `[0.205, 0.215]`; empty for a number that is not rounded.
    """

    name: Label
    text: str
    place: str
    key: Key = ("", "", "", "", "")
    stands_for: str = ""


@dataclass(frozen=True)
class Finding:
    """Something published that cannot be right, or is unlikely to be.

    Attributes
    ----------
    document, exhibit, panel, row, column, statistic
        The number at fault; of several, the first.
    rule
        A name in `RULES`.
    printed
        The number as published; several numbers are separated by semicolons.
    fits
        What would fit: a range or a suggestion. Empty when nothing particular does.
    certainty
        A name in `CERTAINTIES`.
    source_line
        Line of the source document.
    explanation
        One or two sentences in both languages.
    cells
        Keys of all numbers that the finding explains: another rule's complaint about these alone has the same cause.
    suspects
        Keys of all numbers of which at least one must be wrong: those of the failing relations that nothing else supports.
    relation
        Keys of all numbers of the relations that fail, also of those that other relations support.
    also
        Rules whose complaints the finding explains as well.
    names
        What the document calls the exhibit, panel, row and column, and the statistic's name; empty where the key is.
    quotes
        The numbers that the finding is about: the place of each, its name and its published form.
    """

    document: str
    exhibit: str
    panel: str
    row: str
    column: str
    statistic: str
    rule: str
    printed: str
    fits: str
    certainty: str
    source_line: str
    explanation: Label
    cells: tuple[Key, ...] = field(default=(), repr=False)
    suspects: tuple[Key, ...] = field(default=(), repr=False)
    relation: tuple[Key, ...] = field(default=(), repr=False)
    also: tuple[str, ...] = ()
    names: tuple[Label, ...] = field(default=(), repr=False)
    quotes: tuple[Quote, ...] = field(default=(), repr=False)

    @property
    def singled_out(self) -> tuple[Key, ...]:
        """Keys of the numbers that the evidence points at alone; empty where one of several numbers must be wrong.

        A sum that fails shows that one of its numbers is wrong, and not which. Two sums that fail and cross in one number do.
        """
        if self.rule in EXCHANGES:
            return self.cells
        accused = tuple(dict.fromkeys(self.suspects or self.cells))
        if len(accused) == 1 or (self.rule in ABOUT_ONE_NUMBER and not self.suspects):
            return accused[:1]
        return ()
