"""The how-to page of person tables: its evaluations as they stand, on simulated trials of the shapes that it describes,
held against statsmodels and textbook formulas."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import yaml
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg

from refino_eval.exhibits.verification import verify
from support.rooms import ROOT, project_with, run_in_rooms

PAGE = ROOT / "docs" / "how_to_run_a_trial_from_a_file.md"
BLOCKS = {
    yaml.safe_load(block)["name"]: block
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
}
CLOSE = 1e-9


def training(rng):
    n = 240
    frame = pd.DataFrame(
        {"pid": [f"{i:04d}" for i in range(n)], "site": rng.integers(0, 4, n), "round": rng.integers(1, 3, n)}
    )
    frame["offered"] = (rng.random(n) < 0.35 + 0.1 * frame["site"]).astype(int)
    frame["trained"] = (rng.random(n) < 0.15 + 0.6 * frame["offered"]).astype(int)
    frame["age"] = rng.integers(18, 60, n)
    frame["sex"] = rng.choice(["F", "M"], n)
    frame["employed"] = (rng.random(n) < 0.4 + 0.2 * frame["trained"]).astype(int)
    frame["pay"] = (rng.normal(20, 5, n) + frame["site"]).round(2)
    return {"training.csv": frame}


def villages(rng):
    frame = pd.DataFrame({"village": np.repeat(np.arange(36), 8)})
    arm = np.tile(["letter", "talk", "none"], 12)
    frame["region"] = frame["village"] // 9
    frame["assignment"] = arm[frame["village"]]
    frame["weight"] = rng.uniform(0.5, 3, len(frame)).round(3)
    frame["saved"] = (
        rng.normal(size=len(frame)) + rng.normal(size=36)[frame["village"]] + (frame["assignment"] == "talk")
    )
    frame.loc[:2, "weight"] = [0, np.nan, 1]
    return {"villages.csv": frame}


def households(rng):
    homes = pd.DataFrame({"household": [f"h{i}" for i in range(90)], "members": rng.integers(1, 4, 90)})
    drawn = np.array(["2008-10-05", "2008-11-20", "2009-01-15"])
    homes["won"], homes["drawn"] = rng.integers(0, 2, 90), drawn[rng.integers(0, 3, 90)]
    people = homes.loc[homes.index.repeat(homes["members"]), ["household", "won", "drawn"]].reset_index(drop=True)
    people.insert(0, "person", [f"{i:03d}" for i in range(len(people))])
    answers = people.iloc[5:][["person"]].rename(columns={"person": "id"})
    answers["visits"] = np.where(rng.random(len(answers)) < 0.1, np.nan, rng.integers(0, 3, len(answers)))
    answers["spending"] = rng.gamma(1, 100, len(answers)).round(1)
    answers["date"] = "2009-09-01"
    extra = answers.tail(1).assign(id="999")
    return {
        "people.csv": people, "answers.csv": pd.concat([answers, extra]), "households.csv": homes[["household", "members"]],
    }  # fmt: skip


def pairs(rng):
    n = 20
    frame = pd.DataFrame({"pair": np.repeat(np.arange(n), 2), "z": np.tile([0, 1], n)})
    frame["score"] = rng.normal(size=2 * n) + 0.5 * frame["z"] + np.repeat(rng.normal(size=n), 2)
    return {"pairs.csv": frame}


def bonus(rng):
    n = 700
    frame = pd.DataFrame({"offer": rng.integers(0, 7, n), "Pay.Before": rng.normal(300, 50, n).round()})
    frame.loc[:30, "Pay.Before"] = -9
    frame["quarter"] = rng.choice(["1st qtr", "2nd qtr", "3rd qtr "], n)
    frame["duration"] = np.minimum(rng.exponential(80, n).round() + 1, 180)
    frame["ended"] = (frame["duration"] < 180).astype(int)
    return {"bonus.txt": frame}


def savings(rng):
    n = 320
    frame = pd.DataFrame(
        {"pid": [f"{i:03d}" for i in range(n)], "branch": rng.integers(0, 5, n), "wave": rng.integers(1, 3, n)}
    )
    frame["month"], frame["woman"] = rng.integers(1, 7, n), rng.integers(0, 2, n)
    frame["offered"] = (rng.random(n) < 0.3 + 0.08 * frame["branch"]).astype(int)
    frame["reminder"] = np.where(rng.random(n) < 0.7, rng.integers(0, 2, n), np.nan)
    frame["opened"] = (rng.random(n) < 0.1 + 0.6 * frame["offered"]).astype(int)
    frame["saved_0"], frame["debt_0"] = rng.normal(10, 3, n).round(2), rng.normal(50, 9, n).round(2)
    frame["saved"] = (frame["saved_0"] + 2 * frame["opened"] + rng.normal(0, 2, n)).round(2)
    frame["debt"] = (0.7 * frame["debt_0"] + rng.normal(0, 5, n)).round(2)
    return {"savings.csv": frame}


def months(rng):
    people, times = 160, np.arange(-3, 13)
    frame = pd.DataFrame(
        {"pid": np.repeat([f"{i:03d}" for i in range(people)], len(times)), "month": np.tile(times, people)}
    )
    for name, values in {"office": rng.integers(0, 3, people), "age": rng.integers(20, 50, people)}.items():
        frame[name] = np.repeat(values, len(times))
    frame["arm"] = np.repeat(rng.integers(0, 2, people), len(times))
    frame["job"] = (rng.random(len(frame)) < 0.3 + 0.2 * frame["arm"] * (frame["month"] > 0)).astype(int)
    frame["pay"] = (frame["job"] * rng.normal(300, 50, len(frame))).clip(0).round()
    return {"months.csv": frame.sample(frac=1, random_state=3)}


SHAPES = {
    "training": training, "villages": villages, "households": households, "pairs": pairs, "bonus": bonus, "months": months,
    "savings": savings,
}  # fmt: skip

DRAWN = ("villages", "bonus", "months", "savings")
"""Those whose tables and figures are made as well: the ones of several arms, and the panel."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    found = {}
    for name, make in SHAPES.items():
        folder = tmp_path_factory.mktemp(name)
        root, _ = project_with(folder, BLOCKS[name])
        files = make(np.random.default_rng(11))
        data = root / "data" / "trials" / name
        data.mkdir(parents=True)
        for file, frame in files.items():
            frame.to_csv(data / file, index=False, sep=" " if file.endswith(".txt") else ",")
        found[name] = (run_in_rooms(root, name, folder / "out", draw=("en",) if name in DRAWN else ()), files)
    return found


