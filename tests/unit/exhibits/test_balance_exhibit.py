"""Balance tables with and without strata, and effects with their t statistics."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.wording.labels import LabelBook
from support.builders import LABEL

COUNTS = {
    "male": ((95, 68), 0.09),
    "born_in_norway": ((138, 83), 0.92),
    "married": ((34, 17), 0.48),
    "has_children": ((73, 40), 0.51),
    "completed_upper_secondary": ((78, 50), 0.66),
    "in_work": ((24, 21), 0.17),
    "allowance": ((113, 67), 0.82),
    "standard": ((3, 4), 0.28),
    "situational": ((1, 0), 0.44),
    "adapted": ((145, 91), 0.43),
    "permanent": ((1, 0), 0.44),
    "unknown": ((17, 6), 0.23),
}
"""People with each trait in the two arms of SE-KLAR (167 and 101 people), and the p-value printed in its Table 1."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balance")
    treated = np.repeat([1, 0], [167, 101])
    traits = {name: np.concatenate([np.arange(167) < t, np.arange(101) < c]) for name, ((t, c), _) in COUNTS.items()}
    rng = np.random.default_rng(3)
    cohort = pd.DataFrame(
        {"person_id": [f"{i:04d}" for i in range(268)], "treated": treated, "cell": rng.integers(0, 4, 268).astype(str)}
        | {name: values.astype(float) for name, values in traits.items()}
        | {"sample_analysed": True}
    )
    cohort.to_parquet(folder / "cohort.parquet")
    outcome = pd.DataFrame({"person_id": cohort["person_id"], "value": rng.normal(size=268)})
    outcome.to_parquet(folder / "y.parquet")
    return PersonFiles(cohort=folder / "cohort.parquet", outcomes={"y": folder / "y.parquet"}, panels={})


def made(files, **entry):
    return whole(files, **entry)[0].set_index(["panel", "row", "column", "statistic"])["value"]


def whole(files, **entry):
    covariates = {name: {"kind": "column", "column": name, "label": LABEL} for name in COUNTS}
    specifications = {"main": {"label": LABEL, "description": "x", "vcov": "HC2"}}
    definitions = Definitions.model_validate(
        {"covariates": covariates, "specifications": specifications, "exhibits": {"x": {"title": LABEL, **entry}}}
    )
    study = Study("intervention", "control", definitions.specifications, 1)
    frame = aggregate("x", definitions.exhibits["x"], files=files, study=study)
    return frame, definitions.exhibits["x"], definitions


def test_without_strata_the_classical_difference_is_the_t_test_of_equal_variances(files):
    numbers = made(files, kind="balance", covariates=list(COUNTS), strata=False, vcov="iid")
    cohort = pd.read_parquet(files.cohort)
    one = cohort["treated"] == 1
    for name, (_, printed) in COUNTS.items():
        p = numbers["differences", name, "difference", "p_value"]
        assert p == pytest.approx(ttest_ind(cohort.loc[one, name], cohort.loc[~one, name]).pvalue, abs=1e-12)
        assert p == pytest.approx(printed, abs=0.005)


def test_with_strata_the_difference_is_within_cells(files):
    within = made(files, kind="balance", covariates=["male", "married"], vcov="iid")
    everybody = made(files, kind="balance", covariates=["male", "married"], strata=False, vcov="iid")
    key = ("differences", "male", "difference", "estimate")
    assert within[key] != pytest.approx(everybody[key], abs=1e-6)


def test_the_t_statistic_is_the_effect_over_its_standard_error_and_comes_on_request_only(files):
    numbers = made(files, kind="itt", columns={"y": "y"}, t_stat=True)
    ratio = numbers["main", "intervention", "y", "estimate"] / numbers["main", "intervention", "y", "std_error"]
    assert numbers["main", "intervention", "y", "t_stat"] == pytest.approx(ratio, rel=1e-12)
    assert "t_stat" not in made(files, kind="itt", columns={"y": "y"}).index.get_level_values("statistic")


@pytest.mark.parametrize("missing", ["common", "available"])
def test_people_who_lack_a_characteristic_are_counted_by_arm_and_noted(files, tmp_path, missing):
    cohort = pd.read_parquet(files.cohort)
    cohort.loc[[0, 1, 2, 200], "male"] = np.nan
    cohort.to_parquet(tmp_path / "cohort.parquet")
    gaps = PersonFiles(cohort=tmp_path / "cohort.parquet", outcomes={}, panels={})
    entry = {"kind": "balance", "covariates": ["male", "married"], "missing": missing}
    frame, exhibit, definitions = whole(gaps, **entry)
    counts = frame[frame["panel"] == "missing"]
    assert counts[["row", "column", "value"]].to_numpy().tolist() == [
        ["male", "intervention", 3],
        ["male", "control", 1],
    ]
    book = LabelBook(definitions=definitions, treated="intervention", control="control", arms={}, strata=())
    for language, words in (("en", "People who lack a characteristic"), ("nb", "Personer som mangler et kjennetegn")):
        notes = " ".join(table_of("x", exhibit, frame, labels=book, language=language, facts={}).notes)
        assert f"{words} (Intervention + Control): x 3 + 1." in notes
        assert "x 3 + 1; " not in notes
    everybody, exhibit, _ = whole(files, **entry)
    assert "lack a characteristic" not in " ".join(
        table_of("x", exhibit, everybody, labels=book, language="en", facts={}).notes
    )
