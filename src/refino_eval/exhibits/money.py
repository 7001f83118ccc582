"""From printed inputs, estimates and clean registers to the numbers of exhibits about money.

Costs are computed from the inputs of their definition alone. Break-even and net benefit take the effects from another
exhibit of the same run, and estimate the difference in cost a person drawn, and its covariance with each effect, from the
months that people were in either programme. Payments are the rules applied to clean spells.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import exhibits as x
from refino_eval.economics.break_even import Estimate, RatioSet, break_even_effect, fieller, net_benefit
from refino_eval.economics.programme_costs import CostTable, cost_table, outcome_values
from refino_eval.economics.provider_payments import Codes, PaymentTotal, Registers, participants, total
from refino_eval.economics.spells import Spell
from refino_eval.exhibits.inference import sample_of
from refino_eval.exhibits.people import PersonFiles, Row, Study, cell, weighting
from refino_eval.exhibits.tidy import read_tidy
from refino_eval.published.values import printed_numbers

STEPS = {"monthly_price": "monthly_price", "duration": "duration", "cost": "paid"}
"""Rows of a cost table -> steps of `economics.costs`, below its inputs."""
UNITS = ("participant", "drawn")
"""Whom a difference in cost is told for: a participant, at the printed duration; a person drawn, at the months taken part."""
MILLION = 1e6
DAYS_A_MONTH = 365.25 / 12


def costs(exhibit: x.CostsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Give inputs, monthly price, duration and cost by arm, and the differences."""
    table = _table(exhibit.costs, exhibit.basis, files, study)
    yearly = study.costs[exhibit.costs].bases[exhibit.basis].kind == "yearly_prices"
    arms = (study.treated, study.control)
    for row in dict.fromkeys(row for row, _ in table.inputs):
        values = [table.inputs[row, arm] for arm in arms]
        # Accounts are printed in thousands; totals of a country and of a trial have no difference worth telling.
        scale = 1000.0 if row == "payments" else 1.0
        for arm, value in zip(arms, values, strict=True):
            yield cell(row, arm, "value", value / scale)
        if yearly:
            yield cell(row, "difference", "value", values[0] - values[1])
    for row, step in STEPS.items():
        shown = "average" if yearly and row == "monthly_price" else row
        for arm in arms:
            yield cell(shown, arm, "value", getattr(table.arms[arm], step))
        if row != "duration":
            yield cell(shown, "difference", "value", table.difference(step, *arms))


