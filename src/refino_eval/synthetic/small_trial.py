"""Make the registers of a small made-up trial with clusters, for a new project's example and for the tutorial.

Schools in districts are assigned, within the district, to offer their pupils coaching. The files are written as another
country's offices might: Latin-1, semicolons, decimal commas, days before months. A few rows are faulty on purpose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

DISTRICTS = ("Altmark", "Brüning", "Côte-Noire", "Dünenland", "Eichwald", "Fjällby")
SCHOOLS_PER_DISTRICT = 6
WEEKLY_CHANCE_OF_A_JOB = 0.03
ADDED_BY_COACHING = 0.02
"""What coaching adds to the weekly chance of finding a job, from the week after it begins."""
FIRST_WEEK, LAST_WEEK = -26, 60
FULL_TIME = 37.5

Row = tuple[str, ...]


def write_small_trial(folder: Path, *, seed: int = 1) -> dict[str, int]:
    """Write `assignments.csv`, `jobs.csv` and `coaching.csv`.

    Parameters
    ----------
    folder
        Where the files go; it is made.
    seed
        The same seed gives the same bytes.

    Returns
    -------
    dict
        File -> number of its rows.
    """
    rng = np.random.default_rng(seed)
    assignments: list[Row] = []
    jobs: list[Row] = []
    coaching: list[Row] = []
    for number, (school, district, treated, assigned) in enumerate(_schools(rng)):
        climate = rng.normal(0, 0.008)  # what pupils of a school share, which makes clusters matter
        for pupil in range(int(rng.integers(9, 15))):
            person = f"{10_000 + 37 * (100 * number + pupil)}"
            sex = "F" if rng.random() < 0.5 else "M"
            grade = round(float(np.clip(rng.normal(4.0, 0.9) + 20 * climate, 1, 6)), 1)
            assignments.append(
                (person, school, district, "C" if treated else "U", _day(assigned), sex, _decimal(grade))
            )
            begins = int(rng.integers(1, 6)) if rng.random() < (0.8 if treated else 0.06) else None
            if begins is not None:
                first = assigned + dt.timedelta(weeks=begins)
                coaching.append(
                    (person, _day(first), _day(first + dt.timedelta(weeks=int(rng.integers(6, 20)), days=-1)))
                )
            chance = max(0.004, WEEKLY_CHANCE_OF_A_JOB + 0.006 * (grade - 4) + climate)
            jobs += [(person, *job) for job in _jobs(rng, assigned, chance, begins)]
    jobs += [
        jobs[3],
        (jobs[8][0], jobs[8][1], "05/05/2022", "04/04/2022", "20,0"),
    ]  # twice, and ending before it begins
    files = {
        "assignments.csv": (("pupil", "school", "district", "group", "assigned", "sex", "grade"), assignments),
        "jobs.csv": (("pupil", "employer", "from", "to", "hours"), jobs),
        "coaching.csv": (("pupil", "first_day", "last_day"), coaching),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (head, rows) in files.items():
        _write(folder / name, (head, *rows))
    return {name: len(rows) for name, (_, rows) in files.items()}


def _schools(rng: np.random.Generator) -> Iterator[tuple[str, str, bool, dt.date]]:
    """Yield each school with its district, its arm (half of a district's schools each) and the day of assignment."""
    for number, district in enumerate(DISTRICTS):
        treated = rng.permutation(SCHOOLS_PER_DISTRICT) < SCHOOLS_PER_DISTRICT // 2
        assigned = dt.date(2021, 9, 6) + dt.timedelta(weeks=2 * (number % 2))
        for school in range(SCHOOLS_PER_DISTRICT):
            yield f"S{number + 1}{school + 1:02d}", district, bool(treated[school]), assigned


def _jobs(
    rng: np.random.Generator, assigned: dt.date, chance: float, coached_from: int | None
) -> Iterator[tuple[str, str, str, str]]:
    """Yield a pupil's jobs: found by a weekly chance, lost by another; the last may still be open."""
    week = FIRST_WEEK
    while week <= LAST_WEEK:
        coached = coached_from is not None and week > coached_from
        if rng.random() >= chance + (ADDED_BY_COACHING if coached else 0):
            week += 1
            continue
        lasts = int(rng.geometric(0.025))
        first = assigned + dt.timedelta(weeks=week, days=int(rng.integers(0, 5)))
        last = first + dt.timedelta(weeks=lasts)
        hours = float(rng.choice([7.5, 15, 20, 30, FULL_TIME], p=[0.1, 0.15, 0.15, 0.2, 0.4]))
        employer = f"E{int(rng.integers(100, 400))}"
        yield employer, _day(first), _day(last) if week + lasts <= LAST_WEEK else "", _decimal(hours)
        week += lasts + 1


def _day(day: dt.date) -> str:
    return day.strftime("%d/%m/%Y")


def _decimal(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def _write(path: Path, rows: Iterable[Row]) -> None:
    path.write_text("".join(";".join(row) + "\n" for row in rows), encoding="latin-1", newline="\n")
