"""The same effect under every declared choice of outcome, controls, sample, variance and singletons.

A curve answers one question: does the conclusion hang on a choice that could as well have been made otherwise? It is
a description, not a test: variants share their people, and are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    Labels,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    check_choice,
    check_cluster,
    check_level,
)
from refino_eval.estimation.core.outcome_groups import prepare_passes
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
        One row a variant, in increasing order of estimates within outcomes (as declared): place (1, 2, ...),
        outcome, controls, sample, vcov, singletons, estimate, std_error, p_value, conf_low, conf_high, df,
        mean_control, n, n_cells, and fault (why a variant could not be estimated, else empty).
    level
        Confidence level; significant means p below 1 - level.
    """

    frame: pd.DataFrame
    level: float

    def summary(self, by: str = "outcome") -> pd.DataFrame:
        """Summarise the variants that share a choice.

        Parameters
        ----------
        by
            ``outcome``, ``controls``, ``sample``, ``vcov`` or ``singletons``. Outcomes in different units should not
            be put together, so that the other choices are told within each outcome.

        Returns
        -------
        DataFrame
            One row an outcome (and value of ``by``): variants, estimated, median, lowest, highest, share_positive,
            share_significant, share_significant_positive, share_significant_negative, median_std_error. Shares are of
            the variants estimated.
        """
        keys = ["outcome"] if by == "outcome" else ["outcome", by]
        absent = [key for key in keys if key not in _CHOICES]
        if absent:
            raise UserError(f"No choice '{by}' to summarise by.{nearest(by, _CHOICES)}")
        rows = [
            dict(zip(keys, key, strict=True)) | _summary(part, 1 - self.level)
            for key, part in self.frame.groupby(keys, sort=False)
        ]
        return pd.DataFrame(rows)


_CHOICES = ("outcome", "controls", "sample", "vcov", "singletons")
_TOLD = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "df", "mean_control", "n", "n_cells")


def _summary(part: pd.DataFrame, alpha: float) -> dict[str, float]:
    known = part[part["fault"] == ""]
    effect, found = known["estimate"], known["p_value"] < alpha
    # Means and medians of no variant are NaN.
    return {
        "variants": len(part),
        "estimated": len(known),
        "median": float(effect.median()),
        "lowest": float(effect.min()),
        "highest": float(effect.max()),
        "share_positive": float((effect > 0).mean()),
        "share_significant": float(found.mean()),
        "share_significant_positive": float((found & (effect > 0)).mean()),
        "share_significant_negative": float((found & (effect < 0)).mean()),
        "median_std_error": float(known["std_error"].median()),
    }


def specification_curve(
    outcomes: Columns,
    treated: Vector,
    variants: Sequence[Variant],
    *,
    cells: Labels | None = None,
    controls: Mapping[str, Columns] | None = None,
    samples: Mapping[str, npt.ArrayLike] | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    level: float = 0.95,
) -> SpecificationCurve:
    """Estimate the effect of the draw under every variant.

    Parameters
    ----------
    outcomes
        All outcomes that variants name, shape (n, J), missing as NaN (each has its own people).
    treated
        The draw, 0 or 1, shape (n,).
    variants
        The declared list.
    controls
        Named sets of columns, shape (n, k) each.
    samples
        Named samples, boolean of shape (n,).
    cells, weights, cluster, level
        As in `itt.itt`; the cluster serves the variants with vcov ``CRV1``.

    Raises
    ------
    UserError
        When variants are repeated or name what is not there, all faults at once. A variant that cannot be estimated
        (its sample empty, its draw constant) keeps its row with the fault instead.
    """
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes")
    controls, samples = dict(controls or {}), dict(samples or {})
    raise_problems(_faults(variants, found, controls, samples, cluster is not None))
    masks = {name: as_mask(mask, drawn.size) for name, mask in samples.items()}
    rows: dict[Variant, dict[str, object]] = {}
    groups: dict[tuple[str, str, Singletons], list[Variant]] = {}
    for one in variants:
        groups.setdefault((one.controls, one.sample, one.singletons), []).append(one)
    for (beside, sample, singletons), members in groups.items():
        names = tuple(dict.fromkeys(one.outcome for one in members))
        tables = _estimate(
            values[:, [found.index(name) for name in names]],
            names,
            drawn,
            {one.vcov for one in members},
            cells=cells,
            controls=controls.get(beside),
            weights=weights,
            cluster=cluster,
            singletons=singletons,
            rows=masks.get(sample),
            level=level,
        )
        rows |= {one: tables[one.outcome, one.vcov] for one in members}
    frame = pd.DataFrame([{key: getattr(one, key) for key in _CHOICES} | rows[one] for one in variants])
    rank = {name: k for k, name in enumerate(dict.fromkeys(one.outcome for one in variants))}
    frame = frame.assign(_rank=frame["outcome"].map(rank)).sort_values(["_rank", "estimate"], kind="stable")
    frame = frame.drop(columns="_rank").reset_index(drop=True)
    frame.insert(0, "place", frame.groupby("outcome", sort=False).cumcount() + 1)
    return SpecificationCurve(frame=frame, level=level)