def test_the_page_shows_every_shape(runs):
    assert set(BLOCKS) == set(SHAPES)
    for name in DRAWN:
        assert runs[name][0].rendered
        assert all(path.stat().st_size > 50 for path in runs[name][0].rendered)


def test_a_lottery_within_sites_with_two_sided_non_compliance(runs):
    run, files = runs["training"]
    frame = files["training.csv"].assign(cell=lambda f: f["site"].astype(str) + "-" + f["round"].astype(str))
    fit = smf.ols("pay ~ offered + C(cell)", frame).fit(cov_type="HC2")
    effects = run.numbers("effects")["sites", "offered", "pay"]
    assert effects["estimate"] == pytest.approx(fit.params["offered"], rel=CLOSE)
    assert effects["std_error"] == pytest.approx(fit.bse["offered"], rel=CLOSE)
    first = smf.ols("trained ~ offered + C(cell)", frame).fit().params["offered"]
    late = run.numbers("effects_of_training")["sites", "take_up", "pay"]
    assert late["estimate"] == pytest.approx(fit.params["offered"] / first, rel=CLOSE)
    adjusted = smf.ols("pay ~ offered + age + sex + C(cell)", frame).fit(cov_type="HC1")
    assert run.numbers("effects")["adjusted", "offered", "pay", "std_error"] == pytest.approx(
        adjusted.bse["offered"], rel=CLOSE
    )


def weighted_fit(frame, formula):
    groups = pd.Categorical(frame["village"]).codes
    return smf.wls(formula, frame, weights=frame["weight"]).fit(cov_type="cluster", cov_kwds={"groups": groups})


