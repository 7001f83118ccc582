"""Time and peak memory of the person x month step, beside the plain pandas way of doing it.

Registers are made up on the fly: eight job spells and 24 monthly wages a person; where 5 thousand are looked up among
more, job spells only. Every measurement is a process of its
own, so that its peak memory is its own. `run` gives one row per size; where both ways run, their numbers must agree.

    python benchmarks/months.py            # small sizes
    python benchmarks/months.py 5000 100000 1000000
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FIRST, LAST = -24, 24
COVERED = ("2015-01-01", "2022-12-31")
BASE_YEAR = 2023
STATES = ("wage", "any_wage", "weekly_hours", "weekly_hours_main_job", "half_time", "full_time")
JOB_STATES = ("weekly_hours", "weekly_hours_main_job", "half_time", "full_time")
PANDAS_UP_TO = 1_000_000
CHECKED_UP_TO = 100_000
ROUNDS = 3


def run(
    sizes: Sequence[int] = (5_000, 100_000, 1_000_000), *, everyday: Sequence[int] = (1_000_000,), pandas: bool = True
) -> list[dict[str, Any]]:
    """Measure both ways at every size, then a cohort of 5 thousand against registers of `everyday` people.

    Parameters
    ----------
    sizes
        People drawn; everybody in the registers is.
    everyday
        People in the registers that a cohort of 5 thousand is looked up in.
    pandas
        Whether the plain pandas way is measured too (three minutes and 9 GB at a million people).

    Returns
    -------
    list of dict
        case, people, ours_s, ours_cpu_s (with the start of Python), ours_peak_mb, the same of pandas, ratio, floor_s (reading the registers and writing
        the panel, and nothing else), times_floor; None where it was not measured.
    """
    rows: list[dict[str, Any]] = []
    for people in sizes:
        with tempfile.TemporaryDirectory() as folder:
            _process("make", folder, people, 1)
            tasks = ("ours", "floor", "pandas") if pandas and people <= PANDAS_UP_TO else ("ours", "floor")
            # Short works in turn, so that what else the machine does meets all of them; the fastest of each counts.
            rounds = [
                {task: _process(task, folder) for task in tasks}
                for _ in range(ROUNDS if people <= CHECKED_UP_TO else 1)
            ]
            best = {task: min((done[task] for done in rounds), key=lambda done: done["seconds"]) for task in tasks}
            ours, least, plain = best["ours"], best["floor"], best.get("pandas")
            if plain is not None and people <= CHECKED_UP_TO:
                # In a process of its own as well: a parent's peak memory is counted as its children's.
                _process("compare", folder)
        rows.append(_row("all drawn", people, ours, plain, least))
    for people in everyday:
        with tempfile.TemporaryDirectory() as folder:
            _process("make", folder, people, max(1, people // 5_000))
            rows.append(_row("5 thousand drawn", people, _process("ours", folder), None, _process("floor", folder)))
    return rows


def _row(
    case: str, people: int, ours: dict[str, float], plain: dict[str, float] | None, least: dict[str, float]
) -> dict[str, Any]:
    return {
        "case": case,
        "people": people,
        "ours_s": round(ours["seconds"], 2),
        "ours_cpu_s": round(ours["cpu_s"], 2),
        "ours_peak_mb": round(ours["peak_mb"]),
        "pandas_s": None if plain is None else round(plain["seconds"], 2),
        "pandas_cpu_s": None if plain is None else round(plain["cpu_s"], 2),
        "pandas_peak_mb": None if plain is None else round(plain["peak_mb"]),
        "ratio": None if plain is None else round(plain["seconds"] / ours["seconds"], 2),
        "floor_s": round(least["seconds"], 2),
        "times_floor": round(ours["seconds"] / least["seconds"], 2),
    }


def _process(task: str, folder: str, *arguments: int) -> dict[str, float]:
    command = [sys.executable, __file__, f"--{task}", folder, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def make(folder: Path, people: int, every: int, *, chunk: int = 250_000) -> None:
    """Write jobs.parquet, wages.parquet and cohort.parquet, sorted by person.

    The cohort is every so many-th person. Where not everybody is drawn there are no wages: eight spells a person are
    enough to show what it takes to find few people among many.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    def text(numbers: Any, width: int) -> pa.Array:
        return pa.array(np.char.zfill(numbers.astype(f"U{width}"), width))

    writers: dict[str, pq.ParquetWriter] = {}

    def write(name: str, table: pa.Table) -> None:
        if name not in writers:
            writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
        writers[name].write_table(table, row_group_size=122_880)

    for low in range(0, people, chunk):
        rng = np.random.default_rng([20180501, low])
        size = min(chunk, people - low)
        who = np.repeat(np.arange(low, low + size), 8)
        start = np.datetime64("2015-01-01") + rng.integers(0, 2900, len(who))
        order = np.lexsort((start, who))
        start = start[order]
        stop = start + rng.exponential(330, len(who)).astype(int) + 1
        hours = rng.choice([400, 750, 1000, 1500, 1875, 2000, 3000, 3550, 3750], len(who))
        jobs = {
            "person_id": text(who, 8),
            "start": pa.array(start),
            "stop": pa.array(stop, mask=rng.random(len(who)) < 0.05),
            "employer_id": text(900_000_000 + who * 4 + rng.integers(0, 4, len(who)), 9),
            "weekly_hours": pa.array(hours.astype("int64")),
        }
        write("jobs", pa.table(jobs))
        if every > 1:
            continue
        paid = np.repeat(np.arange(low, low + size), 24)
        month = np.datetime64("2015-01", "M") + np.sort(rng.integers(0, 96, (size, 24)), axis=1).ravel()
        wages = {
            "person_id": text(paid, 8),
            "start": pa.array(month.astype("datetime64[D]")),
            "stop": pa.array((month + 1).astype("datetime64[D]")),
            "amount": pa.array(rng.integers(0, 5_000_000, len(paid))),
        }
        write("wages", pa.table(wages))
    for writer in writers.values():
        writer.close()
    drawn = np.arange(0, people, every)
    days = np.datetime64("2018-05-01") + np.random.default_rng(1).integers(0, 1300, len(drawn))
    pq.write_table(pa.table({"person_id": text(drawn, 8), "draw_date": pa.array(days)}), folder / "cohort.parquet")