def _faults(
    variants: Sequence[Variant],
    outcomes: tuple[str, ...],
    controls: Mapping[str, Columns],
    samples: Mapping[str, npt.ArrayLike],
    clustered: bool,
) -> list[str]:
    faults = [] if variants else ["A specification curve needs at least one variant; declare the choices to vary."]
    repeated = len(variants) - len(set(variants))
    if repeated:
        faults.append(f"{repeated} of {len(variants)} variants repeat an earlier one; declare each once.")
    for what, used, known in (
        ("outcome", {one.outcome for one in variants}, outcomes),
        ("set of controls", {one.controls for one in variants} - {""}, tuple(controls)),
        ("sample", {one.sample for one in variants} - {""}, tuple(samples)),
    ):
        faults.extend(
            f"Variants name an unknown {what} '{name}'.{nearest(name, known)}" for name in sorted(used - set(known))
        )
    for one in variants:
        check_choice(one.vcov, Vcov, what="vcov")
    if not clustered and any(one.vcov == "CRV1" for one in variants):
        faults.append("Variants with vcov 'CRV1' need a cluster, and none was given.")
    return faults


def _estimate(
    values: FloatArray,
    names: tuple[str, ...],
    drawn: FloatArray,
    vcovs: set[Vcov],
    *,
    cells: Labels | None,
    controls: Columns | None,
    weights: Vector | None,
    cluster: Labels | None,
    singletons: Singletons,
    rows: BoolArray | None,
    level: float,
) -> dict[tuple[str, Vcov], dict[str, object]]:
    """Estimate all outcomes of one right-hand side; when they fail together, each by itself, so that one fault stays one."""
    told: dict[tuple[str, Vcov], dict[str, object]] = {}
    try:
        passes = prepare_passes(
            values, names, drawn, cells=cells, controls=controls, weights=weights, cluster=cluster,
            singletons=singletons, missing="available", rows=rows,
        )  # fmt: skip
        fits = [one.fit(values) for one in passes]
        for vcov in sorted(vcovs):
            check_cluster(cluster if vcov == "CRV1" else None, vcov)
            table = effect_table(passes, fits, values, names, drawn, vcov=vcov, level=level)
            told |= {(name, vcov): _row(table, k) for k, name in enumerate(names)}
    except UserError as fault:
        if len(names) == 1:
            empty: dict[str, object] = dict.fromkeys(_TOLD, np.nan)
            return {
                (names[0], vcov): empty | {"n": 0, "n_cells": 0, "fault": " ".join(fault.problems)} for vcov in vcovs
            }
        for k, name in enumerate(names):
            told |= _estimate(
                values[:, [k]], (name,), drawn, vcovs, cells=cells, controls=controls, weights=weights,
                cluster=cluster, singletons=singletons, rows=rows, level=level,
            )  # fmt: skip
    return told


def _row(table: EffectTable, k: int) -> dict[str, object]:
    return {name: getattr(table, name)[k] for name in _TOLD} | {"fault": ""}
