"""Columns of person-level files, read once for the exhibits of one job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from refino_eval.estimation.effects.monthly_paths import PanelGrid
from refino_eval.recent_results import RecentResults, version_of

_FRAMES = RecentResults[pd.DataFrame](most=20_000_000)
_GRIDS = RecentResults[PanelGrid](most=20_000_000)


def read_people(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file with a row for each person; all columns when None."""
    frame = _FRAMES.of(
        (version_of(path), None if columns is None else tuple(columns)),
        lambda: pd.read_parquet(path, columns=None if columns is None else list(columns)),
        lambda frame: int(frame.memory_usage().sum()),
    )
    return frame.copy(deep=False)  # what a reader adds to it is its own


def read_outcome(path: Path) -> pd.DataFrame:
    """Read an outcome by person."""
    return _FRAMES.of(
        (version_of(path), "by person"),
        lambda: pd.read_parquet(path).set_index("person_id"),
        lambda frame: int(frame.memory_usage().sum()),
    ).copy(deep=False)


def read_grid(path: Path) -> PanelGrid:
    """Read where the rows of a panel stand among people x event times."""
    return _GRIDS.of(
        version_of(path),
        lambda: PanelGrid.of(
            pd.read_parquet(path, columns=["person_id", "event_time"]), person="person_id", time="event_time"
        ),
        lambda grid: int(grid.place.nbytes + grid.people.memory_usage()),
    )
