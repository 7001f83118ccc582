"""Checks of relations among published numbers, as a table."""

import pandas as pd

from refino_eval.published.intervals import Interval, stands_for
from refino_eval.published.relations import Key, Relation, checks
from refino_eval.published.values import KEYS, parse_printed


def check_relations(relations: tuple[Relation, ...], published: pd.DataFrame) -> pd.DataFrame:
    """Check every relation; a published number can be any number that rounds to it.

    Parameters
    ----------
    relations
        As `load_relations` returns them.
    published
        As `load_published` returns it.

    Returns
    -------
    pandas.DataFrame
        Columns `kind, is, printed, implied_low, implied_high, holds, why`: the range that the other numbers imply for
        the number, and whether it is compatible with the published one. A relation that matches no numbers has no row.
    """
    prints = {tuple(str(record[key]) for key in KEYS): record for record in published.to_dict("records")}

    def read(key: Key) -> Interval:
        record = prints[key]
        printed = parse_printed(str(record["printed"]), rounded_to=str(record.get("rounded_to", "")))
        return stands_for(printed, statistic=key[-1], qualifier=str(record.get("qualifier", "")))

    rows = [
        {
            "kind": check.relation.kind,
            "is": "/".join(check.target),
            "printed": str(prints[check.target]["printed"]),
            "implied_low": float(check.implied.low),
            "implied_high": float(check.implied.high),
            "holds": check.holds,
            "why": check.relation.reason("en"),
        }
        for relation in relations
        for check in checks(relation, tuple(prints), read)
    ]
    return pd.DataFrame(rows, columns=["kind", "is", "printed", "implied_low", "implied_high", "holds", "why"])
