"""Time and memory of the person x month step on registers of a whole country: for few people, and for everybody.

The register has 5 million people with 8 spells of jobs and 56 monthly wages each, as in eight years of Norway's register of
employers and employees. It is written in chunks, so that making it takes little memory. Measured are

- a cohort of 5 thousand people, who are looked up among everybody;
- everybody, in one job for each million people (`panel_parts`), one after another, and the job that merges them.

Peak memory is that of the whole process tree, read from `/proc` ten times a second.

    python benchmarks/nation.py                  # 5 million people: 2.5 GB of disk
    python benchmarks/nation.py 1000000 --parts 1
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PEOPLE, COHORT, PEOPLE_PER_PART = 5_000_000, 5_000, 1_000_000
JOBS_PER_PERSON, WAGES_PER_PERSON, MONTHS = 8, 56, 96
CHUNK = 100_000
SAMPLES_PER_SECOND = 10


def run(
    people: int = PEOPLE, *, parts: int | None = None, report: Callable[[dict[str, Any]], Any] = lambda row: None
) -> list[dict[str, Any]]:
    """Make the registers, look up a cohort, and make as many of the parts of everybody's panel as asked for.

    Parameters
    ----------
    people
        People in the registers.
    parts
        Parts of everybody's panel to make; all by default, and only then they are merged.
    report
        Called with each row when it is measured.

    Returns
    -------
    list of dict
        work, people, rows (of registers or panel, written), seconds, cpu_s, peak_mb.
    """
    count = -(-people // PEOPLE_PER_PART)
    asked = count if parts is None else min(parts, count)
    rows: list[dict[str, Any]] = []

    def measure(work: str, persons: int, *task: Any) -> None:
        rows.append({"work": work, "people": persons, **_measure(*task)})
        report(rows[-1])

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("make the registers", people, "make", folder, people)
        measure("few people, looked up among everybody", COHORT, "panel", folder, "cohort", 0, 1)
        for part in range(1, asked + 1):
            measure(f"everybody, part {part} of {count}", people // count, "panel", folder, "everybody", part, count)
        if asked == count > 1:
            measure("merge the parts", people, "merge", folder, count)
    return rows


def _measure(task: str, folder: Path, *arguments: Any) -> dict[str, Any]:
    """Run a task in a process and return its measures, with the peak memory of its process tree."""
    command = [sys.executable, __file__, f"--{task}", str(folder), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(_resident_kb(number) for number in _tree(process.pid)))
            time.sleep(1 / SAMPLES_PER_SECOND)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{task} failed with exit code {process.returncode}")
    return {**json.loads(output.splitlines()[-1]), "peak_mb": round(peak / 1024)}


def _tree(process: int) -> Iterator[int]:
    """Yield a process and all that it started."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _resident_kb(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def make(folder: Path, people: int) -> int:
    """Write the registers and both cohorts, sorted by person, and return the number of rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    def coded(of_row: Any, texts: Any) -> pa.Array:
        """Return texts by their number: a text is made once for all its rows."""
        return pa.DictionaryArray.from_arrays(pa.array(of_row.astype("int32")), pa.array(texts, pa.string()))

    writers: dict[str, pq.ParquetWriter] = {}
    written = 0

    def write(name: str, columns: dict[str, Any]) -> None:
        nonlocal written
        table = pa.table(columns)
        if name not in writers:
            writers[name] = pq.ParquetWriter(
                folder / f"{name}.parquet", table.schema, compression="zstd", compression_level=1, store_schema=False
            )
        writers[name].write_table(table, row_group_size=122_880)
        written += table.num_rows

    for low in range(0, people, CHUNK):
        rng = np.random.default_rng([20180501, low])
        size = min(CHUNK, people - low)
        ids = [f"{number:08d}" for number in range(low, low + size)]
        who = np.repeat(np.arange(size), JOBS_PER_PERSON)
        start = np.sort(rng.integers(0, 2900, (size, JOBS_PER_PERSON)), axis=1).ravel() + np.datetime64("2015-01-01")
        stop = start + rng.exponential(330, len(who)).astype(int) + 1
        hours = np.array([400, 750, 1000, 1500, 1875, 2000, 3000, 3550, 3750])[rng.integers(0, 9, len(who))]
        employers = [f"{900_000_000 + number}" for number in range(4 * low, 4 * (low + size))]
        write(
            "jobs",
            {
                "person_id": coded(who, ids),
                "start": pa.array(start),
                "stop": pa.array(stop, mask=rng.random(len(who)) < 0.05),
                "employer_id": coded(4 * who + rng.integers(0, 4, len(who)), employers),
                "weekly_hours": pa.array(hours.astype("int64")),
            },
        )
        paid = np.repeat(np.arange(size), WAGES_PER_PERSON)
        # Months in a row from a random one on, so that a person has one amount a month.
        first = rng.integers(0, MONTHS - WAGES_PER_PERSON + 1, size)
        month = np.datetime64("2015-01", "M") + (first[:, None] + np.arange(WAGES_PER_PERSON)).ravel()
        write(
            "wages",
            {
                "person_id": coded(paid, ids),
                "start": pa.array(month.astype("datetime64[D]")),
                "stop": pa.array((month + 1).astype("datetime64[D]")),
                "amount": pa.array(rng.integers(0, 5_000_000, len(paid))),
            },
        )
        days = np.datetime64("2018-05-01") + rng.integers(0, 1300, size)
        write("everybody", {"person_id": pa.array(ids), "draw_date": pa.array(days)})
        drawn = np.arange(0, size, max(1, people // COHORT))
        write("cohort", {"person_id": pa.array(ids).take(pa.array(drawn)), "draw_date": pa.array(days[drawn])})
    for writer in writers.values():
        writer.close()
    return written


def panel(folder: Path, cohort: str, part: int, parts: int) -> int:
    """Make the panel of a cohort, or a part of it, and return the number of its rows."""
    import months

    name = f"{cohort}_{part}"
    which = None if part == 0 else (part, parts)
    return months.ours(folder, cohort=cohort, out=f"panel_{name}", part=which).rows


def merge(folder: Path, parts: int) -> int:
    """Merge the parts of everybody's panel and return the number of rows."""
    import months

    paths = [folder / f"panel_everybody_{part}.parquet" for part in range(1, parts + 1)]
    return months.ours(folder, out="panel_merged", merged=paths).rows


def _child(task: str, folder: Path, arguments: list[str]) -> None:
    began = time.perf_counter()
    rows = {
        "make": lambda people: make(folder, int(people)),
        "panel": lambda cohort, part, parts: panel(folder, cohort, int(part), int(parts)),
        "merge": lambda parts: merge(folder, int(parts)),
    }[task](*arguments)
    measured = {"rows": rows, "seconds": round(time.perf_counter() - began, 1), "cpu_s": round(time.process_time(), 1)}
    print(json.dumps(measured))


if __name__ == "__main__":
    if sys.argv[1:2] in (["--make"], ["--panel"], ["--merge"]):
        _child(sys.argv[1][2:], Path(sys.argv[2]), sys.argv[3:])
    else:
        parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
        parser.add_argument("people", nargs="?", type=int, default=PEOPLE)
        parser.add_argument("--parts", type=int, help="parts of everybody's panel to make (default: all)")
        asked = parser.parse_args()
        run(asked.people, parts=asked.parts, report=lambda row: print(row, flush=True))
