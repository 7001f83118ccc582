"""Estimation: numpy kernel and the analyses that stand on it.

Functions on arrays and data frames, usable alone: no registers, no configuration, no workflow. `kernel` holds the one
regression (cells absorbed, all outcomes at once); `itt`, `balance`, `dynamics` and `late` are its readings; `design`,
`descriptives` and `paths` describe without a model; `controls` and `samples` prepare what goes in.
"""

from refino_eval.estimation.attrition import Bounds, attrition, horowitz_manski_bounds, imbens_manski, lee_bounds
from refino_eval.estimation.balance import BalanceTable, DrawRegression, balance
from refino_eval.estimation.compliers import ComplierTable, ReweightedLate, complier_profile, late_reweighted
from refino_eval.estimation.controls import ControlMatrix, ControlTerm, build_controls
from refino_eval.estimation.descriptives import DescriptiveTable, Moments, describe, moments
from refino_eval.estimation.design import DesignSummary, DesignTable, design_table
from refino_eval.estimation.dynamics import DynamicEffects, cumulate, dynamics, sup_t
from refino_eval.estimation.estimands import EstimandTable, estimands
from refino_eval.estimation.inference import Inference, WaldTest, t_inference, wald_test
from refino_eval.estimation.inputs import Missing, Singletons, Vcov
from refino_eval.estimation.itt import EffectTable, itt
from refino_eval.estimation.kernel import Design, Fit, cross_product
from refino_eval.estimation.late import AndersonRubinSet, LateTable, anderson_rubin_set, late
from refino_eval.estimation.paths import PathTable, paths, widen
from refino_eval.estimation.preparation import prepare, prepare_columns
from refino_eval.estimation.samples import CommonSample, common_sample, missing_patterns
from refino_eval.estimation.survival import HazardRatio, SurvivalTable, cox, survival_shares
from refino_eval.estimation.take_up import FirstStage, StarterTable, ever_started, first_stage, starters, take_up_paths

__all__ = [
    "AndersonRubinSet",
    "BalanceTable",
    "Bounds",
    "CommonSample",
    "ComplierTable",
    "ControlMatrix",
    "ControlTerm",
    "DescriptiveTable",
    "Design",
    "DesignSummary",
    "DesignTable",
    "DrawRegression",
    "DynamicEffects",
    "EffectTable",
    "EstimandTable",
    "FirstStage",
    "Fit",
    "HazardRatio",
    "Inference",
    "LateTable",
    "Missing",
    "Moments",
    "PathTable",
    "ReweightedLate",
    "Singletons",
    "StarterTable",
    "SurvivalTable",
    "Vcov",
    "WaldTest",
    "anderson_rubin_set",
    "attrition",
    "balance",
    "build_controls",
    "common_sample",
    "complier_profile",
    "cox",
    "cross_product",
    "cumulate",
    "describe",
    "design_table",
    "dynamics",
    "estimands",
    "ever_started",
    "first_stage",
    "horowitz_manski_bounds",
    "imbens_manski",
    "itt",
    "late",
    "late_reweighted",
    "lee_bounds",
    "missing_patterns",
    "moments",
    "paths",
    "prepare",
    "prepare_columns",
    "starters",
    "sup_t",
    "survival_shares",
    "t_inference",
    "take_up_paths",
    "wald_test",
    "widen",
]
