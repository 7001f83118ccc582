"""Faults that only a text file can have: truncated lines, rows without an id, invalid dates.

Damaged lines are extra lines, copied from good ones and rejected when the file is read, so the truth does not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from refino_eval.synthetic.recipe import Mess, RegisterFile

NO_DATE = "99.99.9999"


def damaged_lines(
    table: pa.Table, form: RegisterFile, mess: Mess, rng: np.random.Generator
) -> tuple[list[str], Counter[str]]:
    """Return damaged copies of some rows.

    Parameters
    ----------
    table
        Rows as they are delivered.
    form
        The file's format; only text files can be damaged.
    mess
        Rates of `broken_lines`, `missing_ids` and `bad_dates`.
    rng
        Generator that chooses rows; not used if all rates are zero.

    Returns
    -------
    tuple
        Lines without their ends, and how many of each kind.
    """
    lines: list[str] = []
    planted: Counter[str] = Counter()
    types = [column.type for column in form.columns.values()]
    kinds = (("broken_line", mess.broken_lines), ("missing_id", mess.missing_ids), ("bad_date", mess.bad_dates))
    for kind, rate in kinds if form.format == "csv" else ():
        if not rate or (kind == "bad_date" and "date" not in types):
            continue
        for row in np.flatnonzero(rng.random(table.num_rows) < rate).tolist():
            values = [column[row].as_py() for column in table.columns]
            fields = ["" if value is None else str(value) for value in values]
            lines.append(form.delimiter.join(_damaged(fields, kind, types)))
            planted[kind] += 1
    return lines, planted


def _damaged(fields: list[str], kind: str, types: Sequence[str]) -> list[str]:
    if kind == "broken_line":
        return fields[:-1]
    position = types.index("id" if kind == "missing_id" else "date")
    return [*fields[:position], "" if kind == "missing_id" else NO_DATE, *fields[position + 1 :]]
