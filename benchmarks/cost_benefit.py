"""Joint draws of all inputs of a cost-benefit model of seven programmes, over twenty years of months.

``python benchmarks/cost_benefit.py`` prints a Markdown table; `run` gives its rows to the benchmark runner. The plain loop takes one
draw at a time, on a part of the draws, and is scaled, which the row says; its values must be the same.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np

from refino_eval.config import load_configuration
from refino_eval.cost_benefit.programme_model import Model
from refino_eval.published.values import printed_numbers

ROOT = Path(__file__).parents[1]
DRAWS, PLAIN = 10_000, 100


def run() -> list[dict[str, object]]:
    """Return the seconds of all draws at once, and one by one."""
    configuration = load_configuration(ROOT, evaluation="omrade_2024")
    model = Model(
        configuration.definitions.cost_benefit["omrade"], printed_numbers(ROOT / "data/published/omrade_2024.csv")
    )
    start = time.perf_counter()
    together = model.simulate(DRAWS, seed=1)
    seconds = time.perf_counter() - start
    rows = [_row(f"{DRAWS:,} joint draws of {len(together)} programmes", seconds)]
    start = time.perf_counter()
    for programme, worth in together.items():
        draws = model.draws(programme, DRAWS, 1)
        alone = [
            model.worth(programme, {name: values[k : k + 1] for name, values in draws.items()}).total()[0]
            for k in range(PLAIN)
        ]
        np.testing.assert_allclose(alone, worth.total()[:PLAIN], rtol=1e-9)
    seconds = (time.perf_counter() - start) * DRAWS / PLAIN
    return [*rows, _row(f"the same one by one, scaled from {PLAIN}", seconds)]


def _row(work: str, seconds: float) -> dict[str, object]:
    return {"work": work, "seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    from run import table

    print(table(run()))
