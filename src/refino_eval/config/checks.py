"""Cross-checks with meaning: what one part of the configuration says of another must be there and make sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from refino_eval.config import definitions as d
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.exhibits import Exhibit
from refino_eval.config.sources import Source
from refino_eval.errors import nearest

EXPRESSION_WORDS = frozenset(("and", "or", "not", "between", "in", "min", "max"))
"""Words of the expression language itself; no state can have one of these names."""

LONGEST_EXPRESSION = 1000

MOST_ARMS = 6
"""Treated arms that a figure can tell apart."""


def cross_check(
    study: Evaluation, definitions: d.Definitions, sources: Mapping[str, Source], *, where: str | None = None
) -> list[str]:
    """Return a paragraph for every reference that leads nowhere and every window outside its clock; `where` names the study's file.

    Only what the evaluation uses is checked: the shared definitions may speak of registers that this study lacks.
    """
    where = where or f"config/evaluations/{study.name}.yaml"
    faults: list[str] = []
    exhibits: dict[str, Any] = {}
    for name in study.exhibits:
        if name in definitions.exhibits:
            exhibits[name] = definitions.exhibits[name]
        else:
            faults.append(f"{where}: exhibits: there is no exhibit '{name}'.{nearest(name, definitions.exhibits)}")
    faults += [
        f"No state can be called '{name}': it is a word of the expression language."
        for name in definitions.states
        if name in EXPRESSION_WORDS
    ]
    faults += _population(study, sources, where)
    faults += _samples(study, definitions, where)
    for name, exhibit in exhibits.items():
        faults += _exhibit(name, exhibit, study, definitions)
    if study.entry == "spells":
        for name in sorted(used_covariates(study, definitions)):
            faults += _covariate(name, definitions, sources, study)
    return list(dict.fromkeys(faults))


def used_outcomes(study: Evaluation, definitions: d.Definitions) -> list[str]:
    """Return the outcomes that the evaluation's exhibits show, in order of first use."""
    names: dict[str, None] = {}
    for exhibit in _selected(study, definitions):
        names |= dict.fromkeys(exhibit.outcomes)
    return list(names)


def used_states(study: Evaluation, definitions: d.Definitions, unit: str) -> list[str]:
    """Return the states that outcomes and figures need by one clock, in order of first use."""
    names: dict[str, None] = {}
    for exhibit in _selected(study, definitions):
        names |= dict.fromkeys(exhibit.states_read.get("week" if unit == "week" else "month", ()))
    for name in used_outcomes(study, definitions):
        outcome = definitions.outcomes.get(name)
        if outcome is not None and outcome.clock == unit:
            names |= dict.fromkeys(outcome_states(outcome))
    return list(names)


def outcome_states(outcome: d.Outcome) -> list[str]:
    """Return the states that an outcome reads from its panel, in order of appearance."""
    return [outcome.state] if outcome.state is not None else words_in(outcome.expression or "")


def words_in(expression: str) -> list[str]:
    """Return the names in an expression; whether they are states is for the caller to say."""
    found = re.findall(r"[a-z][a-z0-9_]*", expression[:LONGEST_EXPRESSION])
    return list(dict.fromkeys(word for word in found if word not in EXPRESSION_WORDS))


def state_registers(definitions: d.Definitions, states: Iterable[str]) -> list[str]:
    """Return the registers that states are made from, their days of death and emigration among them, in order of name."""
    found: set[str] = set()
    for name in needed_states(definitions, list(states)):
        state = definitions.states[name]
        if isinstance(state, d.SpellState):
            found |= {state.register_name, *(date.register_name for date in state.missing.dates)}
    return sorted(found)


def needed_states(definitions: d.Definitions, wanted: list[str]) -> list[str]:
    """Return the wanted states and those that they are computed from, each after what it needs."""
    ordered: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        state = definitions.states.get(name)
        if name in ordered or state is None or name in above:
            return
        if isinstance(state, d.DerivedState):
            for other in words_in(state.expression):
                add(other, (*above, name))
        ordered[name] = None

    for name in wanted:
        add(name, ())
    return list(ordered)


