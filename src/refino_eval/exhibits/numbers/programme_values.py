"""The cost-benefit model of an exhibit, with the published numbers that it reads."""

from __future__ import annotations

from refino_eval.config.exhibit_base import ProgrammesExhibit
from refino_eval.cost_benefit.programme_model import Model
from refino_eval.exhibits.numbers.cost_comparison import published_of
from refino_eval.exhibits.numbers.study import Context


def model_of(exhibit: ProgrammesExhibit, context: Context) -> Model:
    """Return the exhibit's model."""
    return Model(context.study.cost_benefit[exhibit.model], published_of(context.files))
