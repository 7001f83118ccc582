"""Link the draws into the cohort: arms, cells, covariates, samples, and the flow of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.codes.prices import PriceIndex
from refino_eval.config import definitions as d
from refino_eval.config.evaluation import CLUSTER_COLUMNS, Arms, Population, Sample, SampleStep, Step
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.sql.conditions import rows_that_meet
from refino_eval.sql.quoting import code_text
from refino_eval.trial.arm_codes import arms_from_codes
from refino_eval.trial.covariates import derive_covariates
from refino_eval.trial.entry_by_rule import entry_steps, find_entries
from refino_eval.trial.sample_flow import FlowLine, flow_line

Mask = npt.NDArray[np.bool_]

DRAWN = "drawn_arm"
"""The arm's name of a draw; the register's column keeps its codes, which steps of the population may name."""


@dataclass(frozen=True)
class Cohort:
    """The people of the evaluation, and who was excluded on the way.

    Attributes
    ----------
    frame
        One row a person, ordered by `person_id`: `person_id, arm, treated, draw_date, draw_month`, the strata columns,
        `cell`, `weight` and `cluster` where the evaluation names them, a column of doubles for each covariate, and a boolean column `sample_<name>` for each sample.
    flow
        Lines of the sample flow, in order.
    """

    frame: pd.DataFrame
    flow: tuple[FlowLine, ...]


def link_population(
    *,
    population: Population,
    samples: Mapping[str, Sample],
    arms: Arms,
    strata: tuple[str, ...],
    covariates: Mapping[str, d.Covariate],
    sources: Mapping[str, Source],
    clean: Mapping[str, Path],
    indices: Mapping[str, PriceIndex],
    dropping: Mapping[str, Sequence[str]] | None = None,
) -> Cohort:
    """Build the cohort from clean registers.

    Parameters
    ----------
    population
        Which register holds the draws, and the steps of the flow.
    samples
        The named samples.
    arms
        The two arms with their delivered codes.
    strata
        Columns that together define the cell within which assignment was random; `draw_month` is made here. Without any,
        everybody is in one cell.
    covariates
        Covariates to derive, by name.
    sources, clean
        Sources and clean files of the registers, by name.
    indices
        Price indices, by name.
    dropping
        Specification -> covariates without which it drops people (`missing: drop`), counted in the flow.

    Returns
    -------
    Cohort

    Raises
    ------
    UserError
        When a result of the draw is neither arm, people are drawn twice and no step says which draw counts (or it cannot
        decide), or an arm has nobody left.
    """
    draws, lines = _assigned(population, arms, sources[population.register_name], clean[population.register_name])
    draws = _exclude_missing_strata(draws, strata, lines)
    for step in population.steps:
        hit = _excluded(step, draws, sources[population.register_name], [DRAWN, *strata])
        draws = _exclude(draws, hit, "population", step.reason, lines)
    _one_draw_each(draws, population)
    draws = _exclude_without_design(draws, population, lines)
    draws = draws.sort_values("person_id", ignore_index=True)
    _every_arm(draws, arms)
    frame = pd.DataFrame(
        {
            "person_id": draws["person_id"],
            "arm": draws[DRAWN],
            "treated": draws["treated"],
            "draw_date": draws["draw_date"],
            "draw_month": draws["draw_month"],
        }
    )
    for column in strata:
        frame[column] = draws[column].astype(str)
    for column in population.keep:
        if column not in frame:
            frame[column] = draws[column].map(code_text, na_action="ignore").astype(object)
    if population.weights is not None:
        frame["weight"] = draws[population.weights].astype(float)
    for name, column in zip(CLUSTER_COLUMNS, population.clusters, strict=False):
        frame[name] = draws[column].map(code_text).astype(object)
    frame["cell"] = (
        [" x ".join(row) for row in zip(*(frame[name] for name in strata), strict=True)] if strata else "all"
    )
    derived = derive_covariates(frame, covariates, sources, clean, indices)
    frame = pd.concat([frame, derived.reset_index(drop=True)], axis=1)
    frame = add_samples(frame, samples, lines)
    lines += control_lines(frame, dropping or {})
    return Cohort(frame=frame, flow=tuple(lines))


def _assigned(population: Population, arms: Arms, source: Source, path: Path) -> tuple[pd.DataFrame, list[FlowLine]]:
    """Return the draws, or the entries by rule, and the first lines of the flow."""
    if population.entry is None:
        draws = _draws(population, arms, path)
        return draws, [flow_line("delivered", "", draws, arm=DRAWN)]
    entries = find_entries(population, source, path).rename(columns={"entry_arm": DRAWN})
    entries["treated"] = (entries[DRAWN] != arms.control.name).astype(int)
    entries["draw_date"] = entries["month"].to_numpy(dtype=np.int64).astype("datetime64[M]").astype("datetime64[s]")
    entries["draw_month"] = entries["draw_date"].dt.strftime("%Y-%m")
    lines = [flow_line("delivered", "", entries, arm=DRAWN)]
    left = np.ones(len(entries), dtype=bool)
    for reason, hit in entry_steps(entries, population.entry):
        lines.append(flow_line("population", reason, entries.loc[hit], arm=DRAWN))
        left &= ~hit
    return entries.loc[left].reset_index(drop=True), lines


def _draws(population: Population, arms: Arms, path: Path) -> pd.DataFrame:
    draws = pd.read_parquet(path, dtype_backend="pyarrow").sort_values(
        ["person_id", "source_file", "source_row"], ignore_index=True
    )
    if draws.empty:
        raise UserError(
            f"The register of draws '{population.register_name}' has no clean row. See run/quality_rules.csv for the rules "
            "that rejected its rows."
        )
    where = f"Register '{population.register_name}'"
    drawn = arms_from_codes(draws[population.arm], arms, where=where)
    draws[DRAWN], draws["treated"] = pd.Series(drawn[0], index=draws.index, dtype=object), drawn[1]
    if population.draw_date is not None:
        draws["draw_date"] = pd.Timestamp(population.draw_date)
    else:
        draws["draw_date"] = pd.to_datetime(draws["start"].astype(str))
    draws["draw_month"] = draws["draw_date"].dt.strftime("%Y-%m")
    return draws


def _excluded(step: Step, draws: pd.DataFrame, source: Source, decisive: Sequence[str]) -> Mask:
    """Return which draws a step excludes; `decisive` are the columns in which draws of one day must not differ."""
    if step.first_draw_only:
        _check_first_draws(draws, decisive)
        order = draws.sort_values(["person_id", "draw_date", "source_file", "source_row"]).index
        return draws.loc[order].duplicated("person_id").reindex(draws.index).to_numpy(dtype=bool)
    hit = rows_that_meet(draws, step.exclude, source.columns)
    if step.draw_from is not None or step.draw_to is not None:
        hit = hit & _outside(draws["draw_date"], step)
    return hit


def _outside(dates: pd.Series, step: Step | SampleStep) -> Mask:
    """Return which dates of assignment are outside the limits of a step."""
    outside = np.zeros(len(dates), dtype=bool)
    if step.draw_from is not None:
        outside |= (dates < pd.Timestamp(step.draw_from)).to_numpy()
    if step.draw_to is not None:
        outside |= (dates > pd.Timestamp(step.draw_to)).to_numpy()
    return outside


def _check_first_draws(draws: pd.DataFrame, decisive: Sequence[str]) -> None:
    """Refuse people whose first draws, on one day, differ: the order of the file's lines would decide."""
    first = draws[draws["draw_date"] == draws.groupby("person_id")["draw_date"].transform("min")]
    different = first.groupby("person_id")[list(decisive)].nunique(dropna=False).gt(1).any(axis=1)
    if people := int(different.sum()):
        raise UserError(
            f"{people:,} people have several first draws on the same day that differ in the arm or the stratum, so "
            "`first_draw_only` cannot decide which one counts. Ask who delivered the draws, or exclude these draws by a step "
            "before it in population.steps."
        )


