"""Definitions other than outcomes in words: states, covariates, subgroups and specifications, in both languages.

A sentence says what is computed, not why: the reasons stand in the definition's own description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refino_eval.catalogue.references import expression_words
from refino_eval.config import definitions as d
from refino_eval.config.base import Language
from refino_eval.config.sources import Source

_TOUCH = {
    "any_day": ("med minst én dag i perioden", "with any day in the period"),
    "start_of_period": ("som dekker periodens første dag", "covering the period's first day"),
    "end_of_period": ("som dekker periodens siste dag", "covering the period's last day"),
    "all_days": ("som dekker hele perioden", "covering the whole period"),
    "share_of_days": ("med noen dag i perioden", "with any day in the period"),
}


def sentence(entry: Any, definitions: d.Definitions, sources: Mapping[str, Source], language: Language) -> str:
    """Say in words what a state, covariate, subgroup or specification is.

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
    told = _Told(definitions, sources, language)
    if isinstance(entry, d.SpellState):
        return told.spell_state(entry)
    if isinstance(entry, d.DerivedState):
        words = expression_words(entry.expression, definitions, language)
        return told.say(f"Regnet i hver periode: {words}.", f"Computed in each period: {words}.")
    if isinstance(entry, d.Subgroup):
        return told.subgroup(entry)
    if isinstance(entry, d.Specification):
        return told.specification(entry)
    return told.covariate(entry)


