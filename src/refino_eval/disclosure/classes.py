"""Classes of output: which risks the numbers of an exhibit have, and so which rules protect them.

A kind of exhibit has one class; a kind without one is refused, since nobody has said what protects it. Inside an exhibit, a
statistic may have a treatment that differs from the others': counts are counts wherever they are.
"""

from __future__ import annotations

from typing import Literal

from refino_eval.config.exhibits import MODELS
from refino_eval.errors import UserError

DisclosureClass = Literal[
    "frequency", "mean", "share", "regression", "quantile", "survival", "path", "density", "flow", "money", "published"
]
"""`published` is computed from published numbers alone; `density` is the shares of people in classes of a number; `quantile` is
differences between quantiles of two arms, each of which is the value of a person."""

KIND_CLASSES: dict[str, DisclosureClass] = {
    "flow": "flow",
    "attrition": "regression",
    "draws": "frequency",
    "stock": "frequency",
    "design": "frequency",
    "counts": "frequency",
    "sites": "frequency",
    "descriptives": "mean",
    "balance": "regression",
    "itt": "regression",
    "tests": "regression",
    "null_card": "regression",
    "bars": "path",
    "paths": "path",
    "effects": "regression",
    "time_to_event": "survival",
    "programme_starts": "share",
    "take_up": "share",
    "ever_started": "share",
    "starters": "regression",
    "selective_exits": "regression",
    "spell_survival": "survival",
    "late": "regression",
    "fall_back": "regression",
    "compliers": "regression",
    "estimands": "regression",
    "specification_curve": "regression",
    "binary_models": "regression",
    "count_models": "regression",
    "quantile_effects": "quantile",
    "quantile_curve": "quantile",
    "stepwise": "regression",
    "leave_one_out": "regression",
    "interactions": "regression",
    "interaction_grid": "regression",
    "subgroups": "regression",
    "break_even": "money",
    "net_benefit": "money",
    "payments": "money",
    "payment_comparison": "money",
    "listing": "regression",
    "overlap": "regression",
    "propensity_scores": "density",
    "adjusted_differences": "regression",
    "unobserved_confounding": "regression",
    "confounding_contours": "regression",
    "measured_costs": "money",
    "cost_per_outcome": "money",
    "net_value": "money",
    "provider_pricing": "money",
}
"""The class of each kind whose numbers are about people; a kind that is computed from published inputs alone is `published`."""

Treatment = Literal["count", "people", "share", "mean", "spread", "effect", "plain", "extreme", "percentile"]
"""How a statistic is protected.

count: people in a cell of a table; people: the number of people behind a statistic; share: a count divided by people; mean; spread:
a standard deviation; effect: an estimate or a function of estimates; plain: a fact of the design or the method that is about no
person (a number of cells, a p-value's limit); extreme and percentile.
"""

STATISTIC_TREATMENTS: dict[str, Treatment] = {
    "count": "count",
    **dict.fromkeys(("n", "n_treated", "n_control", "n_left_out", "df_residual"), "people"),
    **dict.fromkeys(("share", "trimmed_share", "share_always"), "share"),
    **dict.fromkeys(("mean", "mean_treated", "mean_control"), "mean"),
    **dict.fromkeys(("sd", "sd_treated", "sd_control"), "spread"),
    **dict.fromkeys(("df", "n_cells", "n_clusters", "margin", "not_made", "stated"), "plain"),
}
"""Statistics with a treatment of their own; every other statistic of the closed list is an effect."""

