"""What an evaluation uses of its definitions: outcomes, states, covariates and registers, from its exhibits backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from refino_eval.config import definitions as d
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.exhibits import Exhibit
from refino_eval.expressions import names_in


def used_outcomes(study: Evaluation, definitions: d.Definitions) -> list[str]:
    """Return the outcomes that the evaluation's exhibits show, in order of first use."""
    names: dict[str, None] = {}
    for exhibit in selected_exhibits(study, definitions):
        names |= dict.fromkeys(exhibit.outcomes)
    return list(names)


def used_states(study: Evaluation, definitions: d.Definitions, unit: str) -> list[str]:
    """Return the states that outcomes and figures need by one clock, in order of first use."""
    names: dict[str, None] = {}
    for exhibit in selected_exhibits(study, definitions):
        names |= dict.fromkeys(exhibit.states_read.get("week" if unit == "week" else "month", ()))
    for name in used_outcomes(study, definitions):
        outcome = definitions.outcomes.get(name)
        if outcome is not None and outcome.clock == unit:
            names |= dict.fromkeys(outcome_states(outcome))
    return list(names)


def outcome_states(outcome: d.Outcome) -> list[str]:
    """Return the states that an outcome reads from its panel, in order of appearance."""
    return list(dict.fromkeys(names_in(outcome.reads)))


def state_registers(definitions: d.Definitions, states: Iterable[str]) -> list[str]:
    """Return the registers that states are made from, their days of death and emigration among them, in order of name."""
    names: set[str] = set()
    for name in needed_states(definitions, list(states)):
        state = definitions.states[name]
        if isinstance(state, d.SpellState):
            names |= {state.register_name, *(date.register_name for date in state.missing.dates)}
    return sorted(names)


def needed_states(definitions: d.Definitions, wanted: list[str]) -> list[str]:
    """Return the wanted states and those that they are computed from, each after what it needs."""
    ordered: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        state = definitions.states.get(name)
        if name in ordered or state is None or name in above:
            return
        if isinstance(state, d.DerivedState):
            for other in names_in(state.expression):
                add(other, (*above, name))
        ordered[name] = None

    for name in wanted:
        add(name, ())
    return list(ordered)


def text_of(exhibit: str, definitions: d.Definitions) -> dict[str, dict[str, Any]]:
    """Return, as plain data, the definitions that an exhibit's text is taken from, so that its job depends on no others."""
    entry = definitions.exhibits[exhibit]
    # What is read from another exhibit is called what that one calls it.
    read = [definitions.exhibits[name] for name in (exhibit, *entry.exhibits_read) if name in definitions.exhibits]
    chosen: dict[str, list[str]] = {kind: [] for kind in d.Definitions.model_fields if kind != "exhibits"}
    for source in read:
        for kind, names in _named_by(source, definitions).items():
            chosen[kind] += names
    chosen |= {"costs": list(entry.costs_read), "payments": list(entry.payments_read)}
    chosen |= {"cost_benefit": list(entry.cost_benefit_read)}
    return {
        kind: {
            name: getattr(definitions, kind)[name].model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name in (sorted(set(names)) if kind == "covariates" else dict.fromkeys(names))
            if name in getattr(definitions, kind)
        }
        for kind, names in chosen.items()
    }


def _named_by(exhibit: Exhibit, definitions: d.Definitions) -> dict[str, list[str]]:
    """Return the definitions that an exhibit names or that what it names is made of, by kind."""
    states = [name for names in exhibit.states_read.values() for name in names]
    for name in exhibit.outcomes:
        states += outcome_states(definitions.outcomes[name]) if name in definitions.outcomes else []
    covariates = list(exhibit_covariates(exhibit, definitions))
    for name in exhibit.specifications_read:
        covariates += specification_covariates(definitions.specifications[name], definitions)
    return {
        "states": states,
        "outcomes": list(exhibit.outcomes),
        "covariates": covariates,
        "specifications": list(exhibit.specifications_read),
        "subgroups": list(exhibit.subgroups_read),
        "comparisons": list(exhibit.comparisons),
    }


def used_covariates(study: Evaluation, definitions: d.Definitions) -> set[str]:
    """Return the covariates that exhibits, specifications and sample steps name."""
    names: set[str] = set()
    for exhibit in selected_exhibits(study, definitions):
        names |= exhibit_covariates(exhibit, definitions)
        for specification in exhibit.specifications_read:
            found = definitions.specifications.get(specification)
            names |= set(specification_covariates(found, definitions)) if found else set()
            names |= {found.given_weights} if found and found.given_weights else set()
    for sample in study.samples.values():
        for step in sample.steps:
            names |= {*step.complete, *(each.column for each in step.exclude if each.column in definitions.covariates)}
    entries = [definitions.covariates[name] for name in names if name in definitions.covariates]
    return names | {name for entry in entries if isinstance(entry, d.ExpressionCovariate) for name in entry.covariates}


def specification_covariates(specification: d.Specification, definitions: d.Definitions) -> list[str]:
    """Return the covariates that are controls of a specification, of its weights for non-response, and those that it absorbs."""
    absorbed = [name for name in specification.absorb if name in definitions.covariates]
    return [*(term.covariate for term in (*specification.terms, *specification.response_terms)), *absorbed]


def exhibit_covariates(exhibit: Exhibit, definitions: d.Definitions) -> set[str]:
    """Return the covariates that an exhibit names in addition to its controls, including those that form its groups."""
    names = set(exhibit.covariates_read)
    names |= {split for split in exhibit.splits if isinstance(split, str) and split in definitions.covariates}
    subgroups = [*exhibit.subgroups_read]
    for comparison in (
        definitions.comparisons[name] for name in exhibit.comparisons if name in definitions.comparisons
    ):
        columns = (comparison.treated, *(comparison.strata or ()))
        names |= {name for name in columns if name in definitions.covariates}
        subgroups += [] if comparison.among is None else [comparison.among]
    return names | {definitions.subgroups[name].covariate for name in subgroups if name in definitions.subgroups}


def selected_exhibits(study: Evaluation, definitions: d.Definitions) -> Iterator[Exhibit]:
    """Return the exhibits that the evaluation makes, as far as they exist."""
    return (definitions.exhibits[name] for name in study.exhibits if name in definitions.exhibits)


def cohort_columns(study: Evaluation) -> tuple[str, ...]:
    """Return the columns of the cohort, other than covariates, that can define groups: strata, kept columns, draw month and draw year."""
    cluster = study.cluster_columns
    if study.population is None:
        drawn = () if study.panel is None or study.panel.draw_date is None else ("draw_month", "draw_year")
        return () if study.table is None else (*study.table.strata, *cluster, *drawn)
    return (*study.strata, *study.population.keep, *cluster, "draw_month", "draw_year")
