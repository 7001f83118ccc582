"""Cross-checks with meaning: what one part of the configuration says of another must exist and make sense.

Whatever can be known before any data are read is reported here, all at once, so that a run does not stop late. Only what
the evaluation uses is checked: shared definitions may name registers that this study lacks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from refino_eval.config import definitions as d
from refino_eval.config.checking.exhibit_checks import causal_problems, exhibit_problems
from refino_eval.config.checking.periods_covered import coverage_problems
from refino_eval.config.dependencies import (
    cohort_columns,
    needed_states,
    outcome_states,
    used_covariates,
    used_outcomes,
    used_states,
)
from refino_eval.config.evaluation import CLUSTER_COLUMNS, Entry, Evaluation, Population, Step
from refino_eval.config.sources import Source
from refino_eval.errors import UserError, nearest
from refino_eval.expressions import RESERVED, parse
from refino_eval.sql.conditions import condition_problems

FileOf = Callable[[str, str], str]
"""The file that a definition of a kind and name is in."""

AMOUNTS = ("integer", "number", "hundredths", "ore")
"""Types of columns that can be added up."""

MADE = ("draw_month",)
"""Columns of the draws that are made from the date of random assignment."""


def cross_check(
    study: Evaluation,
    definitions: d.Definitions,
    sources: Mapping[str, Source],
    *,
    file: str | None = None,
    file_of: FileOf | None = None,
) -> list[str]:
    """Return a paragraph for every problem between the parts of a configuration.

    Parameters
    ----------
    study
        The evaluation.
    definitions
        The shared definitions with the evaluation's own.
    sources
        The registers that the evaluation reads.
    file, file_of
        The evaluation's file, and the files of definitions, to name in messages.
    """
    where = file or f"config/evaluations/{study.name}.yaml"
    in_file = file_of or (lambda kind, name: where)
    problems = [f"{where}: {problem}" for problem in _study_problems(study, definitions, sources)]
    for kind, name, found in _definition_problems(study, definitions, sources):
        problems += [f"{in_file(kind, name)}: {problem}" for problem in found]
    if study.entry == "spells":
        problems += [f"{where}: {problem}" for problem in coverage_problems(study, definitions, sources)]
    problems += [
        f"{in_file('states', name)}: no state can be called '{name}': it is a word of the expression language."
        for name in definitions.states
        if name in RESERVED
    ]
    return list(dict.fromkeys(problems))


def _definition_problems(
    study: Evaluation, definitions: d.Definitions, sources: Mapping[str, Source]
) -> Iterator[tuple[str, str, Iterator[str]]]:
    """Yield kind, name and problems of each definition that the evaluation uses."""
    for name in study.exhibits:
        if name in definitions.exhibits:
            yield "exhibits", name, exhibit_problems(name, definitions.exhibits[name], study, definitions)
    if study.entry in ("spells", "panel"):
        for name in used_outcomes(study, definitions):
            if name in definitions.outcomes:
                yield "outcomes", name, _outcome_problems(name, definitions.outcomes[name], study, definitions)
        for unit in study.clocks:
            for name in needed_states(definitions, used_states(study, definitions, unit)):
                yield "states", name, _state_problems(name, definitions.states[name], study)
    if study.entry == "spells":
        for name in sorted(used_covariates(study, definitions) & set(definitions.covariates)):
            yield (
                "covariates",
                name,
                _covariate_problems(name, definitions.covariates[name], sources, study, definitions),
            )


def _study_problems(study: Evaluation, definitions: d.Definitions, sources: Mapping[str, Source]) -> Iterator[str]:
    """Yield problems of the evaluation's own keys, in the order in which its file is usually written."""
    for name in study.exhibits:
        if name not in definitions.exhibits:
            yield f"exhibits: there is no exhibit '{name}'.{nearest(name, definitions.exhibits)}"
    yield from _names_twice(study)
    if study.population is not None:
        covariates = used_covariates(study, definitions)
        yield from _population_problems(study, study.population, sources, covariates)
    if study.delivery is not None:
        yield from _not_among("delivery.registers", study.delivery.registers, study.sources, "sources")
    yield from _value_label_problems(study)
    yield from _sample_problems(study, definitions)
    yield from _not_among("disclosure.leave_out", study.disclosure.leave_out, study.exhibits, "exhibits")
    yield from _first_page_problems(study, definitions)
    if study.design == "observational":
        yield from causal_problems("label", study.label)
    # A user who takes a synthetic evaluation for a real delivery must not keep its class: synthetic data are released.
    if study.data_class == "synthetic" and study.synthetic is None:
        yield (
            "data_class: the delivery is not made by the program (there is no `synthetic`), so its class cannot be synthetic. "
            "Say confidential, or public."
        )


