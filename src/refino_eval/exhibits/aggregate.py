"""From people to numbers: compute the tidy aggregate of an exhibit.

This is the one place where person-level files become aggregates. Each kind of exhibit is one function that reads the
cohort and what it needs beside it, calls `estimation`, and writes the answer in tidy form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module

import numpy as np
import pandas as pd

from refino_eval.config.evaluation import CLUSTER_COLUMNS
from refino_eval.config.exhibits import FOLDER, Exhibit
from refino_eval.errors import UserError, raise_problems
from refino_eval.estimation.core.nonresponse import ResponseWeights
from refino_eval.estimation.core.recording import handled_controls
from refino_eval.estimation.verification.likelihood_engine import ask_weights
from refino_eval.exhibits.keys import CONTROLS, NONRESPONSE, arm_panel
from refino_eval.exhibits.numbers.comparisons import people_compared
from refino_eval.exhibits.numbers.number_sources import Refitted
from refino_eval.exhibits.numbers.person_columns import read_people
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, Study, cell, pairs
from refino_eval.exhibits.tidy import tidy_frame

LOADS = ("exhibits/kinds/{kind}/numbers.py",)
"""What this module imports by name: `digest` follows it like an import."""


def numbers_of(kind: str) -> Callable[..., Iterator[Row]]:
    """Return the function that computes the numbers of a kind."""
    numbers: Callable[..., Iterator[Row]] = import_module(f"{FOLDER}.{kind}.numbers").numbers
    return numbers


def aggregate(name: str, exhibit: Exhibit, *, files: PersonFiles, study: Study) -> pd.DataFrame:
    """Compute the numbers of an exhibit.

    Parameters
    ----------
    name
        The exhibit's name, written into the first column.
    exhibit
        Its definition.
    files
        The person-level files.
    study
        Names and specifications.

    Returns
    -------
    pandas.DataFrame
        Tidy numbers (see `tidy`), checked.

    Raises
    ------
    UserError
        When the sample is empty or lacks an arm, or an estimate cannot be made; the message names the exhibit.
    """
    return tidy_frame(rows_of(name, exhibit, files=files, study=study))


def rows_of(name: str, exhibit: Exhibit, *, files: PersonFiles, study: Study) -> list[Row]:
    """Compute the numbers of an exhibit as rows; those of a regression have a `source`, see `estimation.core.recording`."""
    study = study.comparing(exhibit.arm, exhibit.against)
    if not exhibit.about_people:
        return _of_inputs(name, exhibit, files, study)
    everybody = read_people(files.cohort).loc[lambda people: people[f"sample_{exhibit.sample}"]]
    weights = "weight" if "weight" in everybody else None
    clusters = sum(name in everybody for name in CLUSTER_COLUMNS)
    try:
        raise_problems(list(exhibit.refused(study.specifications, weights=weights, clusters=clusters)))
        with handled_controls() as handled:
            rows = [{"exhibit": name, **row} for row in _compared(exhibit, name, everybody, files, study)]
        # What was left out or filled is known once everything is computed; a note under the exhibit names it.
        for column, controls in (("collinear", handled.dropped), ("filled", handled.filled)):
            rows += [{"exhibit": name, **cell(control, column, "value", 1.0, panel=CONTROLS)} for control in controls]
        return rows + [{"exhibit": name, **row} for row in _weights_rows(handled.response)]
    except UserError as error:
        raise UserError(*[f"Exhibit '{name}': {text}" for text in error.problems]) from None


def _weights_rows(response: Sequence[ResponseWeights]) -> Iterator[Row]:
    """Return the smallest and the largest of the weights for non-response; statsmodels is asked for them when they are verified."""
    if not response:
        return
    ask = cache(lambda: [ask_weights(each) for each in response])
    least, most = min(np.nanmin(each.weights) for each in response), max(np.nanmax(each.weights) for each in response)
    for column, value, theirs in (
        ("least", least, lambda: min(low for low, _ in ask())),
        ("most", most, lambda: max(high for _, high in ask())),
    ):
        yield cell("weights", column, "value", value, panel=NONRESPONSE, source=Refitted("statsmodels", theirs))


def _of_inputs(name: str, exhibit: Exhibit, files: PersonFiles, study: Study) -> list[Row]:
    """Compute an exhibit that rests on inputs alone; nobody's data are read."""
    try:
        numbers = numbers_of(exhibit.kind)(exhibit, Context(name, pd.DataFrame(), files, study))
        return [{"exhibit": name, **row} for row in numbers]
    except UserError as error:
        raise UserError(*[f"Exhibit '{name}': {text}" for text in error.problems]) from None


def _compared(exhibit: Exhibit, name: str, everybody: pd.DataFrame, files: PersonFiles, study: Study) -> Iterator[Row]:
    """Compute the numbers of the evaluation's arms, or of each comparison, whose name is then before the panel's."""
    for comparison in exhibit.comparisons or (None,):
        people = everybody if comparison is None else people_compared(comparison, everybody, study)
        cohort = _sample(people, exhibit.sample if comparison is None else comparison, study)
        among = study
        if len(study.treated_arms) > 1 or len(people) > len(cohort):
            among = replace(study, all_arms=people.assign(treated=people["treated"].astype("int32")))
        for row in _rows(exhibit, Context(name, cohort, files, among)):
            several = len(exhibit.comparisons) > 1
            yield {**row, "panel": arm_panel(str(comparison), str(row["panel"]))} if several else row


def _rows(exhibit: Exhibit, context: Context) -> Iterator[Row]:
    """Call the exhibit's kind: once for all arms, or for each treated arm apart, its name before the panel's."""
    numbers, study = numbers_of(exhibit.kind), context.study
    if len(study.treated_arms) == 1 or exhibit.several_arms == "together":
        yield from numbers(exhibit, context)
        return
    for people, pair in pairs(context.cohort, study):
        for row in numbers(exhibit, replace(context, cohort=people, study=pair)):
            yield {**row, "panel": arm_panel(pair.treated, str(row["panel"]))}


def _sample(chosen: pd.DataFrame, sample: str, study: Study) -> pd.DataFrame:
    if "arm" in chosen:
        wanted = (*study.treated_arms, study.control)
        if study.is_pooled:
            chosen = chosen.assign(arm=chosen["arm"].where(chosen["arm"] == study.control, study.treated))
        chosen = chosen.loc[chosen["arm"].isin(wanted)]
        # The arm that is compared with counts as the control, also where it is one of the treated.
        chosen = chosen.assign(treated=(chosen["arm"] != study.control).astype("int32"))
        arms, needed = chosen["arm"].nunique(), len(wanted)
    else:
        arms, needed = chosen["treated"].nunique(), 2
    if arms < needed:
        raise UserError(
            f"the sample '{sample}' has {len(chosen):,} people in {arms} arm(s); a comparison needs "
            f"{'both' if needed == 2 else f'all {needed}'}. See run/flow.csv for who was lost and why."
        )
    return chosen.reset_index(drop=True)
