"""What the report says about exhibits of kind `tests`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def methods(exhibit: TestsExhibit, labels: LabelBook) -> str:
    """Return a paragraph on the randomisation tests."""
    return labels.say("methods.randomisation_tests", draws=NumberStyle.of(labels.language).integer(exhibit.draws))


LIMIT = 0.05


def summary(exhibit: TestsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what the family-wise p-values and the joint test of all outcomes show."""
    style = NumberStyle.of(labels.language)
    cells = {key: statistics_at(frame, exhibit.specification, key, labels.treated) for key in exhibit.columns}
    p_values = {key: cell["p_value_fwer"] for key, cell in cells.items() if "p_value_fwer" in cell}
    sentences = []
    if len(p_values) > 1:
        least = min(p_values, key=lambda key: p_values[key])
        of_arms = exhibit.family == "arms_and_outcomes"
        all_tests = int(((frame["panel"] == exhibit.specification) & (frame["statistic"] == "p_value_fwer")).sum())
        family = "family_of_arms" if of_arms and all_tests > len(p_values) else "family"
        values = {
            "total": all_tests if family == "family_of_arms" else len(p_values), "limit": style.fixed(LIMIT, 2), "p": style.p_value(p_values[least]),
            "outcome": labels.outcome(exhibit.columns[least]),
        }  # fmt: skip
        below = sum(p < LIMIT for p in p_values.values())
        if below:
            sentences.append(labels.say(f"summary.{family}_some", n=below, **values))
        else:
            sentences.append(labels.say(f"summary.{family}_none", **values))
    omnibus = statistics_at(frame, exhibit.specification, "omnibus", labels.treated).get("p_value_ri")
    if omnibus is not None:
        sentences.append(labels.say("summary.omnibus", n=len(exhibit.columns), p=style.p_value(omnibus)))
    return sentences
