"""The errors that the benchmark of the audit plants, and which of them it takes to be possible to find."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import audit

    yield audit
    for name in ("audit", "audit_attainable", "audit_tables", "audit_trials"):
        sys.modules.pop(name, None)


def table(benchmark, rows):
    return pd.DataFrame([("t", "", *row, "", "", "") for row in rows], columns=benchmark.COLUMNS)


SUM = [(name, year, "count", text)
       for year, texts in (("y1", "314 159 473"), ("y2", "271 182 453"), ("y3", "828 459 1287"))
       for name, text in zip(("north", "south", "both"), texts.split(), strict=True)]  # fmt: skip
ALONE = [("wage", "m", "mean", "27.1"), ("wage", "m", "n", "400"), ("age", "m", "mean", "44.2")]


def test_an_error_is_attainable_if_it_breaks_a_relation_of_the_undamaged_table(benchmark):
    frame = table(benchmark, SUM + ALONE)
    relations = benchmark.Relations(frame)

    def broken(at, text):
        changed = frame.copy()
        changed.loc[at, "printed"] = text
        return relations.broken(changed, [at])

    assert "sum" in broken(3, "281")
    assert broken(9, "27.4") == set()
    assert broken(10, "-400") == {"impossible"}


@pytest.mark.parametrize(
    ("before", "after", "statistic", "same"),
    [
        ("20.4", "20.3", "share", True),  # one rounded, the other truncated
        ("20.4", "20.6", "share", False),
        ("167", "168", "n", False),  # sizes are not rounded
        ("0,50", "0.5", "mean", True),
        ("0.31**", "0.31*", "estimate", False),
    ],
)
def test_a_change_within_rounding_is_no_error(benchmark, before, after, statistic, same):
    assert benchmark.same_number(before, after, statistic) is same


def test_planted_errors_are_such_as_people_make(benchmark):
    frame = table(benchmark, [("x", "a", "mean", "0.31"), ("x", "a", "sd", "0.46"), ("x", "a", "n", "120"),
                              ("x", "a", "estimate", "0.12**"), ("y", "a", "estimate", "0.02")])  # fmt: skip
    assert not any(benchmark.happens("sign", frame, at) for at in (1, 2))
    assert benchmark.happens("sign", frame, 3)
    assert [benchmark.happens("stars", frame, at) for at in (0, 3, 4)] == [False, True, True]
    # The variance of a yes/no variable in place of its standard deviation.
    changed, wrong, _ = benchmark.plant(frame, np.random.default_rng(0), [1], "deviation")
    assert (changed.loc[1, "printed"], wrong) == ("0.21", {1})
