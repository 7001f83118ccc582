"""Numbers of exhibits of kind `balance`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.balance.model import MISSING, BalanceExhibit
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows, joint_test_rows
from refino_eval.exhibits.numbers.study import Context, Row, Study, cell, of_arm, weighting


def numbers(exhibit: BalanceExhibit, context: Context) -> Iterator[Row]:
    """Regress treatment on each covariate alone and on all together, within cells."""
    cohort, study = context.cohort, context.study
    table = est.balance(
        cohort[list(exhibit.covariates)],
        cohort["treated"].to_numpy(),
        cells=cohort["cell"] if exhibit.strata else None,
        vcov=exhibit.vcov,
        missing=exhibit.missing,
        **weighting(cohort, exhibit.vcov),
    )
    regressions = () if exhibit.regress == "covariates" else (("alone", table.alone), ("joint", table.together))
    for column, part in regressions:
        for k, covariate in enumerate(table.covariates):
            yield from effect_rows(covariate, column, part, k, statistics=(*EFFECT[:3], "r_squared", "n"))
            if column == "alone":
                yield cell(covariate, column, "mean_control", table.differences.mean_control[k], int(part.n[k]))
    test = table.joint_test
    n = int(table.together.n[0])
    yield from joint_test_rows("joint_test", "joint", test, n=n)
    if exhibit.regress == "covariates":
        # The regressions of treatment, which are not shown, would have said how many people there are.
        yield cell("joint_test", "joint", "n", n, n)
    if exhibit.regress != "treatment":
        yield from _differences(table, study)
    yield from _missing(exhibit, context)


def _missing(exhibit: BalanceExhibit, context: Context) -> Iterator[Row]:
    """Count the people of each arm who lack a covariate, for the covariates that somebody lacks."""
    cohort, study = context.cohort, context.study
    for covariate in exhibit.covariates:
        lacking = cohort[covariate].isna().to_numpy()
        if lacking.any():
            for arm in (study.treated, study.control):
                count = int((lacking & of_arm(cohort, arm, study)).sum())
                yield cell(covariate, arm, "count", count, count, panel=MISSING)


def _differences(table: est.BalanceTable, study: Study) -> Iterator[Row]:
    gap = table.differences
    for k, covariate in enumerate(table.covariates):
        for column, arm in ((study.treated, "treated"), (study.control, "control")):
            n = int(getattr(gap, f"n_{arm}")[k])
            for statistic, value in (("mean", f"mean_{arm}"), ("sd", f"sd_{arm}")):
                yield cell(covariate, column, statistic, getattr(gap, value)[k], n, panel="differences")
            yield cell(covariate, column, "n", n, n, panel="differences")
        n = int(gap.n[k])
        yield from effect_rows(covariate, "difference", gap, k, statistics=EFFECT[:3], panel="differences")
        yield cell(
            covariate, "normalised", "normalised_difference", table.normalised_difference[k], n, panel="differences"
        )
