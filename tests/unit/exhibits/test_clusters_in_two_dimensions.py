"""An evaluation with `cluster: [firm, year]`: cohort, checks, tables with their notes, and other programs' numbers."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.checking.exhibit_checks import exhibit_problems
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.load import merged_definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.verification import verify
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import inference_note, specification_note
from refino_eval.trial import read_person_table
from refino_eval.trial.cluster_advice import cluster_advice

WORD = {"nb": "ord", "en": "word"}


def definitions(**spec):
    columns, main = {"columns": {"y": "y"}}, {"label": WORD, "description": "x", "strata": False}
    exhibits = {
        "itt": {**columns, "kind": "itt", "specifications": ["main"]},
        "late": {**columns, "kind": "late", "specification": "main", "take_up": "d"},
        "interactions": {"kind": "interactions", "outcome": "y", "specification": "main", "moderators": ["age"]},
        "balance": {"kind": "balance", "covariates": ["age"]},
        "tests": {**columns, "kind": "tests", "specification": "main", "draws": 99},
        "wild": {**columns, "kind": "tests", "specification": "main", "draws": 99, "wild_bootstrap": 99},
        "estimands": {**columns, "kind": "estimands", "specification": "main"},
    }
    exhibits = {name: {"title": WORD, **entry} for name, entry in exhibits.items()}
    return Definitions.model_validate({"specifications": {"main": main | spec}, "exhibits": exhibits})


def evaluation(**table):
    arms = {
        "treated": {"name": "t", "label": WORD, "code": 1},
        "control": {"name": "c", "label": WORD, "code": 0},
    }
    people = {"file": "people.csv", "treated": "z", "outcomes": ["y", "d"], "covariates": ["age"], **table}
    return Evaluation.model_validate(
        {
            "name": "s", "label": WORD, "data_class": "public", "entry": "person_table", "data": "d", "person_table": people,
            "arms": arms, "exhibits": ["itt"],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder, rng, n = tmp_path_factory.mktemp("two"), np.random.default_rng(5), 300
    frame = pd.DataFrame(
        {"firm": rng.integers(0, 20, n), "year": 2010 + rng.integers(0, 8, n), "age": rng.normal(size=n)}
    )
    frame["z"] = (rng.random(n) < 0.2 + 0.05 * (frame["year"] - 2010)).astype(int)
    frame["d"] = (rng.random(n) < 0.2 + 0.5 * frame["z"]).astype(int)
    frame["y"] = frame["d"] + rng.normal(size=20)[frame["firm"]] + rng.normal(size=n)
    frame["year"] = frame["year"].astype(object).where(np.arange(n) > 1, None)
    frame.to_csv(folder / "people.csv", index=False)
    study = evaluation(cluster=["firm", "year"])
    data = read_person_table(
        folder, table=study.person_table, samples=study.samples, arms=study.arms,
        covariates=dict(merged_definitions(study, definitions()).covariates),
    )  # fmt: skip
    return data, folder


def test_both_columns_are_in_the_cohort_and_who_lacks_one_is_in_the_flow(cohort):
    data, _ = cohort
    frame = data.cohort.frame
    assert (frame["cluster"].nunique(), frame["cluster.2"].nunique(), len(frame)) == (20, 8, 298)
    assert [(line.reason, line.persons) for line in data.cohort.flow if line.reason] == [("missing_cluster", 2)]
    assert "20 and 8; the t distribution has 7 degrees" in " ".join(cluster_advice(frame, ()))


def test_check_refuses_what_takes_one_dimension():
    def problems(name, **spec):
        study = evaluation(cluster=["firm", "year"])
        merged = merged_definitions(study, definitions(**spec))
        return " ".join(exhibit_problems(name, merged.exhibits[name], study, merged))

    for name in ("itt", "late", "interactions", "balance"):
        assert problems(name) == ""
    assert "takes clusters in one dimension, and the evaluation names two (person_table.cluster)" in problems(
        "itt", vcov="CR2"
    )
    assert "does not offer clusters in two dimensions" in problems("estimands")
    assert "do not say what that was" in problems("tests", vcov="HC1")
    assert "does not offer clusters in two dimensions" in problems("wild")


def test_a_specification_without_covariance_takes_crv1():
    assert merged_definitions(evaluation(cluster=["firm", "year"]), definitions()).specifications["main"].vcov == "CRV1"


@pytest.mark.parametrize("cluster", [["firm"], ["firm", "year", "town"], ["firm", "firm"]])
def test_other_numbers_of_dimensions_are_refused(cluster):
    with pytest.raises(ValueError, match="cluster"):
        evaluation(cluster=cluster)


def test_tables_say_how_they_are_clustered_and_other_programs_agree(cohort):
    data, folder = cohort
    entries = definitions(vcov="CRV1")
    data.cohort.frame.to_parquet(folder / "cohort.parquet")
    ids = data.cohort.frame["person_id"]
    for name in ("y", "d"):
        values = data.outcomes.set_index("person_id")[name].reindex(ids).to_numpy()
        pd.DataFrame({"person_id": ids.to_numpy(), "value": values}).to_parquet(folder / f"{name}.parquet")
    outcomes = {name: folder / f"{name}.parquet" for name in ("y", "d")}
    files = PersonFiles(cohort=folder / "cohort.parquet", outcomes=outcomes, panels={})
    study = Study("t", "c", entries.specifications, 7)
    exhibits = {name: entries.exhibits[name] for name in ("itt", "late", "interactions", "balance")}
    exhibits["balance"] = exhibits["balance"].model_copy(update={"vcov": "CRV1"})
    numbers = {name: aggregate(name, exhibit, files=files, study=study) for name, exhibit in exhibits.items()}
    found = verify(exhibits, numbers, files=files, study=study)
    assert set(found["verdict"]) == {"agrees"}
    errors = found[found["statistic"] == "std_error"]
    assert (errors.groupby("exhibit")["engine"].agg(set) >= {"linearmodels", "statsmodels"}).all()
    assert set(found.loc[found["statistic"] == "f_stat", "exhibit"]) >= {"late", "balance"}
    labels = LabelBook.of(evaluation(cluster=["firm", "year"]), merged_definitions(evaluation(), entries)).in_language(
        "en"
    )
    note = specification_note("main", entries.specifications["main"], labels)
    assert "Clusters in two dimensions, firm and year" in note
    warning = inference_note(["CRV1"], [0.95], numbers["itt"], labels)
    assert "Only 8 clusters" in warning
    assert "randomisation test" not in warning


def test_a_missing_column_is_named(cohort):
    study = evaluation(cluster=["firm", "yaer"])
    with pytest.raises(UserError, match=r"cluster \(yaer\)"):
        read_person_table(cohort[1], table=study.person_table, samples=study.samples, arms=study.arms, covariates={})
