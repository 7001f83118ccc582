"""Chapters of the report: their order, and which exhibits stand in which.

A new kind of exhibit gets a line in `CHAPTER_OF_KIND`; one that has none stands among the results, so that it is never
lost. A single exhibit goes elsewhere with `chapter:` in its own definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refino_eval.config.exhibits import Chapter, Exhibit

EXHIBIT_CHAPTERS: tuple[Chapter, ...] = (
    "flow", "design", "balance", "results", "take_up", "robustness", "heterogeneity", "costs", "methods",
)  # fmt: skip
"""Chapters that hold exhibits, in the report's order; the others are `summary`, before them, and those that
`report.html` sets behind them."""

DEFAULT: Chapter = "results"

CHAPTER_OF_KIND: Mapping[str, Chapter] = {
    "flow": "flow",
    "attrition": "flow",
    "draws": "design",
    "design": "design",
    "listing": "design",
    "descriptives": "balance",
    "balance": "balance",
    "itt": "results",
    "paths": "results",
    "effects": "results",
    "tests": "results",
    "null_card": "results",
    "time_to_event": "results",
    "counts": "design",
    "take_up": "take_up",
    "late": "take_up",
    "compliers": "take_up",
    "ever_started": "take_up",
    "starters": "take_up",
    "spell_survival": "take_up",
    "fall_back": "take_up",
    "estimands": "robustness",
    "specification_curve": "robustness",
    "binary_models": "robustness",
    "stepwise": "robustness",
    "leave_one_out": "robustness",
    "interactions": "heterogeneity",
    "subgroups": "heterogeneity",
    "costs": "costs",
    "payments": "costs",
    "social_costs": "costs",
    "break_even": "costs",
    "net_benefit": "costs",
    "cost_benefit": "costs",
}


def chapter_of(exhibit: Exhibit) -> Chapter:
    """Return the chapter that an exhibit stands in: its own word for it, else its kind's, else the results."""
    return exhibit.chapter or CHAPTER_OF_KIND.get(exhibit.kind, DEFAULT)


def by_chapter(names: Iterable[str], exhibits: Mapping[str, Exhibit]) -> dict[Chapter, list[str]]:
    """Return the exhibits of each chapter that has some, chapters in the report's order, exhibits in the order given."""
    found: dict[Chapter, list[str]] = {chapter: [] for chapter in EXHIBIT_CHAPTERS}
    for name in names:
        found[chapter_of(exhibits[name])].append(name)
    return {chapter: held for chapter, held in found.items() if held}
