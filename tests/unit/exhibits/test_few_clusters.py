"""Tables of effects say how many clusters each arm has, and rely on re-randomisation where they are few."""

import numpy as np
import pandas as pd
import pytest
from tests.support.dense_cr2 import dense_cr2

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.load import merged_definitions
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.verification import verify
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import reliability_notes
from refino_eval.trial.cluster_advice import cluster_advice

WORD = {"nb": "ord", "en": "word"}


def definitions(kind="itt", vcov="CR2", **more):
    named = {"specifications": ["spec"]} if kind == "itt" else {"specification": "spec", "draws": 99}
    return Definitions.model_validate(
        {
            "specifications": {"spec": {"label": WORD, "description": "x", "vcov": vcov}},
            "exhibits": {"e": {"kind": kind, "title": WORD, "columns": {"y": "y"}, **named, **more}},
        }
    )


def a_cohort(cluster, treated, cell=None, spread=1.0, seed=1):
    rng, n = np.random.default_rng(seed), len(cluster)
    y = (1 + (spread - 1) * treated) * rng.standard_normal(n)
    frame = pd.DataFrame(
        {
            "person_id": [f"{i:04d}" for i in range(n)], "treated": treated.astype("int32"),
            "cell": ["all"] * n if cell is None else [str(c) for c in cell], "cluster": cluster, "sample_analysed": True,
        }
    )  # fmt: skip
    return frame, y


def computed(tmp_path, entries, cohort, y):
    cohort.to_parquet(tmp_path / "cohort.parquet")
    pd.DataFrame({"person_id": cohort["person_id"], "value": y}).to_parquet(tmp_path / "y.parquet")
    files = PersonFiles(cohort=tmp_path / "cohort.parquet", outcomes={"y": tmp_path / "y.parquet"}, panels={})
    frame = aggregate("e", entries.exhibits["e"], files=files, study=Study("t", "c", entries.specifications, 7))
    numbers = frame.set_index(["row", "column", "statistic"])["value"]
    arms = {"t": Label(nb="t", en="t"), "c": Label(nb="c", en="c")}
    labels = LabelBook(definitions=entries, treated="t", control="c", arms=arms, language="en")
    notes = reliability_notes(frame, labels, [entries.specifications["spec"].vcov])
    return numbers, " ".join(notes)


def test_two_treated_clusters_of_forty_have_the_randomisation_test_beside(tmp_path):
    cluster = np.repeat(np.arange(40), 6)
    treated = (cluster < 2) * 1.0
    numbers, notes = computed(tmp_path, definitions(), *a_cohort(cluster, treated))
    assert numbers["clusters_t", "y", "n_treated"] == 2
    assert numbers["clusters_t", "y", "n_control"] == 38
    y = pd.read_parquet(tmp_path / "y.parquet")["value"].to_numpy()
    x = np.column_stack((treated, np.ones(240)))
    _, _, df = dense_cr2(x, y, cluster, np.eye(1, 2))
    assert numbers["clusters_t", "y", "df"] == pytest.approx(df, rel=1e-8)
    assert numbers["t", "y", "df"] == pytest.approx(df, rel=1e-8)
    # 780 pairs of clusters could have been treated: all are taken.
    assert numbers["t", "y", "p_value_ri"] * 780 == pytest.approx(round(numbers["t", "y", "p_value_ri"] * 780))
    assert "2 in the treated arm and 38 in the control arm; 1.1 effective" in notes
    assert "randomisation test" in notes


def test_many_clusters_have_no_randomisation_test_beside(tmp_path):
    cluster = np.repeat(np.arange(40), 6)
    numbers, notes = computed(tmp_path, definitions(), *a_cohort(cluster, (cluster % 2) * 1.0))
    assert ("t", "y", "p_value_ri") not in numbers
    assert "20 in the treated arm and 20" in notes
    assert "randomisation test" not in notes


def test_one_treated_cluster_reports_randomisation_inference_alone(tmp_path):
    cluster = np.repeat(np.arange(30), 5)
    numbers, notes = computed(tmp_path, definitions(), *a_cohort(cluster, (cluster == 4) * 1.0))
    assert np.isfinite(numbers["t", "y", "estimate"])
    assert np.isnan([numbers["t", "y", name] for name in ("std_error", "p_value", "conf_low")]).all()
    assert 1 / 30 <= numbers["t", "y", "p_value_ri"] <= 1
    assert "only randomisation inference is reported" in notes


def test_tiny_cells_with_unequal_variances_and_singletons_are_said(tmp_path):
    cell = np.concatenate((np.repeat(np.arange(40), 3), 100 + np.arange(12)))
    treated = np.concatenate((np.tile([1.0, 0.0, 0.0], 40), np.ones(12)))
    people, y = a_cohort(np.arange(132), treated, cell, spread=3.0)
    numbers, notes = computed(tmp_path, definitions(vcov="HC1"), people.drop(columns="cluster"), y)
    assert numbers["small_cells_t", "y", "share"] == pytest.approx(120 / 132)
    assert numbers["singletons_t", "y", "count"] == 12
    assert numbers["singletons_t", "y", "ratio"] == pytest.approx(np.sqrt(132 / 120))
    assert "12 people are alone in their cell" in notes
    assert "91%" in notes
    assert "132 people are in 52 cells" in notes
    equal, notes = computed(tmp_path, definitions(vcov="HC2"), *a_cohort(np.arange(132), treated, cell, spread=1.0))
    assert not {"small_cells_t", "singletons_t"} & set(equal.index.get_level_values(0))


