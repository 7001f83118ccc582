"""Outcomes as one SQL query over a panel, and its run on Spark.

The query is written from the same definitions as the arrays of `build`, in the same dialect as the panel's, and gives
the same doubles: counts and event times are integers until the last step, and sums are added in a fixed order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.config.definitions import Outcome
from refino_eval.expressions import Tree
from refino_eval.expressions.expression_sql import to_sql
from refino_eval.outcomes.kinds import outcome_sql
from refino_eval.outcomes.period_sql import GatheredSql, PersonSql
from refino_eval.sql.quoting import identifier
from refino_eval.sql.spark_server import parquet_view, result_tables, spark_session, spark_sql

if TYPE_CHECKING:
    import pyarrow as pa

_PERIODS, _FIRST, _LAST = "_periods", "_first", "_last"


def outcomes_sql(outcomes: Mapping[str, Outcome], trees: Mapping[str, Tree], censored: str) -> str:
    """Write the SQL text of outcomes.

    Parameters
    ----------
    outcomes
        Definitions by name, all on the panel's clock.
    trees
        What each reads in a period.
    censored
        What the column beside a censored outcome is called after the outcome's name.

    Returns
    -------
    str
        One statement over the relation ``panel``. Its result has a row for each person: person_id, the number of the
        person's rows with the first and last of their event times, and a double per outcome.
    """
    values = {tree: f"x{number}" for number, tree in enumerate(dict.fromkeys(trees.values()), start=1)}
    gathered = GatheredSql()
    columns: list[str] = []
    for name, outcome in outcomes.items():
        person = PersonSql(values[trees[name]], outcome.read, gathered)
        value, flag = outcome_sql(outcome, person)
        columns.append(f"{value} AS {identifier(name)}")
        if flag is not None:
            columns.append(f"{flag} AS {identifier(name + censored)}")
    read = [f"{to_sql(tree)} AS {column}" for tree, column in values.items()]
    extent = [f"COUNT(*) AS {_PERIODS}", f"MIN(event_time) AS {_FIRST}", f"MAX(event_time) AS {_LAST}"]

    def named(made: Mapping[str, str]) -> list[str]:
        return [f"{text} AS {name}" for text, name in made.items()]

    steps = [
        ("What outcomes read in each period.", "valued", ["person_id", "event_time", *read], "panel", ""),
        ("Where what is read last did not hold.", "marked", ["*", *named(gathered.marks)], "valued", ""),
        (
            "What is gathered from a person's periods.",
            "gathered",
            ["person_id", *extent, *named(gathered.aggregates)],
            "marked",
            "\n    GROUP BY person_id",
        ),
        ("Sums, in a fixed order.", "totalled", ["*", *named(gathered.totals)], "gathered", ""),
    ]
    parts = [
        f"-- {comment}\n{name} AS (\n    SELECT\n        " + ",\n        ".join(chosen) + f"\n    FROM {source}{end}\n)"
        for comment, name, chosen, source, end in steps
    ]
    result = ",\n    ".join(["person_id", _PERIODS, _FIRST, _LAST, *columns])
    return "WITH\n" + ",\n\n".join(parts) + f"\n\nSELECT\n    {result}\nFROM totalled\n"


def spark_outcomes(query: str, panel_path: Path, states: Sequence[str], first: int, last: int) -> pa.Table:
    """Run the query of outcomes on Spark.

    Parameters
    ----------
    query
        From `outcomes_sql`.
    panel_path
        The panel, which the server reads itself.
    states
        The states that are read.
    first, last
        The panel's event times.

    Returns
    -------
    pyarrow.Table
        person_id and the outcomes' columns, sorted by person.

    Raises
    ------
    ValueError
        When the panel has not every person once at every event time.
    """
    import pyarrow.compute as pc

    with tempfile.TemporaryDirectory(prefix=".outcomes_", dir=panel_path.parent) as folder, spark_session() as session:
        parquet_view(session, "panel", panel_path, ["person_id", "event_time", *states])
        (table,) = result_tables(session, spark_sql(query), Path(folder) / "spark", keys=["person_id"])
    for column, expected in ((_PERIODS, last - first + 1), (_FIRST, first), (_LAST, last)):
        if pc.any(pc.not_equal(table[column], expected)).as_py():
            raise ValueError(f"a panel has every person once at every event time, and {panel_path.name} has not")
    return table.drop_columns([_PERIODS, _FIRST, _LAST])
