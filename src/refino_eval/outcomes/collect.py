"""All outcomes side by side: one row a person, for whoever wants to look or to take the numbers elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from refino_eval.outcomes.build import CENSORED


def collect_outcomes(cohort_path: Path, outcome_paths: Mapping[str, Path], out_path: Path) -> None:
    """Write `outcomes.parquet`.

    Parameters
    ----------
    cohort_path
        The cohort, whose people and order the table takes.
    outcome_paths
        One file an outcome (`person_id`, `value`, and `censored` for outcomes that censor).
    out_path
        Where the table goes: `person_id` and a column an outcome, missing where the outcome has nothing to say; beside a
        censored one `<outcome>_censored`.
    """
    people = pq.read_table(cohort_path, columns=["person_id"])["person_id"].combine_chunks()
    columns = {"person_id": people}
    for name, path in outcome_paths.items():
        table = pq.read_table(path)
        place = pc.index_in(people, value_set=table["person_id"].combine_chunks())
        columns[name] = table["value"].combine_chunks().take(place)
        if "censored" in table.column_names:
            columns[name + CENSORED] = table["censored"].combine_chunks().take(place)
    part = out_path.with_name(f".{out_path.name}.part")
    try:
        pq.write_table(pa.table(columns), part, compression="zstd")
        os.replace(part, out_path)
    finally:
        part.unlink(missing_ok=True)
