"""Count how well each register links to the people of the evaluation.

A person without a row in a register counts as a person without work, without a benefit, without an income. Ids that
lost their leading zeros or gained a blank make such people by the hundred, and every table stays plausible. So for each
register it is counted who is found, in which arm, and which ids occur there only; and a run stops if too few are found.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.config.sources import LinkageExpectation
from refino_eval.sql.isolated_engine import isolated_engine
from refino_eval.sql.quoting import text_literal

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("register", "people", "found", "treated", "treated_found", "control", "control_found", "ids_only_there"),
    *("alike", "expected", "floor"),
)

_SPREADS = 3
"""In a small trial the share found varies by chance: the floor allows for so many standard errors."""

_SURELY_SOMEBODY = 7
"""Of so many people expected, none is found by chance once in a thousand times."""

_ALIKE = "ltrim(regexp_replace(regexp_replace(upper(person_id), '[.,]0+$', ''), '[^A-Z0-9]', '', 'g'), '0')"
"""What remains of an id without leading zeros, decimals of nothing, blanks and signs."""


@dataclass(frozen=True)
class Linkage:
    """How one register links to the people drawn.

    Attributes
    ----------
    people, treated, control
        People of the evaluation: all, in a treated arm, in the control arm.
    found, treated_found, control_found
        How many of them have a row in the register.
    ids_only_there
        Ids in the register that were never drawn.
    alike
        How many of these differ only in zeros, blanks or signs from the id of a person who is not found.
    expected, floor
        Shares: expected to be found, and below which a run stops.
    """

    register: str
    people: int
    found: int
    treated: int
    treated_found: int
    control: int
    control_found: int
    ids_only_there: int
    alike: int
    expected: float | None
    floor: float

    @property
    def share(self) -> float:
        """The share of the people who are found."""
        return self.found / self.people if self.people else 0.0


def _floor(stated: LinkageExpectation | None) -> float:
    """Return the share of people found below which a run stops: stated, or half of what is expected."""
    if stated is None:
        return 0.0
    return stated.at_least if stated.at_least is not None else (stated.expected or 0.0) / 2


def count_linkage(
    people: pd.DataFrame,
    drawn: Path,
    registers: Mapping[str, Path],
    stated: Mapping[str, LinkageExpectation | None],
) -> tuple[Linkage, ...]:
    """Count how registers link to people.

    Parameters
    ----------
    people
        The people of the evaluation: `person_id`, and `treated` (0 or 1).
    drawn
        Clean rows of the register of draws, with everybody who was drawn.
    registers
        Clean rows by register, each a parquet file with `person_id`.
    stated
        What each register's source states.
    """
    with (
        tempfile.TemporaryDirectory(prefix=".linkage-", dir=drawn.parent) as work,
        isolated_engine([Path(work)], files=[drawn, *registers.values()]) as con,
    ):
        con.register("people_given", people[["person_id", "treated"]])
        con.execute("CREATE TABLE people AS SELECT DISTINCT person_id, treated FROM people_given")
        con.execute(f"CREATE TABLE drawn AS SELECT DISTINCT person_id FROM read_parquet({text_literal(str(drawn))})")
        counted = []
        for register, path in registers.items():
            con.execute(
                f"CREATE OR REPLACE TABLE ids AS SELECT DISTINCT person_id FROM read_parquet({text_literal(str(path))})"
            )
            row = con.execute(_COUNTS).fetchone()
            assert row is not None
            expectation = stated[register]
            expected = None if expectation is None else expectation.expected
            counts = dict(zip(COLUMNS[1:-2], row, strict=True))
            counted.append(Linkage(register, **counts, expected=expected, floor=_floor(expectation)))
    return tuple(counted)


_COUNTS = f"""
WITH found AS (SELECT person_id, treated, person_id IN (FROM ids) AS found FROM people),
     others AS (SELECT person_id FROM ids ANTI JOIN drawn USING (person_id)),
     lost AS (SELECT {_ALIKE} AS bare FROM found WHERE NOT found)
SELECT count(*), count(*) FILTER (found), count(*) FILTER (treated = 1), count(*) FILTER (treated = 1 AND found),
       count(*) FILTER (treated = 0), count(*) FILTER (treated = 0 AND found),
       (SELECT count(*) FROM others), (SELECT count(*) FROM others WHERE {_ALIKE} IN (SELECT bare FROM lost))