def _not_among(key: str, names: Iterable[str], valid: Collection[str], which: str) -> Iterator[str]:
    """Yield the names that are not among the evaluation's exhibits or sources."""
    for name in names:
        if name not in valid:
            yield f"{key}: '{name}' is not among the evaluation's {which}.{nearest(name, valid)}"


def _names_twice(study: Evaluation) -> Iterator[str]:
    """Yield names that a list of the evaluation has twice."""
    lists: dict[str, Iterable[str]] = {"exhibits": study.exhibits, "sources": study.sources, "strata": study.strata}
    if study.population is not None:
        lists["population.keep"] = (*study.strata, *study.population.keep)
    if study.table is not None:
        lists[f"{study.entry}.strata"] = study.table.strata
    for key, names in lists.items():
        yield from (f"{key}: '{name}' is named twice. Name it once." for name in _repeated(names))


def _value_label_problems(study: Evaluation) -> Iterator[str]:
    """Yield labels of values for columns that the cohort does not have; a person table checks its own when it is read."""
    if study.entry == "person_table":
        return
    columns = cohort_columns(study)
    for name in study.value_labels:
        if name not in columns:
            yield (
                f"value_labels: the cohort has no column '{name}', so nothing shows its labels.{nearest(name, columns)} Columns of "
                "the draws are kept by `population.keep`."
            )