def test_a_panel_made_elsewhere(runs):
    run, files = runs["months"]
    frame = files["months.csv"]
    after = frame[frame["month"].between(1, 12)]
    people = after.groupby("pid").agg(
        months=("job", "sum"), arm=("arm", "first"), office=("office", "first"), age=("age", "first")
    )
    last = frame[frame["month"] == 12].set_index("pid")
    people["well_paid"] = ((last["job"] == 1) & (last["pay"] >= 300)).astype(int)
    for outcome in ("months", "well_paid"):
        fit = smf.ols(f"{outcome} ~ arm + age + C(office)", people).fit(cov_type="HC1")
        found = run.numbers("pay_and_work")["age", "offered", outcome]
        assert found["estimate"] == pytest.approx(fit.params["arm"], rel=CLOSE)
        assert found["std_error"] == pytest.approx(fit.bse["arm"], rel=CLOSE)


def test_two_treatments_with_clusters_and_weights(runs):
    run, files = runs["villages"]
    frame = files["villages.csv"].query("weight > 0")
    assert run.flow.set_index("reason").loc["no_weight", "persons"] == 2
    for arm in ("letter", "talk"):
        pair = frame[frame["assignment"].isin([arm, "none"])].assign(z=lambda f, arm=arm: (f["assignment"] == arm) * 1)
        fit, found = weighted_fit(pair, "saved ~ z + C(region)"), run.numbers("arms_apart")["clustered", arm, "saved"]
        assert found["estimate"] == pytest.approx(fit.params["z"], rel=CLOSE)
        assert found["std_error"] == pytest.approx(fit.bse["z"], rel=CLOSE)
        assert found["df"] == 23
        assert found["p_value"] == pytest.approx(2 * stats.t.sf(abs(fit.params["z"] / fit.bse["z"]), 23), rel=1e-7)
    fit = weighted_fit(frame, "saved ~ C(assignment, Treatment('none')) + C(region)")
    together = run.numbers("arms_together")["clustered"]
    names = [f"C(assignment, Treatment('none'))[T.{arm}]" for arm in ("letter", "talk")]
    assert together["talk", "saved", "std_error"] == pytest.approx(fit.bse[names[1]], rel=CLOSE)
    assert together["letter_minus_talk", "saved", "estimate"] == pytest.approx(
        -np.diff(fit.params[names])[0], rel=CLOSE
    )
    cov = fit.cov_params().loc[names, names].to_numpy()
    f = fit.params[names] @ np.linalg.solve(cov, fit.params[names]) / 2
    assert together["all_arms", "saved", "f_stat"] == pytest.approx(f, rel=1e-8)
    assert together["all_arms", "saved", "p_value"] == pytest.approx(stats.f.sf(f, 2, 35), rel=1e-7)
    pooled = weighted_fit(frame.assign(z=lambda d: (d["assignment"] != "none") * 1), "saved ~ z + C(region)")
    assert run.numbers("any_contact")["clustered", "any_contact", "saved", "std_error"] == pytest.approx(
        pooled.bse["z"], rel=CLOSE
    )
    between = frame[frame["assignment"] != "none"].assign(z=lambda d: (d["assignment"] == "talk") * 1)
    fit = weighted_fit(between, "saved ~ z + C(region)")
    assert run.numbers("talk_against_letter")["clustered", "talk", "saved", "estimate"] == pytest.approx(
        fit.params["z"], rel=CLOSE
    )


def test_a_household_lottery_from_three_files(runs):
    run, files = runs["households"]
    frame = (
        files["people.csv"].merge(files["answers.csv"], left_on="person", right_on="id").merge(files["households.csv"])
    )
    counted = run.flow.set_index(["step", "reason"])["persons"]
    assert counted["population", "not_in_answers"] == 5
    assert counted["joined", "rows_of_nobody_in_answers"] == 1
    frame["y"] = (frame["visits"].fillna(0) > 0) * 1.0
    frame["cell"] = frame["members"].astype(str) + (frame["drawn"] != "2008-10-05").astype(str)
    groups = pd.Categorical(frame["household"]).codes
    fit = smf.ols("y ~ won + C(cell)", frame).fit(cov_type="cluster", cov_kwds={"groups": groups})
    found = run.numbers("effects_of_the_lottery")["by_household", "won", "any_visit"]
    assert found["estimate"] == pytest.approx(fit.params["won"], rel=CLOSE)
    assert found["std_error"] == pytest.approx(fit.bse["won"], rel=CLOSE)
    assert found["n"] == len(frame)
    waited = run.outcomes["waited"].unique()
    assert set(waited) == {
        float((pd.Timestamp("2009-09-01") - pd.Timestamp(day)).days) for day in frame["drawn"].unique()
    }
    drawn = run.numbers("drawn_by_month")
    assert drawn["", "2008-11", "won", "count"] == (frame.query("won == 1")["drawn"] == "2008-11-20").sum()


