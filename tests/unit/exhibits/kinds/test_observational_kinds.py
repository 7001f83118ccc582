"""Kinds for comparisons that may be confounded: their statements, their checks, and what other programs estimate again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.kinds.unobserved_confounding.layout import conclusions
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import drawing_of, figure_notes, table_of
from refino_eval.exhibits.report_parts import report_part
from refino_eval.exhibits.verification import require_agreement, verify
from refino_eval.text import say
from support import trial as toy
from support.builders import LABEL

SPEC = {
    "label": LABEL, "description": "x", "controls": [{"covariate": "age"}, {"covariate": "female"}],
    "absorb": ["office", "month"],
}  # fmt: skip
Y = {"columns": {"y": "work_3"}, "specification": "full", "title": LABEL}
ENTRIES = Definitions.model_validate(
    {
        **toy.definitions().model_dump(exclude_unset=True, exclude={"exhibits", "specifications"}),
        "specifications": {"full": {**SPEC, "vcov": "CRV1"}, "plain": {**SPEC, "absorb": []}},
        "exhibits": {
            "steps": {"kind": "stepwise", **Y, "steps": [["age"], ["female"], ["office", "month"]], "wild_bootstrap": 99},
            "methods": {"kind": "adjusted_differences", **Y, "wild_bootstrap": 99},
            "sensitivity": {
                "kind": "unobserved_confounding", **Y, "benchmarks": ["age", "female"], "negative_controls": {"before": "work_6"},
            },
            "contours": {"kind": "confounding_contours", **Y, "benchmarks": ["age", "female"]},
            "overlap": {"kind": "overlap", "title": LABEL, "specification": "full"},
            "scores": {"kind": "propensity_scores", "title": LABEL, "specification": "full", "bins": 10},
        },
    }
)  # fmt: skip
LABELS = toy.label_book(ENTRIES)
FACTS = {"data_class": "public"}


def register(folder: Path, *, unobserved=0.0, effect=0.0, n=2400):
    """People who choose a programme by age, sex, office, month, and maybe by a trait that nobody recorded."""
    rng = np.random.default_rng(2)
    age, female, trait = rng.normal(size=n), rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    office, month = rng.integers(0, 25, n), rng.integers(0, 6, n)
    level = rng.normal(size=25)[office]
    z = (0.6 * age + 0.3 * female + 0.5 * level + unobserved * 0.5 * trait + rng.logistic(size=n) > 0).astype(int)
    y = effect * z + 0.6 * age + 0.2 * female + level + unobserved * 0.5 * trait + rng.normal(size=n)
    before = 0.6 * age + level + unobserved * 0.5 * trait + rng.normal(size=n)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:05d}" for i in range(n)], "treated": z, "cell": "all", "age": age, "female": female,
            "office": [f"o{k}" for k in office], "month": [f"m{k}" for k in month], "cluster": office, "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(folder / "cohort.parquet")
    paths = {}
    for name, values in {"work_3": y, "work_6": before}.items():
        paths[name] = folder / f"{name}.parquet"
        pd.DataFrame({"person_id": cohort["person_id"], "value": values}).to_parquet(paths[name])
    return PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels={}), cohort, y


STUDY = Study("new", "old", ENTRIES.specifications, 7)


@pytest.fixture(scope="module")
def confounded(tmp_path_factory):
    files, cohort, y = register(tmp_path_factory.mktemp("confounded"), unobserved=1.0)
    frames = {name: aggregate(name, entry, files=files, study=STUDY) for name, entry in ENTRIES.exhibits.items()}
    return files, cohort, y, frames


def test_a_planted_unobserved_trait_is_said_to_be_enough_and_shows_before_the_start(confounded):
    english = " ".join(conclusions(ENTRIES.exhibits["sensitivity"], confounded[3]["sensitivity"], LABELS))
    assert english.startswith("NOT ROBUST. Work: an unobserved trait 0.")
    assert "as age is enough for the confidence interval to include zero" in english
    assert "SIGNS OF UNOBSERVED DIFFERENCES" in english
    norwegian = conclusions(ENTRIES.exhibits["sensitivity"], confounded[3]["sensitivity"], LABELS.in_language("nb"))
    assert norwegian[0].startswith("IKKE ROBUST.")


def test_weak_benchmarks_do_not_hide_a_planted_trait(confounded):
    """A trait as strong as sex would not explain the difference; one as strong as all controls together would."""
    weak = ENTRIES.exhibits["sensitivity"].model_copy(update={"benchmarks": ("female",), "multiples": (1.0,)})
    frame = aggregate("sensitivity", weak, files=confounded[0], study=STUDY)
    assert conclusions(weak, frame, LABELS)[0].startswith("SENSITIVE. Work: an unobserved trait 0.")


def test_a_true_effect_without_unobserved_trait_is_not_flagged(tmp_path):
    files, *_ = register(tmp_path, effect=1.2)
    frame = aggregate("sensitivity", ENTRIES.exhibits["sensitivity"], files=files, study=STUDY)
    lines = conclusions(ENTRIES.exhibits["sensitivity"], frame, LABELS)
    assert not {"NOT ROBUST", "SENSITIVE"} & set(lines[0].split("."))
    assert "times as strong" in lines[0]
    assert lines[1] == say("unobserved_confounding.negative_controls_alike", "en")
    files, *_ = register(tmp_path)
    frame = aggregate("sensitivity", ENTRIES.exhibits["sensitivity"], files=files, study=STUDY)
    assert "no clear difference" in conclusions(ENTRIES.exhibits["sensitivity"], frame, LABELS)[0]


def test_what_comes_from_regressions_is_estimated_again(confounded):
    files, _, _, frames = confounded
    result = verify(ENTRIES.exhibits, frames, files=files, study=STUDY)
    require_agreement(result)
    agreed = result[result["verdict"] == "agrees"].groupby(["exhibit", "panel", "row", "statistic"]).size()
    for keys in (
        ("steps", "steps", "step_3", "std_error"), ("steps", "decomposition", "step_3", "estimate"),
        ("methods", "regression", "regression", "std_error"), ("methods", "ate", "ipw", "estimate"),
        ("methods", "att", "entropy_balancing", "estimate"), ("methods", "ate", "regression_adjustment", "estimate"),
        ("sensitivity", "difference", "full", "std_error"), ("sensitivity", "negative_controls", "before", "estimate"),
    ):  # fmt: skip
        assert agreed[keys] >= 2, keys
    alone = result[result["verdict"] == "not_reestimated"]
    assert set(alone["reason"]) == {"decomposition", "influence_function", "unobserved_confounding"}


def test_steps_start_at_the_raw_difference_and_fixed_effects_are_one_part(confounded):
    """The parts by stacked regressions: gamma and beta of plain least squares, their joint clustered sandwich by hand."""
    _, cohort, y, frames = confounded
    got = frames["steps"].set_index(["panel", "row", "column", "statistic"])["value"]
    z = cohort["treated"].to_numpy(float)
    assert got["steps", "raw", "y", "estimate"] == pytest.approx(y[z == 1].mean() - y[z == 0].mean(), rel=1e-9)
    assert ("steps", "cells", "y", "estimate") not in got.index
    parts = [got["decomposition", f"step_{k}", "y", "estimate"] for k in (1, 2, 3)]
    change = got["steps", "raw", "y", "estimate"] - got["steps", "step_3", "y", "estimate"]
    assert sum(parts) == pytest.approx(change, rel=1e-9)
    assert 0 < got["steps", "raw", "y", "r_squared"] < got["steps", "step_3", "y", "r_squared"] < 1
    base = np.column_stack((np.ones(y.size), z))
    effects = [pd.get_dummies(cohort[name], drop_first=True).to_numpy(float) for name in ("office", "month")]
    block = np.hstack(effects)
    full = np.column_stack((base, cohort["age"], cohort["female"], block))
    inner, outer = (np.linalg.inv(columns.T @ columns) @ columns.T for columns in (base, full))
    gamma, beta = (inner @ block)[1], (outer @ y)[4:]
    assert parts[2] == pytest.approx(float(gamma @ beta), rel=1e-9)
    groups, clusters, n = cohort["cluster"].to_numpy(), cohort["cluster"].nunique(), y.size
    scale = [np.sqrt(clusters / (clusters - 1) * (n - 1) / (n - columns.shape[1])) for columns in (base, full)]
    psi = scale[0] * inner[1] * ((block - base @ (inner @ block)) @ beta)
    psi = psi + scale[1] * (gamma @ outer[4:]) * (y - full @ (outer @ y))
    error = np.sqrt(np.sum(np.bincount(groups, psi) ** 2))
    assert got["decomposition", "step_3", "y", "std_error"] == pytest.approx(error, rel=1e-8)
    assert 0 <= got["steps", "step_3", "y", "p_value_wild"] <= 1


def test_absorbed_columns_are_observed_traits_for_oster(confounded):
    _, cohort, y, frames = confounded
    got = frames["sensitivity"].set_index(["panel", "row", "column", "statistic"])["value"]
    z = cohort["treated"].to_numpy(float)
    assert got["difference", "short", "y", "estimate"] == pytest.approx(y[z == 1].mean() - y[z == 0].mean(), rel=1e-9)
    assert got["difference", "short", "y", "r_squared"] == pytest.approx(np.corrcoef(y, z)[0, 1] ** 2, rel=1e-9)
    steps = frames["steps"].set_index(["panel", "row", "column", "statistic"])["value"]
    assert got["difference", "full", "y", "r_squared"] == pytest.approx(
        steps["steps", "step_3", "y", "r_squared"], rel=1e-9
    )
    assert got["oster", "r_max_1.3_times", "y", "r_squared"] == pytest.approx(
        min(1.3 * got["difference", "full", "y", "r_squared"], 1), rel=1e-9
    )


def test_adjusted_differences_are_those_of_the_estimators_on_dummies(confounded):
    _, cohort, y, frames = confounded
    got = frames["methods"].set_index(["panel", "row", "column", "statistic"])["value"]
    dummies = [pd.get_dummies(cohort[name], drop_first=True, dtype=float) for name in ("office", "month")]
    columns = pd.concat([cohort[["age", "female"]], *dummies], axis=1)
    table = est.adjusted_differences(y, cohort["treated"], controls=columns, vcov="CRV1", cluster=cohort["cluster"])
    for m, method in enumerate(table.methods):
        for p, population in enumerate(table.populations):
            assert got[population, method, "y", "estimate"] == pytest.approx(table.estimate[m, p, 0], rel=1e-8)
            assert got[population, method, "y", "std_error"] == pytest.approx(table.std_error[m, p, 0], rel=1e-8)
    assert got["people", "people", "y", "n"] + got["people", "without_counterpart", "y", "n_treated"] <= len(cohort)


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_kind_is_laid_out_with_notes_in_both_languages(confounded, language):
    for name, entry in ENTRIES.exhibits.items():
        given = {"labels": LABELS, "language": language, "facts": FACTS}
        frame = confounded[3][name]
        if entry.form == "table":
            table = table_of(name, entry, frame, **given)
            text = " ".join([cell.text for part in table.parts for row in part.body for cell in row.cells])
            notes = table.notes
        else:
            with house_style(name):
                text = drawing_of(name, entry, frame, **given).alt
            notes = figure_notes(entry, frame, **given)
        assert text
        assert notes
        assert "{" not in text + " ".join(notes)


def test_check_says_what_a_definition_cannot_mean():
    def faults(kind, **change):
        entry = type(ENTRIES.exhibits[kind]).model_validate({**ENTRIES.exhibits[kind].model_dump(), **change})
        return " ".join(entry.faults("exhibit 'x'", None, ENTRIES))

    assert all(not faults(kind) for kind in ENTRIES.exhibits)
    assert "leaves out 'month', a control or absorbed column" in faults(
        "steps", steps=[["age"], ["female"], ["office"]]
    )
    assert "enters 'region', which is not a control (or absorbed column)" in faults("steps", steps=[["region"]])
    assert "needs clusters" in faults("methods", specification="plain")
    assert "which is of the method aipw" in faults("methods", methods=["ipw"], cross_fitting=2)
    assert "names one of `populations` twice" in faults("methods", populations=["ate", "ate"])
    assert "benchmark 'sex', which is not a control" in faults("sensitivity", benchmarks=["sex"])
    assert "increasing order" in faults("contours", multiples=[2, 1])
    assert "in `columns` and in `negative_controls`" in faults("sensitivity", negative_controls={"y": "work_6"})


def test_the_trail_states_the_model_of_each_number():
    def formula(name, panel, row):
        entry = ENTRIES.exhibits[name]
        given = (panel, row, "y", "estimate"), "work_3", ENTRIES.specifications["full"], LABELS
        return report_part(entry.kind, "formula")(entry, *given)

    assert formula("steps", "steps", "raw") == "work_3 ~ new"
    assert formula("steps", "steps", "step_2") == "work_3 ~ new + age + female"
    assert formula("steps", "steps", "step_3") == "work_3 ~ new + age + female | office + month"
    assert formula("steps", "decomposition", "step_3") == ""
    assert formula("methods", "regression", "raw") == "work_3 ~ new"
    assert formula("methods", "regression", "regression") == "work_3 ~ new + age + female | office + month"
    assert "logit(new ~ age + female + C(office) + C(month))" in formula("methods", "ate", "ipw")
    assert formula("sensitivity", "difference", "short") == "work_3 ~ new"
    assert formula("sensitivity", "negative_controls", "before") == "work_6 ~ new + age + female | office + month"
    assert formula("sensitivity", "bounds:age", "1") == ""
