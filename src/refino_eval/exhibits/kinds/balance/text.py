"""What the report says about exhibits of kind `balance`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.balance.model import BalanceExhibit
from refino_eval.exhibits.report_parts import DesignCheck
from refino_eval.exhibits.tidy import Key, statistics_at
from refino_eval.exhibits.wording.formulas import strata_text
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def formula(
    exhibit: BalanceExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression behind a number: assignment on covariates, or a covariate on assignment for differences."""
    panel, row, column, _ = key
    strata = strata_text(labels)
    if panel == "differences":
        return f"{row} ~ {labels.treated}{strata}" if column == "difference" else ""
    if column == "joint":
        return f"{labels.treated} ~ {' + '.join(exhibit.covariates)}{strata}"
    return f"{labels.treated} ~ {row}{strata}" if row in exhibit.covariates else ""


def design_checks(exhibit: BalanceExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the joint test of all characteristics, with the smallest p-value of a single one."""
    joint = statistics_at(frame, "", "joint_test", "joint").get("p_value")
    if joint is None:
        return
    panel, column = ("differences", "difference") if exhibit.regress == "covariates" else ("", "alone")
    alone = {name: statistics_at(frame, panel, name, column).get("p_value", 1.0) for name in exhibit.covariates}
    least = min(alone, key=lambda name: alone[name])
    style = NumberStyle.of(labels.language)
    text = labels.say(
        "summary.check_balance", n=len(alone), p=style.p_value(joint), least=style.p_value(alone[least]),
        covariate=labels.covariate(least, unit=False),
    )  # fmt: skip
    yield DesignCheck(text, joint)
