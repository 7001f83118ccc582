"""Named comparisons: other treatments and waves in one exhibit are what an evaluation of each alone would give."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from refino_eval.config.base import Label
from refino_eval.config.checking.exhibit_checks import exhibit_problems
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.verification import verify
from refino_eval.exhibits.wording.labels import LabelBook
from support.builders import LABEL

COLUMNS = {"columns": {"y": "y"}}
CASH = {"label": {"nb": "Kontanter", "en": "Cash"}, "treated": "cash", "strata": ["village"]}
SECOND = {"label": {"nb": "Runde 2", "en": "Wave 2"}, "among": "second"}


def definitions(**change):
    spec = {"label": LABEL, "description": "x", "vcov": "HC2"}
    both = {"comparisons": ["cash_only", "wave_2"], "title": LABEL}
    covariates = {n: {"kind": "column", "column": n, "label": LABEL} for n in ("cash", "wave", "village", "age")}
    return Definitions.model_validate(
        {
            "covariates": covariates,
            "subgroups": {"second": {"label": LABEL, "covariate": "wave", "equals": [2]}},
            "specifications": {"main": spec},
            "comparisons": {"cash_only": CASH, "wave_2": SECOND},
            "exhibits": {
                "itt": {"kind": "itt", **COLUMNS, **both},
                "tests": {"kind": "tests", **COLUMNS, **both, "draws": 99},
                "balance": {"kind": "balance", "covariates": ["age"], **both},
                "single": {"kind": "itt", **COLUMNS, **both, "comparisons": ["wave_2"]},
                "flow": {"kind": "flow", **both},
                "card": {"kind": "null_card", **COLUMNS, "title": LABEL, "tests": "tests", "specification": "main"},
                "curve": {"kind": "specification_curve", **COLUMNS, **both, "specifications": ["main"]},
                **change,
            },
        }
    )


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    rng, n = np.random.default_rng(6), 400
    folder = tmp_path_factory.mktemp("comparisons")
    cohort = pd.DataFrame({
        "person_id": [f"{i:03d}" for i in range(n)], "treated": rng.integers(0, 2, n).astype("int32"),
        "cell": [f"c{c}" for c in rng.integers(0, 4, n)], "village": rng.integers(0, 6, n).astype(float),
        "cash": np.where(rng.random(n) < 0.6, rng.integers(0, 2, n), np.nan), "wave": rng.integers(1, 3, n).astype(float),
        "age": rng.normal(40, 9, n), "sample_analysed": True, "draw_month": "2020-01",
    })  # fmt: skip
    cohort["y"] = cohort["treated"] + 2 * cohort["cash"].fillna(0) + rng.normal(0, 1, n)
    cohort.drop(columns="y").to_parquet(folder / "cohort.parquet")
    cohort[["person_id", "y"]].rename(columns={"y": "value"}).to_parquet(folder / "y.parquet")
    return cohort, PersonFiles(cohort=folder / "cohort.parquet", outcomes={"y": folder / "y.parquet"}, panels={})


def study(entries):
    return Study("t", "c", entries.specifications, 7, subgroups=entries.subgroups, comparisons=entries.comparisons)


def test_each_comparison_is_the_regression_of_its_people(trial):
    cohort, files = trial
    entries = definitions()
    got = aggregate("itt", entries.exhibits["itt"], files=files, study=study(entries))
    got = got.set_index(["panel", "row", "column", "statistic"])["value"]
    cash = cohort.dropna(subset=["cash"])
    fit = smf.ols("y ~ cash + C(village)", cash).fit(cov_type="HC2")
    key = ("cash_only:main", "t", "y")
    assert got[(*key, "estimate")] == pytest.approx(fit.params["cash"], rel=1e-10)
    assert got[(*key, "std_error")] == pytest.approx(fit.bse["cash"], rel=1e-10)
    assert got[(*key, "n_treated")] == (cash["cash"] == 1).sum()
    fit = smf.ols("y ~ treated + C(cell)", cohort[cohort["wave"] == 2]).fit(cov_type="HC2")
    assert got["wave_2:main", "t", "y", "estimate"] == pytest.approx(fit.params["treated"], rel=1e-10)
    single = aggregate("single", entries.exhibits["single"], files=files, study=study(entries))
    alone = single.set_index(["panel", "row", "column", "statistic"])["value"]
    assert alone["main", "t", "y", "std_error"] == got["wave_2:main", "t", "y", "std_error"]


def test_a_table_has_a_grid_for_each_comparison_and_a_note(trial):
    entries = definitions()
    arms = {"t": Label(nb="Tiltak", en="Treated"), "c": Label(nb="Kontroll", en="Control")}
    labels = LabelBook(definitions=entries, treated="t", control="c", arms=arms, strata=("cell",))
    for name, parts in (("itt", 2), ("tests", 4), ("balance", 4)):
        frame = aggregate(name, entries.exhibits[name], files=trial[1], study=study(entries))
        table = table_of(name, entries.exhibits[name], frame, labels=labels, language="en", facts={})
        assert [part.caption.split(".")[0] for part in table.parts] == ["Cash"] * (parts // 2) + ["Wave 2"] * (
            parts // 2
        )
        assert any(note.startswith("Comparisons: Cash (within ") for note in table.notes)
        if name == "itt":
            # The rows and cells are those of the comparison; notes that differ say which one they are about.
            first, second = ([row.cells[0].text for row in part.body] for part in table.parts)
            assert first[0] == "Cash"
            assert second[0] == "Treated"
            assert [text for text in first if text.startswith("Fixed effects")] != [
                text for text in second if text.startswith("Fixed effects")
            ]
            assert any(note.startswith("Wave 2: Sample: ") for note in table.notes)


def test_comparisons_are_estimated_again(trial):
    entries = definitions()
    made = {
        n: aggregate(n, entries.exhibits[n], files=trial[1], study=study(entries)) for n in ("itt", "tests", "balance")
    }
    verdicts = verify({n: entries.exhibits[n] for n in made}, made, files=trial[1], study=study(entries))["verdict"]
    assert set(verdicts) == {"agrees"}


def evaluation():
    arms = {"treated": {"name": "t", "label": LABEL}, "control": {"name": "c", "label": LABEL}}
    table = {"file": "a.csv", "treated": "arm", "outcomes": ["y"], "strata": ["cell"]}
    return Evaluation.model_validate(
        {"name": "study", "label": LABEL, "data_class": "public", "entry": "person_table", "data": "d", "arms": arms,
         "person_table": table, "exhibits": ["itt", "tests"]}
    )  # fmt: skip


def test_check_refuses_comparisons_that_cannot_be_made():
    entries = definitions(
        lost={"kind": "itt", **COLUMNS, "title": LABEL, "comparisons": ["cash_ony"]},
        twice={"kind": "itt", **COLUMNS, "title": LABEL, "comparisons": ["wave_2", "wave_2"]},
    )
    bad = {**CASH, "treated": "csh", "among": "thrd", "strata": ["villag"]}
    broken = Definitions.model_construct(
        None,
        **{
            **dict(entries),
            "comparisons": {
                "cash_only": entries.comparisons["cash_only"].model_validate(bad),
                "wave_2": entries.comparisons["wave_2"],
            },
        },
    )
    said = {
        name: " ".join(exhibit_problems(name, entry, evaluation(), broken)) for name, entry in entries.exhibits.items()
    }
    assert "comparison 'cash_ony', which does not exist. Did you mean 'cash_only'?" in said["lost"]
    assert "names a comparison twice" in said["twice"]
    assert "is not computed from a comparison of people" in said["flow"]
    assert "which is about named comparisons" in said["card"]
    assert "is a figure and shows one comparison" in said["curve"]
    for name in ("csh", "thrd"):
        assert f"'{name}', which does not exist" in said["itt"]
    assert (
        "has the stratum 'villag', which is no covariate, no stratum and no column that the cohort keeps" in said["itt"]
    )


def test_treatment_that_is_not_0_or_1_is_refused_without_an_id(trial):
    entries = definitions()
    wrong = entries.comparisons["cash_only"].model_copy(update={"treated": "wave"})
    bad = Study(
        "t",
        "c",
        entries.specifications,
        7,
        subgroups=entries.subgroups,
        comparisons={**entries.comparisons, "cash_only": wrong},
    )
    with pytest.raises(UserError, match=r"'wave' is neither 0 nor 1 for \d+ people"):
        aggregate("itt", entries.exhibits["itt"], files=trial[1], study=bad)
