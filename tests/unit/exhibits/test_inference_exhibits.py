"""Tests, estimands, take-up and interactions: the numbers are those of `estimation`, and the tables show them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.wording.labels import LabelBook
from support.builders import LABEL

OUTCOMES = ("work", "hours")


def definitions():
    spec = {"label": LABEL, "description": "x", "controls": [{"covariate": "age"}]}
    columns = {"work": "work", "hours": "hours"}
    return Definitions.model_validate(
        {
            "covariates": {n: {"kind": "column", "column": n, "label": {"nb": n, "en": n}} for n in ("age", "female")},
            "specifications": {"main": spec, "none": {**spec, "controls": []}, "linear": spec},
            "exhibits": {
                "t": {"kind": "tests", "title": LABEL, "columns": columns, "draws": 499, "margins": {"work": 0.5}},
                "e": {"kind": "estimands", "title": LABEL, "columns": columns},
                "l": {"kind": "late", "title": LABEL, "columns": columns, "take_up": "started"},
                "i": {"kind": "interactions", "title": LABEL, "outcome": "hours", "moderators": ["age", "female"]},
            },
        }
    )


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    rng = np.random.default_rng(5)
    n = 600
    cell = rng.integers(0, 12, n)
    treated = (rng.random(n) < 0.2 + 0.05 * cell).astype(int)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:05d}" for i in range(n)],
            "treated": treated,
            "cell": [f"c{c}" for c in cell],
            "age": rng.normal(40, 10, n).round(1),
            "female": rng.integers(0, 2, n).astype(float),
            "sample_analysed": True,
        }
    )
    cohort.to_parquet(folder / "cohort.parquet")
    values = {
        "work": (rng.random(n) < 0.4).astype(float),
        "hours": rng.normal(10 + cell / 4, 5, n) + 2 * treated,
        "started": (treated * (rng.random(n) < 0.75)).astype(float),
    }
    paths = {}
    for name, column in values.items():
        paths[name] = folder / f"{name}.parquet"
        pd.DataFrame({"person_id": cohort["person_id"], "value": column}).to_parquet(paths[name])
    files = PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels={})
    return cohort, pd.DataFrame(values), files


def numbers(trial, name, study=None):
    entries = definitions()
    study = study or Study("new", "old", entries.specifications, 7)
    frame = aggregate(name, entries.exhibits[name], files=trial[2], study=study)
    return frame, frame.set_index(["panel", "row", "column", "statistic"])["value"]


def labels():
    arms = {"new": Label(nb="Ny", en="New"), "old": Label(nb="Gammel", en="Old")}
    return LabelBook(definitions=definitions(), treated="new", control="old", arms=arms, strata=("cell",))


def test_tests_are_those_of_the_estimation_room(trial):
    cohort, values, _ = trial
    frame, got = numbers(trial, "t")
    effects = est.itt(values[list(OUTCOMES)], cohort["treated"], cells=cohort["cell"], controls=cohort[["age"]])
    for k, name in enumerate(OUTCOMES):
        assert got["main", name, "new", "estimate"] == pytest.approx(effects.estimate[k], rel=1e-12)
        assert got["main", name, "new", "p_value"] == pytest.approx(effects.p_value[k], rel=1e-12)
        raw, family = got["main", name, "new", "p_value_ri"], got["main", name, "new", "p_value_fwer"]
        assert raw <= family <= 1
        assert abs(raw - effects.p_value[k]) < 0.08, "499 redraws of a well-behaved trial come near the t test"
        assert (
            got["main", name, "new", "rejected_below"]
            < effects.estimate[k]
            < got["main", name, "new", "rejected_above"]
        )
    assert got["main", "redraws", "new", "count"] == 499
    assert got["main", "work", "new", "margin"] == 0.5
    assert ("main", "hours", "new", "margin") not in got.index
    assert (frame.loc[frame["statistic"] == "n", "value"] == 600).all()


def test_tests_do_not_depend_on_anything_but_seed_and_name(trial):
    first, _ = numbers(trial, "t")
    again, _ = numbers(trial, "t")
    pd.testing.assert_frame_equal(first, again)
    other, _ = numbers(trial, "t", Study("new", "old", definitions().specifications, 8))
    ri = first["statistic"] == "p_value_ri"
    assert not np.array_equal(first.loc[ri, "value"], other.loc[ri, "value"])


def test_estimands_say_whom_they_leave_out(trial):
    cohort, values, _ = trial
    _, got = numbers(trial, "e")
    effects = est.itt(values[list(OUTCOMES)], cohort["treated"], cells=cohort["cell"])
    assert got["", "hours", "cell_fixed_effects", "estimate"] == pytest.approx(effects.estimate[1], rel=1e-12)
    one_arm = cohort.groupby("cell")["treated"].transform("nunique") == 1
    assert got["", "hours", "saturated", "n_left_out"] == one_arm.sum()


def test_estimands_show_the_variance_for_small_cells_where_there_are_any(trial, tmp_path):
    frame, _ = numbers(trial, "e")
    assert not ((frame["panel"] == "small_cells") & (frame["statistic"] == "std_error")).any()
    cohort, values, files = trial
    few = cohort.assign(cell=[f"{cell}{k % 100}" for k, cell in enumerate(cohort["cell"])])
    few.to_parquet(tmp_path / "cohort.parquet")
    entry = definitions().exhibits["e"].model_copy(update={"specification": "linear"})
    study = Study("new", "old", definitions().specifications, 7)
    told = aggregate("e", entry, files=replace(files, cohort=tmp_path / "cohort.parquet"), study=study)
    got = told.set_index(["panel", "row", "column", "statistic"])["value"]
    wanted = est.estimands(
        values[list(OUTCOMES)], few["treated"], cells=few["cell"], controls=few[["age"]], small_cells="hybrid"
    )
    assert got["small_cells", "hours", "saturated", "std_error"] == pytest.approx(wanted.std_error[1, 1], rel=1e-9)
    table = table_of("e", entry, told, labels=labels(), language="en", facts={})
    shown = [[cell.text for cell in row.cells] for row in table.parts[0].body]
    assert shown[2][1].startswith("[")
    assert shown[2][4] == "", "the interacted form has no such variance"
    assert any("Pashley" in note for note in table.notes)


def test_the_effect_of_taking_part_is_the_ratio(trial):
    _, got = numbers(trial, "l")
    for name in OUTCOMES:
        ratio = got["main", "draw", name, "estimate"] / got["main", "first_stage", name, "estimate"]
        assert got["main", "take_up", name, "estimate"] == pytest.approx(ratio, rel=1e-10)
        assert got["main", "take_up", name, "ar_low"] < ratio < got["main", "take_up", name, "ar_high"]
    assert got["main", "first_stage", "work", "mean_control"] == 0


def test_interactions_equal_a_plain_regression(trial):
    cohort, values, _ = trial
    _, got = numbers(trial, "i")
    dummies = pd.get_dummies(cohort["cell"]).to_numpy(dtype=float)
    z, female, age = cohort["treated"].to_numpy(float), cohort["female"].to_numpy(), cohort["age"].to_numpy()
    X = np.column_stack([z, z * female, female, age, dummies])
    b = np.linalg.lstsq(X, values["hours"].to_numpy(), rcond=None)[0]
    assert got["linear", "new", "female", "estimate"] == pytest.approx(b[0], rel=1e-8)
    assert got["linear", "new_x_characteristic", "female", "estimate"] == pytest.approx(b[1], rel=1e-8)
    assert got["linear", "age", "female", "estimate"] == pytest.approx(b[3], rel=1e-8)


@pytest.mark.parametrize("name", ["t", "e", "l", "i"])
@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_number_of_a_row_is_shown(trial, name, language):
    frame, _ = numbers(trial, name)
    table = table_of(name, definitions().exhibits[name], frame, labels=labels(), language=language, facts={})
    for part in table.parts:
        for row in part.body:
            shown = [cell.text for cell in row.cells[1:]]
            assert any(shown), row.cells[0].text
    estimates = [
        cell.number for part in table.parts for row in part.body for cell in row.cells if cell.number is not None
    ]
    wanted = frame.loc[frame["statistic"] == "estimate", "value"]
    assert set(wanted).issubset(set(estimates))


def test_take_up_that_nobody_names_is_a_fault(trial):
    entry = definitions().exhibits["l"].model_copy(update={"take_up": None})
    study = Study("new", "old", definitions().specifications, 7)
    with pytest.raises(UserError, match=r"Exhibit 'l'.*names no take_up"):
        aggregate("l", entry, files=trial[2], study=study)
