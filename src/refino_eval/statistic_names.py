"""The closed list of statistics: what a number of an exhibit, or a published number, may be."""

from __future__ import annotations

STATISTICS = frozenset(
    {
        "estimate", "std_error", "t_stat", "p_value", "conf_low", "conf_high", "band_low", "band_high",
        "mean", "mean_treated", "mean_control", "mean_control_std_error", "sd", "sd_treated", "sd_control", "percent_of_control",
        "n", "n_treated", "n_control", "n_cells", "n_clusters", "count", "share", "weight",
        "r_squared", "f_stat", "chi2", "df", "df_residual", "normalised_difference",
        "p_value_ri", "p_value_wild", "p_value_fwer", "p_value_holm", "p_value_equivalence", "q_value", "mde", "margin",
        "rejected_below", "rejected_above", "ar_low", "ar_high", "n_left_out", "value",
        "ratio", "bound_low", "bound_high", "bound_low_std_error", "bound_high_std_error", "trimmed_share", "share_always",
        "break_even", "not_made", "stated",
    }
)  # fmt: skip
"""Statistics of our exhibits. `not_made` is the only row of an exhibit that could not be computed. `break_even` is the effect at which a difference in cost is repaid. `stated` is copied from a document."""

PUBLISHED_STATISTICS = (STATISTICS - {"not_made"}) | {"difference"}
"""Statistics of published numbers: `difference` is a difference that a document shows without an error; ours are estimates."""
