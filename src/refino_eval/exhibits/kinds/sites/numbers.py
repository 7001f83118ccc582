"""Numbers of exhibits of kind `sites`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval.economics.programme_costs import amount
from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.sites.model import SitesExhibit
from refino_eval.exhibits.numbers.cost_comparison import published_of
from refino_eval.exhibits.numbers.groups import values_as_text
from refino_eval.exhibits.numbers.study import Context, Row, cell, of_arm


def numbers(exhibit: SitesExhibit, context: Context) -> Iterator[Row]:
    """Yield the stated numbers and the people of each site by arm; then `all`, and who was at none of the sites."""
    cohort, study, published = context.cohort, context.study, published_of(context.files)
    where = values_as_text(cohort, exhibit.by)
    arms = (*study.treated_arms, study.control)
    members = {arm: of_arm(cohort, arm, study) for arm in arms}
    sums: dict[str, float] = {}
    somewhere = np.zeros(len(cohort), dtype=bool)
    for name, site in exhibit.sites.items():
        for column, entry in site.stated.items():
            value = amount(entry, published)
            sums[column] = sums.get(column, 0.0) + value
            yield cell(name, column, "stated", value)
        here = np.isin(where, site.values)
        somewhere |= here
        for arm in arms if site.values else ():
            count = int(np.count_nonzero(here & members[arm]))
            yield cell(name, arm, "count", count, count)
    for column, head in exhibit.columns.items():
        if head.sum and column in sums:
            yield cell("all", column, "stated", sums[column])
    for row, people in (("all", somewhere), (WITHOUT_GROUP, ~somewhere)):
        for arm in arms if row == "all" or people.any() else ():
            count = int(np.count_nonzero(people & members[arm]))
            yield cell(row, arm, "count", count, count)
