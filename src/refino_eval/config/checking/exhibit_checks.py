"""Cross-checks of exhibits: what they name exists, and the study can give what their analysis needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import get_args

from refino_eval.config import definitions as d
from refino_eval.config.base import Label, Language
from refino_eval.config.checking.causal_words import causal_words
from refino_eval.config.dependencies import cohort_columns
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.exhibits import Exhibit
from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.errors import nearest

MOST_ARMS = 6
"""Treated arms that a figure can show distinguishably."""


def exhibit_problems(name: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Return a sentence for every problem of an exhibit."""
    where = f"exhibit '{name}'"
    yield from _design(where, exhibit, study)
    yield from _missing(where, "sample", dict.fromkeys((exhibit.sample, *exhibit.samples_read)), study.samples)
    yield from _arms(where, exhibit, study, definitions)
    outcomes = definitions.outcomes if study.person_table is None else study.person_table.outcomes
    what = "outcome" if study.person_table is None else "outcome of the person table"
    yield from _missing(where, what, exhibit.outcomes, outcomes, study if study.person_table else None, key="outcomes")
    yield from _missing(where, "covariate", exhibit.covariates_read, definitions.covariates, study, key="covariates")
    yield from _missing(where, "specification", exhibit.specifications_read, definitions.specifications)
    for specification in exhibit.specifications_read:
        if specification in definitions.specifications:
            yield from _specification(specification, study, definitions)
    for other in exhibit.exhibits_read:
        if other not in study.exhibits:
            yield f"The {where} is computed from the exhibit '{other}', which the evaluation does not make.{nearest(other, study.exhibits)}"
        elif other in definitions.exhibits and definitions.exhibits[other].comparisons:
            yield (
                f"The {where} is computed from the exhibit '{other}', which is about named comparisons. Take an exhibit without "
                "`comparisons`, of the evaluation's arms."
            )
    yield from _money(where, exhibit, study, definitions)
    yield from _groups(where, exhibit, study, definitions)
    if exhibit.decimal_places is not None and exhibit.form == "figure":
        yield f"The {where} is a figure, and `decimal_places` are of tables. Leave it out."
    yield from _states(where, exhibit, study, definitions)
    yield from _options(where, exhibit, study, definitions)
    yield from _nested(where, getattr(exhibit, "vcov", None), fixed_effects=study.has_strata)
    yield from exhibit.faults(where, study, definitions)


def _design(where: str, exhibit: Exhibit, study: Evaluation) -> Iterator[str]:
    """Report what rests on random assignment, and texts that speak of effects, in an evaluation without random assignment."""
    if study.design == "randomised":
        return
    if exhibit.rests_on_randomisation:
        yield (
            f"The {where} (kind {exhibit.kind}) rests on random assignment, and the evaluation declares `design: {study.design}`. Choose another "
            "kind."
        )
    for key, label in (("title", exhibit.title), ("note", exhibit.note)):
        yield from causal_problems(f"The {where}: {key}", label)


def causal_problems(where: str, label: Label | None) -> Iterator[str]:
    """Return a message for each language in which a label speaks of effects or of random assignment."""
    if label is None:
        return
    for language in get_args(Language):
        word = causal_words(label[language], language)
        if word:
            yield (
                f"{where} ({language}) says '{word}', and nobody was assigned at random (design: observational). Write of a difference "
                "('forskjell' in Norwegian)."
            )


def _missing(
    where: str, what: str, names: Iterable[str], valid: Iterable[str], study: Evaluation | None = None, *, key: str = ""
) -> Iterator[str]:
    """Report names that do not exist; of columns of a file, `key` is where the evaluation names them."""
    there = list(valid)
    for name in names:
        if name not in there:
            yield f"The {where} uses the {what} '{name}', which does not exist.{_hint(name, there, study, key)}"


def _hint(name: str, valid: Iterable[str], study: Evaluation | None, key: str = "covariates") -> str:
    """Return a name that resembles one that does not exist; or valid names, and how a column of an analysis file gets one."""
    hint = nearest(name, valid)
    if study is None or study.table is None or "Did you mean" in hint or not name.isidentifier():
        return hint
    return f"{hint} If it is a column of {study.table.file}, name it under {study.entry}.{key} (`{key}: {{{name}: {name}}}`)."


def _columns(
    where: str, says: str, names: Iterable[str], study: Evaluation, definitions: d.Definitions
) -> Iterator[str]:
    """Report columns that are neither covariates nor columns that the cohort has."""
    columns = {*definitions.covariates, *cohort_columns(study)}
    for name in names:
        if name not in columns:
            yield (
                f"The {where} {says} '{name}', which is no covariate, no stratum and no column that the cohort keeps."
                f"{_hint(name, columns, study)}"
            )


