"""What the report says about exhibits of kind `stepwise`."""

from __future__ import annotations

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook


def formula(
    exhibit: StepwiseExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression of a step; nothing for the decomposition, which follows from several."""
    panel, row, _, _ = key
    if outcome is None or specification is None or panel != "steps":
        return ""
    last = int(row.removeprefix("step_")) if row.startswith("step_") else 0
    entered = {name for step in exhibit.steps[:last] for name in step}
    part = specification.model_copy(
        update={
            "controls": tuple(term for term in specification.controls if term.covariate in entered),
            "absorb": tuple(name for name in specification.absorb if name in entered),
            "strata": specification.strata and not specification.absorb and row != "raw",
        }
    )
    return regression(outcome, part, labels)