VALUE_TREATMENTS: dict[str, Treatment] = {
    **dict.fromkeys(
        (
            "collinear",
            "filled",
            "trimmed_arm",
            "sup_t",
            "example",
            "upper",
            "months_stated",
            "cost_stated",
            "price",
            "score_price",
            "score_quality",
            "score",
            "repeated",
        ),
        "plain",
    ),
    **dict.fromkeys(("n_cells", "n_one_arm_cells", "n_singleton_cells"), "plain"),
    **dict.fromkeys(("n", "n_treated", "n_control", "n_in_one_arm_cells", "n_informative"), "count"),
    **dict.fromkeys(
        (
            "effective_n",
            "equal_draw_n",
            "least",
            "most",
            "participant_months",
            "bias_scale",
            "interval_scale",
            "at_low_end",
            "at_high_end",
            "without_last",
            "margin",
        ),
        "effect",
    ),
    **dict.fromkeys(("effective_before", "effective_ate", "effective_att"), "effect"),
    "share_treated": "share",
    **dict.fromkeys(("share_min", "share_max", "size_min", "size_max"), "extreme"),
    **dict.fromkeys(("share_median", "size_median", "median", "first_percentile", "last_percentile"), "percentile"),
}
"""What the statistic `value` is, by the row or column that it has; any other is suppressed, since nobody has said what it is."""

TAILS = {"first_percentile": 0.01, "last_percentile": 0.01}
"""Columns that are percentiles, with the share of people beyond; every other percentile is a median."""


def tail_of(disclosure_class: DisclosureClass, row: str, column: str) -> float:
    """Return the share of people beyond a percentile; of a difference between two arms' quantiles the people are those of both."""
    if disclosure_class == "quantile":
        share = float(row) / 100
        return min(share, 1 - share) / 2
    return TAILS.get(column, 0.5)


SHARES_OF_METHOD = ("extreme", "robustness_value", "robustness_value_interval", "loss")
"""Rows whose share is one of variance or probability, not of people."""

POPULATIONS = ("people", "participants", "starters", "drawn")
"""Rows whose count is the size of the population of an exhibit."""

COUNTS_OF_METHOD = ("redraws", "variants", "estimated", "below_level")
"""Rows whose count is one of permutations, specifications or tests, not of people."""


def treatment_of(disclosure_class: DisclosureClass, row: str, column: str, statistic: str) -> Treatment | None:
    """Return how a number is protected; None for a `value` that is not known."""
    if disclosure_class == "published":
        return "plain"
    if statistic == "value":
        return VALUE_TREATMENTS.get(column, VALUE_TREATMENTS.get(row))
    treatment = STATISTIC_TREATMENTS.get(statistic, "effect")
    if disclosure_class == "quantile" and statistic == "estimate" and row[:1].isdigit():
        return "percentile"
    if statistic == "share" and _is_share_of_method(disclosure_class, row):
        return "effect"
    if column in TAILS and treatment == "mean":
        return "percentile"
    if statistic in ("count", "n") and row in COUNTS_OF_METHOD:
        return "plain"
    if statistic == "count" and _is_size_of_group(disclosure_class, row):
        treatment = "people"
    # In a table of counts, the people of a cell are what it shows, not what is behind a statistic.
    return "count" if treatment == "people" and disclosure_class in ("frequency", "flow") else treatment


def _is_share_of_method(disclosure_class: DisclosureClass, row: str) -> bool:
    """Return whether a share is one of variance, probability or estimates, not of people."""
    return row in SHARES_OF_METHOD or (row == "all" and disclosure_class == "regression")


def _is_size_of_group(disclosure_class: DisclosureClass, row: str) -> bool:
    """Return whether a count is the size of a group that statistics are about."""
    return disclosure_class in ("path", "regression", "mean") or row in POPULATIONS


def class_of_kind(kind: str) -> DisclosureClass:
    """Return the class of a kind of exhibit.

    Raises
    ------
    UserError
        When the kind has none: its numbers may not be released.
    """
    if kind in MODELS and not MODELS[kind].about_people:
        return "published"
    if kind not in KIND_CLASSES:
        raise UserError(
            f"The kind of exhibit '{kind}' has no class of disclosure control, so no rule protects its numbers. Leave its exhibits out "
            "of the release, or give the kind a class in refino_eval/disclosure/classes.py."
        )
    return KIND_CLASSES[kind]
