"""Estimation: a numpy kernel and the analyses that use it.

Functions on arrays and data frames, usable alone: no registers, no configuration, no workflow.

>>> from refino_eval import estimation as est
>>> inputs = est.RegressionInputs.from_frame(people, "treated", cells=["county", "month"], controls=["age"], vcov="HC2")
>>> est.itt(people[["employed", "wage"]], inputs).to_frame()
>>> est.itt(people["wage"], people["treated"], cells=people["county"], vcov="HC2").to_frame()

Every analysis takes its outcomes and `RegressionInputs`, or treatment and the same options as keywords.

core
    The regression: `RegressionInputs`, absorbed cells, the kernel (all outcomes at once), samples, controls, Wald tests,
    and `strata` (arms' means combined cell by cell).
effects
    `itt`, `late`, `balance`, `dynamics`, `interactions`, `subgroups`, `estimands`, bounds, compliers, participation,
    durations, probabilities, and what varies or describes them; `overlap`, `adjusted_differences` and
    `unobserved_confounding` for comparisons without random assignment.
randomisation
    `randomisation_test`, exact confidence sets, and `multiplicity` within families of tests.
verification
    Recorded regressions estimated again by independent programs.
"""

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.absorbed_cells import fewest_clusters
from refino_eval.estimation.core.arrays import Missing, Singletons
from refino_eval.estimation.core.coefficient_tests import Inference, WaldTest, t_inference, wald_test
from refino_eval.estimation.core.controls import ControlMatrix, ControlTerm, build_controls, control_term
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.nonresponse import ResponseWeights, nonresponse_weights
from refino_eval.estimation.core.preparation import prepare, prepare_columns
from refino_eval.estimation.core.regression_inputs import RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import CommonSample, common_sample, missing_patterns
from refino_eval.estimation.effects.adjusted_differences import AdjustedDifferences, adjusted_differences
from refino_eval.estimation.effects.attrition import (
    Bounds,
    attrition,
    horowitz_manski_bounds,
    imbens_manski,
    lee_bounds,
)
from refino_eval.estimation.effects.balance import BalanceTable, TreatmentRegression, balance
from refino_eval.estimation.effects.compliers import ComplierMeans, ComplierTable, complier_means, complier_profile
from refino_eval.estimation.effects.descriptives import Moments, mean_std_error, moments
from refino_eval.estimation.effects.design import DesignSummary, DesignTable, design_table
from refino_eval.estimation.effects.dynamics import DynamicEffects, cumulate, dynamics, joint_effects, sup_t
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
from refino_eval.estimation.effects.null_card import NullCard, null_card
from refino_eval.estimation.effects.predicted_outcomes import predicted_without_treatment
from refino_eval.estimation.effects.propensity import Overlap, overlap
from refino_eval.estimation.effects.ranked_states import NONE, RankedStates, Stays, rank_states, share_interval, stays
from refino_eval.estimation.effects.several_arms import ArmEffects, arm_effects
from refino_eval.estimation.effects.specification_curve import (
    SpecificationCurve,
    Variant,
    all_variants,
    specification_curve,
)
from refino_eval.estimation.effects.stepwise import Stepwise, stepwise
from refino_eval.estimation.effects.take_up import FirstStage, StarterTable, ever_started, first_stage, starters
from refino_eval.estimation.effects.unobserved_confounding import (
    Benchmark,
    ConfoundingTable,
    unobserved_confounding,
)
from refino_eval.estimation.models.nonlinear import ResponseTable, response_model
from refino_eval.estimation.models.quantiles import QuantileTable, quantile_differences, quantile_regression
from refino_eval.estimation.models.survival import (
    HazardRatio,
    LogRank,
    SurvivalTable,
    cox,
    log_rank,
    survival_shares,
)
from refino_eval.estimation.randomisation.assignments import Scheme, drawn_assignments
from refino_eval.estimation.randomisation.exact_sets import ExactSet, invert_coefficients, invert_studentised
from refino_eval.estimation.randomisation.multiplicity import (
    MultiplicityTable,
    OmnibusTest,
    multiplicity,
    omnibus_test,
    sharpened_q,
    step_down,
)
from refino_eval.estimation.randomisation.null_distribution import StatisticDraws
from refino_eval.estimation.randomisation.permutation_test import RandomisationTable, randomisation_test
from refino_eval.estimation.randomisation.refitted_draws import arms_test
from refino_eval.estimation.randomisation.wild_bootstrap import wild_cluster_p_values
from refino_eval.estimation.verification.reestimation import VerificationError

__all__ = [
    "NONE",
    "AdjustedDifferences",
    "AndersonRubinSet",
    "ArmEffects",
    "BalanceTable",
    "Benchmark",
    "Bounds",
    "CommonSample",
    "ComplierMeans",
    "ComplierTable",
    "ConfoundingTable",
    "ControlMatrix",
    "ControlTerm",
    "Design",
    "DesignSummary",
    "DesignTable",
    "DynamicEffects",
    "EffectTable",
    "EstimandTable",
    "ExactSet",
    "FirstStage",
    "Fit",
    "HazardRatio",
    "Inference",
    "InteractionTable",
    "LateTable",
    "LeaveOneOut",
    "LogRank",
    "Missing",
    "Moments",
    "MultiplicityTable",
    "NullCard",
    "OmnibusTest",
    "Overlap",
    "PathTable",
    "QuantileTable",
    "RandomisationTable",
    "RankedStates",
    "Regression",
    "RegressionInputs",
    "ResponseTable",
    "ResponseWeights",
    "Scheme",
    "Singletons",
    "SpecificationCurve",
    "StarterTable",
    "StatisticDraws",
    "Stays",
    "Stepwise",
    "SubgroupTable",
    "SurvivalTable",
    "TreatmentRegression",
    "Variant",
    "Vcov",
    "VerificationError",
    "WaldTest",
    "adjusted_differences",
    "all_variants",
    "anderson_rubin_set",
    "arm_effects",
    "arms_test",
    "attrition",
    "balance",
    "build_controls",
    "common_sample",
    "complier_means",
    "complier_profile",
    "control_term",
    "cox",
    "cross_product",
    "cumulate",
    "design_table",
    "drawn_assignments",
    "dynamics",
    "estimands",
    "ever_started",
    "fewest_clusters",
    "first_stage",
    "horowitz_manski_bounds",
    "imbens_manski",
    "interactions",
    "invert_coefficients",
    "invert_studentised",
    "itt",
    "joint_effects",
    "late",
    "leave_one_out",
    "lee_bounds",
    "log_rank",
    "mean_std_error",
    "missing_patterns",
    "moments",
    "multiplicity",
    "nonresponse_weights",
    "null_card",
    "omnibus_test",
    "overlap",
    "paths",
    "predicted_without_treatment",
    "prepare",
    "prepare_columns",
    "quantile_differences",
    "quantile_regression",
    "randomisation_test",
    "rank_states",
    "regression_inputs",
    "response_model",
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
    "unobserved_confounding",
    "wald_test",
    "widen",
    "wild_cluster_p_values",
]