class _Told:
    """The words of one language."""

    def __init__(self, definitions: d.Definitions, sources: Mapping[str, Source], language: Language) -> None:
        self.definitions = definitions
        self.sources = sources
        self.language = language

    def say(self, nb: str, en: str) -> str:
        return nb if self.language == "nb" else en

    def register(self, name: str) -> str:
        return f"«{self.sources[name].label[self.language]}»" if name in self.sources else name

    def number(self, value: float) -> str:
        text = f"{value:,.10g}" if value >= 1000 else f"{value:g}"
        return text.replace(",", "\N{NO-BREAK SPACE}").replace(".", ",") if self.language == "nb" else text

    def listed(self, values: Sequence[object]) -> str:
        texts = [str(value) for value in values]
        if len(texts) < 2:
            return "".join(texts)
        return ", ".join(texts[:-1]) + self.say(" eller ", " or ") + texts[-1]

    def conditions(self, conditions: Sequence[d.Condition]) -> str:
        parts = []
        for each in conditions:
            if each.is_in is not None:
                parts.append(
                    self.say(
                        f"{each.column} er {self.listed(each.is_in)}", f"{each.column} is {self.listed(each.is_in)}"
                    )
                )
            if each.not_in is not None:
                parts.append(
                    self.say(
                        f"{each.column} er ikke {self.listed(each.not_in)}",
                        f"{each.column} is not {self.listed(each.not_in)}",
                    )
                )
            if each.at_least is not None:
                parts.append(f"{each.column} ≥ {self.number(each.at_least)}")
            if each.at_most is not None:
                parts.append(f"{each.column} ≤ {self.number(each.at_most)}")
        return self.say(" og ", " and ").join(parts)

    def spell_state(self, state: d.SpellState) -> str:
        nb, en = _TOUCH[state.touch]
        where = f", {self.say('der', 'where')} {self.conditions(state.where)}" if state.where else ""
        source = self.sources.get(state.register_name)
        amounts = source is not None and source.temporality == "accumulated"
        what = (
            self.say("Rader for perioden", "Rows of the period")
            if amounts
            else self.say(f"Forløp {nb}", f"Spells {en}")
        )
        parts = [f"{what} {self.say('i', 'in')} {self.register(state.register_name)}{where}."]
        if state.within is not None:
            how = {
                "max": self.say("teller én gang, med den største verdien", "count once, with the largest value"),
                "sum": self.say("legges sammen først", "are added first"),
            }[state.within.combine]
            parts.append(
                self.say(
                    f"Forløp med samme {state.within.key} {how}.", f"Spells with the same {state.within.key} {how}."
                )
            )
        parts.append(self.combined(state))
        if state.deflate is not None:
            parts.append(
                self.say(f"I priser fra {state.deflate.base_year}.", f"In prices of {state.deflate.base_year}.")
            )
        if state.divide_by != 1:
            by = self.number(state.divide_by)
            parts.append(self.say(f"Delt på {by}.", f"Divided by {by}."))
        parts += self.missing(state)
        return " ".join(parts)

    def combined(self, state: d.SpellState) -> str:
        absent = self.number(state.absent)
        if state.touch == "share_of_days":
            return self.say(
                "Verdien er andelen av periodens dager som er dekket.",
                "The value is the share of the period's days covered.",
            )
        if state.main is not None:
            asked = self.conditions(state.main.where)
            what = (
                self.say(f"er 1 når {asked}, ellers 0", f"is 1 when {asked}, else 0")
                if asked
                else self.say(f"er {state.value}", f"is {state.value}")
            )
            return self.say(
                f"Forløpet med størst {state.main.by} er hovedforløpet; verdien {what}.",
                f"The spell with the largest {state.main.by} is the main one; the value {what}.",
            )
        if state.combine == "any":
            return self.say(
                f"Verdien er 1 når det er minst ett, ellers {absent}.",
                f"The value is 1 when there is any, else {absent}.",
            )
        value = {
            "sum": self.say(f"summen av {state.value}", f"the sum of {state.value}"),
            "max": self.say(f"den største {state.value}", f"the largest {state.value}"),
            "count": self.say("antallet", "their number"),
        }[state.combine]
        return self.say(
            f"Verdien er {value}; uten noen er den {absent}.", f"The value is {value}; without any it is {absent}."
        )

    def missing(self, state: d.SpellState) -> list[str]:
        rules = state.missing
        said = [
            (rules.before_coverage, self.say("før registeret begynner", "before the register begins")),
            (rules.after_coverage, self.say("etter at registeret slutter", "after the register ends")),
        ]
        outside = [when for value, when in said if value == "missing"]
        parts = []
        if outside:
            parts.append(self.say(f"Mangler {' og '.join(outside)}.", f"Missing {' and '.join(outside)}."))
        said = [(value, when) for value, when in said if value != "missing"]
        dates = (
            (rules.after_death, self.say("etter dødsfall", "after death")),
            (rules.after_emigration, self.say("etter utvandring", "after emigration")),
        )
        said += [(date.value, when) for date, when in dates if date is not None]
        for value, when in said:
            text = self.say("mangler", "missing") if value == "missing" else self.number(float(value))
            parts.append(f"{when[:1].upper()}{when[1:]}: {text}.")
        return parts

    def covariate(self, entry: Any) -> str:
        where = (
            self.register(entry.register_name)
            if entry.register_name
            else self.say("persontabellen", "the person table")
        )
        if isinstance(entry, d.ColumnCovariate):
            if entry.equals is None:
                return self.say(f"{entry.column} i {where}.", f"{entry.column} in {where}.")
            codes = self.listed(entry.equals)
            return self.say(
                f"1 når {entry.column} i {where} er {codes}, ellers 0.",
                f"1 when {entry.column} in {where} is {codes}, else 0.",
            )
        if isinstance(entry, d.AgeCovariate):
            return self.say(
                f"År fra {entry.column} i {where} til trekkdagen.",
                f"Years from {entry.column} in {where} to the day of the draw.",
            )
        if isinstance(entry, d.YearsWithCovariate):
            return self.say(
                f"Antall kalenderår før trekkåret med {entry.column} over null i {where}.",
                f"Number of calendar years before the draw year with {entry.column} above zero in {where}.",
            )
        if isinstance(entry, d.AmountInYearCovariate):
            prices = entry.deflate.base_year if entry.deflate is not None else None
            tail = self.say(f", i priser fra {prices}", f", in prices of {prices}") if prices else ""
            tail += (
                self.say(f", delt på {self.number(entry.divide_by)}", f", divided by {self.number(entry.divide_by)}")
                if entry.divide_by != 1
                else ""
            )
            return self.say(
                f"{entry.column} i {where} i kalenderåret {entry.years_before} år før trekkåret{tail}.",
                f"{entry.column} in {where} in the calendar year that lies {entry.years_before} before that of the draw{tail}.",
            )
        if isinstance(entry, d.SpellAtDrawCovariate):
            which = f", {self.say('der', 'where')} {self.conditions(entry.where)}" if entry.where else ""
            if entry.kind == "spell_at_draw":
                return self.say(
                    f"1 når et forløp i {where}{which} dekker trekkdagen, ellers 0.",
                    f"1 when a spell in {where}{which} covers the day of the draw, else 0.",
                )
            return self.say(
                f"1 når et forløp i {where}{which} begynte før trekkdagen, ellers 0.",
                f"1 when a spell in {where}{which} began before the day of the draw, else 0.",
            )
        return ""

    def subgroup(self, entry: d.Subgroup) -> str:
        covariate = self.definitions.covariates.get(entry.covariate)
        name = f"«{covariate.label[self.language]}»" if covariate is not None else entry.covariate
        parts = [f"{name} {self.say('er', 'is')} {self.listed(entry.equals)}"] if entry.equals is not None else []
        parts += [f"{name} ≥ {self.number(entry.at_least)}"] if entry.at_least is not None else []
        parts += [f"{name} < {self.number(entry.below)}"] if entry.below is not None else []
        return self.say("De der ", "Those whose ") + self.say(" og ", " and ").join(parts) + "."

    def specification(self, entry: d.Specification) -> str:
        cells = (
            self.say("Trekkecellene", "The cells of the draw") if entry.strata else self.say("Ingen celler", "No cells")
        )
        terms = [self.term(term) for term in entry.controls]
        controls = (
            self.say("og kontrollene ", "and the controls ") + ", ".join(terms)
            if terms
            else self.say("uten kontroller", "without controls")
        )
        level = self.number(round(100 * entry.level, 6))
        return self.say(
            f"{cells} {controls}. Kovarians {entry.vcov}; intervaller på {level} %.",
            f"{cells} {controls}. Covariance {entry.vcov}; intervals of {level}%.",
        )

    def term(self, term: d.ControlTerm) -> str:
        covariate = self.definitions.covariates.get(term.covariate)
        name = covariate.label[self.language].lower() if covariate is not None else term.covariate
        how = {
            "linear": self.say("lineær", "linear"),
            "categories": self.say("kategorier", "categories"),
            "quantile_bins": self.say(f"{term.bins} like store grupper", f"{term.bins} equal bins"),
            "edges": self.say("grupper ved ", "bins at ") + ", ".join(self.number(edge) for edge in term.edges or ()),
        }[term.encoding]
        missing = {
            "indicator": "",
            "drop": self.say("; den som mangler den, går ut", "; who lacks it is left out"),
            "error": self.say("; må ikke mangle", "; must not be missing"),
        }[term.missing]
        return f"{name} ({how}{missing})"
