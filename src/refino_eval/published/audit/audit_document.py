"""Run all rules over a document, and let one cause be one finding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from refino_eval.published.audit.arithmetic import arithmetic
from refino_eval.published.audit.document import document_of, relations_beside
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding
from refino_eval.published.audit.model_consistency import models
from refino_eval.published.audit.shares_and_counts import shares
from refino_eval.published.audit.sibling_models import sisters
from refino_eval.published.audit.significance import inference
from refino_eval.published.relations import Relation, load_relations
from refino_eval.published.values import load_published

FAMILIES = (sisters, arithmetic, shares, inference, models)
ABOUT_PRINTS = ("swap", "grouping", "sign", "magnitude")
"""Rules that say how the print went wrong: whatever else a number so spoiled contradicts has that cause."""

ABOUT_TABLES = ("stars_missing", "sample")


def audit_file(path: Path | str) -> tuple[Finding, ...]:
    """Audit a file of published values, with the relations that stand beside it.

    Parameters
    ----------
    path
        `<document>.csv`; `<document>.relations.yaml` in the same folder may be missing.

    Returns
    -------
    tuple of Finding
        In the document's order.

    Raises
    ------
    UserError
        When the file, or its relations, cannot be read.
    """
    path = Path(path)
    published = load_published(path)
    beside = relations_beside(path)
    return audit(published, load_relations(beside) if beside.is_file() else (), name=path.stem)


def audit(
    published: pd.DataFrame, relations: tuple[Relation, ...] = (), *, name: str = "document"
) -> tuple[Finding, ...]:
    """Audit published values.

    Parameters
    ----------
    published
        As `load_published` returns it.
    relations
        What must hold in this document besides what its tables tell themselves.
    name
        Of the document.

    Returns
    -------
    tuple of Finding
        In the document's order; one finding a cause.
    """
    document = document_of(published, relations, name=name)
    found = [finding for family in FAMILIES for finding in family(document)]
    ranks = {rule: rank for rank, rule in enumerate(RULES)}
    sure = {certainty: rank for rank, certainty in enumerate(CERTAINTIES)}
    places = {key: place for place, key in enumerate(document.keys)}
    told = one_cause(sorted(found, key=lambda item: (ranks[item.rule], sure[item.certainty])))
    return tuple(sorted(told, key=lambda item: (places[item.cells[0]], ranks[item.rule])))


def one_cause(found: list[Finding]) -> list[Finding]:
    """Drop findings whose numbers an earlier one explains already, and name their rules there.

    Parameters
    ----------
    found
        In the order in which they explain.
    """
    told: list[Finding] = []
    for item in found:
        earlier = next((place for place, other in enumerate(told) if _explains(other, item)), None)
        if earlier is None:
            told.append(item)
        elif item.rule not in (told[earlier].rule, *told[earlier].also):
            told[earlier] = replace(told[earlier], also=(*told[earlier].also, item.rule))
    return told


def _explains(earlier: Finding, later: Finding) -> bool:
    """Return whether the number at fault in a later finding is one that an earlier finding explains.

    A rule that speaks of a whole table explains nothing about its numbers.
    """
    if earlier.rule in ABOUT_TABLES:
        return False
    if earlier.rule in ABOUT_PRINTS:
        return bool(set(later.cells) & set(earlier.cells))
    if earlier.rule == later.rule and earlier.cells[0] != later.cells[0]:
        return later.rule != "swap" and set(later.cells) <= set(earlier.cells)
    return later.cells[0] in earlier.cells
