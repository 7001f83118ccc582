"""Numbers of exhibits of kind `interactions`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows, joint_test_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of, weights_of


def numbers(exhibit: InteractionsExhibit, context: Context) -> Iterator[Row]:
    """One regression a moderator, with the coefficients of the controls shown, and the joint test of all."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    needed = list(exhibit.moderators)
    complete = cohort[needed].notna().all(axis=1).to_numpy()
    people, values, controls = sample_of(exhibit, cohort.loc[complete].reset_index(drop=True), files, specification)
    table = est.interactions(values, inputs_of(people, specification, controls), people[needed])
    control = (people["treated"] == 0).to_numpy()
    mean_control = float(np.average(values[control].iloc[:, 0], weights=weights_of(people[control])))
    panel = exhibit.specification
    for m, moderator in enumerate(table.moderators):
        n = int(table.n[0, m])
        regression = next(one for one in table.regressions if one.moderator == moderator)
        # The interaction is the last term and treatment the one before it; tables show them first.
        last = len(regression.terms) - 1
        rows = {study.treated: last - 1, f"{study.treated}_x_characteristic": last}
        rows |= {
            term: t
            for t, term in enumerate(regression.terms[: last - 1])
            if term in people.columns or (":^" in term and term.partition(":")[0] in people.columns)
        }
        for row, t in rows.items():
            yield from effect_rows(row, moderator, regression, t, statistics=EFFECT[:3], panel=panel, n=n)
        yield cell(study.treated, moderator, "mean_control", mean_control, n, panel=panel)
        yield cell(study.treated, moderator, "n", n, n, panel=panel)
    test = table.joint_test[0]
    yield from joint_test_rows("joint_test", "all", test, panel=panel)
