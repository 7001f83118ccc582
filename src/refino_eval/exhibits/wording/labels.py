"""Words: labels from the definitions, and the fixed vocabulary of tables and figures in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions, Outcome, Specification
from refino_eval.config.evaluation import Arms, Evaluation
from refino_eval.text import say


def _words(nb: str, en: str) -> Label:
    return Label(nb=nb, en=en)


VOCABULARY: Mapping[str, Label] = {
    # statistics
    "estimate": _words("Effekt", "Effect"),
    "std_error": _words("Standardfeil", "Standard error"),
    "conf": _words("{level} % konfidensintervall", "{level}% confidence interval"),
    "conf_low": _words("Nedre grense", "Lower limit"),
    "conf_high": _words("Øvre grense", "Upper limit"),
    "band_low": _words("Nedre grense, samtidig bånd", "Lower limit, simultaneous band"),
    "band_high": _words("Øvre grense, samtidig bånd", "Upper limit, simultaneous band"),
    "p_value": _words("p-verdi", "p-value"),
    "mean": _words("Gjennomsnitt", "Mean"),
    "sd": _words("Standardavvik", "Standard deviation"),
    "mean_control": _words("Gjennomsnitt i kontrollgruppen", "Control mean"),
    "mean_treated": _words("Gjennomsnitt i tiltaksgruppen", "Treated mean"),
    "sd_treated": _words("Standardavvik i tiltaksgruppen", "Treated standard deviation"),
    "sd_control": _words("Standardavvik i kontrollgruppen", "Control standard deviation"),
    "percent_of_control": _words("Effekt i prosent av kontrollgruppen", "Effect in per cent of control mean"),
    "n": _words("N", "N"),
    "n_treated": _words("N i tiltaksgruppen", "N treated"),
    "n_control": _words("N i kontrollgruppen", "N control"),
    "n_cells": _words("Celler", "Cells"),
    "r_squared": _words("R²", "R²"),
    "f_stat": _words("F", "F"),
    "df": _words("Frihetsgrader", "Degrees of freedom"),
    "df_residual": _words("Frihetsgrader i restleddet", "Residual degrees of freedom"),
    "normalised_difference": _words("Normalisert differanse", "Normalised difference"),
    "share": _words("Andel trukket til tiltaksgruppen", "Share drawn to treatment"),
    "weight": _words("Vekt i estimatet", "Weight in the estimate"),
    "count": _words("Antall", "Number"),
    "p_value_ri": _words("p, randomisering", "p, randomisation"),
    "p_value_fwer": _words("p, familievis", "p, family-wise"),
    "p_value_holm": _words("p, Holm", "p, Holm"),
    "q_value": _words("q-verdi", "q-value"),
    "mde": _words("Minste påvisbare effekt", "Smallest detectable effect"),
    "margin": _words("Margin", "Margin"),
    "p_value_equivalence": _words("p, ekvivalens", "p, equivalence"),
    "rejected_below": _words("Mindre utelukkes fra", "Smaller excluded from"),
    "rejected_above": _words("Større utelukkes fra", "Larger excluded from"),
    "n_left_out": _words("Utenfor (celler med én gruppe)", "Left out (one-arm cells)"),
    "cell_fixed_effects": _words("Faste effekter", "Fixed effects"),
    "saturated": _words("Mettet", "Saturated"),
    "inverse_probability": _words("Invers sannsynlighet", "Inverse probability"),
    "interacted": _words("Med samspill (Lin)", "Interacted (Lin)"),
    "equal": _words("p, like", "p, equal"),
    "draw": _words("Effekt av trekningen", "Effect of the draw"),
    "first_stage": _words("Trekning på deltakelse", "Draw on take-up"),
    "take_up": _words("Effekt av deltakelse", "Effect of taking part"),
    "ar_set": _words("Anderson-Rubin-mengde", "Anderson-Rubin set"),
    "first_stage_f_iid": _words("F i første steg (klassisk)", "First-stage F (classical)"),
    "first_stage_f": _words("F i første steg (effektiv)", "First-stage F (effective)"),
    "compliers": _words("Flyttet av trekningen", "Moved by the draw"),
    "always_takers": _words("Deltar uansett", "Take part anyway"),
    "never_takers": _words("Deltar ikke uansett", "Never take part"),
    "fall_back_beside": _words(
        "Ved siden av: hvor de som trekningen flyttet, ellers ville vært",
        "Beside: where those whom the draw moved would otherwise have been",
    ),
    "bounds_lee": _words("Grenser (Lee)", "Bounds (Lee)"),
    "bounds_lee_tightened": _words("Grenser (Lee), strammet", "Bounds (Lee), tightened"),
    "bounds_horowitz_manski": _words("Ytterste grenser (Horowitz-Manski)", "Widest bounds (Horowitz-Manski)"),
    # structure
    "all": _words("Alle", "All"),
    "difference": _words("Differanse", "Difference"),
    "alone": _words("Hver for seg", "One at a time"),
    "joint": _words("Samlet", "All together"),
    "joint_test": _words("Samlet F-test", "Joint F-test"),
    "vcov": _words("Kovarians", "Covariance"),
    "strata": _words("Faste effekter", "Fixed effects"),
    "none": _words("ingen", "none"),
    "yes": _words("Ja", "Yes"),
    "no": _words("Nei", "No"),
    "without_group": _words("Uten opplysning", "Without a value"),
    "draw_year": _words("Trekkeår", "Year of the draw"),
    "draw_month": _words("Trekkemåned", "Month of the draw"),
    "month": _words("Måneder siden trekking", "Months since the draw"),
    "week": _words("Uker siden trekking", "Weeks since the draw"),
    "month_since_start": _words("Måneder siden oppstart", "Months since the start"),
    "week_since_start": _words("Uker siden oppstart", "Weeks since the start"),
    "calendar_month": _words("Trekkemåned", "Month of the draw"),
    "people": _words("Antall personer", "Number of people"),
    "share_treated": _words("Andel trukket til {arm}", "Share drawn to {arm}"),
    "cumulative": _words("samlet fra og med {origin} {first}", "summed from {origin} {first}"),
    "cell": _words("Celle", "Cell"),
    "summary": _words("Samlet", "Summary"),
    "effect_of": _words("Effekt av {arm}", "Effect of {arm}"),
    "pointwise": _words("{level} % intervall, hver måned for seg", "{level}% interval, each month by itself"),
    "pointwise_week": _words("{level} % intervall, hver uke for seg", "{level}% interval, each week by itself"),
    "simultaneous": _words("{level} % bånd for hele forløpet", "{level}% band for the whole path"),
    "placebo": _words("Før trekking: F = {f}, p = {p}", "Before the draw: F = {f}, p = {p}"),
    "draw_line": _words("trekking", "draw"),
    # the flow of people
    "delivered": _words("Leverte trekninger", "Draws delivered"),
    "excluded": _words("Tatt ut", "Excluded"),
    "missing_stratum": _words("Uten opplysning om celle", "Stratum is missing"),
    "no_weight": _words("Uten vekt", "No weight"),
    "missing_cluster": _words("Uten opplysning om klynge", "Cluster is missing"),
    # several treated arms
    "all_arms": _words("Ingen av gruppene har effekt, F", "No arm has an effect, F"),
    "all_arms_p": _words("Ingen av gruppene har effekt, p", "No arm has an effect, p"),
    "of_arm": _words("{word}, {arm}", "{word}, {arm}"),
    "drawn_to": _words("Andel trukket til hver gruppe", "Share drawn to each arm"),
    # costs and payments
    "cost_participant_months": _words("Antall deltakermåneder", "Participant-months"),
    "cost_payments": _words("Utbetalt til leverandørene, 1 000 kr", "Paid to providers, 1,000 kr"),
    "cost_monthly_price": _words("Kroner per deltakermåned", "Kroner a participant-month"),
    "cost_duration": _words("Gjennomsnittlig varighet, måneder", "Mean duration, months"),
    "cost_cost": _words("Utgift per deltaker", "Cost a participant"),
    "saving_monthly_price": _words("Per deltakermåned, inkl. mva.", "A participant-month, VAT included"),
    "saving_cost": _words("Per deltaker, inkl. mva.", "A participant, VAT included"),
    "saving_without_vat": _words("Per deltaker, uten mva.", "A participant, without VAT"),
    "saving_saving": _words("Per deltaker, med skattekostnad", "A participant, with the cost of tax"),
    "saving_gain": _words("Verdi av én person mer i jobb, mill. kr", "Value of one person more in work, million kr"),
    "saving_break_even": _words("Effekt, prosentpoeng", "Effect, percentage points"),
    "net_benefit": _words("Nettonytte per trukket person, 1 000 kr", "Net benefit a person drawn, 1,000 kr"),
    "outcome_value": _words("Verdi av én person mer i jobb, mill. kr", "Value of one person more in work, million kr"),
    "participants": _words("Deltakere", "Participants"),
    "paid": _words("Betalt", "Paid"),
    "undecided": _words("Uavklart", "Undecided"),
    "running": _words("Løper ved registrenes slutt", "Running when the registers end"),
    "not_reached": _words("Ikke nådd", "Not reached"),
    "least": _words("Minst", "Least"),
    "most": _words("Mest", "Most"),
    # design summary
    "n_one_arm_cells": _words("Celler med bare én gruppe", "Cells with one arm only"),
    "n_in_one_arm_cells": _words("Personer i celler med bare én gruppe", "People in cells with one arm only"),
    "n_singleton_cells": _words("Celler med én person", "Cells with a single person"),
    "n_informative": _words("Personer i celler med begge grupper", "People in cells with both arms"),
    "share_min": _words("Laveste trekkandel", "Lowest draw share"),
    "share_median": _words("Median trekkandel", "Median draw share"),
    "share_max": _words("Høyeste trekkandel", "Highest draw share"),
    "size_min": _words("Minste celle, personer", "Smallest cell, people"),
    "size_median": _words("Median celle, personer", "Median cell, people"),
    "size_max": _words("Største celle, personer", "Largest cell, people"),
    "effective_n": _words("Effektivt utvalg (Kish)", "Effective sample (Kish)"),
    "equal_draw_n": _words("Like presist som lik trekning av", "As precise as an even draw of"),
}


VCOV_LABELS: Mapping[str, Label] = {
    "iid": _words("klassisk", "classical"),
    "HC0": _words("robust (HC0)", "robust (HC0)"),
    "HC1": _words("robust (HC1)", "robust (HC1)"),
    "HC2": _words("robust (HC2)", "robust (HC2)"),
    "HC3": _words("robust (HC3)", "robust (HC3)"),
    "CRV1": _words("klyngerobust (CRV1)", "clustered (CRV1)"),
}


DRAW_MONTH = _words("trekkemåned", "draw month")
"""The one stratum that the program makes itself."""


@dataclass(frozen=True)
class LabelBook:
    """Looks up what to call things; a name without a label is shown as itself.

    Attributes
    ----------
    definitions
        The evaluation's merged definitions: labels, units, windows and specifications.
    treated, control
        Names of the arms; the first of `several` treated ones.
    arms
        Labels of the arms.
    samples
        Labels of the samples.
    strata
        Columns whose combinations are the cells.
    strata_labels
        What to call them.
    outcomes
        Labels of outcomes that the definitions do not hold (those of a person table).
    flow
        Labels of the flow's reasons, by `<step>:<reason>` (see `flow_labels`).
    weights, cluster
        Columns of a person table's weights and clusters, or nothing.
    language
        `nb` or `en`: the language that labels and texts are returned in.
    """

    definitions: Definitions
    treated: str
    control: str
    arms: Mapping[str, Label]
    samples: Mapping[str, Label] = field(default_factory=dict)
    strata: tuple[str, ...] = ()
    strata_labels: Mapping[str, Label] = field(default_factory=dict)
    outcomes: Mapping[str, Label] = field(default_factory=dict)
    flow: Mapping[str, Label] = field(default_factory=dict)
    several: tuple[str, ...] = ()
    weights: str = ""
    cluster: str = ""
    language: str = "en"

    @property
    def treated_arms(self) -> tuple[str, ...]:
        """Names of all treated arms."""
        return self.several or (self.treated,)

    def comparing(self, arm: str | None, against: str | None) -> Self:
        """Return the labels of an exhibit of one treated arm, or against another arm than the control."""
        control = against or self.control
        arms = (arm,) if arm is not None else tuple(each for each in self.treated_arms if each != control)
        return replace(self, treated=arms[0], control=control, several=arms)

    @classmethod
    def of(cls, evaluation: Evaluation, definitions: Definitions) -> Self:
        """Collect the labels of an evaluation.

        Parameters
        ----------
        evaluation
            Arms, samples, strata and, for a person table, outcome labels.
        definitions
            The definitions with those of the evaluation merged in.
        """
        arms = evaluation.arms
        table = evaluation.person_table
        return cls(
            definitions=definitions,
            treated=arms.treated.name,
            control=arms.control.name,
            arms=arms.labels,
            samples={name: sample.label for name, sample in evaluation.samples.items()},
            strata=evaluation.strata or (table.strata if table else ()),
            strata_labels=evaluation.strata_labels,
            outcomes=dict(table.labels) if table else {},
            flow=flow_labels(evaluation),
            several=tuple(arm.name for arm in arms.treated_arms),
            weights=(table.weights or "") if table else "",
            cluster=(table.cluster or "") if table else "",
        )

    @classmethod
    def named(cls, names: Mapping[str, Any], definitions: Definitions) -> Self:
        """Make the labels of plain data, as a rule hands them to its script.

        Parameters
        ----------
        names
            `arms`, `samples`, `strata`, `strata_labels`, `outcomes` and `flow`, as they are written in YAML; and of a person
            table with them, `weights` and `cluster`.
        definitions
            Those that the exhibit's words come from.
        """
        arms = Arms.model_validate(names["arms"])
        labels = {
            kind: {key: Label.model_validate(label) for key, label in names[kind].items()}
            for kind in ("samples", "strata_labels", "outcomes", "flow")
        }
        return cls(
            definitions=definitions,
            treated=arms.treated.name,
            control=arms.control.name,
            arms=arms.labels,
            strata=tuple(names["strata"]),
            several=tuple(arm.name for arm in arms.treated_arms),
            weights=str(names.get("weights", "")),
            cluster=str(names.get("cluster", "")),
            samples=labels["samples"],
            strata_labels=labels["strata_labels"],
            outcomes=labels["outcomes"],
            flow=labels["flow"],
        )

    def in_language(self, language: str) -> Self:
        """Return the same labels bound to a language."""
        return replace(self, language=language)

    def say(self, key: str, /, **values: object) -> str:
        """Return the text of a key in the labels' language (see `refino_eval.text.say`)."""
        return say(key, self.language, **values)

    def word(self, key: str, language: str | None = None) -> str:
        """Return a word of the fixed vocabulary."""
        return VOCABULARY[key][language or self.language] if key in VOCABULARY else plain(key)

    def arm(self, name: str, language: str | None = None) -> str:
        """Return an arm's label; also that of the column `all`."""
        return self.arms[name][language or self.language] if name in self.arms else self.word(name, language)

    def covariate(self, name: str, language: str | None = None, *, unit: bool = True) -> str:
        """Return a covariate's label, with its unit after a comma."""
        entry = self.definitions.covariates.get(name)
        if entry is None:
            return self.word(name, language)
        text = entry.label[language or self.language]
        return f"{text}, {entry.unit[language or self.language]}" if unit and entry.unit is not None else text

    def outcome(self, name: str, language: str | None = None) -> str:
        """Return an outcome's label."""
        entry = self.definitions.outcomes.get(name)
        if entry is not None:
            return entry.label[language or self.language]
        return self.outcomes[name][language or self.language] if name in self.outcomes else plain(name)

    def state(self, name: str, language: str | None = None) -> str:
        """Return a state's label."""
        entry = self.definitions.states.get(name)
        return entry.label[language or self.language] if entry is not None else plain(name)

    def state_unit(self, name: str, language: str | None = None) -> str:
        """Return a state's unit, or nothing."""
        entry = self.definitions.states.get(name)
        return entry.unit[language or self.language] if entry is not None else ""

    def state_is_share(self, name: str) -> bool:
        """Whether a state is 0 or 1 for each person, so that its sum over time is a number of periods."""
        entry = self.definitions.states.get(name)
        if entry is None:
            return False
        return entry.range == (0.0, 1.0) or getattr(entry, "combine", None) == "any"

    def outcome_is_share(self, outcome: Outcome) -> bool:
        """Whether an outcome's mean is a share, told in per cent, and not a number of periods or an amount."""
        if outcome.kind in ("any_in", "spell_of", "held_at"):
            return True
        if outcome.kind not in ("value_at", "mean_over", "change"):
            return False
        return outcome.unit.en == "share" if outcome.state is None else self.state_is_share(outcome.state)

    def sample(self, name: str, language: str | None = None) -> str:
        """Return a sample's label."""
        return self.samples[name][language or self.language] if name in self.samples else plain(name)

    def specification(self, name: str, language: str | None = None) -> str:
        """Return a specification's label."""
        entry = self.specification_of(name)
        return entry.label[language or self.language] if entry is not None else plain(name)

    def specification_of(self, name: str) -> Specification | None:
        """Return a specification, or None when it is not defined."""
        return self.definitions.specifications.get(name)

    def cells(self, language: str | None = None) -> str:
        """Return what tells the cells, for instance ``office × draw month``."""
        known = {"draw_month": DRAW_MONTH, **self.strata_labels}
        return " × ".join(
            known[name][language or self.language] if name in known else plain(name).lower() for name in self.strata
        )


def flow_labels(evaluation: Evaluation) -> dict[str, Label]:
    """Return what the reasons of an evaluation's flow are called, by `<step>:<reason>` as its exhibit has them."""
    steps = evaluation.population.steps if evaluation.population is not None else ()
    labels = {f"population:{step.reason}": step.label for step in steps}
    for name, sample in evaluation.samples.items():
        labels |= {f"{name}:{step.reason}": step.label for step in sample.steps}
    return labels


def cell_name(cell: str) -> str:
    """Return a cell of the draw as a reader sees it: the program joins the values of its strata by a letter x."""
    return cell.replace(" x ", " × ")


def plain(name: str) -> str:
    """Return a name of the program as a reader's word: no underscores, a capital first."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def inside(text: str) -> str:
    """Return a label as it stands inside a sentence: a small first letter, but for an abbreviation (`NAV office`)."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
