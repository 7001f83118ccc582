"""Inputs of a regression: keywords and one object are the same, columns of a frame are read by name, faults are reported."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.covariances import CLUSTERED, COVARIANCES, Vcov
from refino_eval.errors import UserError

ANALYSES = {
    "itt": lambda t, treated, **options: est.itt(t.y, treated, **options).std_error,
    "late": lambda t, treated, **options: est.late(t.y, t.take_up, treated, **options).std_error,
    "dynamics": lambda t, treated, **options: est.dynamics(t.y, treated, times=range(4), **options).band_low,
    "subgroups": lambda t, treated, **options: est.subgroups(t.y, treated, t.cells % 2, **options).std_error,
    "leave_one_out": lambda t, treated, **options: est.leave_one_out(t.y, treated, t.cells % 2, **options).std_error,
    "tests": lambda t, treated, **options: est.randomisation_test(t.y, treated, draws=9, **options).p_value,
}


@pytest.mark.parametrize("name", ANALYSES)
def test_one_object_gives_what_keywords_give(trial, name):
    t = trial(3)
    options = {"cells": t.cells, "controls": t.controls, "weights": t.weights, "vcov": "HC2", "rows": t.cells != 2}
    inputs = est.regression_inputs(t.z, **options)
    np.testing.assert_array_equal(ANALYSES[name](t, inputs), ANALYSES[name](t, t.z, **options))
    with pytest.raises(TypeError, match="options are part of the inputs"):
        ANALYSES[name](t, inputs, cells=t.cells)


@pytest.mark.parametrize("name", ANALYSES)
def test_unknown_option_is_refused(trial, name):
    t = trial(3)
    with pytest.raises(UserError, match=r"unknown option: strata.*given as 'cells'"):
        ANALYSES[name](t, t.z, strata=t.cells)


def test_columns_of_a_frame_are_read_by_name(trial):
    t = trial(4)
    frame = pd.DataFrame(t.controls, columns=["age", "hours", "wage"]).assign(
        z=t.z, county=t.cells // 3, month=t.cells % 3, w=t.weights, office=t.cluster
    )
    inputs = est.RegressionInputs.from_frame(
        frame, "z", cells=["county", "month"], controls=["age", "hours"], weights="w", cluster="office", vcov="CRV1"
    )
    same = est.itt(
        t.y, t.z, cells=t.cells, controls=t.controls[:, :2], weights=t.weights, cluster=t.cluster, vcov="CRV1"
    )
    np.testing.assert_allclose(est.itt(t.y, inputs).std_error, same.std_error, rtol=1e-12)
    assert inputs.control_names == ("age", "hours")


def test_people_in_question_are_narrowed_and_never_widened(trial):
    t = trial(5)
    inputs = est.regression_inputs(t.z, cells=t.cells, rows=t.cells != 1)
    assert inputs.among(t.cells != 2).rows.sum() == np.sum((t.cells != 1) & (t.cells != 2))
    assert replace(inputs, level=0.9).level == 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vcov": "HC9"}, "Unknown vcov 'HC9'"),
        ({"vcov": "CRV1"}, "cluster is absent"),
        ({"cluster": [0, 1, 0, 1], "vcov": "HC1"}, "cluster is given"),
        ({"level": 95}, "for 95 per cent"),
        ({"weights": [1, 0, 1, 1]}, "1 of 4 rows are not"),
        ({"cells": [1, 2]}, "cells has 2 rows where 4"),
        ({"singletons": "lose"}, "Unknown singletons convention"),
        ({"missing": "drop"}, "Unknown rule for missing outcomes"),
        ({"rows": [1, 1, 1, 0]}, "boolean mask"),
    ],
)
def test_invalid_option_is_reported(options, message):
    with pytest.raises(UserError, match=message):
        est.regression_inputs([0, 1, 0, 1], **options)


@pytest.mark.parametrize(
    ("analysis", "options"),
    [
        (lambda t, **o: est.balance(t.controls, t.z, **o), {"controls": "controls"}),
        (lambda t, **o: est.stepwise(t.y, t.z, {"all": t.controls}, **o), {"controls": "controls"}),
        (lambda t, **o: est.response_model(t.take_up, t.z, vcov="iid", **o), {"weights": "weights"}),
        (lambda t, **o: est.cox(t.weights, t.take_up, t.z, **o), {"weights": "weights"}),
        (lambda t, **o: est.log_rank(t.weights, t.take_up, t.z, **o), {"controls": "controls"}),
    ],
)
def test_option_that_an_analysis_does_not_use_is_refused(trial, analysis, options):
    t = trial(6)
    with pytest.raises(UserError, match=f"takes no {next(iter(options))}"):
        analysis(t, **{name: getattr(t, column) for name, column in options.items()})


def test_every_covariance_is_registered_once():
    assert set(get_args(Vcov)) == set(COVARIANCES)
    assert CLUSTERED == ("CR2", "CR3", "CRV1", "CRV1_nested")
    assert COVARIANCES["HC1"].factor(n=100, df_resid=80) == 100 / 80
    assert COVARIANCES["CRV1"].factor(n=100, df_resid=80, n_clusters=10) == pytest.approx(10 / 9 * 99 / 80)
    nested = COVARIANCES["CRV1_nested"].factor(n=100, df_resid=80, n_clusters=10, n_nested=5)
    assert nested == pytest.approx(10 / 9 * 99 / 85)
    assert all(COVARIANCES[name].factor(n=100, df_resid=80) == 1.0 for name in ("iid", "HC0", "HC2", "HC3"))
