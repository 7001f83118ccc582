"""Specification curves: one effect under every declared choice of outcome, controls, sample, variance and singletons.

A curve shows whether the conclusion depends on a choice that could as well have been made otherwise. It is
a description, not a test: variants share their people, and are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov, is_clustered
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    Labels,
    Singletons,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    check_choice,
    check_level,
)
from refino_eval.estimation.core.outcome_groups import group_outcomes
from refino_eval.estimation.core.regression_inputs import RegressionInputs, unchecked_inputs
from refino_eval.estimation.effects.itt import EffectTable, effect_table


@dataclass(frozen=True)
class Variant:
    """One way to estimate: names of an outcome, a set of controls and a sample (empty: none, everybody)."""

    outcome: str
    controls: str = ""
    sample: str = ""
    vcov: Vcov = "HC1"
    singletons: Singletons = "keep"


def all_variants(
    outcomes: Sequence[str],
    *,
    controls: Sequence[str] = ("",),
    samples: Sequence[str] = ("",),
    vcovs: Sequence[Vcov] = ("HC1",),
    singletons: Sequence[Singletons] = ("keep",),
) -> list[Variant]:
    """Return every combination of the choices."""
    return [Variant(*choice) for choice in product(outcomes, controls, samples, vcovs, singletons)]


@dataclass(frozen=True, eq=False)
class SpecificationCurve:
    """Estimates under every variant.

    Attributes
    ----------
    frame
        One row per variant, in increasing order of estimates within outcomes (as declared): place (1, 2, ...),
        outcome, controls, sample, vcov, singletons, estimate, std_error, p_value, conf_low, conf_high, df,
        mean_control, n, n_cells, fault (why a variant could not be estimated, else empty) and source (of the estimate).
    level
        Confidence level; significant means p below 1 - level.
    """

    frame: pd.DataFrame
    level: float


_CHOICES = ("outcome", "controls", "sample", "vcov", "singletons")
_STATISTICS = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "df", "mean_control", "n", "n_cells")


def specification_curve(
    outcomes: Columns,
    treated: Vector,
    variants: Sequence[Variant],
    *,
    controls: Mapping[str, Columns] | None = None,
    samples: Mapping[str, npt.ArrayLike] | None = None,
    cells: Labels | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    level: float = 0.95,
    interacted: bool = False,
    own_controls: Mapping[str, Sequence[str]] | None = None,
    absorbed: Sequence[str] = (),
) -> SpecificationCurve:
    """Estimate the effect of treatment under every variant.

    Parameters
    ----------
    outcomes
        All outcomes that variants name, shape (n, J), missing as NaN (each has its own people).
    treated
        Assignment to treatment, 0 or 1, shape (n,).
    variants
        The declared list.
    controls
        Named sets of columns, shape (n, k) each.
    samples
        Named samples, boolean of shape (n,).
    cells, weights, cluster, level, interacted, own_controls, absorbed
        As in `itt.itt`; the cluster serves the variants with a clustered vcov.

    Raises
    ------
    UserError
        When variants are repeated or name what is not there, all problems at once. A variant that cannot be estimated
        (its sample empty, its treatment constant) keeps its row with the problem instead.
    """
    check_level(level)
    inputs = unchecked_inputs(as_treated(treated), cells=cells, weights=weights, cluster=cluster, level=level)
    inputs = replace(inputs, interacted=interacted, own_controls=own_controls or {}, absorbed=absorbed)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes")
    matrices = {name: as_columns(matrix, inputs.n_rows, what="controls") for name, matrix in (controls or {}).items()}
    masks = {name: as_mask(mask, inputs.n_rows) for name, mask in (samples or {}).items()}
    raise_problems(_problems(variants, labels, matrices, masks, inputs.cluster is not None))
    rows: dict[Variant, dict[str, object]] = {}
    # Variants with the same right-hand side and people are estimated together.
    alike: dict[tuple[str, str, Singletons], list[Variant]] = {}
    for one in variants:
        alike.setdefault((one.controls, one.sample, one.singletons), []).append(one)
    for (control_set, sample, singletons), members in alike.items():
        names = tuple(dict.fromkeys(one.outcome for one in members))
        chosen = replace(inputs, singletons=singletons, missing="available", rows=masks.get(sample, inputs.rows))
        if control_set:
            chosen = chosen.adjusted_for(*matrices[control_set])
        tables = _estimate(
            values[:, [labels.index(name) for name in names]], names, {one.vcov for one in members}, chosen
        )
        rows |= {one: tables[one.outcome, one.vcov] for one in members}
    frame = pd.DataFrame([{key: getattr(one, key) for key in _CHOICES} | rows[one] for one in variants])
    return SpecificationCurve(frame=_in_order(frame), level=inputs.level)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort the variants by estimate within outcomes, which stay as declared, and number them."""
    rank = {name: k for k, name in enumerate(frame["outcome"].unique())}
    frame = frame.assign(_rank=frame["outcome"].map(rank)).sort_values(["_rank", "estimate"], kind="stable")
    frame = frame.drop(columns="_rank").reset_index(drop=True)
    frame.insert(0, "place", frame.groupby("outcome", sort=False).cumcount() + 1)
    return frame


def _problems(
    variants: Sequence[Variant],
    outcomes: tuple[str, ...],
    controls: Iterable[str],
    samples: Iterable[str],
    clustered: bool,
) -> list[str]:
    problems = [] if variants else ["A specification curve needs at least one variant; declare the choices to vary."]
    repeated = len(variants) - len(set(variants))
    if repeated:
        problems.append(f"{repeated} of {len(variants)} variants repeat an earlier one; declare each once.")
    for what, used, valid in (
        ("outcome", {one.outcome for one in variants}, outcomes),
        ("set of controls", {one.controls for one in variants} - {""}, tuple(controls)),
        ("sample", {one.sample for one in variants} - {""}, tuple(samples)),
    ):
        problems.extend(
            f"Variants name an unknown {what} '{name}'.{nearest(name, valid)}" for name in sorted(used - set(valid))
        )
    for vcov in sorted({one.vcov for one in variants}):
        check_choice(vcov, Vcov, what="vcov")
        if is_clustered(vcov) and not clustered:
            problems.append(f"Variants with vcov '{vcov}' need a cluster, and none was given.")
    return problems


def _estimate(
    values: FloatArray, names: tuple[str, ...], vcovs: set[Vcov], inputs: RegressionInputs
) -> dict[tuple[str, Vcov], dict[str, object]]:
    """Estimate all outcomes of one right-hand side; when that fails, each separately, so that one problem stays with one."""
    results: dict[tuple[str, Vcov], dict[str, object]] = {}
    try:
        groups = group_outcomes(values, names, inputs)
        fits = [group.fit(values) for group in groups]
        for vcov in sorted(vcovs):
            table = effect_table(groups, fits, values, names, replace(inputs, vcov=vcov))
            results |= {(name, vcov): _row(table, k) for k, name in enumerate(names)}
    except UserError as error:
        if len(names) == 1:
            empty: dict[str, object] = dict.fromkeys(_STATISTICS, np.nan)
            empty |= {"n": 0, "n_cells": 0, "fault": " ".join(error.problems), "source": None}
            return {(names[0], vcov): empty for vcov in vcovs}
        for k, name in enumerate(names):
            results |= _estimate(values[:, [k]], (name,), vcovs, inputs)
    return results


def _row(table: EffectTable, k: int) -> dict[str, object]:
    return {name: getattr(table, name)[k] for name in _STATISTICS} | {"fault": "", "source": table.sources[k]}
