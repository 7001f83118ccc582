"""What all models of exhibits share: words, sample, arms, what an exhibit reads, and outcomes or states as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from refino_eval.config.base import DESCRIPTIVE, Label, Name, Strict, Title, Unit
from refino_eval.covariances import COVARIANCES, CRV1, Vcov, is_clustered
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions, Specification
    from refino_eval.config.evaluation import Evaluation

Form = Literal["table", "figure"]
Several = Literal["together", "apart", "one"]
"""What a kind makes of several treated arms: all in one grid, a grid each, or one arm that the exhibit must choose."""

Chapter = Literal[
    "flow", "balance", "results", "take_up", "heterogeneity", "robustness", "costs", "supplement", "design", "methods"
]
"""Chapters of the report that hold exhibits; a kind's model names its usual one. The last three belong to the appendix."""

By = Name | tuple[Name, ...]
"""What splits people into groups: a covariate with few values, a stratum or another column of the draws that the cohort
keeps, `draw_year` or `draw_month`; or a list of subgroups that share nobody."""
Level = Annotated[float, Field(gt=0, lt=1)]
USUAL_LEVELS = (0.1, 0.05, 0.01)


def _levels(given: object) -> object:
    return USUAL_LEVELS if given is True else () if given is False else given


MOST_GROUPS = 12
"""More groups than this are no groups a reader can compare."""
Stars = Annotated[tuple[Level, ...], BeforeValidator(_levels, json_schema_input_type=bool | tuple[Level, ...])]
"""Levels of p that a star each is given for; true is the usual three, false none."""


REFUSED_OPTIONS = {
    "outcome_controls": "does not offer controls of one outcome (outcome_controls), and its specification has some. Choose a "
    "specification with `controls` alone.",
    "interacted": "does not offer interacted adjustment. Choose a specification with `adjustment: additive`.",
    "absorb": "does not offer fixed effects of several columns (absorb): it needs the cells of random assignment. Choose a "
    "specification without `absorb`.",
    "nonresponse": "does not offer weights for non-response (weights: {nonresponse: [...]}). Choose a specification without.",
}
"""What is said of an option of a specification that a kind does not honour."""


WildBootstrap = Annotated[int, Field(ge=99, le=1_000_000)] | None
WILD_BOOTSTRAP: Any = Field(
    default=None,
    description="Samples of the wild cluster bootstrap, whose p-value is then listed too (optional dependencies: bootstrap).",
)


def wild_bootstrap_faults(
    where: str, samples: int | None, specification: str, definitions: Definitions
) -> Iterator[str]:
    """Return why a wild cluster bootstrap of a specification cannot be made: without clusters, or without its library."""
    if samples is None:
        return
    entry = definitions.specifications.get(specification)
    if entry is not None and not is_clustered(entry.vcov):
        yield (
            f"The {where} has wild_bootstrap, which needs clusters, and the specification '{specification}' has the "
            f"covariance {entry.vcov}. Choose a clustered one, or leave wild_bootstrap out."
        )
    if find_spec("wildboottest") is None:
        yield (
            f"The {where} has wild_bootstrap, and the library wildboottest is not installed. Install it: "
            "pip install refino-eval[bootstrap]."
        )


