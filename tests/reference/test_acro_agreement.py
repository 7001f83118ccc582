"""Agreement with ACRO (AI-SDC/ACRO) on what both cover: small counts, means over few people, dominance, degrees of freedom.

ACRO is an optional program of output checkers. It asks for an older pandas than this project, so it is installed in an environment of its
own: `pip install acro pydantic pyyaml pyarrow pytest`, then run this file there with `src` on the path.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from refino_eval.disclosure.attack import attack
from refino_eval.disclosure.profiles import load_profile
from refino_eval.disclosure.protect import protect_release
from refino_eval.disclosure.release_tables import ReleaseExhibit
from refino_eval.exhibits.tidy import tidy_frame

acro = pytest.importorskip("acro", reason="ACRO is not installed (see the docstring)")
ARMS = ("new", "usual")


def people(seed):
    rng = np.random.default_rng(seed)
    size = 400
    frame = pd.DataFrame(
        {
            "county": rng.choice(list("ABCDE"), size, p=[0.45, 0.3, 0.17, 0.05, 0.03]),
            "arm": rng.choice(ARMS, size),
            "income": rng.exponential(10, size),
        }
    )
    # One person has most of the income of a cell that is large enough by its number of people.
    first = frame.index[(frame["county"] == "C") & (frame["arm"] == "new")][0]
    frame.loc[first, "income"] = 20_000.0
    return frame


def tidy(data):
    counts, means = [], []
    for (county, arm), group in data.groupby(["county", "arm"])["income"]:
        size = len(group)
        key = {"row": county, "column": arm, "n_persons": size}
        counts.append({"exhibit": "counties", "statistic": "count", "value": size, **key})
        spread = group.std() if size > 1 else 0.0
        for statistic, value in (("mean", group.mean()), ("sd", spread), ("n", size)):
            means.append({"exhibit": "incomes", "statistic": statistic, "value": value, **key})
    for county, group in data.groupby("county"):
        key = {"exhibit": "counties", "row": county, "column": "all", "statistic": "count"}
        counts.append({**key, "value": len(group), "n_persons": len(group)})
    named = {"treated": ("new",), "control": "usual"}
    return [
        ReleaseExhibit("counties", "counts", tidy_frame(counts), **named),
        ReleaseExhibit("incomes", "descriptives", tidy_frame(means), **named),
    ]


def checks(records, position, data):
    """Return the rules that ACRO reports for each county and arm."""
    outcome = records[position].outcome
    cells = outcome.reindex(index=sorted(data["county"].unique()), columns=list(ARMS))
    return {(county, arm): str(cells.loc[county, arm]) for county in cells.index for arm in ARMS}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_acro_suppresses_is_suppressed(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = people(seed)
    session = acro.ACRO(suppress=True)
    session.crosstab(data["county"], data["arm"])
    session.crosstab(data["county"], data["arm"], values=data["income"], aggfunc="mean")
    records = list(session.results.results.values())
    monkeypatch.undo()
    profile = load_profile("acro_default")
    release = protect_release(tidy(data), profile)
    assert attack(release, profile) == []

    counts, means = release["counties"], release["incomes"]
    for (county, arm), verdict in checks(records, 0, data).items():
        cell = (counts.frame["row"] == county) & (counts.frame["column"] == arm)
        status = counts.cells.loc[cell, "status"].tolist()
        if status:
            assert ("Threshold" in verdict) == (status == ["primary"])
    dominated = 0
    for (county, arm), verdict in checks(records, 1, data).items():
        cell = (means.frame["row"] == county) & (means.frame["column"] == arm) & (means.frame["statistic"] == "mean")
        if cell.any() and verdict.strip() != "ok":
            assert means.cells.loc[cell, "status"].tolist() == ["primary"]
            dominated += "Threshold" not in verdict
    assert dominated == 1


def test_a_regression_with_few_degrees_of_freedom_is_suppressed_by_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    session = acro.ACRO(suppress=False)
    for size in (9, 60):
        treated = np.arange(size) % 2
        session.ols(rng.normal(size=size), np.column_stack([np.ones(size), treated]))
    statuses = [record.status for record in session.results.results.values()]
    monkeypatch.undo()
    assert statuses == ["fail", "pass"]
    for size, suppressed in ((9, True), (60, False)):
        numbers = {"estimate": 0.2, "std_error": 0.1, "df": size - 2, "n": size, "n_treated": size // 2}
        rows = [
            {"exhibit": "effects", "row": "new", "column": "work", "statistic": name, "value": value, "n_persons": size}
            for name, value in {**numbers, "n_control": size - size // 2}.items()
        ]
        exhibit = ReleaseExhibit("effects", "itt", tidy_frame(rows), treated=("new",), control="usual")
        frame = protect_release([exhibit], load_profile("acro_default"))["effects"].frame
        assert frame.set_index("statistic")["value"].isna()["estimate"] == suppressed
