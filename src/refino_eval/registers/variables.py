"""List the variables: every column that is read, where it comes from and why it is needed.

Columns that are not listed in a source are never read, so this list is complete; it is what a register's owner asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from refino_eval.config.base import Language
from refino_eval.config.sources import Source

_TYPES = {
    "id": ("identifikator", "identifier"),
    "text": ("tekst", "text"),
    "code": ("kode", "code"),
    "date": ("dato", "date"),
    "integer": ("heltall", "whole number"),
    "number": ("tall", "number"),
    "hundredths": ("desimaltall (hundredeler)", "decimal number (hundredths)"),
    "ore": ("beløp i kroner og øre", "amount in kroner and øre"),
    "month": ("måned", "month"),
    "year": ("år", "year"),
    "week": ("uker siden trekningen", "weeks since the draw"),
}


@dataclass(frozen=True)
class Variable:
    """One line of the variable list.

    Attributes
    ----------
    register
        Inside name of the register.
    register_label, owner
        The register's label in one language, and who delivers it.
    column, source_column
        Inside name and delivered name.
    type
        The type of the values, in words.
    why
        Why the evaluation needs the column, as the source states it.
    """

    register: str
    register_label: str
    owner: str
    column: str
    source_column: str
    type: str
    why: str


def variable_list(sources: Iterable[Source], language: Language) -> tuple[Variable, ...]:
    """List the columns of the sources, in the order given and each source's own order."""
    return tuple(
        Variable(
            register=source.register_name,
            register_label=source.label[language],
            owner=source.owner,
            column=name,
            source_column=column.source,
            type=_TYPES[column.type][0 if language == "nb" else 1],
            why=column.why,
        )
        for source in sources
        for name, column in source.columns.items()
    )
