"""What the stages of a run took, from the benchmark that Snakemake writes for each job."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from refino_eval.workflow_job import USAGE

SHOWN = 8
"""Stages listed; the quicker ones are put together."""

_NUMBER = re.compile(r"(_\d+|\..*)$")


@dataclass
class StageTime:
    """The time of a stage: its jobs, and the sum of their seconds from start to end."""

    stage: str
    jobs: int = 0
    seconds: float = 0.0


def stage_times(folder: Path, since: float) -> list[StageTime]:
    """Return what each stage took, the longest first.

    Parameters
    ----------
    folder
        `run/benchmarks`: a file for each job.
    since
        Jobs that ended before this time (seconds since 1970) belong to an earlier run.
    """
    stages: dict[str, StageTime] = {}
    for path in sorted(folder.glob("*.tsv")):
        if path.stat().st_mtime < since:
            continue
        name = _NUMBER.sub("", path.stem).replace("_", " ")
        stage = stages.setdefault(name, StageTime(name))
        with path.open(encoding="utf-8", newline="") as stream:
            seconds = [float(row["s"]) for row in csv.DictReader(stream, delimiter="\t")]
        stage.jobs += 1
        stage.seconds += sum(seconds)
    return sorted(stages.values(), key=lambda stage: (-stage.seconds, stage.stage))


def enter_usage(folder: Path, left: Path) -> None:
    """Enter the processor time and memory of jobs that the job server ran into their benchmarks, which lack them.

    Parameters
    ----------
    folder
        `run/benchmarks`.
    left
        Where jobs leave what they used.
    """
    for path in left.glob(f"*{USAGE}"):
        table = folder / f"{path.name.removesuffix(USAGE)}.tsv"
        if not table.is_file():
            continue
        used = json.loads(path.read_text(encoding="utf-8"))
        with table.open(encoding="utf-8", newline="") as stream:
            row, *_ = csv.DictReader(stream, delimiter="\t")
        cpu, seconds = used["cpu_time"], float(row["s"])
        known = {"s": row["s"], "h:m:s": row["h:m:s"], "max_rss": f"{used['max_rss']:.2f}", "cpu_time": f"{cpu:.2f}"}
        known["mean_load"] = f"{100 * cpu / seconds:.2f}" if seconds else "0.00"
        text = "\t".join(row) + "\n" + "\t".join(known.get(name, "NA") for name in row) + "\n"
        times = table.stat()
        table.write_text(text, encoding="utf-8")
        os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))


def time_lines(stages: list[StageTime], *, seconds: float, cores: int | None) -> Iterator[str]:
    """Yield a table of stages, with a line that says how the sum relates to the duration of the run.

    `cores` is None where a cluster decides how many jobs run at a time.
    """
    if not stages:
        return
    shown = stages if len(stages) <= SHOWN + 1 else stages[:SHOWN]
    rest = stages[len(shown) :]
    total = sum(stage.seconds for stage in stages)
    if rest:
        shown = [*shown, StageTime("other", sum(s.jobs for s in rest), sum(s.seconds for s in rest))]
    width = max(len(stage.stage) for stage in shown)
    yield f"  {'stage':<{width}}  jobs  seconds"
    for stage in shown:
        yield f"  {stage.stage:<{width}}  {stage.jobs:>4}  {stage.seconds:>7.1f}"
    together = "" if cores is None else f", up to {cores} side by side"
    yield (f"Jobs took {total:.0f} s in total{together}; the run took {seconds:.0f} s with planning and start-up.")