def _exclude(draws: pd.DataFrame, hit: Mask, step: str, reason: str, lines: list[FlowLine]) -> pd.DataFrame:
    lines.append(flow_line(step, reason, draws.loc[hit], arm=DRAWN))
    return draws.loc[~hit].reset_index(drop=True)


def _exclude_missing_strata(draws: pd.DataFrame, strata: tuple[str, ...], lines: list[FlowLine]) -> pd.DataFrame:
    hit = draws[list(strata)].isna().any(axis=1).to_numpy(dtype=bool) if strata else np.zeros(len(draws), dtype=bool)
    return _exclude(draws, hit, "population", "missing_stratum", lines) if hit.any() else draws


def _exclude_without_design(draws: pd.DataFrame, population: Population, lines: list[FlowLine]) -> pd.DataFrame:
    """Exclude draws without a weight (0 is none) or a cluster, where the evaluation names such columns."""
    if population.weights is not None:
        weights = draws[population.weights].astype(float)
        if negative := int((weights < 0).sum()):
            raise UserError(
                f"population.weights: the column '{population.weights}' of the register '{population.register_name}' holds "
                f"{negative:,} negative weights. Weights must be zero or positive."
            )
        hit = (weights.isna() | (weights == 0)).to_numpy(dtype=bool)
        draws = _exclude(draws, hit, "population", "no_weight", lines) if hit.any() else draws
    if population.clusters:
        hit = draws[list(population.clusters)].isna().any(axis=1).to_numpy(dtype=bool)
        draws = _exclude(draws, hit, "population", "missing_cluster", lines) if hit.any() else draws
    return draws