def _prices() -> dict[int, float]:
    return {year: 100 + 3 * (year - 2015) for year in range(2013, 2025)}


def ours(
    folder: Path,
    states: Sequence[str] = STATES,
    *,
    cohort: str = "cohort",
    out: str = "panel_ours",
    engine: str = "duckdb",
    part: tuple[int, int] | None = None,
    merged: Sequence[Path] = (),
) -> Any:
    """Make a panel with the engine: of a cohort, of a part of its people, or from parts; return the report."""
    from decimal import Decimal

    from refino_eval.codes.prices import PriceIndex
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.sources import Source
    from refino_eval.months.engine import derive_panel, merge_panel

    label = {"nb": "x", "en": "x"}
    entry = {"label": label, "description": "x", "unit": label}
    deflate = {"index": "cpi", "base_year": BASE_YEAR}
    hours = {**entry, "register": "jobs", "value": "weekly_hours"}
    wage = {"register": "wages", "value": "amount", "combine": "sum", "deflate": deflate, "divide_by": 100_000}
    definitions = {
        "wage": {**entry, **wage},
        "any_wage": {**entry, "expression": "wage > 0"},
        "weekly_hours": {**hours, "combine": "sum", "within": {"key": "employer_id"}},
        "weekly_hours_main_job": {**hours, "combine": "max"},
        "half_time": {**entry, "expression": "weekly_hours_main_job >= 18.75"},
        "full_time": {**entry, "expression": "weekly_hours_main_job >= 37.5"},
    }

    def source(register: str, temporality: str, columns: dict[str, str]) -> Source:
        listed = {name: {"from": name, "type": kind, "why": "the benchmark"} for name, kind in columns.items()}
        given = {"register": register, "temporality": temporality, "columns": listed}
        coverage = {"first": COVERED[0], "last": COVERED[1]}
        return Source.model_validate({**given, "label": label, "owner": "x", "files": ["x"], "coverage": coverage})

    dated = {"person_id": "id", "start": "date", "stop": "date"}
    sources = {
        "jobs": source("jobs", "spell", {**dated, "employer_id": "id", "weekly_hours": "hundredths"}),
        "wages": source("wages", "accumulated", {"person_id": "id", "period": "month", "amount": "ore"}),
    }
    asked = {"clock_unit": "month", "first": FIRST, "last": LAST, "states": list(states)}
    made = Definitions.model_validate({"states": definitions})
    if merged:
        return merge_panel(made, sources, **asked, part_paths=merged, out_path=folder / f"{out}.parquet")
    return derive_panel(
        made,
        sources,
        {"cpi": PriceIndex("cpi", {year: Decimal(value) for year, value in _prices().items()})},
        **asked,
        cohort_path=folder / f"{cohort}.parquet",
        clean_paths={register: folder / f"{register}.parquet" for register in sources},
        out_path=folder / f"{out}.parquet",
        threads=2,
        engine=engine,
        part=part,
    )


def floor(folder: Path) -> float:
    """Read what the engine reads and write what it wrote, and return the seconds that this takes."""
    import pyarrow.parquet as pq

    panel = pq.read_table(folder / "panel_ours.parquet")
    began = time.perf_counter()
    for name, columns in (
        ("cohort", ["person_id", "draw_date"]),
        ("jobs", ["person_id", "start", "stop", "employer_id", "weekly_hours"]),
        ("wages", ["person_id", "start", "amount"]),
    ):
        if (folder / f"{name}.parquet").exists():
            pq.read_table(folder / f"{name}.parquet", columns=columns)
    with pq.ParquetWriter(folder / "floor.parquet", panel.schema, compression="zstd", compression_level=1) as writer:
        writer.write_table(panel, row_group_size=245_760)
    return time.perf_counter() - began


