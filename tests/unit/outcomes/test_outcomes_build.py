"""Outcomes from a panel: every kind, both rules for missing periods, files, faults, speed."""

import itertools
import math
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config.definitions import Definitions, Outcome
from refino_eval.errors import UserError
from refino_eval.outcomes.build import derive_outcomes
from refino_eval.outcomes.collect import collect_outcomes
from support.builders import LABEL

NAN = float("nan")


def outcome(kind, state="s", **more):
    return Outcome.model_validate(
        {"label": LABEL, "description": "x", "kind": kind, "state": state, "unit": LABEL, **more}
    )


def panel(path, people, first=0, order=None, **states):
    """Write a panel from a list of values by event time for each person."""
    periods = len(next(iter(states.values()))[0])
    columns = {
        "person_id": [person for person in people for _ in range(periods)],
        "event_time": pa.array([first + time for _ in people for time in range(periods)], pa.int32()),
    }
    for name, rows in states.items():
        values = [None if v is None else float(v) for row in rows for v in row]
        columns[name] = pa.array(values, pa.float64())
    table = pa.table(columns)
    pq.write_table(table if order is None else table.take(order), path)
    return path


@pytest.fixture
def three(tmp_path):
    rows = [[0, 2, 0, 4], [0, 0, 0, 0], [None, 1, None, None]]
    return panel(tmp_path / "panel", ["a", "b", "c"], first=-1, s=rows)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        #                                                            a    b    c
        (outcome("value_at", at=2), "                                4    0    ."),
        (outcome("value_at", at=0), "                                2    0    1"),
        (outcome("sum_over", window=(0, 2)), "                       6    0    ."),
        (outcome("sum_over", window=(0, 2), missing="all"), "        6    0    1"),
        (outcome("sum_over", window=(1, 2), missing="all"), "        4    0    ."),
        (outcome("mean_over", window=(-1, 2)), "                     1.5  0    ."),
        (outcome("mean_over", window=(-1, 2), missing="all"), "      1.5  0    1"),
        (outcome("any_in", window=(1, 2)), "                         1    0    ."),
        (outcome("any_in", window=(-1, 1), missing="all"), "         1    0    1"),
        (outcome("any_in", window=(-1, -1)), "                       0    0    ."),
    ],
)
def test_kinds_and_missing_periods(three, made, expected):
    values = derive_outcomes(three, {"o": made})["o"].to_pylist()
    assert " ".join("." if v is None else f"{v:g}" for v in values) == " ".join(expected.split())


def test_files_hold_person_and_value_and_nothing_half_written(three, tmp_path):
    made = {"first": outcome("value_at", at=0), "second": outcome("sum_over", window=(0, 2))}
    paths = {name: tmp_path / "outcomes" / f"{name}.parquet" for name in made}
    table = derive_outcomes(three, made, out_paths=paths)
    assert table.column_names == ["person_id", "first", "second"]
    for name, path in paths.items():
        written = pq.read_table(path)
        assert written.schema.equals(pa.schema([("person_id", pa.string()), ("value", pa.float64())]))
        assert written.to_pydict() == {"person_id": ["a", "b", "c"], "value": table[name].to_pylist()}
    assert sorted(path.name for path in (tmp_path / "outcomes").iterdir()) == ["first.parquet", "second.parquet"]


def test_the_order_of_rows_and_threads_do_not_matter(tmp_path):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 49)).tolist()
    people = [f"{n:04d}" for n in range(500)]
    made = {"o": outcome("sum_over", window=(-24, 24)), "m": outcome("mean_over", window=(-3, 20))}
    files = []
    for number, (order, threads) in enumerate([(None, 1), (rng.permutation(500 * 49), 2), (None, 2)]):
        path = panel(tmp_path / f"p{number}", people, first=-24, order=order, s=rows)
        paths = {name: tmp_path / f"{number}_{name}" for name in made}
        table = derive_outcomes(path, made, out_paths=paths, threads=threads)
        files.append([path.read_bytes() for path in paths.values()])
    assert files[0] == files[1] == files[2]
    assert table["o"].to_pylist() == pytest.approx([math.fsum(row) for row in rows], abs=1e-9)


def test_ones_add_up_to_whole_numbers_and_tenths_to_tenths(tmp_path):
    path = panel(tmp_path / "p", ["a"], ones=[[1] * 12], tenths=[[0.1] * 10 + [0, 0]])
    made = {"n": outcome("sum_over", "ones", window=(0, 11)), "t": outcome("sum_over", "tenths", window=(0, 11))}
    assert derive_outcomes(path, made).to_pylist() == [{"person_id": "a", "n": 12.0, "t": 1.0}]


def test_faults_are_reported_together(three):
    made = {
        "unknown": outcome("value_at", "t", at=0),
        "early": outcome("sum_over", window=(-2, 0)),
        "late": outcome("value_at", at=3),
        "weekly": outcome("value_at", at=0, clock="week"),
    }
    with pytest.raises(UserError) as fault:
        derive_outcomes(three, made)
    told = fault.value.problems
    assert "Outcome 'unknown': the panel has no state 't'" in told[0]
    assert "Outcome 'early' reads event times -2 to 0, and the panel holds -1 to 2" in told[1]
    assert "Outcome 'late'" in told[2]
    assert "month, week" in told[3]