def _one_draw_each(draws: pd.DataFrame, population: Population) -> None:
    repeated = int(draws["person_id"].duplicated().sum())
    if repeated:
        raise UserError(
            f"The register '{population.register_name}' has {repeated:,} draws of people who were drawn before, and no step of "
            "the flow says which draw counts. Add a step with first_draw_only: true to population.steps."
        )


def _every_arm(draws: pd.DataFrame, arms: Arms) -> None:
    empty = [arm.name for arm in arms.everyone if not (draws[DRAWN] == arm.name).any()]
    if empty:
        raise UserError(
            f"After the steps of the flow nobody is left in the arm '{empty[0]}' ({len(draws):,} people in all). Check "
            "population.steps and the codes of the arms."
        )


def add_samples(frame: pd.DataFrame, samples: Mapping[str, Sample], lines: list[FlowLine]) -> pd.DataFrame:
    """Mark each named sample by a boolean column, and add its steps to the flow.

    Parameters
    ----------
    frame
        One row a person, with `arm`, `treated`, covariates and strata.
    samples
        Named samples, wider before narrower.
    lines
        The flow so far; lines are added to it.

    Returns
    -------
    pandas.DataFrame
        `frame` with a column `sample_<name>` for each sample.
    """
    flags: dict[str, Mask] = {}
    for name, sample in samples.items():
        inside = flags[sample.within].copy() if sample.within else np.ones(len(frame), dtype=bool)
        for step in sample.steps:
            if step.complete:
                out = frame[list(step.complete)].isna().any(axis=1).to_numpy(dtype=bool)
            elif step.draw_from is not None or step.draw_to is not None:
                out = _outside(frame["draw_date"], step)
            else:
                out = rows_that_meet(frame, step.exclude)
            lines.append(flow_line(name, step.reason, frame.loc[inside & out]))
            inside &= ~out
        lines.append(flow_line(name, "", frame.loc[inside]))
        flags[name] = inside
    return frame.assign(**{f"sample_{name}": flag for name, flag in flags.items()})


def control_lines(frame: pd.DataFrame, dropping: Mapping[str, Sequence[str]]) -> list[FlowLine]:
    """Count the people of the sample `analysed` whom a specification drops, since a control is missing for them.

    Parameters
    ----------
    frame
        The cohort, with covariates and samples.
    dropping
        Specification -> its controls with `missing: drop`.
    """
    lines = []
    for specification, controls in dropping.items():
        left = (
            frame["sample_analysed"].to_numpy(dtype=bool) if "sample_analysed" in frame else np.ones(len(frame), bool)
        )
        for control in controls:
            hit = left & frame[control].isna().to_numpy(dtype=bool)
            if hit.any():
                lines.append(flow_line(f"specification_{specification}", f"missing_{control}", frame.loc[hit]))
            left = left & ~hit
    return lines
