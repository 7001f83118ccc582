"""Time and peak memory of computing outcomes from a panel, kinds and expressions mixed.

The panel is made up on the fly: six states over event months -24 to 24. Every measurement is a process of its own, so
that its peak of memory is its own. The first outcomes are checked against the plain oracle.

    python benchmarks/outcomes.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIRST, LAST = -24, 24
STATES = ("wage", "weekly_hours", "employed", "aap", "disability", "in_programme")
CASES = ((5_000, 200), (1_000_000, 20))
CHECKED = 50


def run(cases: Sequence[tuple[int, int]] = CASES) -> list[dict[str, Any]]:
    """Measure each case (people, outcomes) and return a row for each: seconds and peak memory in MB."""
    rows = []
    for people, outcomes in cases:
        with tempfile.TemporaryDirectory() as folder:
            panel = Path(folder) / "panel.parquet"
            make_panel(panel, people)
            done = subprocess.run(
                [sys.executable, __file__, "--one", str(panel), str(outcomes)],
                capture_output=True,
                text=True,
                check=True,
            )
        rows.append({"people": people, "periods": LAST - FIRST + 1, "outcomes": outcomes, **json.loads(done.stdout)})
    return rows


def make_panel(path: Path, people: int, seed: int = 1) -> None:
    """Write a panel of made-up states, a block of people at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    periods, block = LAST - FIRST + 1, 5_000
    schema = pa.schema(
        [("person_id", pa.string()), ("event_time", pa.int32()), *((name, pa.float64()) for name in STATES)]
    )
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for first in range(0, people, block):
            size = min(block, people - first)
            ids = np.repeat([f"{first + n:08d}" for n in range(size)], periods)
            hours = np.round(rng.random((size, periods)) * 40 * (rng.random((size, periods)) < 0.5), 2)
            columns: dict[str, Any] = {
                "wage": hours * 0.01,
                "weekly_hours": hours,
                "employed": (hours > 0).astype(float),
            }
            columns |= {name: (rng.random((size, periods)) < 0.3).astype(float) for name in STATES[3:]}
            lost = np.arange(periods) >= rng.integers(periods - 6, periods + 60, size)[:, None]
            made = {"person_id": ids, "event_time": np.tile(np.arange(FIRST, LAST + 1, dtype=np.int32), size)}
            for name, values in columns.items():
                made[name] = pa.array(np.where(lost, np.nan, values).ravel(), from_pandas=True)
            writer.write_table(pa.table(made, schema=schema))


def definitions(count: int) -> dict[str, Any]:
    """Return so many outcomes: every kind in turn, every other one over an expression."""
    from refino_eval.config.definitions import Outcome
    from refino_eval.config.outcome_kinds import OUTCOME_KINDS

    truths = ("employed", "aap", "employed and not in_programme", "aap and weekly_hours >= 4",
              "not (employed or aap or disability)", "weekly_hours between 18.75 and 37.5")  # fmt: skip
    numbers = ("wage", "weekly_hours", "weekly_hours * 52 / 12", "max(wage, 0.1) - min(wage, 0.1)")
    label = {"nb": "x", "en": "x"}
    made: dict[str, Any] = {}
    for n in range(count):
        kind = list(OUTCOME_KINDS)[n % len(OUTCOME_KINDS)]
        first = n % 12
        every = {"at": first, "window": (first, first + 12), "times": (first, first + 6), "at_least": 3}
        keys = {key: every[key] for key in OUTCOME_KINDS[kind].keys if key in every}
        pool = numbers if kind in ("value_at", "sum_over", "mean_over", "change") else truths
        read = pool[n // len(OUTCOME_KINDS) % len(pool)]
        what = {"state": read} if read in STATES else {"expression": read}
        made[f"o{n}"] = Outcome.model_validate(
            {"label": label, "description": "x", "kind": kind, "unit": label, **what, **keys}
        )
    return made


def _one(panel: Path, count: int) -> dict[str, Any]:
    from refino_eval.outcomes.build import derive_outcomes

    outcomes = definitions(count)
    began = time.perf_counter()
    table = derive_outcomes(panel, outcomes)
    seconds = time.perf_counter() - began
    _check(panel, outcomes, table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "peak_mb": round(peak), "rows": table.num_rows, "agrees": True}


def _check(panel: Path, outcomes: dict[str, Any], table: Any) -> None:
    """Compare the first people with the plain oracle."""
    import math

    import pyarrow.parquet as pq

    from refino_eval.expressions import parse
    from refino_eval.expressions.plain import evaluate
    from refino_eval.outcomes.kinds import plain_outcome

    periods = LAST - FIRST + 1
    rows = next(pq.ParquetFile(panel).iter_batches(CHECKED * periods)).to_pylist()
    kinds: dict[str, Any] = dict.fromkeys(STATES, "boolean")
    people = table.slice(0, CHECKED).to_pylist()
    for name, outcome in outcomes.items():
        tree = parse(outcome.expression or outcome.state, kinds, where=name)
        for number, person in enumerate(people):
            own = rows[number * periods : (number + 1) * periods]
            value, _ = plain_outcome(outcome, [evaluate(tree, own[time - FIRST]) for time in outcome.read])
            got = person[name]
            assert (got is None) == (value is None), (name, got, value)
            assert value is None or math.isclose(got, value, abs_tol=1e-9), (name, got, value)


def main() -> None:
    """Print the rows as a Markdown table."""
    rows = run()
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        print(json.dumps(_one(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
