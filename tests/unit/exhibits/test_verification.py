"""Numbers estimated again: all that come from a regression agree, a wrong one is detected and named, the rest is reported."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.estimation import VerificationError, late
from refino_eval.estimation.core import kernel
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.verification import reestimation
from refino_eval.estimation.verification.engines import ask
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.tidy import write_tidy
from refino_eval.exhibits.verification import COLUMNS, VERIFIED, require_agreement, verify, write_verification
from refino_eval.text import say
from support.builders import LABEL

SPEC = {"label": LABEL, "description": "x", "controls": [{"covariate": "age"}]}
COLUMNS_OF = {"work": "work", "hours": "hours"}
DEFINITIONS = Definitions.model_validate(
    {
        "covariates": {n: {"kind": "column", "column": n, "label": {"nb": n, "en": n}} for n in ("age", "female")},
        "specifications": {"main": SPEC, "none": {**SPEC, "controls": []}, "linear": SPEC, "hc2": {**SPEC, "vcov": "HC2"}},
        "exhibits": {
            "effects": {"kind": "itt", "title": LABEL, "columns": COLUMNS_OF, "specifications": ["main", "none", "hc2"]},
            "balance": {"kind": "balance", "title": LABEL, "covariates": ["age", "female"]},
            "late": {"kind": "late", "title": LABEL, "columns": COLUMNS_OF, "take_up": "started"},
            "moderators": {"kind": "interactions", "title": LABEL, "outcome": "hours", "moderators": ["age", "female"]},
            "tests": {"kind": "tests", "title": LABEL, "columns": COLUMNS_OF, "draws": 199},
            "estimands": {"kind": "estimands", "title": LABEL, "columns": COLUMNS_OF},
        },
    }
)  # fmt: skip
STUDY = Study("new", "old", DEFINITIONS.specifications, 7)
REGRESSIONS = ("effects", "balance", "late", "moderators", "tests")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    rng = np.random.default_rng(11)
    n = 300
    cell = rng.integers(0, 9, n)
    treated = (rng.random(n) < 0.3 + 0.04 * cell).astype(int)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:05d}" for i in range(n)], "treated": treated, "cell": [f"c{c}" for c in cell],
            "age": rng.normal(40, 10, n).round(1), "female": rng.integers(0, 2, n).astype(float), "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(folder / "cohort.parquet")
    values = {
        "work": (rng.random(n) < 0.4).astype(float),
        "hours": rng.normal(10 + cell / 4, 5, n) + 2 * treated,
        "started": (rng.random(n) < 0.1 + 0.6 * treated).astype(float),
    }
    paths = {name: folder / f"{name}.parquet" for name in values}
    for name, column in values.items():
        pd.DataFrame({"person_id": cohort["person_id"], "value": column}).to_parquet(paths[name])
    return PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels={})


@pytest.fixture(scope="module")
def numbers(files):
    return {name: aggregate(name, entry, files=files, study=STUDY) for name, entry in DEFINITIONS.exhibits.items()}


@pytest.fixture(scope="module")
def found(files, numbers):
    return verify(DEFINITIONS.exhibits, numbers, files=files, study=STUDY)


def test_every_number_of_a_regression_has_two_engines_that_agree(found, numbers):
    assert tuple(found.columns) == COLUMNS
    require_agreement(found)
    for name in REGRESSIONS:
        shown = numbers[name].loc[lambda frame: frame["statistic"].isin(VERIFIED) & (frame["status"] == "")]
        engines = found[found["exhibit"] == name].groupby(["panel", "row", "column", "statistic"])["engine"].nunique()
        assert len(engines) == len(shown), name
        differences = engines.reset_index().query("engine < 2")
        # The difference of two means by arm is the one number of a balance table that no regression gave.
        assert set(differences["panel"]) <= {"differences"}, name
    assert found["difference"].max() < 1e-9


def test_copies_of_other_exhibits_take_the_answers_of_these(files, numbers, tmp_path):
    entries = (
        DEFINITIONS.exhibits
        | Definitions.model_validate(
            {
                "exhibits": {
                    "card": {"kind": "null_card", "title": LABEL, "columns": COLUMNS_OF, "tests": "tests"},
                    "list": {"kind": "listing", "title": LABEL, "numbers_of": "effects"},
                }
            }
        ).exhibits
    )
    made = {name: numbers[name] for name in ("tests", "effects")}
    for name, frame in made.items():
        write_tidy(frame, tmp_path / f"{name}.csv")
    with_copies = replace(files, aggregates={name: tmp_path / f"{name}.csv" for name in made})
    made |= {name: aggregate(name, entries[name], files=with_copies, study=STUDY) for name in ("card", "list")}
    result = verify(entries, made, files=with_copies, study=STUDY)
    require_agreement(result)
    of_units = result[(result["exhibit"] == "card") & (result["panel"] == "units")]
    assert set(of_units["statistic"]) == {"estimate", "std_error"}
    assert (of_units["verdict"] == "agrees").all()
    assert (result.loc[result["exhibit"] == "list", "verdict"] == "agrees").all()


def test_every_engine_is_asked_once_for_each_design(files, numbers, monkeypatch):
    designs = []

    def noted(engine, problem, outcomes, taken=None):
        parts = (problem.columns, problem.cells, taken)
        hashes = tuple(None if part is None else hash(np.ascontiguousarray(part).tobytes()) for part in parts)
        designs.append((engine, problem.vcov, problem.n_focus, hashes))
        return ask(engine, problem, outcomes, taken)

    monkeypatch.setattr(reestimation, "ask", noted)
    require_agreement(verify(DEFINITIONS.exhibits, numbers, files=files, study=STUDY))
    assert len(designs) == len(set(designs))
    designs.clear()
    monkeypatch.setattr(reestimation, "MOST_PENDING", 0)
    require_agreement(verify(DEFINITIONS.exhibits, numbers, files=files, study=STUDY))
    assert len(designs) > len(set(designs)), (
        "where memory is bounded, designs of several exhibits are asked about again"
    )


def test_what_no_regression_gave_is_reported(found):
    alone = found[found["verdict"] == "not_reestimated"]
    assert set(alone.loc[alone["exhibit"] == "estimands", "column"]) >= {"saturated"}
    assert (alone["engine"] == "").all()
    assert set(alone["reason"]) == {"average_over_cells"}
    assert (found.loc[found["verdict"] == "agrees", "reason"] == "").all()
    assert alone["engine_value"].isna().all()


def test_every_reason_has_a_text_in_both_languages():
    for reason in Reason:
        assert say(f"trail.reason_{reason}", "nb") != say(f"trail.reason_{reason}", "en")


def test_a_wrong_number_of_the_kernel_is_seen_and_named(files, monkeypatch):
    honest = kernel.Fit.variances
    monkeypatch.setattr(kernel.Fit, "variances", lambda fit, vcov="HC1": honest(fit, vcov) * 1.0001)
    wrong = {"effects": aggregate("effects", DEFINITIONS.exhibits["effects"], files=files, study=STUDY)}
    found = verify(DEFINITIONS.exhibits, wrong, files=files, study=STUDY)
    assert set(found.loc[found["verdict"] == "differs", "statistic"]) == {"std_error"}
    with pytest.raises(VerificationError, match=r"effects:main:new:work:std_error: .* here, .* by linearmodels"):
        require_agreement(found)


def test_numbers_that_were_changed_after_they_were_made_are_noticed(files, numbers):
    changed = numbers["effects"].copy()
    changed.loc[0, "value"] += 1e-12
    with pytest.raises(VerificationError, match="'effects', computed again"):
        verify(DEFINITIONS.exhibits, {"effects": changed}, files=files, study=STUDY)


def test_the_file_is_the_same_twice(found, files, numbers, tmp_path):
    write_verification(found, tmp_path / "a.csv")
    write_verification(verify(DEFINITIONS.exhibits, numbers, files=files, study=STUDY), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    back = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert list(back.columns) == list(COLUMNS)


def test_an_outcome_without_variation_agrees(files, tmp_path):
    cohort = pd.read_parquet(files.cohort)
    path = tmp_path / "work.parquet"
    pd.DataFrame({"person_id": cohort["person_id"], "value": 1.0}).to_parquet(path)
    constant = PersonFiles(cohort=files.cohort, outcomes={**files.outcomes, "work": path}, panels={})
    numbers = {"effects": aggregate("effects", DEFINITIONS.exhibits["effects"], files=constant, study=STUDY)}
    found = verify(DEFINITIONS.exhibits, numbers, files=constant, study=STUDY)
    of_constant = found[(found["column"] == "work") & (found["statistic"] == "estimate")]
    assert (of_constant["value"] == 0).all()
    assert (of_constant["verdict"] == "agrees").all()


def several_arms(tmp_path, controls=()):
    """Three arms and specifications that differ only in their covariance; the second outcome may be a control, too."""
    rng = np.random.default_rng(24)
    n = 240
    arm = rng.choice(["a", "b", "old"], n)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:04d}" for i in range(n)], "arm": arm, "treated": (arm != "old").astype(int),
            "cell": rng.choice(list("vwxyz"), n), "before": rng.normal(0, 1, n), "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(tmp_path / "cohort.parquet")
    values = {"work": rng.normal(12, 2, n), "before": cohort["before"]}
    paths = {name: tmp_path / f"{name}.parquet" for name in values}
    for name, column in values.items():
        pd.DataFrame({"person_id": cohort["person_id"], "value": column}).to_parquet(paths[name])
    spec = {"label": LABEL, "description": "x", "controls": [{"covariate": c, "encoding": "linear"} for c in controls]}
    entries = Definitions.model_validate(
        {
            "covariates": {"before": {"kind": "column", "column": "before", "label": LABEL}},
            "specifications": {"robust": spec, "classical": {**spec, "vcov": "iid"}, "hc2": {**spec, "vcov": "HC2"}},
            "exhibits": {
                "joint": {
                    "kind": "itt", "title": LABEL, "columns": {"work": "work", "before": "before"}, "comparison": "joint",
                    "specifications": ["robust", "classical", "hc2"], "between_arms": True,
                },
            },
        }
    )  # fmt: skip
    files = PersonFiles(cohort=tmp_path / "cohort.parquet", outcomes=paths, panels={})
    study = Study("a", "old", entries.specifications, 7, several=("a", "b"))
    frame = {"joint": aggregate("joint", entries.exhibits["joint"], files=files, study=study)}
    return frame["joint"], verify(entries.exhibits, frame, files=files, study=study)


@pytest.mark.parametrize("controls", [(), ("before",)])
def test_specifications_that_differ_only_in_their_covariance_keep_their_own_regression(tmp_path, controls):
    # With the control the outcome `before` is fitted exactly: its effects are 0, and so are their standard errors.
    frame, result = several_arms(tmp_path, controls)
    require_agreement(result)
    numbers = frame[frame["statistic"].isin(VERIFIED) & (frame["status"] == "")]
    checked = result[result["engine"] != ""].groupby(["panel", "row", "column", "statistic"])["engine"].nunique()
    of_work = numbers[numbers["column"] == "work"]
    assert all(checked[tuple(key)] == 2 for key in of_work[["panel", "row", "column", "statistic"]].to_numpy())
    if controls:
        assert (numbers.loc[(numbers["column"] == "before") & (numbers["statistic"] == "estimate"), "value"] == 0).all()
    values = of_work.set_index(["panel", "row", "statistic"])["value"]
    assert values["robust", "a", "estimate"] == values["classical", "a", "estimate"]
    assert values["robust", "a", "std_error"] != values["classical", "a", "std_error"]


def test_a_covariate_balanced_within_clusters_is_not_tested(tmp_path):
    rng = np.random.default_rng(25)
    village = np.repeat(np.arange(20), 15)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:04d}" for i in range(300)], "treated": village % 2, "cell": village // 2, "cluster": village,
            "round": np.tile([2019.0, 2020.0, 2021.0], 100), "age": rng.normal(40, 10, 300), "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(tmp_path / "cohort.parquet")
    covariates = {n: {"kind": "column", "column": n, "label": LABEL} for n in ("round", "age")}
    entry = {"kind": "balance", "title": LABEL, "covariates": ["round", "age"], "vcov": "CRV1"}
    entries = Definitions.model_validate({"covariates": covariates, "exhibits": {"bal": entry}})
    files = PersonFiles(cohort=tmp_path / "cohort.parquet", outcomes={}, panels={})
    study = Study("new", "old", {}, 7)
    frame = aggregate("bal", entries.exhibits["bal"], files=files, study=study)
    got = frame.set_index(["panel", "row", "column", "statistic"])["value"]
    assert got["", "round", "alone", "estimate"] == got["", "round", "alone", "std_error"] == 0
    assert got["differences", "round", "difference", "estimate"] == 0
    assert np.isnan(got["", "round", "alone", "p_value"])
    assert got["", "joint_test", "joint", "df"] == 1
    assert got["", "joint_test", "joint", "p_value"] == pytest.approx(got["", "age", "alone", "p_value"])
    require_agreement(verify(entries.exhibits, {"bal": frame}, files=files, study=study))


def test_nothing_is_noted_outside_a_recording():
    rng = np.random.default_rng(3)
    z, d, y = (rng.integers(0, 2, 40).astype(float) for _ in range(3))
    with recording() as kept:
        late(y, d, z)
    inside = len(kept.regressions)
    late(y, d, z)
    assert inside == len(kept.regressions) > 0


def test_a_covariate_of_a_single_person_is_verified_by_the_engines_that_can(files, tmp_path):
    cohort = pd.read_parquet(files.cohort).assign(female=lambda frame: (np.arange(len(frame)) == 17).astype(float))
    cohort.to_parquet(tmp_path / "cohort.parquet")
    entry = {"kind": "balance", "title": LABEL, "covariates": ["age", "female"], "vcov": "HC2"}
    covariates = {n: {"kind": "column", "column": n, "label": {"nb": n, "en": n}} for n in ("age", "female")}
    entries = Definitions.model_validate({"covariates": covariates, "exhibits": {"bal": entry}})
    alone = replace(files, cohort=tmp_path / "cohort.parquet")
    numbers = aggregate("bal", entries.exhibits["bal"], files=alone, study=STUDY)
    found = verify(entries.exhibits, {"bal": numbers}, files=alone, study=STUDY)
    require_agreement(found)
    of_the_person = found[
        (found["row"] == "female") & (found["column"] == "alone") & (found["statistic"] == "estimate")
    ]
    assert of_the_person["engine"].tolist() == ["textbook"]


def test_what_was_computed_again_for_one_exhibit_serves_others_and_must_be_what_was_written(files, numbers):
    wanted = {name: numbers[name] for name in ("effects", "late")}
    again = {}
    first = verify(DEFINITIONS.exhibits, wanted, files=files, study=STUDY, again=again)
    assert set(again) == set(wanted)
    pd.testing.assert_frame_equal(
        first, verify(DEFINITIONS.exhibits, wanted, files=files, study=STUDY, again=again), check_exact=True
    )
    rows, frame, kept = again["late"]
    again["late"] = rows, frame.assign(value=frame["value"] + 1), kept
    with pytest.raises(VerificationError, match="'late', computed again, is not the one that was written"):
        verify(DEFINITIONS.exhibits, wanted, files=files, study=STUDY, again=again)