def plain_pandas(folder: Path) -> None:
    """Make panel_pandas.parquet the way it is usually done: merge, expand, group."""
    import numpy as np
    import pandas as pd

    def months(days: Any) -> Any:
        return days.dt.year * 12 + days.dt.month - 1

    def read(name: str) -> Any:
        table = pd.read_parquet(folder / f"{name}.parquet")
        for column in ("start", "stop", "draw_date"):
            if column in table:
                table[column] = pd.to_datetime(table[column])
        return table

    cohort = read("cohort")
    cohort["draw"] = months(cohort["draw_date"])
    jobs = read("jobs").merge(cohort, on="person_id")
    begin = (months(jobs["start"]) - jobs["draw"]).clip(lower=FIRST)
    # An open job has no last day; it outlasts the clock.
    end = (months(jobs["stop"] - pd.Timedelta(days=1)) - jobs["draw"]).fillna(LAST).clip(upper=LAST).astype(int)
    times = (end - begin + 1).clip(lower=0).to_numpy()
    expanded = jobs.loc[jobs.index.repeat(times), ["person_id", "employer_id", "weekly_hours"]]
    ordinal = np.arange(times.sum()) - np.repeat(times.cumsum() - times, times)
    expanded["event_time"] = np.repeat(begin.to_numpy(), times) + ordinal
    units = expanded.groupby(["person_id", "event_time", "employer_id"], as_index=False)["weekly_hours"].max()
    hours = units.groupby(["person_id", "event_time"])["weekly_hours"].agg(weekly_hours="sum", main="max") / 100
    wages = read("wages").merge(cohort, on="person_id")
    wages["event_time"] = months(wages["start"]) - wages["draw"]
    wages = wages[wages["event_time"].between(FIRST, LAST)]
    paid = wages.groupby(["person_id", "event_time"])["amount"].sum() / 100
    grid = cohort[["person_id", "draw"]].merge(pd.DataFrame({"event_time": np.arange(FIRST, LAST + 1)}), how="cross")
    grid = grid.join(hours, on=["person_id", "event_time"]).join(paid, on=["person_id", "event_time"]).fillna(0)
    calendar = grid["draw"] + grid["event_time"]
    prices = pd.Series(_prices())
    grid["wage"] = grid["amount"] * (prices[BASE_YEAR] / (calendar // 12).map(prices)) / 100_000
    grid["any_wage"] = (grid["wage"] > 0).astype(float)
    grid = grid.rename(columns={"main": "weekly_hours_main_job"})
    grid["half_time"] = (grid["weekly_hours_main_job"] >= 18.75).astype(float)
    grid["full_time"] = (grid["weekly_hours_main_job"] >= 37.5).astype(float)
    grid.loc[(calendar < 2015 * 12) | (calendar >= 2023 * 12), list(STATES)] = np.nan
    grid = grid.sort_values(["person_id", "event_time"])
    grid[["person_id", "event_time", *STATES]].to_parquet(folder / "panel_pandas.parquet", index=False)


def compare(folder: Path) -> None:
    """Fail unless the two panels hold the same numbers."""
    import numpy as np
    import pyarrow.parquet as pq

    mine, theirs = (pq.read_table(folder / f"panel_{name}.parquet") for name in ("ours", "pandas"))
    for column in mine.column_names:
        left, right = mine[column].to_numpy(), theirs[column].to_numpy()
        same = np.allclose(left, right, rtol=1e-12, equal_nan=True) if column in STATES else (left == right).all()
        if not same:
            raise AssertionError(f"the two ways differ in {column}")


def _child(task: str, folder: Path, arguments: Sequence[str]) -> None:
    tasks: dict[str, Callable[[], Any]] = {
        "make": lambda: make(folder, *map(int, arguments)),
        "ours": lambda: ours(folder, STATES if (folder / "wages.parquet").exists() else JOB_STATES),
        "pandas": lambda: plain_pandas(folder),
        "compare": lambda: compare(folder),
        "floor": lambda: floor(folder),
    }
    began = time.perf_counter()
    result = tasks[task]()
    # The floor leaves out the time in which it fetched the panel to be written.
    seconds = result if task == "floor" else time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    measured = {"seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}
    print(json.dumps({**measured, "cpu_s": usage.ru_utime + usage.ru_stime}))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("--"):
        _child(sys.argv[1][2:], Path(sys.argv[2]), sys.argv[3:])
    else:
        for line in run([int(size) for size in sys.argv[1:]] or (5_000, 100_000), everyday=(1_000_000,)):
            print(line)
