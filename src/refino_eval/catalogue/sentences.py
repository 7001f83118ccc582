"""Definitions other than outcomes in words: states, covariates, subgroups and specifications, in both languages.

A sentence says what is computed, not why: the reasons are in the definition's description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refino_eval.catalogue.references import expression_words
from refino_eval.config import definitions as d
from refino_eval.config.base import Language
from refino_eval.config.sources import Source
from refino_eval.text import say


def sentence(entry: Any, definitions: d.Definitions, sources: Mapping[str, Source], language: Language) -> str:
    """State in words what a state, covariate, subgroup or specification is.

    Parameters
    ----------
    entry
        The definition.
    definitions
        All definitions, for the labels of what it refers to.
    sources
        The registers, for their labels.
    language
        ``nb`` or ``en``.

    Returns
    -------
    str
        One or more sentences; empty for a form that is not known here.
    """
    writer = _Writer(definitions, sources, language)
    if isinstance(entry, d.SpellState):
        return writer.spell_state(entry)
    if isinstance(entry, d.DerivedState):
        words = expression_words(entry.expression, definitions, language)
        return say("definitions.derived", language, expression=words)
    if isinstance(entry, d.GivenState):
        return say("definitions.given", language, column=entry.column)
    if isinstance(entry, d.Subgroup):
        return writer.subgroup(entry)
    if isinstance(entry, d.Specification):
        return writer.specification(entry)
    return writer.covariate(entry)


class _Writer:
    """Writes the sentences of one language."""

    def __init__(self, definitions: d.Definitions, sources: Mapping[str, Source], language: Language) -> None:
        self.definitions, self.sources, self.language = definitions, sources, language

    def say(self, key: str, /, **values: object) -> str:
        return say(key, self.language, **values)

    def register(self, name: str | None) -> str:
        if name is None:
            return self.say("definitions.person_table")
        return f"«{self.sources[name].label[self.language]}»" if name in self.sources else name

    def number(self, value: float) -> str:
        text = f"{value:,.10g}" if value >= 1000 else f"{value:g}"
        return text.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",") if self.language == "nb" else text

    def any_of(self, values: Sequence[object]) -> str:
        *first, last = map(str, values)
        return ", ".join(first) + self.say("definitions.or") + last if first else last

    def conditions(self, conditions: Sequence[d.Condition]) -> str:
        parts = []
        for condition in conditions:
            column = condition.column
            for key, values, groups in (
                ("is_one_of", condition.is_in, condition.in_groups),
                ("is_none_of", condition.not_in, condition.not_in_groups),
            ):
                if groups is not None:
                    parts.append(
                        self.say(f"definitions.{key}_groups", column=column, n=len(groups), groups=self.any_of(groups))
                    )
                elif values is not None:
                    parts.append(self.say(f"definitions.{key}", column=column, values=self.any_of(values)))
            if condition.at_least is not None:
                parts.append(f"{column} ≥ {self.number(condition.at_least)}")
            if condition.at_most is not None:
                parts.append(f"{column} ≤ {self.number(condition.at_most)}")
        return self.say("definitions.and").join(parts)

    def spell_state(self, state: d.SpellState) -> str:
        source = self.sources.get(state.register_name)
        accumulated = source is not None and source.temporality == "accumulated"
        what = self.say("definitions.rows_of_period") if accumulated else self.say(f"definitions.spells_{state.touch}")
        register = self.register(state.register_name)
        parts = [
            self.say(
                "definitions.in_register_where", what=what, register=register, conditions=self.conditions(state.where)
            )
            if state.where
            else self.say("definitions.in_register", what=what, register=register)
        ]
        if state.within is not None:
            parts.append(self.say(f"definitions.within_{state.within.combine}", key=state.within.key))
        parts.append(self.combined(state))
        if state.deflate is not None:
            parts.append(self.say("definitions.prices", year=state.deflate.base_year))
        if state.divide_by != 1:
            parts.append(self.say("definitions.divided", by=self.number(state.divide_by)))
        return " ".join([*parts, *self.missing(state.missing)])

    def combined(self, state: d.SpellState) -> str:
        """Say how a person's spells in a period become one value."""
        if state.touch == "share_of_days":
            return self.say("definitions.share_of_days")
        if state.main is not None:
            if state.main.where:
                return self.say(
                    "definitions.main_spell_condition", by=state.main.by, conditions=self.conditions(state.main.where)
                )
            return self.say("definitions.main_spell_value", by=state.main.by, column=state.value)
        return self.say(f"definitions.value_{state.combine}", column=state.value, absent=self.number(state.absent))

    def missing(self, rules: d.MissingRules) -> list[str]:
        """Say what the state is outside the register's coverage, and after death or emigration."""
        outside: dict[str, str | float] = {
            "before_coverage": rules.before_coverage,
            "after_coverage": rules.after_coverage,
        }
        absent = [self.say(f"definitions.{period}") for period, value in outside.items() if value == "missing"]
        parts = (
            [self.say("definitions.missing_periods", periods=self.say("definitions.and").join(absent))]
            if absent
            else []
        )
        values = {period: value for period, value in outside.items() if value != "missing"}
        dates = {"after_death": rules.after_death, "after_emigration": rules.after_emigration}
        values |= {event: date.value for event, date in dates.items() if date is not None}
        for name, value in values.items():
            text = self.say("definitions.missing") if value == "missing" else self.number(float(value))
            parts.append(self.say(f"definitions.value_{name}", value=text))
        return parts

    def covariate(self, entry: Any) -> str:
        if isinstance(entry, d.ExpressionCovariate):
            return self.say("definitions.covariate_expression", expression=entry.expression)
        register = self.register(entry.register_name)
        if isinstance(entry, d.SeriesCovariate):
            place = f"{entry.place.column} ({self.register(entry.place.register_name)})"
            return self.say(
                "definitions.series", column=entry.column, register=register, place=place, n=entry.months_after
            )
        if isinstance(entry, d.MonthsBeforeCovariate):
            return self.say_where("months_before_draw", entry.where, register=register, n=entry.months)
        if isinstance(entry, d.AfterChangeCovariate):
            changes = (self.say_where("change", change.where, day=change.first) for change in entry.changes)
            return self.say("definitions.after_change", changes="; ".join(changes))
        if isinstance(entry, d.ColumnCovariate):
            if entry.equals is None:
                return self.say("definitions.column_value", column=entry.column, register=register)
            return self.say(
                "definitions.column_is", column=entry.column, register=register, values=self.any_of(entry.equals)
            )
        if isinstance(entry, d.AgeCovariate):
            return self.say("definitions.age", column=entry.column, register=register)
        if isinstance(entry, d.YearsWithCovariate):
            return self.say("definitions.years_with", column=entry.column, register=register)
        if isinstance(entry, d.AmountInYearCovariate):
            return self.amount_in_year(entry, register)
        if isinstance(entry, d.SpellAtDrawCovariate | d.SumAtDrawCovariate):
            column = {"column": entry.column} if isinstance(entry, d.SumAtDrawCovariate) else {}
            return self.say_where(entry.kind, entry.where, register=register, **column)
        return ""

    def say_where(self, key: str, conditions: Sequence[d.Condition], **values: Any) -> str:
        """Say a sentence, in its form with conditions where there are any."""
        if not conditions:
            return self.say(f"definitions.{key}", **values)
        return self.say(f"definitions.{key}_where", conditions=self.conditions(conditions), **values)

    def amount_in_year(self, entry: d.AmountInYearCovariate, register: str) -> str:
        prices = (
            self.say("definitions.amount_prices", year=entry.deflate.base_year) if entry.deflate is not None else ""
        )
        divided = (
            self.say("definitions.amount_divided", by=self.number(entry.divide_by)) if entry.divide_by != 1 else ""
        )
        return self.say(
            "definitions.amount_in_year", column=entry.column, register=register, n=entry.years_before, prices=prices, divided=divided
        )  # fmt: skip

    def subgroup(self, entry: d.Subgroup) -> str:
        covariate = self.definitions.covariates.get(entry.covariate)
        name = f"«{covariate.label[self.language]}»" if covariate is not None else entry.covariate
        parts = (
            []
            if entry.equals is None
            else [self.say("definitions.is_one_of", column=name, values=self.any_of(entry.equals))]
        )
        parts += [f"{name} ≥ {self.number(entry.at_least)}"] if entry.at_least is not None else []
        parts += [f"{name} < {self.number(entry.below)}"] if entry.below is not None else []
        return self.say("definitions.subgroup", conditions=self.say("definitions.and").join(parts))

    def specification(self, entry: d.Specification) -> str:
        terms = ", ".join(map(self.term, entry.controls))
        controls = self.say("definitions.controls", terms=terms) if terms else self.say("definitions.no_controls")
        for outcome, own in entry.outcome_controls.items():
            controls += self.say("definitions.outcome_controls", outcome=outcome, terms=", ".join(map(self.term, own)))
        if entry.interact:
            controls += self.say("definitions.products", listed=", ".join(entry.interact))
        if entry.adjustment == "interacted":
            controls += self.say("definitions.interacted")
        level = self.number(round(100 * entry.level, 6))
        strata = "strata" if entry.strata else "unstratified"
        if entry.absorb:
            return self.say(
                "definitions.specification_absorbing", columns=", ".join(entry.absorb), controls=controls, vcov=entry.vcov, level=level
            )  # fmt: skip
        return self.say(f"definitions.specification_{strata}", controls=controls, vcov=entry.vcov, level=level)

    def term(self, term: d.ControlTerm) -> str:
        covariate = self.definitions.covariates.get(term.covariate)
        name = covariate.label[self.language].lower() if covariate is not None else term.covariate
        edges = ", ".join(map(self.number, term.edges or ()))
        if term.degree > 1:
            text = self.say("definitions.term_polynomial", name=name, degree=term.degree)
        else:
            text = self.say(f"definitions.term_{term.encoding}", name=name, bins=term.bins, edges=edges)
        return text if term.missing == "indicator" else self.say(f"definitions.term_missing_{term.missing}", term=text)