def test_pairs_give_the_paired_t_test_and_its_randomisation_p(runs):
    run, files = runs["pairs"]
    wide = files["pairs.csv"].pivot(index="pair", columns="z", values="score")
    paired = stats.ttest_rel(wide[1], wide[0])
    found = run.numbers("score")["classical", "new", "score"]
    assert found["estimate"] == pytest.approx((wide[1] - wide[0]).mean(), rel=CLOSE)
    assert found["p_value"] == pytest.approx(paired.pvalue, rel=1e-8)
    assert found["df"] == len(wide) - 1
    difference = (wide[1] - wide[0]).to_numpy()
    rng = np.random.default_rng(1)
    signs = rng.choice([-1, 1], size=(200_000, len(difference)))
    # |t| grows with |mean| when signs change alone: the sum of squares stays.
    exact = np.mean(np.abs(signs @ difference) >= abs(difference.sum()) - 1e-12)
    p = run.numbers("score_tests")["classical", "score", "new", "p_value_ri"]
    assert abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / 1999) + 0.001
    assert run.numbers("design")["", "summary", "size_max", "value"] == 2


def test_durations_with_five_offers_and_a_control_arm(runs):
    run, files = runs["bonus"]
    frame = files["bonus.txt"].query("offer <= 5").assign(y=lambda f: np.minimum(f["duration"], 90))
    fit = smf.ols("y ~ C(offer)", frame).fit(cov_type="HC1", use_t=True)
    found = run.numbers("bonus_effects")["plain"]
    for code, arm in enumerate(("low_short", "low_long", "high_short", "high_long", "falling"), start=1):
        assert found[arm, "days_90", "estimate"] == pytest.approx(fit.params[f"C(offer)[T.{code}]"], rel=CLOSE)
        assert found[arm, "days_90", "std_error"] == pytest.approx(fit.bse[f"C(offer)[T.{code}]"], rel=CLOSE)
    test = fit.f_test(np.eye(6)[1:])
    assert found["all_arms", "days_90", "f_stat"] == pytest.approx(float(test.fvalue), rel=1e-8)
    rows = set(found.index.get_level_values("row"))
    assert sum("_minus_" in row for row in rows) == len(list(itertools.combinations(range(5), 2)))
    assert run.flow.set_index("step").loc["delivered", "arm_falling"] == (frame["offer"] == 5).sum()
    adjusted = run.numbers("bonus_tests").xs("p_value_holm", level="statistic")
    raw = run.numbers("bonus_tests").xs("p_value", level="statistic")
    assert adjusted.min() == pytest.approx(min(1, 10 * raw.min()))


def test_time_in_unemployment_of_six_arms(runs):
    run, files = runs["bonus"]
    frame = files["bonus.txt"].query("offer <= 5")
    found = run.numbers("unemployment")
    for code, arm in ((1, "low_short"), (5, "falling")):
        pair = frame[frame["offer"].isin([0, code])]
        fit = PHReg(
            pair["duration"], (pair["offer"] == code) * 1.0, status=pair["ended"],
            strata=pair["quarter"].str.strip().to_numpy(), ties="efron",
        ).fit()  # fmt: skip
        assert found[arm, "cox", "log_hazard_ratio", "estimate"] == pytest.approx(fit.params[0], rel=1e-6)
        assert found[arm, "cox", "log_hazard_ratio", "std_error"] == pytest.approx(fit.bse[0], rel=1e-6)
    assert found["", "log_rank", "all_arms", "chi2"] == pytest.approx(stratified_log_rank(frame), rel=1e-9)
    assert found["", "log_rank", "all_arms", "df"] == 5
    still = frame.query("offer == 3 and duration >= 40")
    assert found["", "40", "high_short", "n"] == len(still)


