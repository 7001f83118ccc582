"""Ways in which a peer gives another number without a word, kept so that nobody "repairs" ours towards them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.errors import UserError
from refino_eval.estimation import itt, late

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    n = 400
    frame = pd.DataFrame({"cell": rng.integers(0, 30, n), "x": rng.standard_normal(n)})
    frame["z"] = (rng.random(n) < rng.uniform(0.3, 0.9, 30)[frame["cell"]]).astype(float)
    frame["d"] = (rng.random(n) < 0.2 + 0.5 * frame["z"]).astype(float)
    frame["y"] = frame["d"] + rng.normal(0, 2, 30)[frame["cell"]] + rng.standard_normal(n)
    return frame


def test_absorbing_reads_an_integer_cell_as_a_trend(frame):
    from linearmodels.iv.absorbing import AbsorbingLS

    mine = itt(frame[["y"]], frame["z"], cells=frame["cell"]).estimate[0]

    def absorbed(cells):
        exogenous = frame[["z"]].assign(one=1.0)
        return AbsorbingLS(frame["y"], exogenous, absorb=cells, drop_absorbed=True).fit().params["z"]

    assert absorbed(frame[["cell"]].astype("category")) == pytest.approx(mine, rel=1e-9)
    assert abs(absorbed(frame[["cell"]].astype(float)) / mine - 1) > 1e-3


def test_two_stages_on_demeaned_data_forget_the_cells(frame):
    from linearmodels.iv import IV2SLS

    columns = frame[["y", "d", "z"]]
    within = columns - columns.groupby(frame["cell"]).transform("mean")
    by_hand = IV2SLS(within["y"], None, within["d"], within["z"]).fit(cov_type="unadjusted", debiased=True)
    mine = late(frame[["y"]], frame["d"], frame["z"], cells=frame["cell"], vcov="iid")
    assert by_hand.params["d"] == pytest.approx(mine.estimate[0], rel=1e-9)
    factor = np.sqrt((400 - 1) / mine.df[0])
    assert by_hand.std_errors["d"] * factor == pytest.approx(mine.std_error[0], rel=1e-9)


def test_statsmodels_robust_p_values_are_normal_unless_told(frame):
    x = np.column_stack((frame["z"], pd.get_dummies(frame["cell"]).to_numpy(float)))
    mine = itt(frame[["y"]], frame["z"], cells=frame["cell"]).p_value[0]
    model = sm.OLS(frame["y"].to_numpy(), x)
    assert model.fit(cov_type="HC1", use_t=True).pvalues[0] == pytest.approx(mine, rel=1e-9)
    assert model.fit(cov_type="HC1").pvalues[0] < mine


def test_pyfixest_drops_a_treatment_that_a_control_repeats(frame):
    pf = pytest.importorskip("pyfixest")
    doubled = frame.assign(a_copy=1 - frame["z"])
    kept = pf.feols("y ~ a_copy + z | cell", doubled, fixef_rm="none").coef().index.tolist()
    assert kept != ["a_copy", "z"]
    with pytest.raises(UserError, match="'treated' is collinear with the controls"):
        itt(doubled[["y"]], doubled["z"], cells=doubled["cell"], controls=doubled[["a_copy"]])