def _specification(name: str, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    specification, where = definitions.specifications[name], f"specification '{name}'"
    named = [term.covariate for term in specification.controls]
    controls = [term.covariate for term in specification.terms]
    yield from _missing(where, "covariate", controls, definitions.covariates, study, key="covariates")
    sets = {outcome: [term.covariate for term in terms] for outcome, terms in specification.outcome_controls.items()}
    for own in ([], *sets.values()):
        for covariate in dict.fromkeys([*named, *own]):
            if [*named, *own].count(covariate) > 1:
                yield f"The {where} has the control '{covariate}' twice. Name it once."
    outcomes = definitions.outcomes if study.person_table is None else study.person_table.outcomes
    yield from _missing(where, "outcome (of outcome_controls)", sets, outcomes)
    forms: dict[str, d.ControlTerm] = {}
    for terms in specification.outcome_controls.values():
        for term in terms:
            if forms.setdefault(term.covariate, term) != term:
                yield f"The {where} encodes the control '{term.covariate}' in two ways. Give it the same form under every outcome."
    for column in sorted({term.covariate for term in specification.terms} & set(specification.absorb)):
        yield f"The {where} has '{column}' as a control and absorbs it. Leave it out of one of them."
    yield from _columns(where, "absorbs", specification.absorb, study, definitions)
    absorbs = bool(specification.absorb) or (specification.strata and study.has_strata)
    yield from _nested(where, specification.vcov, fixed_effects=absorbs)
    if specification.given_weights:
        yield from _missing(
            where,
            "covariate (as weights)",
            [specification.given_weights],
            definitions.covariates,
            study,
            key="covariates",
        )
    response = [term.covariate for term in specification.response_terms]
    yield from _missing(where, "covariate (of nonresponse)", response, definitions.covariates, study, key="covariates")


def _nested(where: str, vcov: Vcov | None, *, fixed_effects: bool) -> Iterator[str]:
    """Report a covariance that leaves nested fixed effects out of its count where there are no fixed effects."""
    if vcov is not None and not COVARIANCES[vcov].counts_nested and not fixed_effects:
        yield (
            f"The {where} has the covariance {vcov}, which does not count fixed effects that are nested in clusters, and there are no "
            "fixed effects. Choose CRV1."
        )


def _arms(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Report arms that do not exist, and figures that cannot show several."""
    names = [arm.name for arm in study.arms.everyone]
    for key in ("arm", "against"):
        given = getattr(exhibit, key)
        valid = [*names, study.arms.pooled.name] if study.arms.pooled and key == "arm" else names
        if given is not None and given not in valid:
            yield f"The {where}: {key} names no arm '{given}'.{nearest(given, valid)}"
    control = exhibit.against or study.arms.control.name
    if exhibit.arm == control:
        yield f"The {where} compares the arm '{control}' with itself. Name another under arm or against."
    yield from _several_arms(where, exhibit, study)
    yield from _comparisons(where, exhibit, study, definitions)
    for part, listed in exhibit.arms_listed.items():
        for arm in sorted(set(names).symmetric_difference(listed)):
            yield f"The {where}: `{part}` must list every arm exactly once ({', '.join(names)}); unexpected or missing: '{arm}'."


def _comparisons(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Report comparisons that do not exist, that a kind cannot make, and columns that they name in vain."""
    yield from _missing(where, "comparison", exhibit.comparisons, definitions.comparisons)
    if not exhibit.comparisons:
        return
    if exhibit.reads_flow or exhibit.exhibits_read or exhibit.registers_read or not exhibit.about_people:
        yield f"The {where} (kind {exhibit.kind}) is not computed from a comparison of people. Leave `comparisons` out."
    if exhibit.form == "figure" and len(exhibit.comparisons) > 1:
        yield f"The {where} is a figure and shows one comparison. Name one, and make an exhibit for each."
    if len(set(exhibit.comparisons)) < len(exhibit.comparisons):
        yield f"The {where} names a comparison twice. Name each once."
    for name in exhibit.comparisons:
        if name not in definitions.comparisons:
            continue
        comparison, of = definitions.comparisons[name], f"comparison '{name}'"
        if comparison.treated is not None:
            yield from _missing(of, "covariate (as treated)", [comparison.treated], definitions.covariates)
            if len(study.arms.treated_arms) > 1:
                yield f"The {of} has its own column of treatment, and the evaluation has several treated arms. Use `arm:` and `against:` instead."
        if comparison.among is not None:
            yield from _missing(of, "subgroup", [comparison.among], definitions.subgroups)
        yield from _columns(of, "has the stratum", comparison.strata or (), study, definitions)


def _several_arms(where: str, exhibit: Exhibit, study: Evaluation) -> Iterator[str]:
    """Report figures that cannot show all treated arms of the evaluation."""
    treated = study.arms.treated_arms
    if exhibit.arm is not None or len(treated) == 1 or exhibit.form != "figure":
        return
    if exhibit.several_arms != "together":
        names = ", ".join(arm.name for arm in treated)
        yield f"The {where} is a figure of one treated arm, and the evaluation has several. Add `arm:` with one of them: {names}."
    elif len(treated) > MOST_ARMS:
        yield f"The {where} can show {MOST_ARMS} treated arms at most. Add `arm:` with one of them."


def _groups(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    named = [split for split in exhibit.splits if isinstance(split, str)]
    yield from _columns(where, "forms groups by", named, study, definitions)
    for split in exhibit.splits:
        if not isinstance(split, str) and len(set(split)) < max(2, len(split)):
            yield f"The {where} compares groups, so it needs at least two subgroups, each named once: {', '.join(split)}."
    yield from _missing(where, "subgroup", exhibit.subgroups_read, definitions.subgroups)
    yield from _overlaps(where, exhibit, definitions)
    for name in exhibit.subgroups_read:
        if name in definitions.subgroups:
            covariate = definitions.subgroups[name].covariate
            yield from _missing(f"subgroup '{name}'", "covariate", [covariate], definitions.covariates)


def _overlaps(where: str, exhibit: Exhibit, definitions: d.Definitions) -> Iterator[str]:
    """Report subgroups that are compared and share people, as far as their definitions show it."""
    for split in exhibit.splits:
        listed = [name for name in split if name in definitions.subgroups] if not isinstance(split, str) else []
        for first, second in itertools.combinations(dict.fromkeys(listed), 2):
            if definitions.subgroups[first].overlaps(definitions.subgroups[second]):
                yield (
                    f"The {where} compares the subgroups '{first}' and '{second}', and somebody can be in both. Groups that are "
                    "compared share nobody: change their limits, or compare others."
                )


def _money(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Report costs, payments, bases, values, arms and registers that do not exist."""
    yield from _missing(where, "costs", exhibit.costs_read, definitions.costs)
    yield from _missing(where, "payments", exhibit.payments_read, definitions.payments)
    yield from _missing(where, "cost_benefit", exhibit.cost_benefit_read, definitions.cost_benefit)
    if study.entry == "inputs" and exhibit.about_people:
        yield (
            f"The {where} describes people, and the evaluation has none (entry: inputs). Take a kind that is computed from "
            "inputs alone, such as cost_benefit, or another entry."
        )
    arms = [arm.name for arm in study.arms.everyone]
    for costs in (definitions.costs[name] for name in exhibit.costs_read if name in definitions.costs):
        yield from _missing(where, "basis", sorted(set(exhibit.bases_read)), costs.bases)
        yield from _missing(where, "value", exhibit.values_read, costs.values)
        yield from _missing(where, "arm", costs.duration, arms)
    yield from _missing(where, "arm", exhibit.arms_named, arms)
    for name in exhibit.registers_read:
        if name not in study.sources:
            yield f"The {where} reads the register '{name}', which is not among the evaluation's sources.{nearest(name, study.sources)}"


def _states(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    if exhibit.states_read and study.person_table is not None:
        yield (
            f"The {where} reads states over time, and a person table has none. Take another kind, or for participation give "
            "`columns`, outcomes that are 1 for those who took part."
        )
        return
    for clock, states in exhibit.states_read.items():
        first, last = exhibit.times_read
        if first is not None and last is not None and last < first:
            yield f"The {where} ends at event time {last}, before it begins ({first}). Exchange them."
        yield from study.outside_clock(f"The {where}", clock, first, last)
        yield from _missing(where, "state", states, definitions.states)


def _options(where: str, exhibit: Exhibit, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Report weights, clusters and covariances that the analysis does not honour."""
    refused = exhibit.refused(
        definitions.specifications,
        weights=study.weights,
        clusters=len(study.clusters),
        cluster_key=study.cluster_key,
    )
    yield from (f"The {where} (kind {exhibit.kind}) {problem}" for problem in refused)
