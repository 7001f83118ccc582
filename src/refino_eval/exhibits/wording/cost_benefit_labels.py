"""What the programmes, items and inputs of a cost-benefit model are called."""

from __future__ import annotations

from collections.abc import Sequence

from refino_eval.config.exhibit_base import ProgrammesExhibit
from refino_eval.config.money.cost_benefit import Conventions, CostBenefit
from refino_eval.exhibits.wording.labels import LabelBook


def model_behind(exhibit: ProgrammesExhibit, labels: LabelBook) -> CostBenefit:
    """Return the definition of the exhibit's model."""
    return labels.definitions.cost_benefit[exhibit.model]


def programme_label(exhibit: ProgrammesExhibit, name: str, labels: LabelBook) -> str:
    """Return what a programme is called."""
    return model_behind(exhibit, labels).programmes[name].label[labels.language]


def item_label(name: str, labels: LabelBook) -> str:
    """Return what an item of value or cost, or their total, is called."""
    return labels.say(f"cost_benefit.item_{name}")


def input_label(name: str, labels: LabelBook) -> str:
    """Return what an input is called."""
    return labels.say(f"cost_benefit.input_{name}")


def perspective_label(name: str, labels: LabelBook) -> str:
    """Return from whose point of view a value is."""
    return labels.say(f"cost_benefit.perspective_{name}")


def model_notes(exhibit: ProgrammesExhibit, labels: LabelBook) -> list[str]:
    """Return notes on prices and on the conventions of calculation that were used."""
    model = model_behind(exhibit, labels)
    return [labels.say("cost_benefit.prices", year=model.price_year), *convention_notes(model.conventions, labels)]


def convention_notes(conventions: Conventions, labels: LabelBook) -> Sequence[str]:
    """Return a sentence for each convention."""
    taxes = "counted" if conventions.tax_cost_on_taxes else "not_counted"
    return [
        labels.say(f"cost_benefit.discount_from_{conventions.discount_from}")
        + " "
        + labels.say(f"cost_benefit.taxes_{taxes}")
    ]
