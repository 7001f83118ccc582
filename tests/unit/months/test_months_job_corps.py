"""A real trial: weekly employment of the National Job Corps Study, from spells back to the 208 weeks they were made of."""

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.months.engine import derive_panel
from support.builders import LABEL, source

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("REFINO_EVAL_SHARED", ROOT / ".." / "shared" / "data")) / "jobcorps_lee2009"
ORIGIN = dt.date(1994, 12, 26)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public Job Corps files are not there (REFINO_EVAL_SHARED)"),
]


@pytest.fixture(scope="module")
def delivered():
    weeks = pq.read_table(DATA / "employment.parquet").to_pandas().sort_values("MPRID", key=lambda ids: ids.astype(str))
    truth = weeks[[f"week_{week}" for week in range(1, 209)]].to_numpy(dtype=float)
    return weeks["MPRID"].astype(str).tolist(), truth


def panel(folder, people, unit, last):
    spells = pq.read_table(DATA / "employment_spells.parquet")

    def monday(column, more):
        days = np.datetime64(ORIGIN) + 7 * (spells[column].to_numpy().astype(int) + more)
        return pa.array(days.astype("datetime64[D]"))

    clean = {
        "person_id": pa.array(spells["id"].to_numpy().astype(int).astype(str)),
        "start": monday("start_week", 0),
        "stop": monday("end_week", 1),
    }
    pq.write_table(pa.table(clean), folder / "jobs.parquet")
    cohort = {"person_id": people, "draw_date": pa.array([ORIGIN] * len(people), pa.date32())}
    pq.write_table(pa.table(cohort), folder / "cohort.parquet")
    weeks = {"start": "week", "stop": "week"}
    jobs = source("jobs", "spell", weeks, coverage=("1995-01-01", "1998-12-31"))
    employed = {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs"}
    derive_panel(
        Definitions.model_validate({"states": {"employed": employed}}),
        {"jobs": jobs},
        {},
        clock_unit=unit,
        first=1,
        last=last,
        states=["employed"],
        cohort_path=folder / "cohort.parquet",
        clean_paths={"jobs": folder / "jobs.parquet"},
        out_path=folder / "panel.parquet",
    )
    return pq.read_table(folder / "panel.parquet")["employed"].to_numpy().reshape(len(people), last)


def test_every_week_comes_back(tmp_path, delivered):
    people, truth = delivered
    assert np.array_equal(panel(tmp_path, people, "week", 208), truth)


def test_a_month_is_worked_when_any_week_with_a_day_in_it_is(tmp_path, delivered):
    people, truth = delivered
    days = [ORIGIN + dt.timedelta(days=7 + n) for n in range(7 * 208)]
    months = np.array([(day.year - 1995) * 12 + day.month for day in days])
    expected = [truth[:, np.unique(np.arange(7 * 208)[months == month] // 7)].max(axis=1) for month in range(1, 49)]
    assert np.array_equal(panel(tmp_path, people, "month", 48), np.column_stack(expected))
