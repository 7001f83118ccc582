"""What the report says about exhibits of kind `adjusted_differences`."""

from __future__ import annotations

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.adjusted_differences.model import AdjustedDifferencesExhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.formulas import regression, term_text
from refino_eval.exhibits.wording.labels import LabelBook


def formula(
    exhibit: AdjustedDifferencesExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the models behind a number: the regression, or the outcome's and the propensity score's."""
    panel, row, _, _ = key
    if outcome is None or specification is None:
        return ""
    if panel == "regression":
        return f"{outcome} ~ {labels.treated}" if row == "raw" else regression(outcome, specification, labels)
    cells = specification.absorb or (("^".join(labels.strata),) if specification.strata and labels.strata else ())
    terms = (
        " + ".join([*(term_text(term) for term in specification.controls), *(f"C({name})" for name in cells)]) or "1"
    )
    values = {"outcome": outcome, "treated": labels.treated, "terms": terms}
    texts = {
        "regression_adjustment": labels.say("adjusted_differences.formula_regression", **values),
        "ipw": labels.say("adjusted_differences.formula_ipw", **values),
        "entropy_balancing": labels.say("adjusted_differences.formula_entropy", **values),
        "aipw": labels.say("adjusted_differences.formula_aipw", **values),
    }
    return texts.get(row, "")