class PlainExhibit(Strict):
    """What every exhibit has."""

    kind: str
    title: Title
    note: Label | None = Field(
        default=None, description="Said under the exhibit, after what the program says by itself."
    )
    sample: Name = Field(default="analysed", description="One of the evaluation's samples.")
    stars: Annotated[Stars | None, DESCRIPTIVE] = Field(
        default=None, description="Stars after effects: true, or levels of p; default: what config.yaml says."
    )
    decimal_places: Annotated[int | None, DESCRIPTIVE] = Field(
        default=None,
        ge=0,
        le=8,
        description="Of a table: decimals of effects, standard errors, interval limits, means and standard deviations; default: two "
        "significant digits of the standard error.",
    )
    chapter: Annotated[Chapter | None, DESCRIPTIVE] = Field(
        default=None,
        description="Chapter of the report that shows it; default: that of its kind. `supplement` is the appendix's chapter of further tables and figures.",
    )

    arm: Name | None = Field(
        default=None,
        description="Of several treated arms, the only one that the exhibit is about, or what all of them together are called "
        "(`arms.pooled`); default: all, one by one.",
    )
    against: Name | None = Field(
        default=None, description="The arm that it is compared with; default: the control arm."
    )
    comparisons: tuple[Name, ...] = Field(
        default=(),
        description="The same numbers for each of these comparisons (other treatments or waves); default: the evaluation's arms.",
    )

    form: ClassVar[Form] = "table"
    several_arms: ClassVar[Several] = "apart"
    usual_chapter: ClassVar[Chapter] = "results"
    supplementary: ClassVar[bool] = False
    """Whether the appendix usually shows it, as a supplement to that chapter."""
    units_in_heads: ClassVar[bool] = True
    """Whether heads of columns show units; where they do not, a note gives the units of the outcomes."""
    about_people: ClassVar[bool] = True
    """Whether the numbers describe the people of a sample, rather than published inputs alone."""
    from_regressions: ClassVar[bool] = True
    """Whether estimates come from regressions that other engines can run again, rather than from published numbers as well."""
    verified_with_dummies: ClassVar[bool] = False
    """Whether `verify` also uses an engine with a dummy for every cell, which is exact and slow."""
    takes_weights: ClassVar[bool] = True
    """Whether the numbers honour probability weights."""
    counts_people: ClassVar[bool] = False
    """Whether the numbers are of people as they are, to which weights do not apply."""
    rests_on_randomisation: ClassVar[bool] = False
    """Whether the numbers have no meaning unless people were assigned at random; an observational evaluation is refused them."""
    covariances: ClassVar[tuple[Vcov, ...]] = tuple(COVARIANCES)
    """The covariances that the numbers honour; an exhibit that asks for another is refused."""
    two_way: ClassVar[bool] = False
    """Whether the numbers honour clusters in two dimensions."""
    honoured: ClassVar[tuple[str, ...]] = ()
    """Which of a specification's `options` the numbers honour: outcome_controls, interacted, absorb, nonresponse."""
    weights_by_outcome: ClassVar[bool] = False
    """Whether each outcome may have its own weights for non-response."""
    most_groups: ClassVar[int | None] = None
    """The most groups that a column of `splits` may have; None for kinds that list all of them."""
    explanations: ClassVar[tuple[str, ...]] = ()
    """Entries of `text/explanations.yaml` that say what the numbers mean; counts, means and shares need none."""
    effects_by_outcome: ClassVar[bool] = False
    """Whether the numbers are effects of assignment by specification (panel), arm (row) and outcome (column): the summary and the
    explorer of the report show them."""
    tests_by_outcome: ClassVar[bool] = False
    """Whether the numbers are tests of such effects by specification (panel), outcome (row) and arm (column)."""

    @property
    def samples_read(self) -> tuple[str, ...]:
        """The samples that its numbers are about."""
        return (self.sample,)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return ()

    @property
    def outcome_columns(self) -> Mapping[str, str]:
        """The outcomes that are columns: key in the exhibit -> outcome."""
        columns: Mapping[str, object] = getattr(self, "columns", {})
        return {key: outcome for key, outcome in columns.items() if isinstance(outcome, str)}

    @property
    def single_outcome(self) -> str | None:
        """The outcome of an exhibit that is about one alone."""
        return getattr(self, "outcome", None)

    @property
    def specifications_read(self) -> tuple[str, ...]:
        """The specifications that the exhibit estimates."""
        single = getattr(self, "specification", None)
        return tuple(getattr(self, "specifications", ())) if single is None else (single,)

    def refused(
        self,
        specifications: Mapping[str, Specification],
        *,
        weights: str | None,
        clusters: int,
        cluster_key: str = "person_table.cluster",
    ) -> Iterator[str]:
        """Return a message for each option of estimation that this kind does not honour, rather than ignore it.

        Parameters
        ----------
        specifications
            By name; an exhibit without one has its own `vcov`, if any.
        weights
            The evaluation's weights, which specifications may replace.
        clusters
            Dimensions of the evaluation's clusters: none, one or two.
        cluster_key
            The key of the configuration that names them.
        """
        chosen = {name: specifications[name] for name in self.specifications_read if name in specifications}
        for name, entry in chosen.items():
            which = f" The specification is '{name}'." if len(chosen) > 1 else ""
            given = weights if entry.given_weights is None else entry.given_weights or None
            yield from self._refused_weights(given)
            weighted = bool(given) or entry.options["nonresponse"]
            yield from (f"{refusal}{which}" for refusal in self.refused_by_kind(entry, weighted=weighted))
            refused = (option for option, is_set in entry.options.items() if is_set and option not in self.honoured)
            yield from (f"{REFUSED_OPTIONS[option]}{which}" for option in refused)
            several = len(self.outcome_columns) > 1 and getattr(self, "missing", "common") == "available"
            if entry.options["nonresponse"] and several and not self.weights_by_outcome:
                yield (
                    "has several outcomes with their own people (missing: available), and weights for non-response are of people who have all "
                    f"of them. Take `missing: common`, or an exhibit for each outcome.{which}"
                )
            refusals = self._refused_covariance(entry.vcov, clusters=clusters, cluster_key=cluster_key)
            yield from (f"{refusal}{which}" for refusal in refusals)
        if not chosen:
            yield from self._refused_weights(weights)
            yield from self._refused_covariance(getattr(self, "vcov", None), clusters=clusters, cluster_key=cluster_key)
        if clusters > 1 and getattr(self, "draw_unit", "person") != "person":
            yield (
                f"re-randomises what was assigned, and clusters in two dimensions ({cluster_key}) do not say what that was. Add `draw_unit: "
                "person` if people were assigned one by one; otherwise name one column of clusters, or leave the exhibit out."
            )

    def refused_by_kind(self, entry: Specification, *, weighted: bool) -> Iterator[str]:
        """Return what this kind alone does not honour of a specification; `weighted`: whether it is estimated with weights."""
        yield from ()

    def _refused_weights(self, weights: str | None) -> Iterator[str]:
        if weights and not self.takes_weights:
            yield (
                f"takes no weights, and would be weighted by '{weights}'. Choose a specification with `weights: false`, or "
                "another kind."
            )

    def _refused_covariance(self, vcov: Vcov | None, *, clusters: int, cluster_key: str) -> Iterator[str]:
        if vcov is None:
            return
        if vcov not in self.covariances:
            yield f"does not offer the covariance {vcov}; choose one of: {', '.join(self.covariances)}."
        elif is_clustered(vcov) and not clusters:
            yield f"asks for the covariance {vcov}, and the evaluation names no clusters ({cluster_key})."
        elif clusters > 1 and COVARIANCES[vcov].has_cluster_leverage:
            yield (
                f"asks for the covariance {vcov}, which takes clusters in one dimension, and the evaluation names two ({cluster_key}). "
                f"Choose {' or '.join(CRV1)}, or name one column."
            )
        elif clusters > 1 and is_clustered(vcov) and not self.two_way:
            yield (
                f"does not offer clusters in two dimensions ({cluster_key}). Choose a specification whose covariance has no clusters, or "
                "name one column."
            )

    @property
    def covariates_read(self) -> tuple[str, ...]:
        """The covariates that the exhibit reads in addition to its controls."""
        return tuple(getattr(self, "covariates", ()))

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return ()

    @property
    def subgroups_read(self) -> tuple[str, ...]:
        """The subgroups that its groups are made of."""
        return tuple(dict.fromkeys(name for split in self.splits if not isinstance(split, str) for name in split))

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm of the evaluation, each with the arms that it lists."""
        return {}

    @property
    def times_read(self) -> tuple[int | None, int | None]:
        """First and last event time of the states that it reads; None is the panel's own end."""
        return getattr(self, "first", None), getattr(self, "last", None)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each thing that this kind alone can get wrong; `where` names the exhibit."""
        yield from ()

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads, by the clock of their panel."""
        return {}

    @property
    def panels(self) -> tuple[Unit, ...]:
        """The clocks of the panels that the exhibit reads."""
        return tuple(self.states_read)

    @property
    def reads_flow(self) -> bool:
        """Whether the exhibit shows the flow of people."""
        return False

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """Other exhibits of the evaluation whose numbers this one is computed from."""
        return ()

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads, and with them the published numbers that they name."""
        return ()

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The bases of these costs."""
        return ()

    @property
    def values_read(self) -> tuple[str, ...]:
        """The values of an outcome, of these costs."""
        return tuple(getattr(self, "values", ()))

    @property
    def arms_named(self) -> tuple[str, ...]:
        """Arms that the definition gives something for, without having to name them all."""
        return ()

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules of payment that the exhibit applies."""
        return ()

    @property
    def cost_benefit_read(self) -> tuple[str, ...]:
        """The cost-benefit models that the exhibit reads, and with them the published numbers that they name."""
        return ()

    @property
    def published_read(self) -> tuple[str, ...]:
        """Files of published numbers that the exhibit names by itself, rather than through costs or models."""
        return ()

    @property
    def own_labels(self) -> Mapping[str, Label]:
        """What the exhibit calls the rows and columns that only it has."""
        return {}

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return ()


class OutcomesExhibit(PlainExhibit):
    """An exhibit whose columns are outcomes."""

    columns: dict[Name, Name] = Field(min_length=1, description="Key in the exhibit -> outcome.")
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every outcome; available: each outcome's own people.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(self.columns.values())


class StatesExhibit(PlainExhibit):
    """An exhibit of states by event time, read from the panel of one clock."""

    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int | None = None
    last: int | None = None
    cumulate_from: int | None = Field(default=None, description="Sum the state from this event time on.")

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit shows, all by one clock."""
        return {self.clock: self.states}


