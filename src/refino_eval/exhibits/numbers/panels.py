"""From people to numbers, by event time: arms' paths and effects of the draw, for everybody or group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.numbers.participants import FloatMatrix, Times
from refino_eval.exhibits.numbers.person_columns import read_grid
from refino_eval.exhibits.numbers.study import PersonFiles

FloatArray = npt.NDArray[np.float64]


def states_of(
    exhibit: Any, state: str, cohort: pd.DataFrame, files: PersonFiles
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Read a state as people (in the cohort's order) x event times; summed when the exhibit asks for it."""
    ((_, values, times),) = panel_matrices([state], exhibit.clock, cohort, files)
    if exhibit.cumulate_from is not None:
        values, times = est.cumulate(values, times, start=exhibit.cumulate_from)
    low = exhibit.first if exhibit.first is not None else int(times[0])
    high = exhibit.last if exhibit.last is not None else int(times[-1])
    chosen = (times >= low) & (times <= high)
    return values[:, chosen], times[chosen]


def panel_matrices(
    states: Sequence[str], clock: str, cohort: pd.DataFrame, files: PersonFiles
) -> Iterator[tuple[str, FloatMatrix, Times]]:
    """Read states as people (in the cohort's order) x event times, one after the other, with the event times."""
    grid = read_grid(files.panels[clock])
    panel = pd.read_parquet(files.panels[clock], columns=list(dict.fromkeys(states)))
    for state in states:
        values = panel[state].to_numpy(dtype=np.float64)
        yield state, grid.matrix(values, cohort["person_id"]), grid.times.to_numpy(dtype=np.int64)
