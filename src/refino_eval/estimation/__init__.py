"""Estimation: numpy kernel and the analyses that stand on it.

Functions on arrays and data frames, usable alone: no registers, no configuration, no workflow. `kernel` holds the one
regression (cells absorbed, all outcomes at once); `itt`, `balance`, `dynamics` and `late` are its readings; `design`,
`descriptives` and `paths` describe without a model; `controls` and `samples` prepare what goes in.
"""

from refino_eval.estimation.balance import BalanceTable, DrawRegression, balance
from refino_eval.estimation.controls import ControlMatrix, ControlTerm, build_controls
from refino_eval.estimation.descriptives import DescriptiveTable, Moments, describe, moments
from refino_eval.estimation.design import DesignSummary, DesignTable, design_table
from refino_eval.estimation.dynamics import DynamicEffects, cumulate, dynamics, sup_t
from refino_eval.estimation.inference import Inference, WaldTest, t_inference, wald_test
from refino_eval.estimation.inputs import Missing, Singletons, Vcov
from refino_eval.estimation.itt import EffectTable, itt
from refino_eval.estimation.kernel import Design, Fit, cross_product
from refino_eval.estimation.late import AndersonRubinSet, LateTable, anderson_rubin_set, late
from refino_eval.estimation.paths import PathTable, paths, widen
from refino_eval.estimation.preparation import prepare, prepare_columns
from refino_eval.estimation.samples import CommonSample, common_sample, missing_patterns

__all__ = [
    "AndersonRubinSet",
    "BalanceTable",
    "CommonSample",
    "ControlMatrix",
    "ControlTerm",
    "DescriptiveTable",
    "Design",
    "DesignSummary",
    "DesignTable",
    "DrawRegression",
    "DynamicEffects",
    "EffectTable",
    "Fit",
    "Inference",
    "LateTable",
    "Missing",
    "Moments",
    "PathTable",
    "Singletons",
    "Vcov",
    "WaldTest",
    "anderson_rubin_set",
    "balance",
    "build_controls",
    "common_sample",
    "cross_product",
    "cumulate",
    "describe",
    "design_table",
    "dynamics",
    "itt",
    "late",
    "missing_patterns",
    "moments",
    "paths",
    "prepare",
    "prepare_columns",
    "sup_t",
    "t_inference",
    "wald_test",
    "widen",
]
