"""The verify rule: engines agree on right numbers, and every kind of wrong number is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import (
    VerificationError,
    balance,
    itt,
    late,
    require_agreement,
    verify_balance,
    verify_itt,
    verify_late,
)
from refino_eval.estimation.verification import engines as engines_module

VCOVS = ("iid", "HC0", "HC1", "HC2", "HC3", "CRV1")


@pytest.fixture(scope="module")
def data():
    """Singletons, one-arm cells, a collinear control, one outcome with missing values, cells as integers."""
    rng = np.random.default_rng(3)
    n = 350
    cells = rng.integers(0, 45, n)
    cells[:2] = [90, 91]
    cells[2:6] = 92
    z = (rng.random(n) < rng.uniform(0.3, 0.8, 93)[cells]).astype(float)
    z[2:6] = 1.0
    x = rng.standard_normal((n, 2)) + 0.05 * cells[:, None]
    controls = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "copy": 3 * x[:, 0]})
    d = (rng.random(n) < 0.2 + 0.5 * z).astype(float)
    outcomes = pd.DataFrame({"y": d + rng.standard_normal(n) * (1 + z), "gap": rng.standard_normal(n) + cells})
    outcomes.loc[20:60, "gap"] = np.nan
    return {
        "outcomes": outcomes, "z": z, "d": d, "cells": cells, "controls": controls,
        "weights": rng.uniform(0.5, 3, n), "cluster": rng.integers(0, 30, n),
    }  # fmt: skip


def options(data, vcov, weighted):
    return {
        "cells": data["cells"],
        "controls": data["controls"],
        "weights": data["weights"] if weighted else None,
        "cluster": data["cluster"] if vcov == "CRV1" else None,
        "missing": "available",
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", VCOVS)
def test_every_engine_agrees_on_effects(data, vcov, weighted):
    asked = options(data, vcov, weighted)
    table = itt(data["outcomes"], data["z"], vcov=vcov, **asked)
    found = verify_itt(table, data["outcomes"], data["z"], **asked)
    assert (found["verdict"] == "agrees").all(), found[found["verdict"] != "agrees"]
    assert found["engine"].nunique() >= 2
    assert found.groupby(["outcome", "statistic"])["engine"].nunique().min() >= 2
    assert set(found["statistic"]) == {"estimate", "std_error", "f_stat"}
    require_agreement(found)


@pytest.mark.parametrize("singletons", ["keep", "drop"])
def test_both_conventions_of_singletons(data, singletons):
    asked = options(data, "HC1", False) | {"singletons": singletons}
    table = itt(data["outcomes"], data["z"], **asked)
    require_agreement(verify_itt(table, data["outcomes"], data["z"], **asked))
    other = asked | {"singletons": "keep" if singletons == "drop" else "drop"}
    wrong = verify_itt(table, data["outcomes"], data["z"], **other)
    differs = wrong[wrong["verdict"] == "differs"]
    assert set(differs["statistic"]) == {"std_error", "f_stat"}, "n and K differ, the estimate does not"


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", VCOVS)
def test_every_engine_agrees_on_effects_of_take_up(data, vcov, weighted):
    asked = options(data, vcov, weighted)
    table = late(data["outcomes"], data["d"], data["z"], vcov=vcov, **asked)
    found = verify_late(table, data["outcomes"], data["d"], data["z"], **asked)
    assert (found["verdict"] == "agrees").all(), found[found["verdict"] != "agrees"]
    assert set(found["statistic"]) == {"estimate", "std_error", "f_stat", "first_stage_f"}
    assert found.groupby(["outcome", "statistic"])["engine"].nunique().min() >= 2


@pytest.mark.parametrize("vcov", ["iid", "HC1", "HC2", "CRV1"])
def test_every_engine_agrees_on_the_joint_f_of_balance(data, vcov):
    cluster = data["cluster"] if vcov == "CRV1" else None
    asked = {"cells": data["cells"], "cluster": cluster}
    table = balance(data["controls"], data["z"], vcov=vcov, **asked)
    found = verify_balance(table, data["controls"], data["z"], **asked)
    assert (found["verdict"] == "agrees").all(), found[found["verdict"] != "agrees"]
    assert (found["outcome"] == "joint_test").sum() == found["engine"].nunique() >= 2
    wrong = replace(table, joint_test=replace(table.joint_test, f_stat=table.joint_test.f_stat * (1 + 1e-6)))
    again = verify_balance(wrong, data["controls"], data["z"], **asked)
    assert set(again.loc[again["verdict"] == "differs", "outcome"]) == {"joint_test"}


@pytest.mark.parametrize("name", ["estimate", "std_error"])
def test_a_wrong_digit_is_seen_by_every_engine(data, name):
    asked = options(data, "HC1", False)
    table = itt(data["outcomes"], data["z"], **asked)
    right = getattr(table, name)
    nearly = verify_itt(replace(table, **{name: right * (1 + 1e-10)}), data["outcomes"], data["z"], **asked)
    require_agreement(nearly)
    shifted = right * (1 + np.array([0.0, 1e-5]))
    found = verify_itt(replace(table, **{name: shifted}), data["outcomes"], data["z"], **asked)
    differs = found[found["verdict"] == "differs"]
    assert set(differs["outcome"]) == {"gap"}
    assert differs.loc[differs["statistic"] == name, "engine"].nunique() == found["engine"].nunique()
    with pytest.raises(VerificationError, match=f"gap, {name}"):
        require_agreement(found)


def test_an_effect_of_nothing_is_no_false_alarm(data):
    rng = np.random.default_rng(0)
    # An outcome orthogonal to the draw within cells: the estimate is rounding, and has no relative precision.
    design = itt(rng.standard_normal((350, 1)), data["z"], cells=data["cells"])
    y = rng.standard_normal(350)
    from refino_eval.estimation import prepare

    fit = prepare(data["z"], cells=data["cells"]).fit(y)
    y = y - fit.estimates[0] * data["z"]
    table = itt(y, data["z"], cells=data["cells"])
    assert abs(table.estimate[0]) < 1e-14
    assert design.n[0] == table.n[0]
    require_agreement(verify_itt(table, y, data["z"], cells=data["cells"]))


def test_a_perfect_fit_and_one_cell(data):
    table = itt(data["outcomes"][["y"]], data["z"])
    found = verify_itt(table, data["outcomes"][["y"]], data["z"])
    require_agreement(found)
    assert "linearmodels" in set(found["engine"])


def test_fewer_than_two_engines_are_not_enough(data, monkeypatch):
    table = itt(data["outcomes"][["y"]], data["z"], cells=data["cells"])
    asked = {"cells": data["cells"]}
    with pytest.raises(UserError, match="needs two engines"):
        verify_itt(table, data["outcomes"][["y"]], data["z"], engines=["statsmodels"], **asked)
    with pytest.raises(UserError, match="Did you mean 'pyfixest'"):
        verify_itt(table, data["outcomes"][["y"]], data["z"], engines=["pyfixst"], **asked)
    with pytest.raises(UserError, match="the table is of"):
        verify_itt(table, data["outcomes"], data["z"], **asked)
    monkeypatch.setattr(engines_module.importlib.util, "find_spec", lambda name: None)
    found = verify_itt(table, data["outcomes"][["y"]], data["z"], **asked)
    assert set(found["engine"]) == {"statsmodels", "linearmodels"}


def test_too_large_for_dummies_is_told(data, monkeypatch):
    table = itt(data["outcomes"][["y"]], data["z"], cells=data["cells"])
    monkeypatch.setattr(engines_module, "MOST_DUMMIES", 1000)
    with pytest.raises(UserError, match="name engines that absorb"):
        verify_itt(table, data["outcomes"][["y"]], data["z"], cells=data["cells"])
    pytest.importorskip("pyfixest")
    found = verify_itt(
        table, data["outcomes"][["y"]], data["z"], cells=data["cells"], engines=["linearmodels", "pyfixest"]
    )
    require_agreement(found)


def test_the_reference_trial(shared_data):
    trial = pd.read_csv(shared_data / "reference_trial" / "trial.csv")
    controls = trial[["age", "female", "immig", "edu", "earn0", "ben0"]]
    outcomes = trial[["y0", "y1", "y2"]]
    table = itt(outcomes, trial["z"], cells=trial["cell"], controls=controls)
    found = verify_itt(table, outcomes, trial["z"], cells=trial["cell"], controls=controls)
    require_agreement(found)
    assert found["difference"].max() < 1e-9