FROM found
"""


def linkage_problems(linkages: Iterable[Linkage]) -> list[str]:
    """Return a message for each register that links too badly for a run."""
    problems = []
    for linkage in linkages:
        n, name = linkage.people, linkage.register
        counts = (
            f"{linkage.found:,} of {n:,} people are found in the register '{name}' (treated {linkage.treated_found:,} of "
            f"{linkage.treated:,}, control {linkage.control_found:,} of {linkage.control:,}), and {linkage.ids_only_there:,} "
            "of its ids were never drawn."
        )
        where = f"config/sources/{name}.yaml"
        if linkage.alike:
            problems.append(
                f"{counts} {linkage.alike:,} of these ids differ from an id that is not found only in leading zeros, blanks, "
                f"signs or decimals. State the form of the id in {where} (`width`, `digits`), or ask the register's owner "
                "for the ids as they are in the draws."
            )
        elif n and _is_too_low(linkage):
            expected = f"{linkage.expected:.0%} are expected" if linkage.expected is not None else "none is too few"
            problems.append(
                f"{counts} {expected}; a run stops below {linkage.floor:.0%}. Check that its ids are those of the draws, or "
                f"state what is right in {where} (`linkage`: expected, at_least)."
            )
    return problems


def _is_too_low(linkage: Linkage) -> bool:
    """Return whether so few people are found that chance does not explain it."""
    n, floor, expected = linkage.people, linkage.floor, linkage.expected
    if linkage.found == 0 and (expected is None or n * expected >= _SURELY_SOMEBODY):
        return floor > 0 or expected is None
    spread = 0.0 if expected is None else _SPREADS * (floor * (1 - floor) / n) ** 0.5
    return linkage.share < floor - spread


_NOTABLE = 0.05
"""A share found that is so much below the expected one, and by more than chance, is reported."""
_UNLIKE_BY_CHANCE = 4.0
"""Standard errors from which a difference between the arms in the share found is reported."""


def below_expectation(linkage: Linkage) -> str | None:
    """Return a sentence if notably fewer people are found than the source says to expect; a run goes on."""
    n, expected = linkage.people, linkage.expected
    if not n or expected is None:
        return None
    spread = _SPREADS * (expected * (1 - expected) / n) ** 0.5
    if linkage.share >= expected - max(_NOTABLE, spread):
        return None
    return f"{linkage.found:,} of {n:,} people are found ({linkage.share:.0%}), and {expected:.0%} are expected."


def unlike_by_arm(linkage: Linkage) -> str | None:
    """Return a sentence if the arms differ in the share found by more than chance."""
    found, people = linkage.found, linkage.people
    if not linkage.treated or not linkage.control or found in (0, people):
        return None
    share = found / people
    # Standard error of a difference of two shares that are equal: the pooled share in both arms.
    error = (share * (1 - share) * (1 / linkage.treated + 1 / linkage.control)) ** 0.5
    difference = linkage.treated_found / linkage.treated - linkage.control_found / linkage.control
    if abs(difference) <= _UNLIKE_BY_CHANCE * error:
        return None
    return (
        f"{linkage.treated_found:,} of {linkage.treated:,} treated and {linkage.control_found:,} of {linkage.control:,} controls "
        "are found in the register."
    )


def linkage_warnings(linkages: Iterable[Linkage]) -> list[str]:
    """Return a message for each register that links worse than expected, or differently by arm, and does not stop a run."""
    return [
        f"{linkage.register}: {sentence}"
        for linkage in linkages
        for sentence in (below_expectation(linkage), unlike_by_arm(linkage))
        if sentence
    ]


def read_linkage(path: Path) -> tuple[Linkage, ...]:
    """Read `run/linkage.csv`."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(
        Linkage(
            register=row["register"],
            **{name: int(row[name]) for name in COLUMNS[1:-2]},
            expected=float(row["expected"]) if row["expected"] else None,
            floor=float(row["floor"]),
        )
        for row in rows
    )


def linkage_frame(linkages: Iterable[Linkage]) -> pd.DataFrame:
    """Return the table of `run/linkage.csv`: one row a register."""
    import pandas as pd

    return pd.DataFrame([asdict(linkage) for linkage in linkages], columns=list(COLUMNS))
