"""Named comparisons: the people of another treatment or wave, with their arm and cells in place of the evaluation's."""

from __future__ import annotations

import pandas as pd

from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.numbers.groups import members_of
from refino_eval.exhibits.numbers.study import Study


def people_compared(name: str, cohort: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the people of a comparison, with their arm as `treated` and their cell as `cell`.

    People without a value of the comparison's column of treatment are not in it; those without a value of one of its strata
    share a cell of their own, as where strata are missing in the evaluation (`missing_stratum: own`).

    Raises
    ------
    UserError
        When the cohort lacks a column, or treatment has other values than 0 and 1.
    """
    comparison = study.comparisons[name]
    if comparison.among is not None:
        cohort = cohort.loc[members_of(study.subgroups[comparison.among], cohort)]
    if comparison.treated is not None:
        assigned = _column(comparison.treated, name, cohort).astype(float)
        cohort, assigned = cohort.loc[assigned.notna()], assigned[assigned.notna()]
        other = int((~assigned.isin([0.0, 1.0])).sum())
        if other:
            raise UserError(
                f"comparison '{name}': '{comparison.treated}' is neither 0 nor 1 for {other:,} people. Make a column that is 1 for "
                "the treated, 0 for their control group and missing for others."
            )
        cohort = cohort.drop(columns="arm", errors="ignore").assign(treated=assigned.astype("int32"))
    if comparison.strata is not None:
        columns = [_column(column, name, cohort).astype("str") for column in comparison.strata]
        rows = zip(*columns, strict=True) if columns else [("all",)] * len(cohort)
        cohort = cohort.assign(cell=[" x ".join(row) for row in rows])
    return cohort


def _column(column: str, name: str, cohort: pd.DataFrame) -> pd.Series:
    if column not in cohort:
        raise UserError(
            f"comparison '{name}' names '{column}', which the cohort does not have.{nearest(column, map(str, cohort.columns))}"
        )
    return cohort[column]
