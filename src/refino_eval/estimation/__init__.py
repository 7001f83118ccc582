"""Estimation: numpy kernel and the analyses that stand on it.

Functions on arrays and data frames, usable alone: no registers, no configuration, no workflow. `kernel` holds the one
regression (cells absorbed, all outcomes at once); `itt`, `balance`, `dynamics` and `late` are its readings; `design`,
`descriptives` and `paths` describe without a model; `controls` and `samples` prepare what goes in.
`randomisation` and `interaction_redraws` take chance from the draw itself, `multiplicity` adjusts within families,
`heterogeneity` and `null_card` read effects by group and null results.
`strata` puts arms' means together cell by cell for `estimands`, `compliers` and the bounds of `attrition`; `take_up`,
`survival` and `nonlinear` look at participation, durations and probabilities; `specification_curve`, `leave_one_out`
and `stepwise` vary the choices; `verify` asks other programs for the same numbers.
"""

from refino_eval.estimation.core.arrays import Missing, Singletons, Vcov
from refino_eval.estimation.core.coefficient_tests import Inference, WaldTest, t_inference, wald_test
from refino_eval.estimation.core.controls import ControlMatrix, ControlTerm, build_controls
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.preparation import prepare, prepare_columns
from refino_eval.estimation.core.samples import CommonSample, common_sample, missing_patterns
from refino_eval.estimation.effects.attrition import (
    Bounds,
    attrition,
    horowitz_manski_bounds,
    imbens_manski,
    lee_bounds,
)
from refino_eval.estimation.effects.balance import BalanceTable, DrawRegression, balance
from refino_eval.estimation.effects.compliers import (
    ComplierMeans,
    ComplierTable,
    ReweightedLate,
    complier_means,
    complier_profile,
    late_reweighted,
)
from refino_eval.estimation.effects.descriptives import DescriptiveTable, Moments, describe, moments
from refino_eval.estimation.effects.design import DesignSummary, DesignTable, design_table
from refino_eval.estimation.effects.dynamics import DynamicEffects, cumulate, dynamics, sup_t
from refino_eval.estimation.effects.estimands import EstimandTable, estimands
from refino_eval.estimation.effects.heterogeneity import (
    InteractionTable,
    Regression,
    SubgroupTable,
    interactions,
    subgroups,
)
from refino_eval.estimation.effects.itt import EffectTable, itt
from refino_eval.estimation.effects.late import AndersonRubinSet, LateTable, anderson_rubin_set, late
from refino_eval.estimation.effects.leave_one_out import LeaveOneOut, leave_one_out
from refino_eval.estimation.effects.monthly_paths import PathTable, paths, widen
from refino_eval.estimation.effects.nonlinear import LogitTable, logit
from refino_eval.estimation.effects.null_card import NullCard, null_card
from refino_eval.estimation.effects.ranked_states import NONE, RankedStates, Stays, rank_states, share_interval, stays
from refino_eval.estimation.effects.specification_curve import (
    SpecificationCurve,
    Variant,
    all_variants,
    specification_curve,
)
from refino_eval.estimation.effects.stepwise import Stepwise, stepwise
from refino_eval.estimation.effects.survival import HazardRatio, LogRank, SurvivalTable, cox, log_rank, survival_shares
from refino_eval.estimation.effects.take_up import (
    FirstStage,
    StarterTable,
    ever_started,
    first_stage,
    starters,
    take_up_paths,
)
from refino_eval.estimation.randomisation.assignments import Scheme
from refino_eval.estimation.randomisation.exact_sets import ExactSet, invert_coefficients, invert_studentised
from refino_eval.estimation.randomisation.interaction_permutations import InteractionTest, interaction_test
from refino_eval.estimation.randomisation.multiplicity import (
    MultiplicityTable,
    OmnibusTest,
    bootstrap_statistics,
    multiplicity,
    omnibus_test,
    sharpened_q,
    step_down,
)
from refino_eval.estimation.randomisation.permutation_test import RandomisationTable, StatisticDraws, randomisation_test
from refino_eval.estimation.verification.verify import (
    VerificationError,
    require_agreement,
    verify_balance,
    verify_itt,
    verify_late,
)

__all__ = [
    "NONE",
    "AndersonRubinSet",
    "BalanceTable",
    "Bounds",
    "CommonSample",
    "ComplierMeans",
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
    "ExactSet",
    "FirstStage",
    "Fit",
    "HazardRatio",
    "Inference",
    "InteractionTable",
    "InteractionTest",
    "LateTable",
    "LeaveOneOut",
    "LogRank",
    "LogitTable",
    "Missing",
    "Moments",
    "MultiplicityTable",
    "NullCard",
    "OmnibusTest",
    "PathTable",
    "RandomisationTable",
    "RankedStates",
    "Regression",
    "ReweightedLate",
    "Scheme",
    "Singletons",
    "SpecificationCurve",
    "StarterTable",
    "StatisticDraws",
    "Stays",
    "Stepwise",
    "SubgroupTable",
    "SurvivalTable",
    "Variant",
    "Vcov",
    "VerificationError",
    "WaldTest",
    "all_variants",
    "anderson_rubin_set",
    "attrition",
    "balance",
    "bootstrap_statistics",
    "build_controls",
    "common_sample",
    "complier_means",
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
    "interaction_test",
    "interactions",
    "invert_coefficients",
    "invert_studentised",
    "itt",
    "late",
    "late_reweighted",
    "leave_one_out",
    "lee_bounds",
    "log_rank",
    "logit",
    "missing_patterns",
    "moments",
    "multiplicity",
    "null_card",
    "omnibus_test",
    "paths",
    "prepare",
    "prepare_columns",
    "randomisation_test",
    "rank_states",
    "require_agreement",
    "share_interval",
    "sharpened_q",
    "specification_curve",
    "starters",
    "stays",
    "step_down",
    "stepwise",
    "subgroups",
    "sup_t",
    "survival_shares",
    "t_inference",
    "take_up_paths",
    "verify_balance",
    "verify_itt",
    "verify_late",
    "wald_test",
    "widen",
]
