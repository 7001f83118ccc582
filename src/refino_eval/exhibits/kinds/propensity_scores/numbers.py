"""Numbers of exhibits of kind `propensity_scores`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.propensity_scores.model import PropensityScoresExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import people_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: PropensityScoresExhibit, context: Context) -> Iterator[Row]:
    """Return the share of each arm in each class of the score; the row is the class's lower limit."""
    study = context.study
    specification = study.specifications[exhibit.specification]
    people, controls = people_of(context.cohort, specification)
    table = est.overlap(inputs_of(people, specification, controls), bins=exhibit.bins)
    for arm, name in enumerate((study.control, study.treated)):
        for k in range(exhibit.bins):
            row, count = f"{table.edges[k]:.4g}", int(table.counts[k, arm])
            yield cell(row, name, "share", table.shares[k, arm], count, panel="score")
        yield cell("all", name, "n", table.n[arm], int(table.n[arm]), panel="score")
        yield cell("all", name, "n_left_out", table.n_left_out[arm], int(table.n[arm]), panel="score")
