"""Time and peak memory of the person x month step and of outcomes on Spark, beside DuckDB, on one machine.

The registers and states are those of `months.py`. Panels and outcomes must be the same bytes whoever computes them.

    python benchmarks/spark.py 100000 1000000                      # DuckDB, and Sail inside the program
    SPARK_HOME=... python benchmarks/spark.py 100000 1000000       # and the Spark in that folder, in local mode
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import months

OUTCOMES: dict[str, dict[str, Any]] = {
    "wage_sum": {"kind": "sum_over", "state": "wage", "window": [0, 11]},
    "wage_mean": {"kind": "mean_over", "state": "wage", "window": [1, 24]},
    "any_wage_months": {"kind": "months_in", "state": "any_wage", "window": [1, 24]},
    "hours_at_12": {"kind": "value_at", "state": "weekly_hours", "at": 12},
    "first_job": {"kind": "first_month", "state": "full_time", "window": [1, 24]},
    "stable": {"kind": "spell_of", "state": "half_time", "window": [1, 24], "at_least": 6},
}
MEMORY_GB = 8
"""Memory of the Spark server's driver, which does all the work in local mode."""


def run(sizes: Sequence[int] = (100_000, 1_000_000)) -> list[dict[str, Any]]:
    """Measure every engine at every size, one after the other.

    Returns
    -------
    list of dict
        people, engine, panel_s, outcomes_s, peak_mb (the server's memory included).
    """
    rows: list[dict[str, Any]] = []
    for people in sizes:
        with tempfile.TemporaryDirectory() as folder:
            months.make(Path(folder), people, 1)
            digests = set()
            for engine in ("duckdb", "sail", *(["spark"] if "SPARK_HOME" in os.environ else [])):
                with _server(Path(folder)) if engine == "spark" else contextlib.nullcontext() as server:
                    measured = _process(engine, folder, server)
                digests.add(measured.pop("digest"))
                rows.append({"people": people, "engine": engine, **measured})
                print(rows[-1], file=sys.stderr, flush=True)
            if len(digests) > 1:
                raise AssertionError("the engines' panels or outcomes differ")
    return rows


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    """Start Spark Connect in local mode; yield its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 16,
        "spark.local.dir": folder / "local",
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    command = [
        f"{os.environ['SPARK_HOME']}/bin/spark-class",
        "org.apache.spark.deploy.SparkSubmit",
        "--master",
        "local[2]",
    ]
    command += [
        "--driver-memory",
        f"{MEMORY_GB}g",
        "--class",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
    ]
    command += [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    process = subprocess.Popen([*command, "spark-internal"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(1)
        yield f"sc://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def _process(engine: str, folder: str, server: tuple[str, int] | None) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["SPARK_REMOTE"] = server[0] if server else "local"
    command = [sys.executable, __file__, "--measure", "duckdb" if engine == "duckdb" else "spark", folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    measured = dict(json.loads(done.stdout.splitlines()[-1]))
    if server:
        status = Path(f"/proc/{server[1]}/status").read_text(encoding="utf-8")
        measured["peak_mb"] += int(status.split("VmHWM:")[1].split()[0]) // 1024
    return measured


def _measure(engine: str, folder: Path) -> None:
    from refino_eval.config.definitions import Outcome
    from refino_eval.outcomes.build import derive_outcomes

    label = {"nb": "x", "en": "x"}
    began = time.perf_counter()
    months.ours(folder, engine=engine)
    middle = time.perf_counter()
    outcomes = {
        name: Outcome.model_validate({"label": label, "description": "x", "unit": label, **entry})
        for name, entry in OUTCOMES.items()
    }
    paths = {name: folder / f"{name}.parquet" for name in outcomes}
    derive_outcomes(folder / "panel_ours.parquet", outcomes, out_paths=paths, engine=engine)
    end = time.perf_counter()
    digest = hashlib.sha256()
    for path in (folder / "panel_ours.parquet", *paths.values()):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    measured = {"panel_s": round(middle - began, 1), "outcomes_s": round(end - middle, 1), "peak_mb": memory}
    print(json.dumps({**measured, "digest": digest.hexdigest()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(sys.argv[2], Path(sys.argv[3]))
    else:
        for line in run([int(size) for size in sys.argv[1:]] or (100_000,)):
            print(line)
