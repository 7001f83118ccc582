"""The reference trial: values on which several independent programs agree (expected.csv)."""

from __future__ import annotations

import pandas as pd
import pytest

from refino_eval.estimation import design_table, itt, late

CONTROLS = ["age", "female", "immig", "edu", "earn0", "ben0"]


@pytest.fixture(scope="module")
def trial(shared_data):
    return pd.read_csv(shared_data / "reference_trial" / "trial.csv")


@pytest.fixture(scope="module")
def expected(shared_data):
    table = pd.read_csv(shared_data / "reference_trial" / "expected.csv", dtype={"value": str})
    return dict(zip(table["quantity"], table["value"], strict=True))


def effect(trial, vcov="HC1", singletons="keep"):
    return itt(
        trial[["y1"]], trial["z"], cells=trial["cell"], controls=trial[CONTROLS], vcov=vcov, singletons=singletons
    )


def ratio(trial, vcov="HC1"):
    return late(trial[["y1"]], trial["d"], trial["z"], cells=trial["cell"], controls=trial[CONTROLS], vcov=vcov)


QUANTITIES = {
    "coefficient on z": lambda t: effect(t).estimate[0],
    "se HC0": lambda t: effect(t, "HC0").std_error[0],
    "se HC1 (N=4901 K=250)": lambda t: effect(t).std_error[0],
    "se HC1 (singletons dropped N=4899 K=248)": lambda t: effect(t, singletons="drop").std_error[0],
    "se HC2": lambda t: effect(t, "HC2").std_error[0],
    "se HC3": lambda t: effect(t, "HC3").std_error[0],
    "2SLS coefficient of d instrumented by z": lambda t: ratio(t).estimate[0],
    "2SLS se HC1": lambda t: ratio(t).std_error[0],
    "2SLS se HC2": lambda t: ratio(t, "HC2").std_error[0],
    "first-stage F (HC1)": lambda t: ratio(t).first_stage_f[0],
    "AR 95% set homoskedastic low": lambda t: ratio(t).ar_set_iid[0].low,
    "AR 95% set homoskedastic high": lambda t: ratio(t).ar_set_iid[0].high,
}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_equals_the_programs_that_agree(trial, expected, quantity):
    printed = expected[quantity]
    last_digit = 10.0 ** -len(printed.partition(".")[2])
    # The printed digits bound what can be asked; beyond them 1e-9 relative.
    allowed = max(0.5 * last_digit * (1 + 1e-9), 1e-9 * abs(float(printed)))
    assert abs(QUANTITIES[quantity](trial) - float(printed)) <= allowed


def test_every_expected_value_is_tested(expected):
    assert set(expected) == set(QUANTITIES)


def test_sizes(trial):
    keep, drop = effect(trial), effect(trial, singletons="drop")
    assert (keep.n[0], keep.n_parameters[0], keep.df[0]) == (4901, 250, 4651)
    assert (drop.n[0], drop.n_parameters[0], drop.df[0]) == (4899, 248, 4651)
    told = design_table(trial["z"], trial["cell"]).summary
    assert (told.n_cells, told.n_singleton_cells, told.n_one_arm_cells, told.n_in_one_arm_cells) == (243, 2, 8, 37)
