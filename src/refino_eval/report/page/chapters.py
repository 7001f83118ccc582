"""Chapters of the report: their order, and which exhibits stand in which.

The model of a kind names its usual chapter; a single exhibit goes elsewhere with `chapter:` in its definition.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import get_args

from refino_eval.config.exhibit_base import Chapter
from refino_eval.config.exhibits import Exhibit

DEPTHS: dict[str, tuple[str, ...]] = {
    "summary": ("summary",),
    "main": ("flow", "balance", "results", "explorer", "take_up", "heterogeneity", "robustness", "costs"),
    "appendix": ("supplement", "design", "checks", "methods", "comparison", "definitions", "provenance"),
}
"""The report's chapters by depth, in its order: what everybody reads, what a reader of the results reads, what is looked up."""
_ORDER = [chapter for held in DEPTHS.values() for chapter in held]
EXHIBIT_CHAPTERS: tuple[Chapter, ...] = tuple(sorted(get_args(Chapter), key=_ORDER.index))
"""The chapters that hold exhibits, in the report's order."""


NUMBERED = re.compile(r"(?:Table|Tabell|Figure|Figur) [\w.]*\w(?=\. )")
"""The number that a title begins with: that of the published exhibit."""


def chapter_of(exhibit: Exhibit) -> Chapter:
    """Return the chapter that shows an exhibit: the one that its definition names, or its kind's usual one."""
    return exhibit.chapter or ("supplement" if exhibit.supplementary else exhibit.usual_chapter)


def subject_of(exhibit: Exhibit) -> Chapter:
    """Return the chapter that an exhibit belongs to by its subject, wherever it is shown."""
    chapter = chapter_of(exhibit)
    return exhibit.usual_chapter if chapter == "supplement" else chapter


def in_appendix(
    names: Iterable[str], exhibits: Mapping[str, Exhibit], present: Container[str]
) -> dict[str, tuple[str, ...]]:
    """Return, for chapters of the main report, the exhibits of the same subject that the appendix shows.

    Parameters
    ----------
    names
        Exhibits of the report, in its order.
    exhibits
        Their definitions.
    present
        The chapters that the report has. What belongs to one that it lacks is listed under the results.
    """
    appendix: dict[str, tuple[str, ...]] = {}
    for name in names:
        if chapter_of(exhibits[name]) in DEPTHS["appendix"]:
            subject = subject_of(exhibits[name])
            # How people were assigned belongs to how they came into the sample.
            subject = "flow" if subject == "design" else subject
            place = subject if subject in present else "results"
            if place in DEPTHS["main"] and place in present:
                appendix[place] = (*appendix.get(place, ()), name)
    return appendix


def by_chapter(names: Iterable[str], exhibits: Mapping[str, Exhibit]) -> dict[Chapter, list[str]]:
    """Return the exhibits of each chapter that has some, chapters in the report's order, exhibits in the order given.

    Those of the supplement are in the order of their subjects first.
    """
    chapters: dict[Chapter, list[str]] = {chapter: [] for chapter in EXHIBIT_CHAPTERS}
    for name in names:
        chapters[chapter_of(exhibits[name])].append(name)
    chapters["supplement"].sort(key=lambda name: _ORDER.index(subject_of(exhibits[name])))
    return {chapter: held for chapter, held in chapters.items() if held}
