"""Numbers of exhibits of kind `listing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.kinds.listing.model import Dimension, ListingExhibit
from refino_eval.exhibits.numbers.number_sources import CopyOf
from refino_eval.exhibits.numbers.study import Context, Row
from refino_eval.exhibits.tidy import read_made

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


def numbers(exhibit: ListingExhibit, context: Context) -> Iterator[Row]:
    """Return the chosen numbers of another exhibit, with the people behind each.

    Raises
    ------
    UserError
        When a chosen panel, row, column or statistic does not occur in the exhibit, or nothing has all that was chosen.
    """
    frame = read_made(context.files.aggregates[exhibit.numbers_of])
    for dimension, chosen in exhibit.only.items():
        present = dict.fromkeys(frame[dimension])
        for key in chosen:
            if key not in present:
                raise UserError(
                    f"only: the exhibit '{exhibit.numbers_of}' has no {dimension} '{key}'.{nearest(key, present)} "
                    f"aggregates/{exhibit.numbers_of}.csv lists what it has."
                )
    listed = frame
    # The last sort decides most, so the panels come last; each sort is stable and keeps the exhibit's own order within equal keys.
    for dimension in reversed(DIMENSIONS):
        if dimension in exhibit.only:
            position = {key: index for index, key in enumerate(exhibit.only[dimension])}
            listed = listed[listed[dimension].isin(position)]
            listed = listed.iloc[listed[dimension].map(position).argsort(kind="stable")]
    if listed.empty:
        raise UserError(
            f"no number of the exhibit '{exhibit.numbers_of}' has all of the panels, rows, columns and statistics that were "
            "chosen. Choose fewer."
        )
    for record in listed.drop(columns="exhibit").to_dict("records"):
        source = CopyOf(exhibit.numbers_of, str(record["panel"]), str(record["row"]), str(record["column"]))
        yield {**{str(name): value for name, value in record.items()}, "source": source}
