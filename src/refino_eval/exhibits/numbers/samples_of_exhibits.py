"""From people to numbers, for the exhibits beyond the plain effect: tests, estimands, interactions."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config.exhibit_base import OutcomesExhibit
from refino_eval.errors import UserError
from refino_eval.exhibits.numbers.study import PersonFiles, controls_of, outcome_columns, response_weighted, weighted

OneByOne = TypeVar("OneByOne", bound=OutcomesExhibit)
Sample = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]
"""People, their outcomes and their controls, row by row."""


def sample_of(exhibit: Any, cohort: pd.DataFrame, files: PersonFiles, specification: d.Specification) -> Sample:
    """Return people, outcomes and controls on the rows that the exhibit's sample and the controls leave.

    Raises
    ------
    UserError
        When they are not in both arms.
    """
    people, values, controls = observed(exhibit, cohort, files, specification)
    if people["treated"].nunique() < 2:
        raise UserError(
            f"only {len(people):,} people have a value in every column, and they are not in both arms. "
            "Look at the outcomes' windows against the register's coverage."
        )
    return people, values, controls


def observed(exhibit: Any, cohort: pd.DataFrame, files: PersonFiles, specification: d.Specification) -> Sample:
    """Return the same for people of any arms."""
    columns = getattr(exhibit, "columns", None) or {name: name for name in exhibit.outcomes}
    cohort = weighted(cohort, specification)
    values = outcome_columns(columns, cohort, files)
    rows = np.ones(len(cohort), dtype=bool)
    if getattr(exhibit, "missing", "common") == "common" or specification.options["nonresponse"]:
        rows = est.common_sample(values).rows
    people = response_weighted(cohort, rows, specification).loc[rows].reset_index(drop=True)
    controls = controls_of(people, specification, columns)
    kept = controls.rows
    return (
        people.loc[kept].reset_index(drop=True),
        values.loc[rows].reset_index(drop=True).loc[kept].reset_index(drop=True),
        controls.to_frame().loc[kept].reset_index(drop=True) if controls.names else None,
    )


def one_by_one(exhibit: OneByOne, specification: d.Specification) -> list[OneByOne]:
    """Return the exhibit, or one of each outcome where each has its own people and with them its own weights for non-response."""
    if not specification.options["nonresponse"] or exhibit.missing == "common":
        return [exhibit]
    return [exhibit.model_copy(update={"columns": {key: name}}) for key, name in exhibit.columns.items()]


def people_of(cohort: pd.DataFrame, specification: d.Specification) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return people and their controls where no outcome is read, on the rows that the controls leave.

    Raises
    ------
    UserError
        When they are not in both arms.
    """
    people = weighted(cohort, specification)
    controls = controls_of(people, specification)
    kept = people.loc[controls.rows].reset_index(drop=True)
    if kept["treated"].nunique() < 2:
        raise UserError(
            f"only {len(kept):,} people have every control, and they are not in both arms. Look at the controls' `missing`."
        )
    return kept, controls.to_frame().loc[controls.rows].reset_index(drop=True) if controls.names else None
