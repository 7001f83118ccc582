"""What kinds of outcomes have in common in SQL: the columns that are gathered from a person's periods.

A kind's `sql` function asks a `PersonSql` for what it needs (how often something holds, the value at an event time, a
total), and gets the name of a column back; what several outcomes need is gathered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from refino_eval.outcomes.period_values import DECIMALS, added


@dataclass
class GatheredSql:
    """SQL of all columns that outcomes need, by the step of the query in which they are made.

    Attributes
    ----------
    marks
        A value for each row, from the person's rows up to it.
    aggregates
        A value for each person, from the rows.
    totals
        A value for each person, from the aggregates.
    """

    marks: dict[str, str] = field(default_factory=dict)
    aggregates: dict[str, str] = field(default_factory=dict)
    totals: dict[str, str] = field(default_factory=dict)


def _column(made: dict[str, str], prefix: str, text: str) -> str:
    return made.setdefault(text, f"{prefix}{len(made) + 1}")


@dataclass(frozen=True)
class PersonSql:
    """One outcome's periods, as SQL over the rows of a person.

    Attributes
    ----------
    value
        Column that holds what the outcome reads in a period.
    read
        The event times that it reads, in order.
    gathered
        Where the columns are collected.
    """

    value: str
    read: Sequence[int]
    gathered: GatheredSql

    @property
    def holds(self) -> str:
        """Condition on a row: what is read is true."""
        return f"{self.value} <> 0"

    @property
    def known(self) -> str:
        """Condition on a row: what is read is not missing."""
        return f"{self.value} IS NOT NULL"

    @property
    def _inside(self) -> str:
        first, last = self.read[0], self.read[-1]
        if len(self.read) == last - first + 1:
            return f"event_time BETWEEN {first} AND {last}"
        return f"event_time IN ({', '.join(map(str, self.read))})"

    def _aggregate(self, function: str, condition: str, value: str) -> str:
        text = f"{function}(CASE WHEN {self._inside} AND {condition} THEN {value} END)"
        return _column(self.gathered.aggregates, "a", text)

    def count(self, condition: str) -> str:
        """Return in how many of the periods a condition holds."""
        return self._aggregate("COUNT", condition, "1")

    def first(self, condition: str) -> str:
        """Return the first event time at which a condition holds, NULL where it never does."""
        return self._aggregate("MIN", condition, "event_time")

    def last(self, condition: str) -> str:
        """Return the last event time at which a condition holds, NULL where it never does."""
        return self._aggregate("MAX", condition, "event_time")

    def before(self, time: str) -> str:
        """Return the event time that is read before another; of NULL, the last that is read."""
        if len(self.read) == self.read[-1] - self.read[0] + 1:
            return f"COALESCE({time} - 1, {self.read[-1]})"
        pairs = zip(self.read[1:], self.read, strict=False)
        cases = " ".join(f"WHEN {time} = {after} THEN {earlier}" for after, earlier in pairs)
        return f"CASE {cases} WHEN {time} IS NULL THEN {self.read[-1]} END"

    def at(self, time: int) -> str:
        """Return the value at an event time."""
        text = f"MAX(CASE WHEN event_time = {time} THEN {self.value} END)"
        return _column(self.gathered.aggregates, "a", text)

    def total(self) -> str:
        """Return the sum of the values that are not missing, added in the order of `row_sums`, and rounded."""
        terms = [f"COALESCE({self.at(time)}, 0E0)" for time in self.read]
        total = _column(self.gathered.totals, "t", added(terms, lambda left, right: f"({left} + {right})"))
        nearest = f"ROUND_EVEN({total}, 0)"
        return (
            f"CASE WHEN {total} = {nearest} THEN {total} ELSE ROUND_EVEN({total} * 1E{DECIMALS}, 0) / 1E{DECIMALS} END"
        )

    def end_of_first_stretch(self, condition: str) -> str:
        """Return the event time after the first stretch of periods in which a condition holds; the same in all of a person's rows."""
        breaks = f"{self._inside} AND ({condition}) IS NOT TRUE"
        text = (
            f"COALESCE(MIN(CASE WHEN {breaks} THEN event_time END) OVER (PARTITION BY person_id), {self.read[-1] + 1})"
        )
        return _column(self.gathered.marks, "m", text)

    def longest_run(self) -> str:
        """Return the number of periods in the longest stretch in which what is read holds."""
        first, last = self.read[0], self.read[-1]
        position = f"(event_time - {first})"
        if len(self.read) < last - first + 1:
            cases = " ".join(f"WHEN {time} THEN {number}" for number, time in enumerate(self.read))
            position = f"(CASE event_time {cases} END)"
        breaks = f"{self._inside} AND ({self.value} = 0 OR {self.value} IS NULL)"
        # How far back the last period lies in which it does not hold; -1 is before the first.
        text = (
            f"COALESCE(MAX(CASE WHEN {breaks} THEN {position} END) "
            "OVER (PARTITION BY person_id ORDER BY event_time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), -1)"
        )
        # A period in a stretch is as many places after the last break as it has in the stretch; the largest is the stretch's
        # length.
        mark = _column(self.gathered.marks, "m", text)
        return f"COALESCE({self._aggregate('MAX', self.holds, f'{position} - {mark}')}, 0)"
