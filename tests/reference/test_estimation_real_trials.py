"""Real trials: what their authors' public data give, beside what they printed (published.csv, column `obtained`)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from refino_eval.estimation import balance, design_table, itt, late, randomisation_test, step_down

COURSE = ["city", "codigo_ecap", "codigo_curs"]
BASELINE = ["empl", "pempl", "contract", "dformal", "salary", "profit", "days", "hours"]
# The column `obtained` keeps six significant digits.
RTOL = 6e-6


@pytest.fixture(scope="module")
def jovenes(shared_data):
    frame = pd.read_stata(
        shared_data / "akm2011_jovenes" / "AEJApp-20090168_data.dta", convert_categoricals=False
    ).astype({"select": float})
    return frame[(frame["dcontinue"] == 1) & frame["codigo_curs"].notna()]


@pytest.fixture(scope="module")
def jovenes_published(shared_data):
    return pd.read_csv(shared_data / "akm2011_jovenes" / "published.csv")


@pytest.fixture(scope="module")
def wellness(shared_data):
    return pd.read_csv(shared_data / "iwws" / "biometrics.csv", low_memory=False)


@pytest.fixture(scope="module")
def wellness_published(shared_data):
    return pd.read_csv(shared_data / "iwws" / "published.csv")


def one_sex(frame, sex):
    return frame[frame["dwomen"] == (sex == "women")]


@pytest.mark.parametrize("sex", ["women", "men"])
def test_jovenes_effects_and_differences(jovenes, jovenes_published, sex):
    people = one_sex(jovenes, sex)
    found = {}
    columns = [name for name in people.columns if name.endswith(("_04", "_06", "_lb")) and not name.startswith("l")]
    for vcov in ("iid", "HC1"):
        options = {"cells": people[COURSE], "vcov": vcov, "missing": "available"}
        table = itt(people[columns], people["select"], **options).to_frame().set_index("outcome")
        for name, row in table.iterrows():
            label = "se HC1" if vcov == "HC1" else "se (iid, not robust!)"
            found |= {(name, "ITT"): row["estimate"], (name, "diff"): row["estimate"], (name, label): row["std_error"]}
            found |= {(name, "control mean"): row["mean_control"]}
            if vcov == "iid":
                found[name, "se"] = row["std_error"]
    tested = 0
    for row in jovenes_published.itertuples():
        key = (row.item.removeprefix(f"{sex} "), row.stat)
        if row.item.startswith(f"{sex} ") and key in found:
            assert found[key] == pytest.approx(row.obtained, rel=RTOL), key
            tested += 1
    assert tested >= 50


@pytest.mark.parametrize("sex", ["women", "men"])
def test_jovenes_joint_balance(jovenes, jovenes_published, sex):
    people = one_sex(jovenes, sex)
    covariates = [f"{name}_04" for name in BASELINE] + ["educ_lb", "age_lb", "dmarried_lb"]
    table = balance(people[covariates], people["select"], cells=people[COURSE], vcov="iid", missing="common")
    told = jovenes_published.query("table == 'T3 joint test' and item == @sex").set_index("stat")["obtained"]
    assert table.joint_test.df_num == 11
    assert table.joint_test.df_den == told["df resid"]
    # The stored F of women (1.53621) is not its program's last word: sums of squares, statsmodels and pyfixest all give
    # 1.53622327 on these data, and so do we.
    assert table.joint_test.f_stat == pytest.approx(told["F"], rel=2e-5)
    assert table.joint_test.p_value == pytest.approx(told["p"], rel=5e-5)


def test_jovenes_design(jovenes):
    women = one_sex(jovenes, "women")
    told = design_table(women["select"], women[COURSE]).summary
    assert (told.n, told.n_cells, told.n_singleton_cells, told.n_one_arm_cells) == (1769, 409, 29, 82)
    dropped = itt(women[["empl_06"]], women["select"], cells=women[COURSE], singletons="drop")
    kept = itt(women[["empl_06"]], women["select"], cells=women[COURSE])
    assert (dropped.n[0], kept.n[0]) == (1740, 1769)
    assert dropped.estimate[0] == pytest.approx(kept.estimate[0], rel=1e-12)
    # Columns of clusters are dimensions, so that a course, which three columns name, is numbered.
    course = women.groupby(COURSE).ngroup()
    clustered = itt(women[["empl_06"]], women["select"], cells=women[COURSE], vcov="CRV1", cluster=course)
    assert clustered.std_error[0] == pytest.approx(0.0262, abs=5e-5)


def test_wellness_table(wellness, wellness_published):
    printed = wellness_published[wellness_published["table"].isin(["JAMA IM table2", "JAMA IM table3"])]
    names = [name for name in printed["item"].unique() if name in wellness.columns]
    table = itt(wellness[names], wellness["treat"], cells=wellness["Strata_biometrics"], missing="available")
    frame = table.to_frame().set_index("outcome")
    statistics = {
        "mean T": "mean_treated",
        "sd T": "sd_treated",
        "mean C": "mean_control",
        "sd C": "sd_control",
        "ITT": "estimate",
        "ci lo": "conf_low",
        "ci hi": "conf_high",
        "p": "p_value",
    }
    tested = 0
    for row in printed.itertuples():
        if row.item in names and row.stat in statistics:
            found = frame.loc[row.item, statistics[row.stat]]
            assert found == pytest.approx(row.obtained, rel=RTOL, abs=1e-9), (row.item, row.stat)
            tested += 1
    assert tested >= 400


def test_wellness_family_wise_p_are_those_published(wellness, shared_data):
    # The authors' p-values are of 10,000 bootstraps; ours of permutations within strata. The smallest p has the same order and
    # nearly the same values, and more Monte Carlo error, since ranks among the draws stand for p.
    printed = pd.read_csv(shared_data / "iwws" / "published_westfall_young.csv")
    options = {"cells": wellness["Strata_biometrics"], "missing": "available", "draws": 3000, "seed": 5}
    for _, family in printed.groupby("domain"):
        names = list(family["outcome"])
        drawn = randomisation_test(wellness[names], wellness["treat"], **options).statistics
        published = family["published_WY_p"].str.strip("<>").astype(float).to_numpy()
        for method, tolerance in (("max_t", 0.035), ("min_p", 0.09)):
            apart = np.abs(step_down(drawn, method) - published)
            assert apart.max() < tolerance, dict(zip(names, apart, strict=True))


def test_wellness_take_up_as_instrumented(shared_data, wellness_published):
    admin = pd.read_csv(shared_data / "iwws" / "firm_admin.csv")
    take_up = admin["hra_c_yr1"].where(admin["treat"] == 1, 0.0)
    names = ["promotion_0616_0717", "terminated_0717"]
    table = late(admin[names], take_up, admin["treat"], missing="available").to_frame().set_index("outcome")
    printed = wellness_published[wellness_published["table"] == "QJE T4"].set_index(["item", "stat"])["obtained"]
    for name in names:
        assert table.loc[name, "estimate"] == pytest.approx(printed[name, "IV"], rel=RTOL)
        assert table.loc[name, "std_error"] == pytest.approx(printed[name, "IV se"], rel=RTOL)
        assert table.loc[name, "n"] == printed[name, "N"]
