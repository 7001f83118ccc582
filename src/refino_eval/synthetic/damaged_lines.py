"""Damage that only a text file can have: lines cut off, rows without an id, dates that are no dates.

Spoilt lines are extra lines, made from good ones and rejected when the file is read, so the truth stays where it is.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from refino_eval.synthetic.recipe import Mess, RegisterFile

NO_DATE = "99.99.9999"


def spoilt_lines(
    table: pa.Table, form: RegisterFile, mess: Mess, rng: np.random.Generator
) -> tuple[list[str], Counter[str]]:
    """Make spoilt copies of some rows.

    Parameters
    ----------
    table
        Rows as they are delivered.
    form
        The file's form; only text files can be spoilt.
    mess
        Rates of `broken_lines`, `missing_ids` and `bad_dates`.
    rng
        Chooses rows; not touched where no rate asks for it.

    Returns
    -------
    tuple
        Lines without their ends, and how many of each kind.
    """
    lines: list[str] = []
    planted: Counter[str] = Counter()
    if form.format != "csv":
        return lines, planted
    columns = list(form.columns.values())
    ids = [place for place, column in enumerate(columns) if column.type == "id"]
    days = [place for place, column in enumerate(columns) if column.type == "date"]
    kinds = (("broken_line", mess.broken_lines), ("missing_id", mess.missing_ids), ("bad_date", mess.bad_dates))
    for kind, rate in kinds:
        if not rate or (kind == "bad_date" and not days):
            continue
        for row in np.flatnonzero(rng.random(table.num_rows) < rate).tolist():
            fields = ["" if (value := column[row].as_py()) is None else str(value) for column in table.columns]
            if kind == "missing_id":
                fields[ids[0]] = ""
            elif kind == "bad_date":
                fields[days[0]] = NO_DATE
            line = form.delimiter.join(fields)
            lines.append(form.delimiter.join(fields[:-1]) if kind == "broken_line" else line)
            planted[kind] += 1
    return lines, planted