class GroupedExhibit(PlainExhibit):
    """An exhibit of states that may be shown by group."""

    most_groups: ClassVar[int] = MOST_GROUPS

    by: By | None = Field(
        default=None,
        description="Show each group separately: a covariate with few values, a stratum, draw_year, or a list of subgroups.",
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return () if self.by is None else (self.by,)


class CostsReadExhibit(PlainExhibit):
    """An exhibit that is computed from an entry of the costs."""

    costs: Name = Field(description="An entry of config/definitions/costs.yaml; its arms are the evaluation's.")
    from_regressions: ClassVar[bool] = False

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads."""
        return (self.costs,)


class ProgrammesExhibit(PlainExhibit):
    """An exhibit that is computed from a cost-benefit model alone."""

    model: Name = Field(description="A cost-benefit model (cost_benefit.yaml).")

    usual_chapter: ClassVar[Chapter] = "costs"
    about_people: ClassVar[bool] = False
    from_regressions: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("cost_benefit",)

    @property
    def cost_benefit_read(self) -> tuple[str, ...]:
        """The model."""
        return (self.model,)

    def unknown(self, where: str, what: str, names: Iterable[str], definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme, scenario or judgement that the model does not have."""
        if self.model in definitions.cost_benefit:
            valid = getattr(definitions.cost_benefit[self.model], what)
            for name in dict.fromkeys(names):
                if name not in valid:
                    yield f"The {where} names '{name}', which is not among the {what} of cost_benefit.{self.model}.{nearest(name, valid)}"
                elif getattr(valid[name], "effect", "") == "estimated":
                    yield f"The {where} names '{name}', whose effect is estimated: only the kind net_value values it."


class CostAndEffects(CostsReadExhibit):
    """An exhibit that puts a difference in cost next to effects of the same run."""

    basis: Name
    effects: Name = Field(description="An exhibit of kind itt, whose effects of the same run are taken.")
    specification: Name = "main"
    columns: dict[Name, Name] = Field(min_length=1, description="Key in that exhibit -> its outcome.")
    months: dict[Name, Name] = Field(
        min_length=2, description="Arm -> outcome that counts a person's months in that arm's programme."
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *self.months.values())

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit whose effects are taken."""
        return (self.effects,)

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)

    @property
    def arms_named(self) -> tuple[str, ...]:
        """The arms whose months are counted."""
        return tuple(self.months)


class CostComparison(CostAndEffects):
    """An exhibit that compares a difference in cost with effects of the same run and what they are worth."""

    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")


class Participation(Strict):
    """What people can take part in, the programme that the draw is meant to fill first.

    Whoever takes part in several counts in the one that is named first; whoever takes part in none of them counts in none.
    """

    states: tuple[Name, ...] = Field(default=(), description="States of the panel that are 1 for those who take part.")
    window: tuple[int, int] | None = Field(
        default=None, description="With states: first and last event time that count, both included."
    )
    clock: Unit = "month"
    columns: dict[Name, Name] = Field(
        default_factory=dict,
        description="Instead of states: key -> an outcome that is 1 for those who took part (a person table's).",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.states) == bool(self.columns):
            raise ValueError("give either `states` with a `window`, or `columns`")
        if bool(self.states) != (self.window is not None):
            raise ValueError("`window` goes with `states`, and `states` with a `window`")
        if self.window is not None and self.window[1] < self.window[0]:
            raise ValueError("the window ends before it begins")
        return self

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states read, by the clock of their panel."""
        return {self.clock: self.states} if self.states else {}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes read."""
        return tuple(self.columns.values())
