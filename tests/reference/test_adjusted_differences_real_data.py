"""Who took part in a workplace wellness programme (Jones, Molitor and Reif 2019): adjusted comparisons, by statsmodels too.

The study compares participants with non-participants next to its experiment, and concludes that the comparison is confounded: leaving
the job differs by -0.080 in the comparison and by -0.022 (0.018) as the effect of participation in the experiment (QJE 134(4), Table 4).
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.treatment.treatment_effects import TreatmentEffect

from refino_eval.estimation import adjusted_differences, itt, unobserved_confounding

CONTROLS = ["male", "age50", "age37_49", "white", "sickleave_0815_0716"]


@pytest.fixture(scope="module")
def employees(shared_data):
    table = pd.read_csv(shared_data / "iwws" / "firm_admin.csv", low_memory=False)
    return table[table["treat"] == 1]


def test_methods_equal_statsmodels_on_a_real_comparison(employees):
    y, z = employees["terminated_0717"].to_numpy(float), employees["hra_c_yr1"].to_numpy(float)
    table = adjusted_differences(y, z, controls=employees[CONTROLS], vcov="HC0")
    columns = sm.add_constant(employees[CONTROLS].to_numpy(float))
    model = TreatmentEffect(
        sm.OLS(y, columns), z.astype(int), results_select=sm.Logit(z, columns).fit(disp=0, tol=1e-12)
    )
    for method, p, result in (
        ("ipw", 0, model.ipw()), ("ipw", 1, model.ipw(effect_group=1)), ("aipw", 0, model.aipw()),
        ("regression_adjustment", 0, model.ra()), ("regression_adjustment", 1, model.ra(effect_group=1)),
    ):  # fmt: skip
        m = table.methods.index(method)
        assert table.estimate[m, p, 0] == pytest.approx(float(np.ravel(result.effect)[0]), rel=1e-6), method
        assert table.std_error[m, p, 0] == pytest.approx(float(result.results_gmm.bse[0]), rel=1e-4), method
    # All four agree with each other: the functional form is not what is wrong with the comparison.
    assert np.ptp(table.estimate[:, 0, 0]) < table.std_error[:, 0, 0].min() / 2


def test_the_published_confounded_comparison_is_clear_and_a_negative_control_shows_it(employees):
    z = employees["hra_c_yr1"].to_numpy(float)
    raw = itt(employees["terminated_0717"], z)
    assert round(float(raw.estimate[0]), 2) == -0.08
    sensitivity = unobserved_confounding(
        employees["terminated_0717"], z, {"age": ["age50", "age37_49"]}, controls=employees[CONTROLS]
    )
    assert 0 < sensitivity.robustness_value_interval[0] < sensitivity.robustness_value[0] < 0.25
    # The gym in the year before the programme cannot be an effect of it; with controls the arms still differ.
    before = itt(employees["gym_0815_0716"], z, controls=employees[CONTROLS])
    assert before.p_value[0] < 0.01