def _first_page_problems(study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Return messages about effects named for the first page that no exhibit of the evaluation has."""
    for name, columns in study.first_page.items():
        exhibit = definitions.exhibits.get(name)
        if name not in study.exhibits or exhibit is None:
            yield f"first_page: '{name}' is not among the evaluation's exhibits.{nearest(name, study.exhibits)}"
        elif not exhibit.effects_by_outcome or len(exhibit.comparisons) > 1:
            yield f"first_page: the exhibit '{name}' has no single effect of each outcome. Name an exhibit of kind itt with one comparison."
        else:
            held = exhibit.outcome_columns
            for column in columns:
                if column not in held:
                    yield f"first_page.{name}: the exhibit has no column '{column}'.{nearest(column, held)}"
            yield from (f"first_page.{name}: '{column}' is named twice. Name it once." for column in _repeated(columns))


def _repeated(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return [name for name in dict.fromkeys(listed) if listed.count(name) > 1]


def _population_problems(
    study: Evaluation, population: Population, sources: Mapping[str, Source], covariates: Collection[str]
) -> Iterator[str]:
    draws = sources.get(population.register_name)
    if draws is None:
        name = population.register_name
        yield f"population.register: '{name}' is not among the evaluation's sources.{nearest(name, sources)}"
        return
    register = f"the register '{draws.register_name}' (config/sources/{draws.register_name}.yaml)"
    if population.entry is not None:
        yield from _entry_problems(study, population.entry, draws)
    elif draws.temporality != "event" and population.draw_date is None:
        yield f"population: {register} has no date of random assignment. Give population.draw_date."
    for key, column, there in _columns_named(study, population, set(draws.columns)):
        if column not in there:
            yield f"{key}: {register} has no column '{column}'.{nearest(column, there)}"
    yield from _special_column_problems(population, {*study.strata, *population.keep, *covariates}, covariates)
    weights = draws.columns.get(population.weights or "")
    if weights is not None and weights.type not in ("number", "integer"):
        yield f"population.weights: the column '{population.weights}' is of type {weights.type}. Weights are of type number or integer."
    for step in population.steps:
        yield from _step_problems(step, draws)
    for reason in _repeated(step.reason for step in population.steps):
        yield f"population.steps: two steps have the reason '{reason}'. Give each its own."


def _entry_problems(study: Evaluation, entry: Entry, source: Source) -> Iterator[str]:
    """Return messages about entries by rule that their register, the arms or the design do not allow."""
    name = f"the register '{source.register_name}' (config/sources/{source.register_name}.yaml)"
    if source.temporality != "spell" or source.coverage is None:
        yield f"population.entry: entries are found in spells, and {name} is {source.temporality} or has no `coverage`. Name a register of spells."
        return
    if study.design == "randomised":
        yield "population.entry: people who enter by rule were not assigned at random. Add `design: observational`."
    arms = [arm.name for arm in study.arms.everyone]
    for arm in sorted(set(arms) ^ set(entry.arms)):
        yield f"population.entry.arms must list every arm exactly once ({', '.join(arms)}); unexpected or missing: '{arm}'."
    before = entry.none_before.months if entry.none_before is not None else 0
    first = dt.date.fromisoformat(f"{entry.first}-01")
    reached = 12 * first.year + first.month - before
    if 12 * source.coverage.first.year + source.coverage.first.month > reached:
        yield (
            f"population.entry: entries from {entry.first} need {before} months of {name} before, and it covers {source.coverage.first} on. "
            "Begin later, or ask for an earlier delivery."
        )
    conditions = [c for part in entry.arms.values() for c in part]
    for condition in (*conditions, *(entry.none_before.where if entry.none_before is not None else ())):
        if condition.column not in source.columns:
            yield f"population.entry: {name} has no column '{condition.column}'.{nearest(condition.column, source.columns)}"
        else:
            problems = condition_problems(condition, source.columns[condition.column].type)
            yield from (f"population.entry: {problem}." for problem in problems)


def _special_columns(population: Population) -> dict[str, tuple[str, str]]:
    """Return what the cohort calls the column of clusters and that of weights -> key of the configuration, delivered column."""
    special = {
        name: ("population.cluster", column) for name, column in zip(CLUSTER_COLUMNS, population.clusters, strict=False)
    }
    if population.weights is not None:
        special["weight"] = ("population.weights", population.weights)
    return special


def _columns_named(study: Evaluation, population: Population, columns: set[str]) -> Iterator[tuple[str, str, set[str]]]:
    """Yield each column that the population names: key of the configuration, column, and the columns it can be."""
    if population.entry is None:
        yield "population.arm", population.arm, columns
    yield from (("strata", column, columns | {*MADE}) for column in study.strata)
    yield from (("population.keep", column, columns) for column in population.keep)
    yield from ((key, column, columns) for key, column in _special_columns(population).values())
    for step in population.steps:
        for condition in step.exclude:
            yield f"population.steps, {step.reason}", condition.column, columns | {*MADE}


def _special_column_problems(
    population: Population, taken: Collection[str], covariates: Collection[str]
) -> Iterator[str]:
    """Return messages about clusters or weights whose name in the cohort is another column's."""
    for name, (key, delivered) in _special_columns(population).items():
        if name in taken and (delivered != name or name in covariates):
            yield (
                f"{key}: the cohort calls this column '{name}', and a stratum, a kept column or a covariate has that "
                "name as well. Give that one another name."
            )


def _step_problems(step: Step, draws: Source) -> Iterator[str]:
    """Return a message for each condition of a step that does not fit its column's type."""
    for condition in (condition for condition in step.exclude if condition.column in draws.columns):
        problems = condition_problems(condition, draws.columns[condition.column].type)
        yield from (f"population.steps, {step.reason}: {problem}." for problem in problems)


def _sample_problems(study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    before: list[str] = []
    columns = {*definitions.covariates, *study.strata}
    for name, sample in study.samples.items():
        if sample.within is not None and sample.within not in before:
            yield (
                f"samples.{name}: it is within '{sample.within}', which must be a sample defined before it."
                f"{nearest(sample.within, before)}"
            )
        before.append(name)
        named = [column for step in sample.steps for column in (*step.complete, *(c.column for c in step.exclude))]
        for column in named:
            if column not in columns:
                yield f"samples.{name}: there is no covariate or stratum '{column}'.{nearest(column, columns)}"
        for reason in _repeated(step.reason for step in sample.steps):
            yield f"samples.{name}: two steps have the reason '{reason}'. Give each its own."


def _state_problems(name: str, state: d.State, study: Evaluation) -> Iterator[str]:
    """Return a message for a state that the entry of the evaluation cannot give."""
    if isinstance(state, d.GivenState) and study.entry == "spells":
        yield f"the state '{name}' is a column of a panel, and the evaluation reads registers. Name a `register`."
    if isinstance(state, d.SpellState) and study.entry == "panel":
        yield (
            f"the state '{name}' is computed from the register '{state.register_name}', and the evaluation reads a panel. Name it under "
            "panel.states, with its column."
        )


def _outcome_problems(name: str, outcome: d.Outcome, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    for state in outcome_states(outcome):
        if state not in definitions.states:
            yield f"the outcome '{name}' uses the state '{state}', which does not exist.{nearest(state, definitions.states)}"
    yield from study.outside_clock(f"the outcome '{name}'", outcome.clock, *outcome.periods)


def _expression_problems(name: str, covariate: d.ExpressionCovariate, definitions: d.Definitions) -> Iterator[str]:
    simple = {key for key, entry in definitions.covariates.items() if not isinstance(entry, d.ExpressionCovariate)}
    for other in covariate.covariates:
        if other not in simple:
            yield f"the covariate '{name}' names '{other}', which is no covariate, or is an expression itself.{nearest(other, simple)}"
    if not covariate.covariates:
        yield f"the covariate '{name}' has an expression that names no covariate: {covariate.expression}. Name one."
    else:
        try:
            parse(covariate.expression, d.covariate_kinds(definitions.covariates), where=f"Covariate '{name}'")
        except UserError as error:
            yield from error.problems


def _covariate_problems(
    name: str, covariate: d.Covariate, sources: Mapping[str, Source], study: Evaluation, definitions: d.Definitions
) -> Iterator[str]:
    if isinstance(covariate, d.ExpressionCovariate):
        yield from _expression_problems(name, covariate, definitions)
        return
    register = covariate.register_name
    if register is None or register not in sources:
        yield (
            f"the covariate '{name}' is made from the register '{register}', which is not among the sources of the "
            f"evaluation '{study.name}'.{nearest(str(register), sources)}"
        )
        return
    yield from _covariate_column_problems(name, covariate, sources[register])
    yield from (f"the covariate '{name}': {problem}" for problem in _day_of_draw_problems(covariate, sources[register]))
    yield from (f"the covariate '{name}': {problem}" for problem in _series_problems(covariate, sources))
    yield from _after_change_problems(name, covariate, sources[register], study)


def _covariate_column_problems(name: str, covariate: d.Covariate, source: Source) -> Iterator[str]:
    """Yield columns of a covariate that its register does not have, and conditions that do not fit a column's type."""
    columns, conditions = source.columns, list(getattr(covariate, "where", ()))
    for column in (getattr(covariate, "column", None), *(condition.column for condition in conditions)):
        if column is not None and column not in columns:
            yield (
                f"the covariate '{name}' uses the column '{column}', which the register '{source.register_name}' does not have."
                f"{nearest(column, columns)}"
            )
    if isinstance(covariate, d.ColumnCovariate) and covariate.equals is not None:
        conditions.append(d.Condition.model_validate({"column": covariate.column, "in": covariate.equals}))
    for condition in conditions:
        if condition.column in columns:
            problems = condition_problems(condition, columns[condition.column].type)
            yield from (f"the covariate '{name}': {problem}." for problem in problems)


def _after_change_problems(name: str, covariate: d.Covariate, source: Source, study: Evaluation) -> Iterator[str]:
    """Yield a covariate of the date of assignment whose register is not that of the assignments."""
    assigned = study.population.register_name if study.population is not None else None
    is_of_assignments = source.register_name == assigned and source.temporality == "event"
    if isinstance(covariate, d.AfterChangeCovariate) and not is_of_assignments:
        yield (
            f"the covariate '{name}' is of kind after_change, which reads the register of random assignments, and "
            f"'{source.register_name}' is not that register. Name the register of `population` if it has one row per assignment, or "
            "choose another kind."
        )


def _series_problems(covariate: d.Covariate, sources: Mapping[str, Source]) -> Iterator[str]:
    """Return messages about covariates of a series whose registers do not fit."""
    if not isinstance(covariate, d.SeriesCovariate):
        return
    source, place = sources[covariate.register_name], sources.get(covariate.place.register_name)
    if source.temporality != "series":
        yield f"the kind series needs a register of temporality series, and '{source.register_name}' is {source.temporality}. Name another."
    elif covariate.column in source.columns and source.columns[covariate.column].type not in AMOUNTS:
        yield f"the column '{covariate.column}' is of type {source.columns[covariate.column].type}. Name a column of numbers."
    if place is None or place.temporality != "fixed":
        yield (
            f"`place` names the register '{covariate.place.register_name}', which is not among the sources or has not one row a person. "
            "Name one that has."
        )
    elif covariate.place.column not in place.columns:
        yield (
            f"`place` names the column '{covariate.place.column}', which the register '{place.register_name}' does not have."
            f"{nearest(covariate.place.column, place.columns)}"
        )


def _day_of_draw_problems(covariate: d.Covariate, source: Source) -> Iterator[str]:
    """Return messages about covariates of the day of the draw whose register has no spells, or whose column is no amount."""
    if not isinstance(covariate, d.SpellAtDrawCovariate | d.SumAtDrawCovariate | d.MonthsBeforeCovariate):
        return
    allowed = ("spell", "event") if covariate.kind == "ever_before_draw" else ("spell",)
    if source.temporality not in allowed:
        yield (
            f"the kind {covariate.kind} needs a register of {' or '.join(allowed)}s, and '{source.register_name}' is "
            f"{source.temporality}. Choose another kind or register."
        )
    if isinstance(covariate, d.SumAtDrawCovariate) and covariate.column in source.columns:
        column_type = source.columns[covariate.column].type
        if column_type not in AMOUNTS:
            yield (
                f"the column '{covariate.column}' is of type {column_type}, which cannot be added up. Name a column of type "
                f"{', '.join(AMOUNTS)}."
            )
