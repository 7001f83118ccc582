"""Words: labels from the definitions, and the fixed vocabulary of tables and figures in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from refino_eval.config.base import Design, Label
from refino_eval.config.definitions import Definitions, Outcome, Specification
from refino_eval.config.evaluation import Arms, Evaluation
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.covariances import Vcov
from refino_eval.text import catalogue, say


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
    value_labels
        What to call the values of a column, by column.
    outcomes
        Labels of outcomes that the definitions do not hold (those of a person table).
    flow
        Labels of the flow's reasons, by `<step>:<reason>` (see `flow_labels`).
    weights, clusters
        Columns of weights and of clusters, or nothing.
    design
        Of the study; texts are worded for it inside `worded_for`.
    colours
        The evaluation's arms in their order, the control last, each with the colour it was given or nothing.
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
    value_labels: Mapping[str, Mapping[str, str | Label]] = field(default_factory=dict)
    outcomes: Mapping[str, Label] = field(default_factory=dict)
    flow: Mapping[str, Label] = field(default_factory=dict)
    several: tuple[str, ...] = ()
    weights: str = ""
    clusters: tuple[str, ...] = ()
    design: Design = "randomised"
    colours: Mapping[str, str | None] = field(default_factory=dict)
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

    def compared(self, name: str) -> Self:
        """Return the labels of a named comparison: its arms and cells in place of the evaluation's."""
        entry = self.definitions.comparisons.get(name)
        if entry is None:
            return self
        strata = self.strata if entry.strata is None else entry.strata
        if entry.treated is None:
            return replace(self, strata=strata)
        own = {self.treated: entry.treated_label or entry.label}
        own |= {} if entry.control_label is None else {self.control: entry.control_label}
        return replace(self, strata=strata, arms={**self.arms, **own})

    def calling_specifications(self, names: Mapping[str, Label]) -> Self:
        """Return the labels with other names for some specifications."""
        if not names:
            return self
        entries = self.definitions.specifications
        renamed = {
            name: entries[name].model_copy(update={"label": text}) for name, text in names.items() if name in entries
        }
        return replace(self, definitions=self.definitions.model_copy(update={"specifications": {**entries, **renamed}}))

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
        table = evaluation.table
        return cls(
            definitions=definitions,
            treated=arms.treated.name,
            control=arms.control.name,
            arms=arms.labels,
            samples={name: sample.label for name, sample in evaluation.samples.items()},
            strata=evaluation.strata or (table.strata if table else ()),
            strata_labels=evaluation.strata_labels,
            value_labels=evaluation.value_labels,
            outcomes=dict(evaluation.person_table.labels) if evaluation.person_table else {},
            flow=flow_labels(evaluation),
            several=tuple(arm.name for arm in arms.treated_arms),
            weights=evaluation.weights or "",
            clusters=evaluation.clusters,
            design=evaluation.design,
            colours={arm.name: arm.colour for arm in arms.everyone},
        )

    @classmethod
    def named(cls, names: Mapping[str, Any], definitions: Definitions) -> Self:
        """Make the labels of plain data, as a rule hands them to its script.

        Parameters
        ----------
        names
            `arms`, `samples`, `strata`, `strata_labels`, `outcomes` and `flow`, as they are written in YAML; and of a person
            table with them, `weights`, `clusters` and `design`.
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
            clusters=tuple(names.get("clusters", ())),
            design=names.get("design", "randomised"),
            colours={arm.name: arm.colour for arm in arms.everyone},
            samples=labels["samples"],
            strata_labels=labels["strata_labels"],
            value_labels={
                column: {
                    value: text if isinstance(text, str) else Label.model_validate(text) for value, text in of.items()
                }
                for column, of in names.get("value_labels", {}).items()
            },
            outcomes=labels["outcomes"],
            flow=labels["flow"],
        )

    def in_language(self, language: str) -> Self:
        """Return the same labels bound to a language."""
        return replace(self, language=language)

    def listed(self, texts: Sequence[str], *, any_of: bool = False) -> str:
        """Return texts as a list in a sentence: ``a, b and c``, or ``a, b or c``."""
        *others, last = texts
        end = "labels.end_of_choices" if any_of else "labels.end_of_list"
        return self.say(end, others=", ".join(others), last=last) if others else last

    def say(self, key: str, /, **values: object) -> str:
        """Return the text of a key in the labels' language (see `refino_eval.text.say`)."""
        return say(key, self.language, **values)

    def word(self, key: str) -> str:
        """Return a word of the fixed vocabulary (`text/labels.yaml`); a name that it does not hold is made readable."""
        return say(f"labels.{key}", self.language) if is_word(key) else plain(key)

    def arm(self, name: str) -> str:
        """Return an arm's label; also that of the column `all`."""
        return self.arms[name][self.language] if name in self.arms else self.word(name)

    def covariate(self, name: str, *, unit: bool = True) -> str:
        """Return a covariate's label, with its unit after a comma."""
        entry = self.definitions.covariates.get(name)
        if entry is None:
            return self.word(name)
        text = entry.label[self.language]
        return f"{text}, {entry.unit[self.language]}" if unit and entry.unit is not None else text

    def outcome(self, name: str) -> str:
        """Return an outcome's label."""
        entry = self.definitions.outcomes.get(name)
        if entry is not None:
            return entry.label[self.language]
        return self.outcomes[name][self.language] if name in self.outcomes else plain(name)

    def state(self, name: str) -> str:
        """Return a state's label."""
        entry = self.definitions.states.get(name)
        return entry.label[self.language] if entry is not None else plain(name)

    def state_unit(self, name: str) -> str:
        """Return a state's unit, or nothing."""
        entry = self.definitions.states.get(name)
        return entry.unit[self.language] if entry is not None else ""

    def state_is_share(self, name: str) -> bool:
        """Whether a state is 0 or 1 for each person, so that its sum over time is a number of periods."""
        entry = self.definitions.states.get(name)
        if entry is None:
            return False
        return entry.range == (0.0, 1.0) or getattr(entry, "combine", None) == "any"

    def in_per_cent(self, state: str) -> bool:
        """Whether figures show a state's mean in per cent: a share whose unit says no more than that."""
        return self.state_is_share(state) and self.definitions.states[state].unit.en in ("share", "")

    def outcome_is_share(self, outcome: Outcome) -> bool:
        """Whether an outcome's mean is a share, shown in per cent, and not a number of periods or an amount."""
        share = OUTCOME_KINDS[outcome.kind].mean_is_share
        if share != "as_read":
            return share == "always"
        return outcome.unit.en == "share" if outcome.state is None else self.state_is_share(outcome.state)

    def value(self, column: str, value: str) -> str:
        """Return what a value of a column is called: itself, unless the evaluation has a label for it."""
        text = self.value_labels.get(column, {}).get(value, value)
        return text if isinstance(text, str) else text[self.language]

    def sample(self, name: str) -> str:
        """Return a sample's label."""
        return self.samples[name][self.language] if name in self.samples else plain(name)

    def specification(self, name: str) -> str:
        """Return a specification's label."""
        entry = self.specification_of(name)
        return entry.label[self.language] if entry is not None else plain(name)

    def specification_of(self, name: str) -> Specification | None:
        """Return a specification, or None when it is not defined."""
        return self.definitions.specifications.get(name)

    def cells(self) -> str:
        """Return what defines the cells, for instance ``office × draw month``."""
        return " × ".join(self._stratum(name) for name in self.strata)

    def column(self, name: str) -> str:
        """Return what a column of the cohort is called inside a sentence: a covariate, a stratum, or another."""
        defined = name in self.definitions.covariates
        return inside(self.covariate(name, unit=False)) if defined else self._stratum(name)

    def _stratum(self, name: str) -> str:
        if name in self.strata_labels:
            return self.strata_labels[name][self.language]
        if name in self.definitions.covariates:
            return inside(self.covariate(name, unit=False))
        # The draw's month is the one stratum that the program derives itself.
        return self.say("labels.stratum_draw_month") if name == "draw_month" else plain(name).lower()


def is_word(key: str) -> bool:
    """Whether the fixed vocabulary holds a word."""
    return key in catalogue("labels").entries


def vcov_label(name: Vcov, language: str) -> str:
    """Return what a covariance is called, for instance ``clustered (CRV1)``."""
    return say(f"labels.vcov_{name.lower()}", language)


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