def stratified_log_rank(frame):
    """The test of Mantel (1966) for several groups: ends less expected ends, with their hypergeometric covariance."""
    gap, cov = np.zeros(6), np.zeros((6, 6))
    for _, people in frame.groupby("quarter"):
        for time in people.loc[people["ended"] == 1, "duration"].unique():
            at_risk = people[people["duration"] >= time]
            ends = at_risk[(at_risk["duration"] == time) & (at_risk["ended"] == 1)]
            share = np.bincount(at_risk["offer"], minlength=6) / len(at_risk)
            gap += np.bincount(ends["offer"], minlength=6) - len(ends) * share
            factor = len(ends) * (len(at_risk) - len(ends)) / max(len(at_risk) - 1, 1)
            cov += factor * (np.diag(share) - np.outer(share, share))
    return gap[1:] @ np.linalg.solve(cov[1:, 1:], gap[1:])


def test_joint_regressions_and_differences_between_arms_are_estimated_again(runs):
    for name, exhibit in (("villages", "arms_together"), ("bonus", "bonus_effects")):
        run, _ = runs[name]
        entry = run.configuration.definitions.exhibits[exhibit]
        found = verify({exhibit: entry}, {exhibit: run.tidy[exhibit]}, files=run.files, study=run.study)
        assert set(found["verdict"]) == {"agrees"}
        assert found.groupby(["panel", "row", "column", "statistic"])["engine"].nunique().min() == 2
        assert found["row"].str.contains("_minus_").any()


def test_a_randomisation_test_says_what_was_drawn_and_tables_warn_of_few_clusters(runs):
    run, _ = runs["households"]
    counts = run.numbers("lottery_tests").xs("count", level="statistic")
    assert counts["by_household", "drawn_units", "won"] == run.cohort["cluster"].nunique()
    page = next(path for path in runs["villages"][0].rendered if path.name == "arms_apart.en.html").read_text()
    assert "Only 24 clusters" in page
    assert "Weighted by weight. Clusters: village." in page


def test_baselines_interactions_two_fixed_effects_and_comparisons(runs):
    run, files = runs["savings"]
    frame = files["savings.csv"]
    effects = run.numbers("effects")
    fits = {
        "baseline": smf.ols("debt ~ offered + debt_0 + C(branch)", frame).fit(cov_type="HC2"),
        "two_way": smf.ols("debt ~ offered + saved_0 + C(branch) + C(month)", frame).fit(cov_type="HC1"),
    }
    centred = frame.assign(apart=frame["saved_0"] - frame.groupby("branch")["saved_0"].transform("mean"))
    fits["lin"] = smf.ols("debt ~ offered + saved_0 + offered:apart + C(branch)", centred).fit(cov_type="HC2")
    for specification, fit in fits.items():
        found = effects[specification, "offered", "debt"]
        assert found["estimate"] == pytest.approx(fit.params["offered"], rel=CLOSE)
        assert found["std_error"] == pytest.approx(fit.bse["offered"], rel=CLOSE)
        assert found["df"] == fit.df_resid
    shown = run.numbers("ancova")["baseline:coefficients", "debt_before", "debt"]
    assert shown["std_error"] == pytest.approx(fits["baseline"].bse["debt_0"], rel=CLOSE)
    reminded = frame.dropna(subset=["reminder"])
    fit = smf.ols("saved ~ reminder + saved_0 + C(branch):C(wave)", reminded).fit(cov_type="HC2")
    found = run.numbers("other_treatments")["reminders:baseline", "offered", "saved"]
    assert (found["estimate"], found["std_error"]) == pytest.approx(
        (fit.params["reminder"], fit.bse["reminder"]), rel=CLOSE
    )
    entries = run.configuration.definitions.exhibits
    for exhibit in (
        "effects",
        "ancova",
        "other_treatments",
        "family",
        "by_sex",
        "late_by_sex",
        "population",
        "balance",
    ):
        again = verify({exhibit: entries[exhibit]}, {exhibit: run.tidy[exhibit]}, files=run.files, study=run.study)
        verdicts = set(again["verdict"])
        assert "differs" not in verdicts, exhibit
        if exhibit in ("effects", "ancova", "other_treatments", "family", "late_by_sex", "balance"):
            assert verdicts == {"agrees"}, exhibit
