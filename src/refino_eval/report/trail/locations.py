"""Which definitions a tidy number speaks of, and its place in words: panel, row, column and statistic.

Nothing here knows the kinds of exhibits. What a part of a key means is found among the exhibit's own columns, then among
arms, outcomes, states, covariates and specifications, so that a kind added tomorrow is told as well.
"""

from __future__ import annotations

from typing import Any

from refino_eval.config.definitions import Definitions
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.wording.labels import VOCABULARY, LabelBook
from refino_eval.exhibits.wording.notes import say

Key = tuple[str, str, str, str]
"""Panel, row, column and statistic of a tidy number."""

KINDS = ("outcomes", "states", "covariates", "subgroups")


def defined_by(exhibit: Exhibit, key: Key, definitions: Definitions) -> tuple[tuple[str, str], ...]:
    """Return the definitions that a number speaks of, as (kind, name): of the column first, then the row and the panel.

    An exhibit of one outcome speaks of that outcome whatever the key says.
    """
    panel, row, column, _ = key
    columns = exhibit.outcome_columns
    own = [exhibit.single_outcome, getattr(exhibit, "take_up", None)]
    named = [columns.get(part, part) for part in (column, row, panel)]
    found: dict[tuple[str, str], None] = {}
    for name in [name for name in (own[0], *named) if name is not None]:
        for kind in KINDS:
            if name in getattr(definitions, kind):
                found[kind, name] = None
                break
    if row == "first_stage" and own[1] in definitions.outcomes:
        found["outcomes", str(own[1])] = None
    return tuple(found)


def own_outcome(exhibit: Exhibit, key: Key) -> str | None:
    """Return the outcome that a number is about, also one that no definition holds (that of a person table)."""
    panel, row, column, _ = key
    columns = exhibit.outcome_columns
    if exhibit.single_outcome is not None:
        return exhibit.single_outcome
    return next((columns[part] for part in (column, row, panel) if part in columns), None)


def specification_name(exhibit: Exhibit, key: Key, definitions: Definitions) -> str | None:
    """Return the specification that a number was made by: one that its key names, else the exhibit's own."""
    for part in key[:3]:
        if part in definitions.specifications and part in exhibit.specifications_read:
            return part
    return next(iter(exhibit.specifications_read), None)


def words_of_part(part: str, exhibit: Exhibit, labels: LabelBook, language: str) -> str:
    """Return what one part of a key is called."""
    columns = exhibit.outcome_columns
    definitions = labels.definitions
    if part in columns:
        return labels.outcome(columns[part], language)
    if part in labels.arms:
        return labels.arm(part, language)
    if isinstance(exhibit, StatesExhibit) and part.lstrip("-").isdigit():
        period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[exhibit.clock]
        return f"{period} {part}".replace("-", "\N{MINUS SIGN}")
    if part in labels.flow:
        return labels.flow[part][language]
    if part in labels.samples:
        return labels.sample(part, language)
    for kind in ("outcomes", "states", "specifications", "subgroups"):
        entry: Any = getattr(definitions, kind).get(part)
        if entry is not None:
            return str(entry.label[language])
    if part in definitions.covariates:
        return labels.covariate(part, language, unit=False)
    # A key such as a calendar month or the name of a cell is a word of its own.
    return labels.word(part, language) if part in VOCABULARY or part.islower() else part


def words_of_place(key: Key, exhibit: Exhibit, labels: LabelBook, language: str, *, statistic: bool = True) -> str:
    """Say which number a key means; an arm that heads every row goes without saying.

    Parameters
    ----------
    key
        The number.
    exhibit
        Where it stands.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    statistic
        Whether to say which statistic it is.
    """
    panel, row, column, what = key
    specifications = getattr(exhibit, "specifications", ())
    parts = [] if panel in specifications and len(specifications) == 1 else [panel]
    parts += [] if row == labels.treated and exhibit.outcome_columns else [row]
    parts.append(column)
    told = [words_of_part(part, exhibit, labels, language) for part in parts if part]
    return " · ".join(dict.fromkeys([*told, *([labels.word(what, language)] if statistic else [])]))
