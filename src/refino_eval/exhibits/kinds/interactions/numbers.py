"""Numbers of exhibits of kind `interactions`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, weighting


def numbers(exhibit: InteractionsExhibit, context: Context) -> Iterator[Row]:
    """One regression a moderator, with the coefficients of the controls shown, and the joint test of all."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    needed = list(exhibit.moderators)
    complete = cohort[needed].notna().all(axis=1).to_numpy()
    people, values, controls = sample_of(exhibit, cohort.loc[complete].reset_index(drop=True), files, specification)
    table = est.interactions(
        values,
        people["treated"].to_numpy(),
        people[needed],
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    mean_control = float(values.loc[people["treated"] == 0].iloc[:, 0].mean())
    panel = exhibit.specification
    for m, moderator in enumerate(table.moderators):
        n = int(table.n[0, m])
        rows: dict[str, tuple[float, float, float]] = {
            study.treated: (table.main[0, m], table.main_std_error[0, m], table.main_p_value[0, m]),
            f"{study.treated}_x_characteristic": (
                table.estimate[0, m], table.std_error[0, m], table.p_value[0, m],
            ),
        }  # fmt: skip
        regression = next(one for one in table.regressions if one.moderator == moderator)
        for t, term in enumerate(regression.terms):
            if term in people.columns and term != "treated":
                rows[term] = (regression.estimate[t], regression.std_error[t], regression.p_value[t])
        for row, (estimate, error, p_value) in rows.items():
            for statistic, value in (("estimate", estimate), ("std_error", error), ("p_value", p_value)):
                yield cell(row, moderator, statistic, value, n, panel=panel)
        yield cell(study.treated, moderator, "mean_control", mean_control, n, panel=panel)
        yield cell(study.treated, moderator, "n", n, n, panel=panel)
    test = table.joint_test[0]
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell("joint_test", "all", statistic, value, panel=panel)
