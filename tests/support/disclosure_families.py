"""Random small releases: tables of the same people that are linked by arms, margins, months, groups and nested samples.

A family is made from counts of people by every attribute at once ("atoms"), so that all its tables agree. It lists each number that it
prints as a sum of atoms, which is all that the independent attacker in `atom_attacker` knows; it takes nothing from the program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from refino_eval.disclosure.release_tables import ReleaseExhibit
from refino_eval.exhibits.tidy import tidy_frame

TREATED, CONTROL = "new", "usual"
ARMS = (TREATED, CONTROL)
Key = tuple[str, str, str, str, str]


@dataclass
class Family:
    """The exhibits of a release and what an attacker knows about them.

    Attributes
    ----------
    atoms
        True numbers of people by all attributes.
    sums
        Exhibit, panel, row, column and statistic of a printed count, or of the numerator of a printed share -> 0/1 for each atom.
    sizes
        Key of a share -> people that it is of, which the attacker knows.
    known
        Sums of atoms that the attacker knows exactly, with their values.
    targets
        Sums of atoms that are people in a cell, printed or not.
    """

    atoms: np.ndarray
    exhibits: list[ReleaseExhibit] = field(default_factory=list)
    sums: dict[Key, np.ndarray] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)
    known: list[np.ndarray] = field(default_factory=list)
    targets: dict[str, np.ndarray] = field(default_factory=dict)

    def count(self, mask: np.ndarray) -> int:
        """Return the people in a sum of atoms."""
        return int(self.atoms @ mask)


def _row(row, column, statistic, value, people, panel=""):
    return {"panel": panel, "row": row, "column": column, "statistic": statistic, "value": value, "n_persons": people}


def _exhibit(family, name, kind, rows, **given):
    frame = tidy_frame([{"exhibit": name, **row} for row in rows])
    family.exhibits.append(ReleaseExhibit(name, kind, frame, treated=(TREATED,), control=CONTROL, **given))


def assignment_family(counts: np.ndarray, left: tuple[int, int] = (0, 0)) -> Family:
    """Return a design by county and month, its margins by arm, and a flow of people.

    Parameters
    ----------
    counts
        People by county, month and arm.
    left
        People of each arm who left before the analysis, and are in none of the tables but the flow.
    """
    counties = [f"County {index}" for index in range(counts.shape[0])]
    months = [f"2020-{index + 1:02d}" for index in range(counts.shape[1])]
    labels = [*product(counties, months, ARMS), *(("left", arm) for arm in ARMS)]
    family = Family(np.append(counts.reshape(-1), left))
    column = {name: np.array([name in label for label in labels], dtype=float) for name in (*counties, *months, *ARMS)}
    everyone, lost = np.ones(len(labels)), np.array(["left" in label for label in labels], dtype=float)
    rows = []
    for county, month in product(counties, months):
        cell, row = column[county] * column[month], f"{county} x {month}"
        people = family.count(cell)
        if not people:
            continue
        treated = family.count(cell * column[TREATED])
        rows += [_row(row, "all", "n", people, people), _row(row, "all", "n_treated", treated, people)]
        rows.append(_row(row, "all", "share", treated / people, people))
        family.sums[("design", "", row, "all", "n")] = cell
        family.sums[("design", "", row, "all", "n_treated")] = cell * column[TREATED]
        family.targets |= {f"{row} {arm}": cell * column[arm] for arm in ARMS} | {row: cell}
    _exhibit(family, "design", "design", rows)
    rows = []
    for county in counties:
        people = family.count(column[county])
        rows.append(_row(county, "all", "count", people, people))
        family.sums[("counties", "", county, "all", "count")] = column[county]
        for arm in ARMS:
            value = family.count(column[county] * column[arm])
            rows.append(_row(county, arm, "count", value, value))
            family.sums[("counties", "", county, arm, "count")] = column[county] * column[arm]
            family.targets[f"{county} {arm}"] = column[county] * column[arm]
    _exhibit(family, "counties", "counts", rows)
    rows = []
    for month in months:
        people = family.count(column[month])
        for arm in ARMS:
            value = family.count(column[month] * column[arm])
            rows.append(_row(month, arm, "count", value, value))
            family.sums[("months", "", month, arm, "count")] = column[month] * column[arm]
            family.targets[f"{month} {arm}"] = column[month] * column[arm]
        if people:
            share = family.count(column[month] * column[TREATED]) / people
            rows.append(_row(month, "share_treated", "share", share, people))
    _exhibit(family, "months", "draws", rows)
    rows = []
    for row, mask in (("delivered", everyone), ("drawn:left", lost), ("drawn", everyone - lost)):
        for arm, part in (("all", everyone), *((arm, column[arm]) for arm in ARMS)):
            value = family.count(mask * part)
            rows.append(_row(row, arm, "count", value, value))
            family.sums[("flow", "", row, arm, "count")] = mask * part
            family.targets[f"{row} {arm}"] = mask * part
    _exhibit(family, "flow", "flow", rows)
    return family


def outcome_family(counts: np.ndarray) -> Family:
    """Return shares by group and arm, and cumulative shares by arm, from counts by group, arm and time of starting (last: never)."""
    groups = [f"g{index}" for index in range(counts.shape[0])]
    times = [f"by_{index + 1}" for index in range(counts.shape[2] - 1)] + ["never"]
    labels = list(product(groups, ARMS, times))
    family = Family(counts.reshape(-1))
    column = {name: np.array([name in label for label in labels], dtype=float) for name in (*groups, *ARMS, *times)}
    started = 1 - column["never"]

    def shares(name, kind, panel, row, arm, mask, within, **more):
        people = family.count(within)
        if not people:
            return []
        value = family.count(mask)
        key = (name, panel, row, arm)
        spread = math.sqrt(value / people * (1 - value / people) * people / max(people - 1, 1))
        family.sizes[(*key, more["statistic"])] = people
        family.sums[(*key, more["statistic"])] = mask
        family.known.append(within)
        family.targets[f"{name} {panel} {row} {arm}"] = mask
        family.targets[f"{name} {panel} {row} {arm} complement"] = within - mask
        rows = [
            _row(row, arm, more["statistic"], value / people, people, panel),
            _row(row, arm, "n", people, people, panel),
        ]
        if kind == "paths":
            return [*rows, _row(row, arm, "sd", spread, people, panel)]
        family.sums[(*key, "count")] = mask
        return [*rows, _row(row, arm, "count", value, people, panel)]

    rows, before = [], {}
    for index, time in enumerate(times[:-1]):
        by = sum(column[earlier] for earlier in times[: index + 1])
        for arm in ARMS:
            rows += shares("ever", "ever_started", "job", time, arm, by * column[arm], column[arm], statistic="share")
            if arm in before:
                family.targets[f"ever {time} {arm} since {index}"] = (by - before[arm]) * column[arm]
            before[arm] = by
    _exhibit(family, "ever", "ever_started", rows, cumulative=True)
    rows = []
    for arm in ARMS:
        rows += shares("paths", "paths", "worked", "0", arm, started * column[arm], column[arm], statistic="mean")
    _exhibit(family, "paths", "paths", rows)
    rows = []
    for group, arm in product(groups, ARMS):
        within = column[group] * column[arm]
        rows += shares("groups", "paths", f"worked:{group}", "0", arm, started * within, within, statistic="mean")
    _exhibit(family, "groups", "paths", rows)
    return family
