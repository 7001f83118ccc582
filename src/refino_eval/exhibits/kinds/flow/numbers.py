"""Numbers of exhibits of kind `flow`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.csv_output import frame_as_written
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: FlowExhibit, context: Context) -> Iterator[Row]:
    """Yield the lines of `flow.csv` as they stand, after proving that each stage is the one before it less its losses."""
    files, study = context.files, context.study
    if files.flow is None:
        raise ValueError("the flow's exhibit needs flow.csv")
    lines = frame_as_written(pd.read_csv(files.flow, dtype={"step": str, "reason": str}, keep_default_na=False))
    remain = lines.loc[lines["reason"] == "", "step"]
    stages = {*(exhibit.samples or remain), "delivered", "population"}
    several = len(study.treated_arms) > 1
    treated = {arm: f"arm_{arm}" if several else "treated" for arm in study.treated_arms}
    columns = {"all": "persons", **treated, study.control: "control"}
    left = dict.fromkeys(columns, 0)
    for line in lines[lines["step"].isin(stages)].to_dict("records"):
        counts = {column: int(line[key]) for column, key in columns.items()}
        if line["reason"]:
            left = {column: left[column] - counts[column] for column in columns}
        elif line["step"] == "delivered":
            left = counts
        elif counts != left:
            raise UserError(
                f"the sample '{line['step']}' is not the one before it less those taken out, so they make no single flow. "
                "Name those to show in the exhibit's `samples`, each within the one before."
            )
        row = f"{line['step']}:{line['reason']}" if line["reason"] else line["step"]
        for column, count in counts.items():
            yield cell(row, column, "count", count, count)
