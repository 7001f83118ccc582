"""Relations between documents: a number of this document that follows from numbers of others.

In a relation's keys, `document:exhibit/panel/row/column/statistic` is a number of another file of published values. The finding is
about this document's number, since it was published with the other at hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.config.base import Label
from refino_eval.published.audit.document import Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding, name_of, say_both, span
from refino_eval.published.relations import Relation, checks


def named_documents(relations: tuple[Relation, ...]) -> tuple[str, ...]:
    """Return the names of the documents that relations refer to, in order."""
    keys = (key for relation in relations for key in (*relation.of, *relation.weights))
    return tuple(dict.fromkeys(key.partition(":")[0] for key in keys if ":" in key.partition("/")[0]))


def other_documents(document: Document) -> Iterator[Finding]:
    """Yield a finding for each number that does not follow from those of other documents."""
    cells = dict(document.cells)
    for name, other in document.others.items():
        cells |= {(f"{name}:{key[0]}", *key[1:]): cell for key, cell in other.cells.items()}
    for relation in document.relations:
        if not named_documents((relation,)):
            continue
        for check in checks(relation, tuple(cells), lambda key: cells[key].range):
            if check.holds:
                continue
            parts = [key for group in check.groups for key in group]
            yield finding(
                document,
                check.target,
                rule="other_document",
                fits=span(check.implied, cells[check.target].printed),
                certainty=relation.sure,
                explanation=say_both(
                    "audit.other_document_fails",
                    number=name_of(check.target),
                    published=cells[check.target].text,
                    implied=span(check.implied, cells[check.target].printed),
                    parts="; ".join(f"{name_of(key)}: {cells[key].text}" for key in parts),
                    reason=Label(nb=relation.reason("nb"), en=relation.reason("en")),
                ),
            )