def social_costs(
    exhibit: x.SocialCostsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Give the treated programme's saving step by step (paid, without VAT, with tax cost), and the effect that outweighs it."""
    tables = {basis: _table(exhibit.costs, basis, files, study) for basis in exhibit.bases}
    arms = (study.treated, study.control)
    for row, step in (
        ("monthly_price", "monthly_price"),
        ("cost", "paid"),
        ("without_vat", "without_vat"),
        ("saving", "social"),
    ):
        for basis, table in tables.items():
            yield cell(row, basis, "value", -table.difference(step, *arms))
    first = next(iter(tables.values()))
    yield cell("vat", "", "value", 100.0 * first.vat_rate)
    yield cell("tax_cost", "", "value", 100.0 * first.tax_cost)
    saving = -_table(exhibit.costs, exhibit.break_even_basis, files, study).difference("social", *arms)
    values = outcome_values(study.costs[exhibit.costs], _published(files))
    for value in exhibit.values:
        yield cell("gain", value, "value", values[value] / MILLION)
        yield cell("saving", value, "value", round(saving, -3))
        yield cell("break_even", value, "value", 100.0 * break_even_effect(saving, values[value]))


def break_even(
    exhibit: x.BreakEvenExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Give each effect with its interval, the difference in cost, the effect that repays it, and the net benefit."""
    level = study.specifications[exhibit.specification].level
    found = _weighed(exhibit, cohort, files, study)
    values = outcome_values(study.costs[exhibit.costs], _published(files))
    for unit in UNITS:
        cost = found.costs[unit]
        n = found.n if cost.std_error else None
        yield from _estimate("cost", "difference", cost, level, n, panel=unit)
        for arm, mean in found.means[unit].items():
            yield cell("cost", arm, "mean", mean, n, panel=unit)
        for key, effect in found.effects.items():
            covariance = found.covariances[key] if unit == "drawn" else 0.0
            for value in exhibit.values:
                yield cell(key, value, "break_even", break_even_effect(cost.value, values[value]), panel=unit)
                benefit = net_benefit(effect, cost, values[value], covariance=covariance)
                yield from _estimate(key, value, benefit, level, found.n, panel=unit)
            yield from _ratio(key, cost, effect, covariance, level, unit)
    for key, effect in found.effects.items():
        yield from _estimate(key, study.treated, effect, level, found.n, panel="effect")
    for value in exhibit.values:
        yield cell("value", value, "value", values[value], panel="effect")


def net_benefits(
    exhibit: x.NetBenefitExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Give the net benefit a person drawn at values of an outcome from nothing to the highest; rows are kroner."""
    level = study.specifications[exhibit.specification].level
    found = _weighed(exhibit, cohort, files, study)
    values = outcome_values(study.costs[exhibit.costs], _published(files))
    grid = [round(value) for value in np.linspace(0.0, exhibit.highest, exhibit.points)]
    for key, effect in found.effects.items():
        for value in grid:
            benefit = net_benefit(effect, found.costs["drawn"], value, covariance=found.covariances[key])
            for statistic, number in zip(
                ("estimate", "conf_low", "conf_high"), (benefit.value, *benefit.interval(level)), strict=True
            ):
                yield cell(str(value), "net_benefit", statistic, number, found.n, panel=key)
    for value in exhibit.values:
        yield cell("value", value, "value", values[value])


@dataclass(frozen=True)
class _Weighed:
    """Effects, differences in cost by unit, arms' mean costs, and covariances of effects with the cost a person drawn."""

    effects: Mapping[str, Estimate]
    costs: Mapping[str, Estimate]
    means: Mapping[str, Mapping[str, float]]
    covariances: Mapping[str, float]
    n: int


def _weighed(
    exhibit: x.BreakEvenExhibit | x.NetBenefitExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study
) -> _Weighed:
    table = _table(exhibit.costs, exhibit.basis, files, study)
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(_Columns(exhibit), cohort, files, specification)
    spent = sum(table.arms[arm].monthly_social * values[f"months_{arm}"] for arm in exhibit.months)
    outcomes = values[list(exhibit.columns)]
    # One outcome is weighed by the ratio of spreads, so that neither part of the sum drowns the other.
    weights = {key: float(np.std(spent) / np.std(outcomes[key])) for key in exhibit.columns}
    regressed = pd.DataFrame(
        {**outcomes, "cost": spent, **{f"{key} less cost": weights[key] * outcomes[key] - spent for key in weights}}
    )
    effects = est.itt(
        regressed,
        people["treated"].to_numpy(),
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    row = dict(zip(effects.outcomes, range(len(effects.outcomes)), strict=True))
    variance = np.asarray(effects.std_error) ** 2
    drawn = row["cost"]
    return _Weighed(
        effects=_effects_of(exhibit, files, study),
        costs={
            "participant": Estimate(table.difference("social", study.treated, study.control), 0.0),
            "drawn": Estimate(
                float(effects.estimate[drawn]), float(effects.std_error[drawn]), float(effects.df[drawn])
            ),
        },
        means={
            "participant": {arm: table.arms[arm].social for arm in (study.treated, study.control)},
            "drawn": {
                study.treated: float(effects.mean_treated[drawn]),
                study.control: float(effects.mean_control[drawn]),
            },
        },
        covariances={
            key: float(weight**2 * variance[row[key]] + variance[drawn] - variance[row[f"{key} less cost"]])
            / (2.0 * weight)
            for key, weight in weights.items()
        },
        n=int(effects.n[drawn]),
    )


class _Columns:
    """Outcomes and months as columns of one sample: who lacks any of them is in none."""

    def __init__(self, exhibit: x.BreakEvenExhibit | x.NetBenefitExhibit) -> None:
        self.columns = {**exhibit.columns, **{f"months_{arm}": name for arm, name in exhibit.months.items()}}


def _effects_of(
    exhibit: x.BreakEvenExhibit | x.NetBenefitExhibit, files: PersonFiles, study: Study
) -> dict[str, Estimate]:
    """Read the effects of the same run."""
    frame = read_tidy(files.aggregates[exhibit.effects])
    frame = frame[(frame["panel"] == exhibit.specification) & (frame["row"] == study.treated)]
    number = frame.set_index(["column", "statistic"])["value"]
    return {
        key: Estimate(*(float(number[key, statistic]) for statistic in ("estimate", "std_error", "df")))
        for key in exhibit.columns
    }


def _estimate(row: str, column: str, told: Estimate, level: float, n: int | None, *, panel: str) -> Iterator[Row]:
    yield cell(row, column, "estimate", told.value, n, panel=panel)
    if told.std_error > 0:
        low, high = told.interval(level)
        for statistic, value in (("std_error", told.std_error), ("conf_low", low), ("conf_high", high)):
            yield cell(row, column, statistic, value, n, panel=panel)


def _ratio(key: str, cost: Estimate, effect: Estimate, covariance: float, level: float, unit: str) -> Iterator[Row]:
    """Give the values of an outcome at which the two programmes come out even, as a set."""
    found: RatioSet = fieller(cost, effect, covariance=covariance, level=level)
    status = "" if found.kind == "interval" else f"ratio_{found.kind}"
    yield cell(key, "ratio", "estimate", cost.value / effect.value if effect.value else math.nan, panel=unit)
    yield cell(key, "ratio", "conf_low", found.low, panel=unit, status=status)
    yield cell(key, "ratio", "conf_high", found.high, panel=unit, status=status)


def payments(
    exhibit: x.PaymentsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Give participants, milestones and payments a participant, by set of rules (panel) and arm (column)."""
    registers = _registers(exhibit, cohort, files)
    codes = Codes(contracts=exhibit.contracts, wage_subsidy=frozenset(exhibit.wage_subsidy))
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    for arm, programmes in exhibit.programmes.items():
        drawn = cohort.loc[cohort["treated"] == int(arm == study.treated), ["person_id", "draw_date"]]
        people = participants(drawn, registers, programmes=programmes, codes=codes)
        yield cell("drawn", arm, "count", len(drawn), len(drawn))
        yield from _duration_rows([person.programme for person in people], arm, observed_to)
        for label in exhibit.payments:
            told = total(people, study.payments[label], observed_to=observed_to)
            yield from _payment_rows(told, arm, label, exhibit.bid)


def _duration_rows(spells: list[Spell], arm: str, observed_to: dt.date) -> Iterator[Row]:
    """Give the participants' mean months in the programme; who is still there counts to the last day observed."""
    days = [(min(spell.stop or observed_to, observed_to) - spell.start).days for spell in spells]
    months = np.array(days, dtype=np.float64) / DAYS_A_MONTH
    n = len(months)
    yield cell("duration", arm, "mean", float(months.mean()) if n else math.nan, n)
    yield cell("duration", arm, "sd", float(months.std(ddof=1)) if n > 1 else math.nan, n)
    yield cell("duration", arm, "n", n, n)


def _payment_rows(told: PaymentTotal, arm: str, label: str, bid: float | None) -> Iterator[Row]:
    n = told.participants
    yield cell("participants", arm, "count", n, n, panel=label)
    for milestone in told.milestones:
        for status, count in milestone.counts.items():
            yield cell(f"{milestone.milestone}:{status}", arm, "count", count, count, panel=label)
            yield cell(f"{milestone.milestone}:{status}", arm, "share", count / n if n else math.nan, n, panel=label)
        for reason, count in milestone.undecided.items():
            yield cell(f"{milestone.milestone}:undecided:{reason}", arm, "count", count, count, panel=label)
    for row, share in (("least", told.least), ("most", told.most)):
        yield cell(row, arm, "share", share if n else math.nan, n, panel=label)
        if bid is not None:
            yield cell(row, arm, "value", share * bid if n else math.nan, n, panel=label)


def _registers(exhibit: x.PaymentsExhibit, cohort: pd.DataFrame, files: PersonFiles) -> Registers:
    columns = {
        "programmes": ["programme"],
        "jobs": ["contract", "position_percent", "employer_id"],
        "sickness": ["grade"],
        "disability": ["grade"],
        "allowance": [],
    }
    frames = {}
    for role, register in exhibit.registers.model_dump().items():
        frame = pd.read_parquet(files.clean[register], columns=["person_id", "start", "stop", *columns[role]])
        frames[role] = frame[frame["person_id"].isin(cohort["person_id"])]
    return Registers(**frames)


def _published(files: PersonFiles) -> dict[str, float]:
    return printed_numbers(files.published) if files.published is not None else {}


def _table(name: str, basis: str, files: PersonFiles, study: Study) -> CostTable:
    return cost_table(study.costs[name], basis, _published(files))
