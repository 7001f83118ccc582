"""Several treated arms: each against the control arm, all at once, between themselves; tables, figures, flow."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from refino_eval.config.base import Label
from refino_eval.config.checking.checks import cross_check
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, Evaluation
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import render, table_of
from refino_eval.exhibits.wording.labels import LabelBook
from support.builders import LABEL

ARMS = ("a", "b")


def definitions():
    spec = {"label": LABEL, "description": "x"}
    columns = {"work": "work", "pay": "pay"}
    return Definitions.model_validate(
        {
            "states": {"s": {"label": LABEL, "description": "x", "expression": "1", "unit": LABEL}},
            "covariates": {"age": {"kind": "column", "column": "age", "label": LABEL}},
            "specifications": {"main": spec, "aged": {**spec, "controls": [{"covariate": "age"}]}, "clustered": {**spec, "vcov": "CRV1"}, "linear": spec, "unweighted": {**spec, "controls": [{"covariate": "age"}], "weights": False}},
            "exhibits": {
                "itt": {"kind": "itt", "title": LABEL, "columns": columns, "specifications": ["main", "clustered"]},
                "joint": {"kind": "itt", "title": LABEL, "columns": columns, "comparison": "joint", "between_arms": True},
                "digits": {
                    "kind": "itt", "title": LABEL, "columns": columns, "specifications": ["aged"], "comparison": "joint",
                    "show_controls": True, "control_mean_error": True, "decimal_places": 4,
                },
                "tests": {"kind": "tests", "title": LABEL, "columns": columns, "draws": 199},
                "wide": {"kind": "tests", "title": LABEL, "columns": columns, "draws": 199, "family": "arms_and_outcomes"},
                "together": {
                    "kind": "tests", "title": LABEL, "columns": columns, "draws": 99, "comparison": "joint",
                    "between_arms": True, "step_down": "min_p", "family": "arms_and_outcomes",
                },
                "groups": {"kind": "subgroups", "title": LABEL, "columns": columns, "groups": ["old", "senior"], "draws": 99},
                "balance": {"kind": "balance", "title": LABEL, "covariates": ["age"]},
                "one": {"kind": "itt", "title": LABEL, "columns": columns, "arm": "b"},
                "pooled": {"kind": "itt", "title": LABEL, "columns": columns, "arm": "any"},
                "listed": {"kind": "itt", "title": LABEL, "columns": {f"k{i}": "work" for i in range(11)}},
                "between": {"kind": "itt", "title": LABEL, "columns": columns, "arm": "a", "against": "b"},
                "people": {"kind": "descriptives", "title": LABEL, "covariates": ["age"]},
                "late": {"kind": "late", "title": LABEL, "columns": columns, "take_up": "started"},
                "cells": {"kind": "design", "title": LABEL},
                "flow": {"kind": "flow", "title": LABEL},
                "weightings": {"kind": "estimands", "title": LABEL, "specification": "main", "columns": {"work": "work"}},
                "weightings_pooled": {"kind": "estimands", "title": LABEL, "specification": "main", "columns": {"work": "work"}, "arm": "any"},
                "ends": {"kind": "time_to_event", "title": LABEL, "outcome": "weeks", "event": "ended", "specification": "unweighted", "comparison": "joint"},
                "paths": {"kind": "paths", "title": LABEL, "states": ["s"]},
                "effects": {"kind": "effects", "title": LABEL, "states": ["s"]},
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    rng = np.random.default_rng(3)
    n = 450
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:04d}" for i in range(n)],
            "arm": rng.choice(["a", "b", "none"], n),
            "cell": [f"c{c}" for c in np.arange(n) // 30],
            "cluster": [f"k{c}" for c in np.arange(n) // 9],
            "age": rng.normal(40, 9, n),
            "old": np.arange(n) % 2,
            "senior": np.arange(n) % 2,
            "weight": rng.uniform(0.5, 2, n),
            "draw_month": "2020-01",
            "sample_analysed": True,
        }
    )
    cohort["treated"] = (cohort["arm"] != "none").astype(int)
    shift = cohort["arm"].map({"a": 0.3, "b": 1.0, "none": 0.0})
    started = (rng.random(n) < 0.8 * cohort["treated"]).astype(float)
    values = {"work": rng.normal(size=n) + shift, "pay": rng.normal(size=n), "started": started}
    # Of their own stream, so that the other columns do not depend on them.
    own = np.random.default_rng(4)
    values |= {"weeks": own.integers(1, 40, n).astype(float), "ended": (own.random(n) < 0.7).astype(float)}
    values["pay"][::40] = np.nan
    cohort.to_parquet(folder / "cohort.parquet")
    paths = {}
    for name, column in values.items():
        paths[name] = folder / f"{name}.parquet"
        pd.DataFrame({"person_id": cohort["person_id"], "value": column}).to_parquet(paths[name])
    lines = [("delivered", "", 480, 320, 160, 150, 170), ("population", "gone", 30, 20, 10, 15, 5)]
    arms = cohort["arm"].value_counts()
    lines[0] = ("delivered", "", n + 3, n + 2 - arms["none"], arms["none"] + 1, arms["a"] + 1, arms["b"] + 1)
    lines[1] = ("population", "gone", 3, 2, 1, 1, 1)
    lines.append(("analysed", "", n, n - arms["none"], arms["none"], arms["a"], arms["b"]))
    columns = ["step", "reason", "persons", "treated", "control", "arm_a", "arm_b"]
    pd.DataFrame(lines, columns=columns).to_csv(folder / "flow.csv", index=False)
    panel = pd.DataFrame({"person_id": np.repeat(cohort["person_id"], 3), "event_time": np.tile([0, 1, 2], n)})
    panel["s"] = rng.random(3 * n)
    panel.to_parquet(folder / "panel.parquet")
    files = PersonFiles(
        cohort=folder / "cohort.parquet",
        outcomes=paths,
        panels={"month": folder / "panel.parquet"},
        flow=folder / "flow.csv",
    )
    return cohort.assign(**values), files


def study():
    return Study("a", "none", definitions().specifications, 7, several=ARMS, pooled="any")


def labels():
    names = {
        "a": Label(nb="Brev", en="Letter"),
        "b": Label(nb="Samtale", en="Talk"),
        "none": Label(nb="Ingen", en="None"),
    }
    return LabelBook(definitions=definitions(), treated="a", control="none", arms=names, strata=("cell",), several=ARMS)


def numbers(trial, name):
    frame = aggregate(name, definitions().exhibits[name], files=trial[1], study=study())
    return frame, frame.set_index(["panel", "row", "column", "statistic"])["value"]


def test_estimands_say_that_the_people_of_all_arms_weight_the_cells(trial):
    """All arms together leave nobody outside the comparison, so that nothing is to be said."""
    for name, said in (("weightings", True), ("weightings_pooled", False)):
        frame, _ = numbers(trial, name)
        people = frame.loc[frame["panel"].str.contains("population"), "value"]
        assert people.tolist() == ([len(trial[0])] * len(ARMS) if said else [])
        table = table_of(name, definitions().exhibits[name], frame, labels=labels(), language="en", facts={})
        assert any("the people of all arms" in note for note in table.notes) == said


def test_each_arm_is_what_a_trial_of_two_arms_would_give(trial):
    _, got = numbers(trial, "itt")
    people = trial[0].dropna(subset=["pay"])
    for arm in ARMS:
        pair = people[people["arm"].isin([arm, "none"])]
        fit = smf.wls("work ~ treated + C(cell)", pair, weights=pair["weight"])
        plain = fit.fit(cov_type="HC1")
        clustered = fit.fit(cov_type="cluster", cov_kwds={"groups": pair["cluster"].astype("category").cat.codes})
        assert got["main", arm, "work", "estimate"] == pytest.approx(plain.params["treated"], rel=1e-10)
        assert got["main", arm, "work", "std_error"] == pytest.approx(plain.bse["treated"], rel=1e-10)
        assert got["clustered", arm, "work", "std_error"] == pytest.approx(clustered.bse["treated"], rel=1e-10)
        assert got["clustered", arm, "work", "df"] == pair["cluster"].nunique() - 1
        assert got["main", arm, "work", "n"] == len(pair)


def test_all_arms_in_one_regression_their_joint_test_and_differences(trial):
    _, got = numbers(trial, "joint")
    people = trial[0].dropna(subset=["pay"])
    model = smf.wls("work ~ C(arm, Treatment('none')) + C(cell)", people, weights=people["weight"])
    fit = model.fit(cov_type="HC1", use_t=True)
    names = [f"C(arm, Treatment('none'))[T.{arm}]" for arm in ARMS]
    for arm, name in zip(ARMS, names, strict=True):
        assert got["main", arm, "work", "estimate"] == pytest.approx(fit.params[name], rel=1e-10)
        assert got["main", arm, "work", "std_error"] == pytest.approx(fit.bse[name], rel=1e-10)
        assert got["main", arm, "work", "conf_low"] == pytest.approx(fit.conf_int().loc[name, 0], rel=1e-9)
    test = fit.f_test([[float(term == name) for term in fit.params.index] for name in names])
    assert got["main", "all_arms", "work", "f_stat"] == pytest.approx(float(test.fvalue), rel=1e-9)
    assert got["main", "all_arms", "work", "p_value"] == pytest.approx(float(test.pvalue), rel=1e-7)
    gap = fit.t_test([float(t == names[0]) - float(t == names[1]) for t in fit.params.index])
    assert got["main", "a_minus_b", "work", "estimate"] == pytest.approx(float(gap.effect[0]), rel=1e-9)
    assert got["main", "a_minus_b", "work", "std_error"] == pytest.approx(float(gap.sd[0, 0]), rel=1e-9)


def test_a_table_shows_controls_errors_of_means_and_the_decimals_asked_for(trial):
    frame, got = numbers(trial, "digits")
    table = table_of("digits", definitions().exhibits["digits"], frame, labels=labels(), language="en", facts={})
    rows = {row.cells[0].text: row.cells[1].text for row in table.parts[0].body}
    error = got["aged", "a", "work", "mean_control_std_error"]
    assert rows["Standard error of the control mean"] == f"{error:.4f}"
    age = next(
        row.cells[1]
        for row in table.parts[0].body
        if row.cells[1].number == got["aged:coefficients", "age", "work", "estimate"]
    )
    assert age.text.replace("\N{MINUS SIGN}", "-") == f"{age.number:.4f}"
    effect = got["aged", "a", "work", "estimate"]
    assert rows["Letter"].replace("\N{MINUS SIGN}", "-") == f"{effect:.4f}"
    people = trial[0].dropna(subset=["pay"])
    fit = smf.wls("work ~ C(arm, Treatment('none')) + C(cell) + age", people, weights=people["weight"]).fit(
        cov_type="HC1"
    )
    assert got["aged:coefficients", "age", "work", "std_error"] == pytest.approx(fit.bse["age"], rel=1e-9)


def test_tests_of_all_arms_at_once_are_of_the_joint_regression_and_one_family(trial):
    _, effects = numbers(trial, "joint")
    frame, got = numbers(trial, "together")
    for row in (*ARMS, "a_minus_b"):
        for key in ("work", "pay"):
            for statistic in ("estimate", "std_error", "p_value"):
                assert got["main", key, row, statistic] == pytest.approx(effects["main", row, key, statistic], rel=1e-9)
    adjusted = got.xs("p_value_fwer", level=3)
    assert len(adjusted) == 6
    assert (adjusted >= got.xs("p_value_ri", level=3) - 1e-12).all()
    # The draws of all six tests are shared: the smallest p is adjusted by less than Bonferroni would.
    assert adjusted.min() < 6 * got.xs("p_value_ri", level=3).min()
    table = table_of("together", definitions().exhibits["together"], frame, labels=labels(), language="en", facts={})
    assert [row.cells[0].text for row in table.parts[0].body if row.role == "block"] == [
        "Letter",
        "Talk",
        "Letter − Talk",
    ]
    assert any("re-randomised at once" in note and "minP" in note for note in table.notes)


def test_p_values_of_groups_are_one_family_with_shared_draws(trial):
    frame, got = numbers(trial, "groups")
    for arm in ARMS:
        part = got.xs(f"{arm}:old", level=0)
        raw, adjusted = part.xs("p_value_ri", level=2), part.xs("p_value_fwer", level=2)
        assert len(adjusted) == 4
        assert (adjusted >= raw).all()
        assert (adjusted > raw).any()
        # The same people under another name: draws are shared, so the p-values are the same to the last digit.
        pd.testing.assert_series_equal(raw, got.xs(f"{arm}:senior", level=0).xs("p_value_ri", level=2))
    table = table_of("groups", definitions().exhibits["groups"], frame, labels=labels(), language="nb", facts={})
    assert any("99 rerandomiseringene" in note for note in table.notes)


def test_an_exhibit_can_choose_its_arms(trial):
    _, pairwise = numbers(trial, "itt")
    _, one = numbers(trial, "one")
    assert one["main", "b", "work", "estimate"] == pairwise["main", "b", "work", "estimate"]
    assert ("main", "a", "work", "estimate") not in one.index
    frame, between = numbers(trial, "between")
    people = trial[0].dropna(subset=["pay"])
    pair = people[people["arm"].isin(ARMS)].assign(first=lambda f: (f["arm"] == "a").astype(int))
    fit = smf.wls("work ~ first + C(cell)", pair, weights=pair["weight"]).fit()
    assert between["main", "a", "work", "estimate"] == pytest.approx(fit.params["first"], rel=1e-10)
    table = table_of("between", definitions().exhibits["between"], frame, labels=labels(), language="en", facts={})
    assert table.parts[0].body[0].cells[0].text == "Letter"


def test_all_arms_can_be_taken_as_one(trial):
    frame, got = numbers(trial, "pooled")
    people = trial[0].dropna(subset=["pay"])
    fit = smf.wls("work ~ treated + C(cell)", people, weights=people["weight"]).fit()
    assert got["main", "any", "work", "estimate"] == pytest.approx(fit.params["treated"], rel=1e-10)
    table = table_of("pooled", definitions().exhibits["pooled"], frame, labels=labels(), language="en", facts={})
    assert table.parts[0].body[0].cells[0].text == "Any"


def test_many_outcomes_are_rows(trial):
    frame, got = numbers(trial, "listed")
    table = table_of("listed", definitions().exhibits["listed"], frame, labels=labels(), language="en", facts={})
    body = table.parts[0].body
    assert [row.role for row in body].count("block") == 2
    assert len(body) == 24
    assert body[13].cells[0].text == "Work"
    assert body[13].cells[1].number == got["main", "b", "k0", "estimate"]
    assert body[1].cells[-1].number == got["main", "all_arms", "k0", "p_value"]


def test_families_hold_one_arm_or_all(trial):
    _, apart = numbers(trial, "tests")
    _, wide = numbers(trial, "wide")
    assert apart["main", "pay", "a", "p_value"] == wide["main", "pay", "a", "p_value"]
    assert apart["main", "pay", "a", "p_value_holm"] < wide["main", "pay", "a", "p_value_holm"]
    assert (
        wide.xs("p_value_fwer", level=3) >= wide.xs("p_value_ri", level=3).drop("omnibus", level=1, errors="ignore")
    ).all()
    smallest = min(wide["main", k, arm, "p_value"] for k in ("work", "pay") for arm in ARMS)
    found = min(wide["main", k, arm, "p_value_holm"] for k in ("work", "pay") for arm in ARMS)
    assert found == pytest.approx(4 * smallest)
    assert ("main", "omnibus", "a", "p_value_ri") in apart.index
    assert ("main", "omnibus", "a", "p_value_ri") not in wide.index


def test_kinds_of_one_arm_are_made_for_each(trial):
    frame, got = numbers(trial, "balance")
    people = trial[0][trial[0]["arm"].isin(["b", "none"])]
    fit = smf.wls("treated ~ age + C(cell)", people, weights=people["weight"]).fit(cov_type="HC1")
    assert got["b", "age", "alone", "estimate"] == pytest.approx(fit.params["age"], rel=1e-9)
    assert ("b:differences", "age", "b", "mean") in got.index
    table = table_of("balance", definitions().exhibits["balance"], frame, labels=labels(), language="en", facts={})
    captions = [part.caption for part in table.parts]
    assert captions[0].startswith("Letter. ")
    assert captions[2].startswith("Talk. ")
    assert len(captions) == 4
    drawn = {panel.partition(":")[0] for panel, *_ in numbers(trial, "late")[1].index}
    assert drawn == {"a", "b"}
    assert got.index.get_level_values("panel").isin(["a", "a:differences", "b", "b:differences"]).all()


def test_tables_and_figures_show_every_arm(trial, tmp_path):
    entries = definitions().exhibits
    for name in ("itt", "joint", "tests", "wide", "together", "groups", "people", "cells", "late"):
        frame, _ = numbers(trial, name)
        table = table_of(name, entries[name], frame, labels=labels(), language="en", facts={})
        said = str([[row.cells[0].text for row in part.body] for part in table.parts]) + str(
            [cell.text for part in table.parts for row in part.header for cell in row.cells]
        ) + str([part.caption for part in table.parts])  # fmt: skip
        assert "Letter" in said, name
        assert "Talk" in said, name
    for name in ("flow", "paths"):
        frame, _ = numbers(trial, name)
        files = render(
            name,
            entries[name],
            frame,
            labels=labels(),
            language="nb",
            tables_dir=tmp_path,
            figures_dir=tmp_path,
            facts={},
        )
        assert all(path.stat().st_size > 5000 for path in files if path.suffix != ".csv")
    flow = numbers(trial, "flow")[1]
    assert flow["", "population:gone", "b", "count"] == 1
    assert flow["", "analysed", "a", "count"] == (trial[0].arm == "a").sum()
    people = numbers(trial, "people")[1]
    in_b = trial[0].loc[trial[0]["arm"] == "b"]
    assert people["", "age", "b", "mean"] == pytest.approx(np.average(in_b["age"], weights=in_b["weight"]))


def test_a_sample_without_an_arm_is_a_fault(trial):
    with pytest.raises(UserError, match="needs all 4"):
        aggregate(
            "itt",
            definitions().exhibits["itt"],
            files=trial[1],
            study=dataclasses.replace(study(), several=("a", "b", "c")),
        )


def evaluation(**exhibit):
    arm = {"label": LABEL}
    return Evaluation.model_validate(
        {
            "name": "x", "label": LABEL, "data_class": "public", "entry": "person_table", "data": "d",
            "person_table": {"file": "t.csv", "treated": "z", "outcomes": {"work": "work", "pay": "pay"}},
            "arms": {
                "treated": [{**arm, "name": "a", "code": 1}, {**arm, "name": "b", "code": [2, 3]}],
                "control": {**arm, "name": "none", "code": 0},
            },
            "exhibits": ["e"],
            "definitions": {
                "specifications": {"main": {"label": LABEL, "description": "x"}},
                "exhibits": {"e": {"title": LABEL, **exhibit}},
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("exhibit", "said"),
    [
        ({"kind": "effects", "states": ["s"]}, "figure of one treated arm.*a, b"),
        ({"kind": "design", "arm": "bb"}, "arm names no arm 'bb'.*'b'"),
        ({"kind": "design", "arm": "none"}, "with itself"),
        ({"kind": "flow", "arm": "a"}, "do not apply"),
        ({"kind": "paths", "states": ["s"]}, "a person table has none"),
        ({"kind": "draws"}, r"person_table\.draw_date"),
    ],
)
def test_what_an_exhibit_says_wrongly_of_arms(exhibit, said):
    study = evaluation(**exhibit)
    assert any(re.search(said, fault) for fault in cross_check(study, study.definitions, {}))


def test_one_arm_is_written_as_before_and_codes_must_differ():
    arm = {"label": LABEL, "code": 1, "name": "a"}
    control = {"label": LABEL, "code": 0, "name": "none"}
    arms = Arms.model_validate({"treated": arm, "control": control})
    assert arms.treated.name == "a"
    assert arms.treated_arms == (arms.treated,)
    assert Arms.model_validate(arms.model_dump(mode="json", by_alias=True, exclude_unset=True)) == arms
    with pytest.raises(ValueError, match="differ in name and in code"):
        Arms.model_validate({"treated": [arm, {**arm, "name": "b", "code": [2, 1]}], "control": control})


def test_joint_hazard_ratios_are_those_of_one_cox_model_of_all_arms(trial):
    people = trial[0]
    _, got = numbers(trial, "ends")
    columns = np.column_stack([people["arm"] == "a", people["arm"] == "b", people["age"]]).astype(float)
    fit = sm.PHReg(
        people["weeks"].to_numpy(), columns, status=people["ended"].to_numpy(), strata=people["cell"], ties="efron"
    ).fit()
    for k, arm in enumerate(ARMS):
        assert got[arm, "cox", "log_hazard_ratio", "estimate"] == pytest.approx(fit.params[k], rel=1e-6)
        assert got[arm, "cox", "log_hazard_ratio", "std_error"] == pytest.approx(fit.bse[k], rel=1e-6)