def test_a_panel_without_people_gives_no_rows(tmp_path):
    path = panel(tmp_path / "p", ["a"], s=[[1, 2]])
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert derive_outcomes(path, {"o": outcome("value_at", at=0)}).num_rows == 0


@pytest.mark.slow
def test_two_hundred_outcomes_of_five_thousand_people_in_seconds(tmp_path):
    rng = np.random.default_rng(2)
    values = rng.random((5000, 49))
    people = [f"{n:05d}" for n in range(5000)]
    path = panel(tmp_path / "p", people, first=-24, s=values.tolist())
    windows = list(itertools.islice(itertools.combinations(range(-24, 25), 2), 0, 1000, 5))
    made = {f"o{n}": outcome("sum_over", window=window) for n, window in enumerate(windows)}
    assert len(made) == 200
    began = time.process_time()
    table = derive_outcomes(path, made)
    assert time.process_time() - began < 20
    for n, (first, last) in enumerate(windows):
        assert np.allclose(table[f"o{n}"].to_numpy(), values[:, first + 24 : last + 25].sum(axis=1))


STATES = Definitions.model_validate(
    {
        "states": {
            "pay": {"label": LABEL, "description": "x", "unit": LABEL, "register": "r", "combine": "sum", "value": "v"},
            "job": {"label": LABEL, "description": "x", "unit": LABEL, "register": "r"},
            "share": {"label": LABEL, "description": "x", "unit": LABEL, "register": "r", "touch": "share_of_days"},
            "filled": {
                "label": LABEL,
                "description": "x",
                "unit": LABEL,
                "register": "r",
                "missing": {"after_coverage": 2},
            },
        }
    }
)


@pytest.mark.parametrize("state", ["pay", "share", "filled"])
def test_a_number_is_refused_where_true_or_false_is_asked_for(tmp_path, state):
    path = panel(tmp_path / "p", ["a"], pay=[[1, 2]], job=[[0, 1]], share=[[0.5, 1]], filled=[[1, 2]])
    for kind, keys in (
        ("months_in", {"window": (0, 1)}),
        ("held_at", {"times": (0, 1)}),
        ("first_month", {"window": (0, 1)}),
    ):
        derive_outcomes(path, {"o": outcome(kind, "job", **keys)}, definitions=STATES)
        with pytest.raises(UserError, match=f"the state '{state}' is a number: compare it"):
            derive_outcomes(path, {"o": outcome(kind, state, **keys)}, definitions=STATES)
        with pytest.raises(UserError, match="is a number: compare it"):
            derive_outcomes(path, {"o": outcome(kind, None, expression=f"{state} + job", **keys)}, definitions=STATES)


def test_a_censored_time_has_its_flag_beside_it_all_the_way(tmp_path):
    path = panel(tmp_path / "p", ["a", "b", "c"], job=[[0, 1, 0], [0, 0, None], [None, 1, 1]])
    made = {"t": outcome("first_month", "job", window=(0, 2)), "n": outcome("months_in", "job", window=(0, 1))}
    paths = {name: tmp_path / f"{name}.parquet" for name in made}
    table = derive_outcomes(path, made, out_paths=paths)
    assert table.column_names == ["person_id", "t", "t_censored", "n"]
    assert table["t"].to_pylist() == [1.0, 1.0, None]
    assert table["t_censored"].to_pylist() == [0.0, 1.0, None]
    assert pq.read_table(paths["t"]).column_names == ["person_id", "value", "censored"]
    assert pq.read_table(paths["n"]).column_names == ["person_id", "value"]
    pq.write_table(pa.table({"person_id": ["c", "a", "z"]}), tmp_path / "cohort.parquet")
    collect_outcomes(tmp_path / "cohort.parquet", paths, tmp_path / "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").to_pydict() == {
        "person_id": ["c", "a", "z"], "t": [None, 1.0, None], "t_censored": [None, 0.0, None], "n": [None, 1.0, None],
    }  # fmt: skip
    with pytest.raises(UserError, match="has a column of that name beside it"):
        derive_outcomes(path, {**made, "t_censored": made["n"]})


def test_an_expression_is_computed_once_and_reads_no_other_state(tmp_path):
    path = panel(tmp_path / "p", ["a"], a=[[1, 0]], b=[[1, 1]], c=[[None, None]])
    made = {
        "both": outcome("months_in", None, expression="a and b", window=(0, 1)),
        "either": outcome("months_in", None, expression="a or b", window=(0, 1)),
    }
    assert derive_outcomes(path, made).to_pylist() == [{"person_id": "a", "both": 1.0, "either": 2.0}]
    with pytest.raises(UserError, match="the panel has no state 'd'"):
        derive_outcomes(path, {"o": outcome("months_in", None, expression="a and d", window=(0, 1))})


def test_a_panel_that_lacks_a_month_of_somebody_is_no_panel(tmp_path):
    path = panel(tmp_path / "p", ["a", "b"], s=[[1, 2, 3], [1, 2, 3]])
    pq.write_table(pq.read_table(path).slice(0, 5), path)
    with pytest.raises(ValueError, match="every person once at every event time"):
        derive_outcomes(path, {"o": outcome("value_at", at=0)})
