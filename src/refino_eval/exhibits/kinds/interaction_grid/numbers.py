"""Numbers of exhibits of kind `interaction_grid`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.interaction_grid.model import InteractionGridExhibit
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of

LEVEL = 0.05
"""The level of p below which coefficients are counted."""


def numbers(exhibit: InteractionGridExhibit, context: Context) -> Iterator[Row]:
    """Yield the interaction of assignment with each moderator for each outcome, with Holm's p over all of them.

    Holm (1979) controls the family-wise error whatever the dependence of the tests; outcomes of the same people depend strongly on
    each other, so that it is conservative here.
    """
    specification = context.study.specifications[exhibit.specification]
    needed = list(exhibit.moderators)
    complete = context.cohort[needed].notna().all(axis=1).to_numpy()
    cohort = context.cohort.loc[complete].reset_index(drop=True)
    people, values, controls = sample_of(exhibit, cohort, context.files, specification)
    table = est.interactions(values, inputs_of(people, specification, controls), people[needed])
    # The interaction is the last term of each regression; they are in order of outcome, then of moderator.
    last = [len(regression.terms) - 1 for regression in table.regressions]
    p_values = np.array([one.p_value[t] for one, t in zip(table.regressions, last, strict=True)])
    holm = est.multiplicity(p_values, names=[str(k) for k in range(len(p_values))]).p_holm
    panel = exhibit.specification
    for m, moderator in enumerate(table.moderators):
        for j, outcome in enumerate(table.outcomes):
            k = j * len(table.moderators) + m
            n = int(table.n[j, m])
            yield from effect_rows(
                moderator, outcome, table.regressions[k], last[k], statistics=EFFECT[:3], panel=panel, n=n
            )
            yield cell(moderator, outcome, "p_value_holm", holm[k], n, panel=panel)
            yield cell(moderator, outcome, "n", n, n, panel=panel)
    tested = np.isfinite(p_values)
    yield cell("below_level", "all", "count", int(np.count_nonzero(p_values[tested] < LEVEL)), panel=panel)
    yield cell("below_level", "all", "n", int(np.count_nonzero(tested)), panel=panel)
    yield cell("smallest", "all", "p_value_holm", holm[tested].min() if tested.any() else np.nan, panel=panel)
