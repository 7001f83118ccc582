"""Which definitions a tidy number refers to, and its place in words: panel, row, column and statistic.

Nothing here knows the kinds of exhibits. A part of a key is looked up among the exhibit's columns, then among arms, outcomes,
states, covariates and specifications, so that a new kind has trails as well.
"""

from __future__ import annotations

from typing import Any

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.labels import LabelBook, is_word
from refino_eval.text import say_if_any

KINDS = ("outcomes", "states", "covariates", "subgroups")
JOINT = " · "
"""Between the parts of the words of a number."""


def defined_by(exhibit: Exhibit, key: Key, definitions: Definitions) -> tuple[tuple[str, str], ...]:
    """Return the definitions that a number refers to, as (kind, name): of the column first, then the row and the panel.

    An exhibit of one outcome refers to that outcome whatever the key says.
    """
    panel, row, column, _ = key
    columns, take_up = exhibit.outcome_columns, getattr(exhibit, "take_up", None)
    names = [exhibit.single_outcome, *(columns.get(part, part) for part in (column, row, panel))]
    # The first stage of a LATE is about participation, which is no part of its key.
    names += [take_up] if row == "first_stage" else []
    kinds = [
        (next((kind for kind in KINDS if name in getattr(definitions, kind)), None), name) for name in names if name
    ]
    return tuple(dict.fromkeys((kind, name) for kind, name in kinds if kind is not None))


def own_outcome(exhibit: Exhibit, key: Key) -> str | None:
    """Return the outcome that a number is about, also one that no definition holds (that of a person table)."""
    panel, row, column, _ = key
    columns = exhibit.outcome_columns
    if exhibit.single_outcome is not None:
        return exhibit.single_outcome
    return next((columns[part] for part in (column, row, panel) if part in columns), None)


def specification_name(exhibit: Exhibit, key: Key, definitions: Definitions) -> str | None:
    """Return the specification that a number was made by: one that its key names, else the exhibit's own."""
    for part in ":".join(key[:3]).split(":"):
        if part in definitions.specifications and part in exhibit.specifications_read:
            return part
    return next(iter(exhibit.specifications_read), None)


def words_of_part(part: str, exhibit: Exhibit, labels: LabelBook) -> str:
    """Return what one part of a key is called."""
    label = _label_of(part, exhibit, labels)
    if not label and ":" in part:
        # A key such as `hiring:undecided` is several in one.
        label = ", ".join(_label_of(piece, exhibit, labels) or labels.word(piece) for piece in part.split(":"))
    # A key such as a calendar month or the name of a stratum is shown as it is.
    return label or (labels.word(part) if part.islower() else part)


def _label_of(part: str, exhibit: Exhibit, labels: LabelBook) -> str:
    """Return the label of a key's part: from the exhibit, the study, the definitions, or the words for keys; or nothing."""
    language, definitions, columns = labels.language, labels.definitions, exhibit.outcome_columns
    if part in columns:
        return labels.outcome(columns[part])
    if part in labels.arms:
        return labels.arm(part)
    if isinstance(exhibit, StatesExhibit) and part.lstrip("-").isdigit():
        return labels.say(f"trail.period_{exhibit.clock}", time=part.replace("-", "\N{MINUS SIGN}"))
    if part in labels.samples:
        return labels.sample(part)
    study = {**labels.flow, **_labels_of_money(exhibit, definitions), **exhibit.own_labels}
    if part in study:
        return study[part][language]
    for kind in (*KINDS, "specifications", "comparisons"):
        entry: Any = getattr(definitions, kind).get(part)
        if entry is not None:
            return str(entry.label[language])
    if is_word(part):
        return labels.word(part)
    return say_if_any(f"keys.{part}", language) or (_word_of_model(part, language) if exhibit.cost_benefit_read else "")


def _word_of_model(part: str, language: str) -> str:
    """Return what an item, a perspective or an input of a cost-benefit model is called; or nothing."""
    return (
        say_if_any(f"cost_benefit.item_{part}", language)
        or say_if_any(f"cost_benefit.perspective_{part}", language)
        or say_if_any(f"cost_benefit.input_{part}", language)
        or say_if_any(f"cost_benefit.column_{part}", language)
    )


def word_of_key(part: str, labels: LabelBook) -> str:
    """Return what a part of a key is called that no exhibit of the evaluation has."""
    return say_if_any(f"keys.{part}", labels.language) or labels.word(part)


def _labels_of_money(exhibit: Exhibit, definitions: Definitions) -> dict[str, Label]:
    """Return the labels of the costs and the rules of payment that an exhibit reads, by their keys."""
    labels: dict[str, Label] = {}
    for name in exhibit.costs_read:
        costs = definitions.costs[name]
        labels |= {
            key: entry.label for entries in (costs.bases, costs.values, costs.effects) for key, entry in entries.items()
        }
    labels |= {name: rule.label for name, rule in getattr(exhibit, "extrapolations", {}).items()}
    for name in exhibit.cost_benefit_read:
        model = definitions.cost_benefit[name]
        for parts in (model.programmes, model.scenarios, model.judgements):
            labels |= {key: entry.label for key, entry in parts.items()}
    for name in exhibit.payments_read:
        rules = definitions.payments[name]
        labels |= {
            name: rules.label,
            **{milestone.name: milestone.label for milestone in rules.milestones},
            **rules.reasons,
        }
    return labels


def words_of_place(key: Key, exhibit: Exhibit, labels: LabelBook, *, statistic: bool = True) -> str:
    """State which number a key means; the treated arm is left out where it heads every row.

    Parameters
    ----------
    key
        The number.
    exhibit
        The exhibit that it belongs to.
    labels
        What to call things, in the language of the page.
    statistic
        Whether to say which statistic it is.
    """
    panel, row, column, what = key
    specifications = getattr(exhibit, "specifications", ())
    parts = [] if panel in specifications and len(specifications) == 1 else [panel]
    parts += [] if row == labels.treated and exhibit.outcome_columns else [row]
    parts.append(column)
    words = [words_of_part(part, exhibit, labels) for part in parts if part]
    return JOINT.join(dict.fromkeys([*words, *([words_of_part(what, exhibit, labels)] if statistic else [])]))
