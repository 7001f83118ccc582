"""Every variant of a specification curve is the ITT asked for."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import Variant, all_variants, itt, specification_curve


@pytest.fixture
def data(trial):
    t = trial(1, n=300)
    outcomes = pd.DataFrame(t.y[:, :2], columns=["a", "b"])
    outcomes.loc[7:20, "b"] = np.nan
    half = np.arange(300) < 200
    return t, outcomes, {"few": t.controls[:, :1], "all": t.controls}, {"first": half}


def test_every_variant_is_its_own_itt(data):
    t, outcomes, controls, samples = data
    variants = all_variants(
        ["b", "a"],
        controls=["", "few", "all"],
        samples=["", "first"],
        vcovs=["iid", "HC2", "CRV1"],
        singletons=["keep", "drop"],
    )
    assert len(variants) == 72
    curve = specification_curve(
        outcomes, t.z, variants, cells=t.cells, controls=controls, samples=samples, cluster=t.cluster
    )
    assert len(curve.frame) == 72
    assert curve.frame["fault"].eq("").all()
    for row in curve.frame.itertuples():
        table = itt(
            outcomes[[row.outcome]], t.z, cells=t.cells, controls=controls.get(row.controls), vcov=row.vcov,
            cluster=t.cluster if row.vcov == "CRV1" else None, singletons=row.singletons, missing="available",
            rows=samples.get(row.sample),
        )  # fmt: skip
        assert row.estimate == pytest.approx(table.estimate[0], rel=1e-10)
        assert row.std_error == pytest.approx(table.std_error[0], rel=1e-10)
        assert (row.n, row.df) == (table.n[0], table.df[0])
    for outcome, part in curve.frame.groupby("outcome"):
        assert part["estimate"].is_monotonic_increasing, outcome
        assert part["place"].tolist() == list(range(1, 37))
    assert curve.frame["outcome"].iloc[0] == "b", "outcomes stay as declared"


def test_a_variant_that_cannot_be_estimated_keeps_its_row(data):
    t, outcomes, _, _ = data
    outcomes = outcomes.assign(treated_only=np.where(t.z == 1, 1.0, np.nan))
    curve = specification_curve(outcomes, t.z, all_variants(["a", "treated_only"]), cells=t.cells)
    rows = curve.frame.set_index("outcome")
    assert rows.loc["a", "fault"] == ""
    assert "constant within every cell" in rows.loc["treated_only", "fault"]
    assert np.isnan(rows.loc["treated_only", "estimate"])


def test_all_faults_of_the_list_at_once(data):
    t, outcomes, controls, samples = data
    wrong = [Variant("a", "alll"), Variant("a", "alll"), Variant("c"), Variant("a", "", "frist", "CRV1")]
    with pytest.raises(UserError) as raised:
        specification_curve(outcomes, t.z, wrong, controls=controls, samples=samples)
    told = str(raised.value)
    assert len(raised.value.problems) == 5
    assert "1 of 4 variants repeat" in told
    assert "Did you mean 'all'" in told
    assert "Did you mean 'first'" in told
    assert "need a cluster" in told
    with pytest.raises(UserError, match="at least one variant"):
        specification_curve(outcomes, t.z, [])
