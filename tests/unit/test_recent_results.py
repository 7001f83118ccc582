"""Results kept in memory: computed once, forgotten when they take too much, and never taken for another's."""

import numpy as np
import pandas as pd

from refino_eval.estimation import itt
from refino_eval.estimation.core.recording import recording
from refino_eval.exhibits.numbers.person_columns import read_outcome, read_people
from refino_eval.recent_results import RecentResults, content_of, version_of


def test_a_result_is_computed_once_and_those_asked_for_longest_ago_are_forgotten_first():
    made = []
    results = RecentResults[str](most=10)

    def ask(key, size=4):
        return results.of(key, lambda: made.append(key) or f"of {key}", lambda _: size)

    assert [ask("a"), ask("b"), ask("a"), ask("c"), ask("a"), ask("b")] == [
        "of a", "of b", "of a", "of c", "of a", "of b",
    ]  # fmt: skip
    assert made == ["a", "b", "c", "b"]
    assert ask("huge", size=11) == ask("huge", size=11) == "of huge"
    assert made == ["a", "b", "c", "b", "huge", "huge"]
    assert ask("a") == "of a"
    assert made[-1] == "huge"


def test_content_differs_where_a_number_its_kind_or_its_place_does():
    values = np.arange(6.0)
    different = [values, values.reshape(2, 3), values.reshape(3, 2), values + 0.1, values.astype(np.float32), None, "x"]
    assert len({content_of(part) for part in different}) == len(different)
    assert content_of(values, "a") == content_of(values.copy(), "a") != content_of("a", values)
    wide = np.arange(12.0).reshape(3, 4)
    assert content_of(wide[:, ::2]) == content_of(wide[:, ::2].copy())


def test_a_file_that_was_written_anew_is_read_anew_and_a_reader_changes_its_own_rows_alone(tmp_path):
    path = tmp_path / "people.parquet"
    pd.DataFrame({"person_id": ["a", "b"], "value": [1.0, 2.0]}).to_parquet(path)
    first = read_people(path)
    first["value"] = 0.0
    first["more"] = 1
    assert read_people(path).to_dict("list") == {"person_id": ["a", "b"], "value": [1.0, 2.0]}
    assert read_outcome(path)["value"].to_dict() == {"a": 1.0, "b": 2.0}
    before = version_of(path)
    pd.DataFrame({"person_id": ["a", "b"], "value": [3.0, 4.0]}).to_parquet(path)
    assert version_of(path) != before
    assert read_people(path)["value"].tolist() == read_outcome(path)["value"].tolist() == [3.0, 4.0]


def test_a_design_that_was_prepared_before_is_recorded_for_verification_every_time():
    rng = np.random.default_rng(3)
    treated, age = np.repeat([0.0, 1.0], 30), rng.normal(40, 9, 60)
    outcomes = rng.normal(size=(60, 2))
    recorded = []
    for _ in range(2):
        with recording() as kept:
            table = itt(outcomes, treated, controls=pd.DataFrame({"age": age}))
        recorded.append(next(iter(kept.regressions.values())))
        assert len(kept.regressions) == 1
    assert table.estimate.shape == (2,)
    np.testing.assert_array_equal(recorded[0].columns, recorded[1].columns)
    np.testing.assert_array_equal(recorded[1].columns, np.column_stack((treated, age)))
    # Other numbers in columns of the same names are another design.
    assert itt(outcomes, treated, controls=pd.DataFrame({"age": age**2})).estimate[0] != table.estimate[0]