def words_of(exhibit: str, study: Evaluation, definitions: d.Definitions) -> dict[str, dict[str, Any]]:
    """Return, as plain data, the definitions that one exhibit's words come from, so that its job depends on no others."""
    entry = definitions.exhibits[exhibit]
    # What is read from another exhibit is called what that one calls it.
    read = [definitions.exhibits[name] for name in (exhibit, *entry.exhibits_read) if name in definitions.exhibits]
    outcomes = list(dict.fromkeys(name for source in read for name in source.outcomes))
    specifications = list(dict.fromkeys(name for source in read for name in source.specifications_read))
    states = [name for source in read for names in source.states_read.values() for name in names]
    for name in outcomes:
        states += outcome_states(definitions.outcomes[name]) if name in definitions.outcomes else []
    covariates = {name for source in read for name in exhibit_covariates(source, definitions)}
    for name in specifications:
        covariates |= {term.covariate for term in definitions.specifications[name].controls}
    chosen: dict[str, Iterable[str]] = {
        "states": dict.fromkeys(states),
        "outcomes": outcomes,
        "covariates": sorted(covariates),
        "specifications": specifications,
        "subgroups": dict.fromkeys(name for source in read for name in source.subgroups_read),
        "costs": entry.costs_read,
        "payments": entry.payments_read,
    }
    return {
        kind: {
            name: getattr(definitions, kind)[name].model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name in names
            if name in getattr(definitions, kind)
        }
        for kind, names in chosen.items()
    }


def used_covariates(study: Evaluation, definitions: d.Definitions) -> set[str]:
    """Return the covariates that exhibits, specifications and sample steps name."""
    names: set[str] = set()
    for exhibit in _selected(study, definitions):
        names |= exhibit_covariates(exhibit, definitions)
        for specification in exhibit.specifications_read:
            found = definitions.specifications.get(specification)
            names |= {term.covariate for term in found.controls} if found else set()
            names |= {found.weights} if found and found.weights else set()
    for sample in study.samples.values():
        for step in sample.steps:
            names |= {*step.complete, *(each.column for each in step.exclude if each.column in definitions.covariates)}
    return names


def exhibit_covariates(exhibit: Exhibit, definitions: d.Definitions) -> set[str]:
    """Return the covariates that an exhibit names beside its controls, those that its groups are told by among them."""
    names = set(exhibit.covariates_read)
    names |= {split for split in exhibit.splits if isinstance(split, str) and split in definitions.covariates}
    return names | {
        definitions.subgroups[name].covariate for name in exhibit.subgroups_read if name in definitions.subgroups
    }


def _selected(study: Evaluation, definitions: d.Definitions) -> Iterator[Exhibit]:
    return (definitions.exhibits[name] for name in study.exhibits if name in definitions.exhibits)


def _population(study: Evaluation, sources: Mapping[str, Source], where: str) -> Iterator[str]:
    population = study.population
    if population is None:
        return
    draws = sources.get(population.register_name)
    if draws is None:
        yield (
            f"{where}: population.register names '{population.register_name}', which is not among the evaluation's sources."
            f"{nearest(population.register_name, sources)}"
        )
        return
    columns = set(draws.columns)
    if population.arm not in columns:
        yield (
            f"{where}: population.arm names the column '{population.arm}', which config/sources/{draws.register_name}.yaml "
            f"does not list.{nearest(population.arm, columns)}"
        )
    if draws.temporality != "event" and population.draw_date is None:
        yield f"{where}: the register '{draws.register_name}' has no draw date in it; give population.draw_date."
    made = {"draw_month"}
    for column in study.strata:
        if column not in columns | made:
            yield (
                f"{where}: strata names the column '{column}', which is not in the register '{draws.register_name}'."
                f"{nearest(column, columns | made)}"
            )
    for column in population.keep:
        if column not in columns:
            yield (
                f"{where}: population.keep names the column '{column}', which is not in the register '{draws.register_name}'."
                f"{nearest(column, columns)}"
            )
    for step in population.steps:
        for condition in step.exclude:
            if condition.column not in columns | made:
                yield (
                    f"{where}: the step '{step.reason}' names the column '{condition.column}', which is not in the register "
                    f"'{draws.register_name}'.{nearest(condition.column, columns | made)}"
                )


def _samples(study: Evaluation, definitions: d.Definitions, where: str) -> Iterator[str]:
    before: list[str] = []
    for name, sample in study.samples.items():
        if sample.within is not None and sample.within not in before:
            yield (
                f"{where}: the sample '{name}' is within '{sample.within}', which must be a sample defined before it."
                f"{nearest(sample.within, before)}"
            )
        before.append(name)
        columns = {*definitions.covariates, *study.strata}
        for step in sample.steps:
            for column in (*step.complete, *(condition.column for condition in step.exclude)):
                if column not in columns:
                    yield f"{where}: the sample '{name}' names no covariate or stratum '{column}'.{nearest(column, columns)}"