@pytest.mark.parametrize(
    ("size", "said"), [(2, "79 fixed effects are nested in clusters"), (12, "No fixed effects are nested in clusters")]
)
def test_the_note_says_how_many_fixed_effects_are_not_counted(tmp_path, size, said):
    # Clusters of 6 hold whole cells of 2, or are parts of cells of 12.
    cluster = np.repeat(np.arange(27), 6)[:160]
    people, y = a_cohort(cluster, np.arange(160) % 2 * 1.0, np.arange(160) // size)
    _, notes = computed(tmp_path, definitions(vcov="CRV1_nested"), people, y)
    assert said in notes
    assert "nested" not in computed(tmp_path, definitions(vcov="CRV1"), people, y)[1]
    # In two dimensions, too, though these have no clusters of an arm.
    two = people.assign(**{"cluster.2": np.arange(160) % 7})
    assert computed(tmp_path, definitions(vcov="CRV1_nested"), two, y)[1].startswith(said)


def test_the_wild_cluster_bootstrap_is_listed_on_request(tmp_path):
    pytest.importorskip("wildboottest", reason="optional dependencies: bootstrap")
    cluster = np.repeat(np.arange(8), 6)
    numbers, _ = computed(tmp_path, definitions("tests", wild_bootstrap=499), *a_cohort(cluster, (cluster % 2) * 1.0))
    # All 256 sign changes are enumerated.
    p = numbers["y", "t", "p_value_wild"]
    assert p * 256 == pytest.approx(round(p * 256))
    plain = definitions("tests", vcov="HC1", wild_bootstrap=499)
    faults = list(plain.exhibits["e"].faults("exhibit 'e'", None, plain))
    assert any("needs clusters" in fault for fault in faults)
    joint = definitions("tests", wild_bootstrap=499, comparison="joint")
    assert any("one arm at a time" in fault for fault in joint.exhibits["e"].faults("exhibit 'e'", None, joint))


def test_a_specification_without_covariance_takes_cr2_where_clusters_are_named():
    table = {"file": "d.csv", "treated": "t", "outcomes": ["y"]}
    arms = {"treated": {"name": "t", "label": WORD}, "control": {"name": "c", "label": WORD}}
    spec = {"label": WORD, "description": "x"}
    shared = Definitions.model_validate(
        {
            "specifications": {"plain": spec, "replicated": {**spec, "vcov": "CRV1"}},
            "exhibits": {"b": {"kind": "balance", "title": WORD, "covariates": ["age"]}},
        }
    )
    for cluster, usual in (("school", "CR2"), (None, "HC1")):
        study = Evaluation.model_validate(
            {
                "name": "s", "label": WORD, "data_class": "public", "entry": "person_table", "data": "d",
                "person_table": {**table, "cluster": cluster}, "arms": arms, "exhibits": ["b"],
            }
        )  # fmt: skip
        merged = merged_definitions(study, shared)
        assert merged.specifications["plain"].vcov == usual
        assert merged.specifications["replicated"].vcov == "CRV1"
        assert merged.exhibits["b"].vcov == usual


@pytest.mark.parametrize(("vcov", "engines"), [("CR2", 2), ("CR3", 2), ("HC2_BM", 2)])
def test_estimates_errors_and_degrees_of_freedom_are_estimated_again(tmp_path, vcov, engines):
    cluster = np.repeat(np.arange(12), 5)
    people, y = a_cohort(cluster, (cluster % 2) * 1.0, cell=np.arange(60) % 3)
    people = people if vcov != "HC2_BM" else people.drop(columns="cluster")
    entries = definitions(vcov=vcov)
    numbers, _ = computed(tmp_path, entries, people, y)
    files = PersonFiles(cohort=tmp_path / "cohort.parquet", outcomes={"y": tmp_path / "y.parquet"}, panels={})
    study = Study("t", "c", entries.specifications, 7)
    frame = aggregate("e", entries.exhibits["e"], files=files, study=study)
    found = verify(entries.exhibits, {"e": frame}, files=files, study=study).set_index("statistic")
    assert set(found["verdict"]) == {"agrees"}
    assert len(found.loc[["estimate"]]) == engines
    assert found.loc["df", "engine"] == "textbook"
    assert found.loc["df", "engine_value"] == pytest.approx(numbers["t", "y", "df"], rel=1e-9)


def test_crv1_in_pairs_is_said_to_be_too_small(tmp_path):
    cluster = np.repeat(np.arange(80), 4)
    people, y = a_cohort(cluster, (cluster % 2) * 1.0, cell=cluster // 2)
    numbers, notes = computed(tmp_path, definitions(vcov="CRV1"), people, y)
    assert (numbers["t", "y", "df"], numbers["clusters_t", "y", "df"]) == (79, pytest.approx(39))
    assert "CRV1 is too small here" in notes
    _, notes = computed(tmp_path, definitions(vcov="CR2"), people, y)
    assert "CRV1" not in notes


def test_check_proposes_the_level_of_clusters():
    def advice(cluster, treated, cell, strata=("pair",)):
        frame = pd.DataFrame({"cluster": cluster, "treated": np.asarray(treated, dtype=int), "cell": cell})
        return " ".join(cluster_advice(frame, strata))

    cluster = np.repeat(np.arange(40), 3)
    in_pairs = advice(cluster, cluster % 2, cluster // 2)
    assert "40 (20 with people in a treated arm, 20 with" in in_pairs
    assert "20 strata of 2 clusters each" in in_pairs
    assert "`cluster: pair`" in in_pairs
    assert "strata of" not in advice(cluster, cluster % 2, np.zeros(120)), "one stratum"
    assert "strata of" not in advice(cluster, np.arange(120) % 2, cluster // 2), "people were assigned"
    assert "an arm has 3 clusters" in advice(cluster, cluster < 3, np.zeros(120))
    assert "randomisation test alone" in advice(cluster, cluster < 1, np.zeros(120))
    assert list(cluster_advice(pd.DataFrame({"treated": [0, 1]}), ())) == []
