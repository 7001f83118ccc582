"""Time and memory of a receipt for and of ingesting a register of jobs, beside pandas with the same checks, in one run.

``python benchmarks/ingest.py [millions of rows]`` prints a Markdown table (40 for the 3 GB file that the reach is set by;
pandas is left out above 10 million rows, where it needs more memory than a laptop has); `run` gives its rows to the benchmark runner.
Each work is a process of its own, so that its peak of memory is its own. The delivery (two files, Latin-1, decimal
comma, dates as dd.mm.yyyy, with disorder planted) is made on the fly and removed.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config"
ROWS = 2_000_000
HEADER = "lopenr;arbeidsforhold_id;orgnr;yrke;ansettelsesform;timer_uke;stillingsprosent;startdato;sluttdato"
FILES = ("aareg_arbeidsforhold_p2015_p2022_v1.csv", "aareg_arbeidsforhold_p2015_p2022_v2.csv")
MEMORY_LIMIT = "1200MB"
PANDAS_UP_TO = 10_000_000


def make_delivery(folder: Path, rows: int, seed: int = 1) -> None:
    """Write a delivery of jobs: 2 per cent corrected later, some duplicates, bad dates, bad hours and cut lines."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    days = pd.date_range("2010-01-01", "2022-12-31").strftime("%d.%m.%Y").to_numpy()
    hours = np.array(["37,50", "18,75", "4,00", "0,00", "30,5", "375", ""])
    block = 250_000
    for name, n in zip(FILES, (rows - rows // 50, rows // 50), strict=True):
        with (folder / name).open("w", encoding="latin-1", newline="") as handle:
            handle.write(HEADER + "\n")
            for first in range(0, n, block):
                size = min(block, n - first)
                start = rng.integers(0, len(days) - 400, size)
                stop = days[start + rng.integers(-5, 400, size)]
                stop[rng.random(size) < 0.2] = ""
                begin = days[start]
                begin[rng.random(size) < 0.002] = ""
                people, jobs, employers = (
                    rng.integers(0, 5 * rows // 8, size),
                    np.arange(first, first + size),
                    rng.integers(1, 99_999, size),
                )
                week = hours[rng.choice(len(hours), size, p=[0.3, 0.2, 0.2, 0.05, 0.2, 0.01, 0.04])]
                lines = [
                    f"{p:08d};A{j};8{e:08d};2511101;fast;{h};100,00;{a};{b}"
                    for p, j, e, h, a, b in zip(people, jobs, employers, week, begin, stop, strict=True)
                ]
                for place in rng.integers(1, size, size // 200):
                    lines[place] = lines[place - 1] if place % 5 else lines[place][:20]
                handle.write("\n".join(lines) + "\n")


def ours(folder: Path) -> dict[str, int]:
    """Ingest with the project's own source for jobs."""
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.registers import ingest as ingestion
    from refino_eval.registers import validation

    phase_times(validation, {"_load": "read, typed and checked", "_compare": "rows compared"})
    phase_times(ingestion, {"_fetch_rejected": "rejects fetched", "_write": "sorted and written"})
    source = jobs_source()
    report = ingestion.ingest(
        source,
        folder,
        codelists=load_codelists(["contract_types"], CONFIG / "codelists"),
        clean_path=folder / "clean.parquet",
        rejects_path=folder / "rejects.parquet",
        memory_limit=MEMORY_LIMIT,
    )
    return {rule.rule: rule.rows for rule in report.rules} | {"clean": report.clean}


def receipt(folder: Path) -> dict[str, int]:
    """Count the delivery as `refino-eval check` does: the same rules, nothing sorted and nothing written."""
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.registers import delivery_receipt as receipts
    from refino_eval.registers import validation

    phase_times(validation, {"_load": "read, typed and checked", "_compare": "rows compared"})
    phase_times(receipts, {"checksum": "checksums", "_count": "counted"})
    taken = receipts.take_receipt(
        "benchmark",
        [jobs_source()],
        folder,
        codelists=load_codelists(["contract_types"], CONFIG / "codelists"),
        work=folder / "work",
        memory_limit=MEMORY_LIMIT,
    )
    counts: dict[str, int] = {}
    for fault in taken.problems:
        if fault.rows and fault.rule != "empty_column":
            counts[fault.rule] = counts.get(fault.rule, 0) + fault.rows
    return counts | {"clean": sum(file.clean for file in taken.files)}


def jobs_source() -> Any:
    """Return the project's own source for jobs."""
    from refino_eval.config.sources import Source

    return Source.model_validate(yaml.safe_load((CONFIG / "sources" / "jobs.yaml").read_text(encoding="utf-8")))


PHASES: dict[str, float] = {}


def phase_times(module: ModuleType, names: dict[str, str]) -> None:
    """Have steps of a module tell how long they took."""

    def timed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run_step(*args: Any, **options: Any) -> Any:
            began = time.perf_counter()
            result = step(*args, **options)
            PHASES[names[name]] = PHASES.get(names[name], 0.0) + time.perf_counter() - began
            return result

        return run_step

    for name in names:
        setattr(module, name, timed(name, getattr(module, name)))


def pandas_same_checks(folder: Path) -> dict[str, int]:
    """Carry out the same checks in the same order with pandas, as an analyst would write them."""
    import pandas as pd

    frames = [
        pd.read_csv(folder / name, sep=";", encoding="latin-1", dtype=str, keep_default_na=False).assign(file_no=number)
        for number, name in enumerate(FILES)
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame["source_row"] = frame.groupby("file_no").cumcount() + 1
    # pandas fills up a line that was cut off, so that it looks like one with empty fields: only because we know that
    # every job here has an occupation can such lines be told at all.
    cut = frame["yrke"] == ""
    counts = {"unreadable_line": int(cut.sum())}
    frame = frame[~cut]
    start = pd.to_datetime(frame["startdato"], format="%d.%m.%Y", errors="coerce")
    stop = pd.to_datetime(frame["sluttdato"], format="%d.%m.%Y", errors="coerce") + pd.Timedelta(days=1)
    week = pd.to_numeric(frame["timer_uke"].str.replace(",", "."), errors="coerce")
    frame = frame.assign(start=start, stop=stop, weekly_hours=(week * 100).round())
    columns = [name for name in frame if name not in ("file_no", "source_row")]
    checks = {
        "missing_start": lambda f: f["start"].isna(),
        "bad_value": lambda f: (
            (f["stop"].isna() & (f["sluttdato"] != "")) | (f["weekly_hours"].isna() & (f["timer_uke"] != ""))
        ),
        "unknown_code": lambda f: ~f["ansettelsesform"].isin(["fast", "midlertidig"]),
        "superseded": lambda f: f.groupby("arbeidsforhold_id")["file_no"].transform("max") > f["file_no"],
        "duplicate_row": lambda f: f.duplicated(columns),
        "stop_before_start": lambda f: f["stop"] <= f["start"],
        "outside_coverage": lambda f: (f["start"] > "2022-12-31") | (f["stop"] <= "2015-01-01"),
        "value_range": lambda f: (f["weekly_hours"] < 1) | (f["weekly_hours"] > 8000),
    }
    rejects = []
    for rule, check in checks.items():
        hit = check(frame)
        counts[rule] = int(hit.sum())
        rejects.append(frame[hit].assign(rule=rule))
        frame = frame[~hit]
    pd.concat(rejects).to_parquet(folder / "pandas_rejects.parquet")
    frame.sort_values(["lopenr", "start", "stop", "file_no", "source_row"]).to_parquet(folder / "pandas_clean.parquet")
    return {rule: count for rule, count in counts.items() if count} | {"clean": len(frame)}


WORKS = {
    "receipt (refino_eval check, 2 threads, engine limited to 1.2 GB)": receipt,
    "ingest (refino_eval, 2 threads, engine limited to 1.2 GB)": ours,
    "the same checks in pandas": pandas_same_checks,
}


def run(rows: int = ROWS) -> list[tuple[str, float, float]]:
    """Return (work, seconds, peak of memory in MB) for each work; the works must find the same rows."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_delivery(folder, rows)
        results = []
        found = []
        for number, (name, work) in enumerate(WORKS.items()):
            if work is pandas_same_checks and rows > PANDAS_UP_TO:
                continue
            command = [sys.executable, __file__, "--work", str(number), scratch]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            results.append((f"{name}, {rows:,} rows", told["seconds"], told["peak_mb"]))
            results += [(f"- {phase}", seconds, told["peak_mb"]) for phase, seconds in told["phases"].items()]
            results.append(("- processor seconds of all", told["processor"], told["peak_mb"]))
            found.append(told["counts"])
    if any(counts != found[0] for counts in found):
        raise AssertionError(f"the works found different rows: {found}")
    return results


def _one(number: int, folder: Path) -> None:
    began = time.perf_counter()
    counts = list(WORKS.values())[number](folder)
    seconds = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told = {"seconds": round(seconds, 2), "peak_mb": round(usage.ru_maxrss / 1024), "phases": PHASES}
    told |= {"processor": usage.ru_utime + usage.ru_stime, "counts": dict(sorted(counts.items()))}
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _one(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        millions = float(sys.argv[1]) if len(sys.argv) > 1 else ROWS / 1e6
        print("| work | seconds | peak MB |\n|---|---|---|")
        for work, seconds, peak in run(int(millions * 1e6)):
            print(f"| {work} | {seconds:.1f} | {peak:.0f} |")