def _exhibit(name: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    where = f"exhibit '{name}'"
    samples = study.samples
    if exhibit.sample not in samples:
        yield f"The {where} is made on the sample '{exhibit.sample}', which the evaluation does not have.{nearest(exhibit.sample, samples)}"
    yield from _arms(where, exhibit, study)
    if study.person_table is not None and exhibit.panels:
        yield f"The {where} shows states by {exhibit.panels[0]}, and a person table has none: remove it from exhibits."
    for covariate in exhibit.covariates_read:
        if covariate not in definitions.covariates:
            yield f"The {where} names no covariate '{covariate}'.{nearest(covariate, definitions.covariates)}"
    for specification in exhibit.specifications_read:
        if specification not in definitions.specifications:
            yield f"The {where} names no specification '{specification}'.{nearest(specification, definitions.specifications)}"
            continue
        for term in definitions.specifications[specification].controls:
            if term.covariate not in definitions.covariates:
                yield (
                    f"The specification '{specification}' names no covariate '{term.covariate}'."
                    f"{nearest(term.covariate, definitions.covariates)}"
                )
        weights = definitions.specifications[specification].weights
        if weights and weights not in definitions.covariates:
            yield (
                f"The specification '{specification}' is weighted by '{weights}', which is no covariate."
                f"{nearest(weights, definitions.covariates)}"
            )
    table = study.person_table
    refused = exhibit.refused(
        definitions.specifications,
        weights=None if table is None else table.weights,
        cluster=table is not None and table.cluster is not None,
    )
    yield from (f"The {where} (kind {exhibit.kind}) {problem}" for problem in refused)
    for outcome in exhibit.outcomes:
        yield from _outcome(outcome, name, study, definitions)
    for other in exhibit.exhibits_read:
        if other not in study.exhibits:
            yield f"The {where} is computed from the exhibit '{other}', which the evaluation does not make.{nearest(other, study.exhibits)}"
    yield from _money(where, exhibit, study, definitions)
    yield from _splits(where, exhibit, study, definitions)
    yield from exhibit.faults(where, study, definitions)
    yield from _states_read(where, exhibit, study, definitions)
    arms = tuple(arm.name for arm in study.arms.everyone)
    for part, listed in exhibit.arms_listed.items():
        for arm in sorted(set(arms).symmetric_difference(listed)):
            yield f"The {where}: `{part}` must list every arm exactly once ({', '.join(arms)}); unexpected or missing: '{arm}'."


def _states_read(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    if exhibit.states_read and study.person_table is not None:
        yield (
            f"The {where} reads states over time, and a person table has none. Take another kind, or for participation give "
            "`columns`, outcomes that are 1 for those who took part."
        )
        return
    for clock, states in exhibit.states_read.items():
        first, last = exhibit.times_read
        yield from _clocked(where, clock, first, last, study)
        for state in states:
            if state not in definitions.states:
                yield f"The {where} names no state '{state}'.{nearest(state, definitions.states)}"


def _arms(where: str, exhibit: Exhibit, study: Evaluation) -> Iterator[str]:
    """Tell what an exhibit says wrongly of the arms, and where a figure cannot show several."""
    names = [arm.name for arm in study.arms.everyone]
    for key in ("arm", "against"):
        said = getattr(exhibit, key)
        there = [*names, study.arms.pooled.name] if study.arms.pooled and key == "arm" else names
        if said is not None and said not in there:
            yield f"The {where}: {key} names no arm '{said}'.{nearest(said, there)}"
    control = exhibit.against or study.arms.control.name
    if exhibit.arm == control:
        yield f"The {where} compares the arm '{control}' with itself. Name another under arm or against."
    several = exhibit.arm is None and len(study.arms.treated_arms) > 1
    if several and exhibit.form == "figure":
        if exhibit.several_arms != "together":
            yield f"The {where} is a figure of one treated arm, and the evaluation has several. Add `arm:` with one of them: {', '.join(names[:-1])}."
        elif len(study.arms.treated_arms) > MOST_ARMS:
            yield f"The {where} can show {MOST_ARMS} treated arms at most. Add `arm:` with one of them."


def _splits(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    columns = {*definitions.covariates, *cohort_columns(study)}
    for split in exhibit.splits:
        if isinstance(split, str) and split not in columns:
            yield (
                f"The {where} is told by '{split}', which is no covariate, no stratum and no column that the cohort keeps."
                f"{nearest(split, columns)}"
            )
    for name in exhibit.subgroups_read:
        if name not in definitions.subgroups:
            yield f"The {where} names no subgroup '{name}'.{nearest(name, definitions.subgroups)}"
        elif definitions.subgroups[name].covariate not in definitions.covariates:
            covariate = definitions.subgroups[name].covariate
            yield f"The subgroup '{name}' names no covariate '{covariate}'.{nearest(covariate, definitions.covariates)}"


def cohort_columns(study: Evaluation) -> tuple[str, ...]:
    """Return what beside covariates tells people apart in the cohort: the strata, and when they were drawn."""
    if study.population is None:
        table = study.person_table
        return () if table is None else (*table.strata, *(("cluster",) if table.cluster is not None else ()))
    return (*study.strata, *study.population.keep, "draw_month", "draw_year")


def _money(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Check what an exhibit of costs or payments names: definitions, bases, values, arms and registers."""
    for kind, names in (("costs", exhibit.costs_read), ("payments", exhibit.payments_read)):
        there = getattr(definitions, kind)
        yield from (
            f"The {where} names no {kind} '{name}'.{nearest(name, there)}" for name in names if name not in there
        )
    arms = {arm.name for arm in study.arms.everyone}
    for costs in (definitions.costs[name] for name in exhibit.costs_read if name in definitions.costs):
        yield from (
            f"The {where} names no basis '{name}' of its costs.{nearest(name, costs.bases)}"
            for name in sorted(set(exhibit.bases_read) - set(costs.bases))
        )
        yield from (
            f"The {where} names no value '{name}' of its costs.{nearest(name, costs.values)}"
            for name in exhibit.values_read
            if name not in costs.values
        )
        yield from _known_arms(where, costs.duration, arms)
    yield from _known_arms(where, exhibit.arms_named, arms)
    yield from (
        f"The {where} reads the register '{name}', which is not among the evaluation's sources.{nearest(name, study.sources)}"
        for name in exhibit.registers_read
        if name not in study.sources
    )


def _known_arms(where: str, named: Iterable[str], arms: set[str]) -> Iterator[str]:
    yield from (f"The {where} speaks of no arm '{name}'.{nearest(name, arms)}" for name in named if name not in arms)


def _outcome(outcome: str, exhibit: str, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    if study.person_table is not None:
        there = study.person_table.outcomes
        if outcome not in there:
            yield f"The exhibit '{exhibit}' names no outcome '{outcome}' of the person table.{nearest(outcome, there)}"
        return
    if outcome not in definitions.outcomes:
        yield f"The exhibit '{exhibit}' names no outcome '{outcome}'.{nearest(outcome, definitions.outcomes)}"
        return
    entry = definitions.outcomes[outcome]
    for state in outcome_states(entry):
        if state not in definitions.states:
            yield f"The outcome '{outcome}' names no state '{state}'.{nearest(state, definitions.states)}"
    first, last = entry.periods
    yield from _clocked(f"outcome '{outcome}'", entry.clock, first, last, study)


def _clocked(what: str, unit: str, first: int | None, last: int | None, study: Evaluation) -> Iterator[str]:
    clock = study.clocks.get(unit)  # type: ignore[call-overload]
    if clock is None:
        if study.entry == "spells":
            yield f"The {what} is told by {unit}, and the evaluation has no clock by {unit}. Add clocks.{unit}."
        return
    for value in (first, last):
        if value is not None and not clock.first <= value <= clock.last:
            yield (
                f"The {what} reads event {unit} {value}, outside the evaluation's clock ({clock.first} to {clock.last}). "
                f"Change the window or clocks.{unit}."
            )


def _covariate(
    name: str, definitions: d.Definitions, sources: Mapping[str, Source], study: Evaluation
) -> Iterator[str]:
    covariate = definitions.covariates.get(name)
    if covariate is None:
        return
    register = covariate.register_name
    if register is None or register not in sources:
        yield (
            f"The covariate '{name}' is made from the register '{register}', which is not among the sources of the "
            f"evaluation '{study.name}'.{nearest(str(register), sources)}"
        )
        return
    columns = sources[register].columns
    named = [covariate.column] if isinstance(covariate, d.ColumnCovariate) else [getattr(covariate, "column", None)]
    named += [condition.column for condition in getattr(covariate, "where", ())]
    for column in named:
        if column is not None and column not in columns:
            yield (
                f"The covariate '{name}' names the column '{column}', which the register '{register}' does not have."
                f"{nearest(column, columns)}"
            )
