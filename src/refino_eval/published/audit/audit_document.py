"""Run all rules over a document, and report one finding per cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from refino_eval.config.base import Label
from refino_eval.errors import raise_problems
from refino_eval.published.audit.arithmetic import arithmetic
from refino_eval.published.audit.category_tests import category_tests
from refino_eval.published.audit.comparisons.broken_series import broken_series
from refino_eval.published.audit.comparisons.constant_lines import constant_lines
from refino_eval.published.audit.comparisons.copied_lines import copied_lines
from refino_eval.published.audit.comparisons.deviating_rows import deviating_rows
from refino_eval.published.audit.comparisons.irregular_decimals import irregular_decimals
from refino_eval.published.audit.comparisons.model_consistency import model_consistency
from refino_eval.published.audit.comparisons.outlying_ratios import outlying_ratios
from refino_eval.published.audit.comparisons.rounded_sums import rounded_sums
from refino_eval.published.audit.comparisons.several_p_values import several_p_values
from refino_eval.published.audit.comparisons.sibling_models import sibling_models
from refino_eval.published.audit.comparisons.sister_rows import sister_rows
from refino_eval.published.audit.comparisons.star_order import star_order
from refino_eval.published.audit.comparisons.two_way_outliers import two_way_outliers
from refino_eval.published.audit.comparisons.unusual_numbers import unusual_numbers
from refino_eval.published.audit.document import Document, document_of, relations_file
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding
from refino_eval.published.audit.group_tests import group_tests
from refino_eval.published.audit.other_documents import named_documents, other_documents
from refino_eval.published.audit.pooled_sizes import pooled_sizes
from refino_eval.published.audit.shares_and_counts import shares_and_counts
from refino_eval.published.audit.significance import significance
from refino_eval.published.audit.subgroup_tables import subgroup_tables
from refino_eval.published.audit.whole_numbers import whole_numbers
from refino_eval.published.relations import Relation, load_relations
from refino_eval.published.source import load_source, source_file
from refino_eval.published.values import load_published

FAMILIES = (
    sibling_models, copied_lines, arithmetic, shares_and_counts, pooled_sizes, whole_numbers, group_tests,
    category_tests, significance, subgroup_tables,
    model_consistency, outlying_ratios, sister_rows, deviating_rows, rounded_sums, two_way_outliers, constant_lines, broken_series, irregular_decimals, star_order, several_p_values, unusual_numbers, other_documents,
)  # fmt: skip
ABOUT_THE_NUMBER = ("swap", "grouping", "sign", "magnitude")
"""Rules that say how a number was written wrongly: whatever else it contradicts has the same cause."""

ABOUT_TABLES = ("stars_missing", "sample")
"""Rules about whole tables, which explain nothing about their numbers."""


def audit_file(path: Path | str) -> tuple[Finding, ...]:
    """Audit a file of published values, with the relations declared in `<document>.relations.yaml` next to it.

    Parameters
    ----------
    path
        `<document>.csv`.

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
    declared = relations_file(path)
    relations = load_relations(declared) if declared.is_file() else ()
    names = load_source(source_file(path)).exhibit_names(published["exhibit"].unique())
    return audit(published, relations, name=path.stem, others=_others(path, relations), names=names)


def _others(path: Path, relations: tuple[Relation, ...]) -> dict[str, Document]:
    """Read the other documents that relations name, from the same folder."""
    files = {name: path.with_name(f"{name}.csv") for name in named_documents(relations)}
    raise_problems(
        [
            f"{relations_file(path).name}: a relation names the document '{name}', and there is no {file.name} next to it."
            for name, file in files.items()
            if not file.is_file()
        ]
    )
    return {name: document_of(load_published(file), name=name) for name, file in files.items()}


def audit(
    published: pd.DataFrame,
    relations: tuple[Relation, ...] = (),
    *,
    name: str = "document",
    others: Mapping[str, Document] | None = None,
    names: Mapping[str, Label] | None = None,
) -> tuple[Finding, ...]:
    """Audit published values.

    Parameters
    ----------
    published
        As `load_published` returns it.
    relations
        What must hold in this document in addition to what its tables suggest.
    name
        Name of the document.
    others
        Documents that the relations name, by name.
    names
        Parts of keys -> the names that the document gives them.

    Returns
    -------
    tuple of Finding
        In the document's order; one finding per cause.
    """
    document = document_of(published, relations, name=name, others=others, names=names)
    findings = [finding for family in FAMILIES for finding in family(document)]
    findings.sort(key=lambda finding: (RULES.index(finding.rule), CERTAINTIES.index(finding.certainty)))
    order = {key: index for index, key in enumerate(document.keys)}
    return tuple(sorted(one_cause(findings), key=lambda item: (order[item.cells[0]], RULES.index(item.rule))))


def one_cause(findings: list[Finding]) -> list[Finding]:
    """Drop findings whose numbers an earlier one already explains, and add their rules to that one.

    Parameters
    ----------
    findings
        In the order in which they explain.
    """
    causes: list[Finding] = []
    for finding in findings:
        earlier = next((index for index, other in enumerate(causes) if _explains(other, finding)), None)
        if earlier is None:
            causes.append(finding)
        elif finding.rule not in (causes[earlier].rule, *causes[earlier].also):
            causes[earlier] = replace(causes[earlier], also=(*causes[earlier].also, finding.rule))
    return causes


def _explains(earlier: Finding, later: Finding) -> bool:
    """Return whether an earlier finding explains the number at fault in a later one."""
    if earlier.rule in ABOUT_TABLES:
        return False
    if earlier.rule in ABOUT_THE_NUMBER:
        return bool(set(later.cells) & set(earlier.cells))
    if earlier.rule == later.rule and earlier.cells[0] != later.cells[0]:
        return later.rule != "swap" and set(later.cells) <= set(earlier.cells)
    return later.cells[0] in earlier.cells
