"""Models of `config/config.yaml` and `config/evaluations/*.yaml`: which study to run, and what belongs to it alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from refino_eval.config.base import (
    DESCRIPTIVE,
    CalendarMonth,
    Design,
    Label,
    Language,
    Name,
    Shown,
    Strict,
    Text,
    Title,
    Unit,
)
from refino_eval.config.colours import Colour, colour_problems
from refino_eval.config.definitions import ColumnCovariate, Condition, Definitions, EventTime, GivenState, Scalar
from refino_eval.config.exhibit_base import Stars
from refino_eval.config.sources import Delivery

TableFormat = Literal["csv", "md", "html", "tex", "docx", "xlsx"]
FigureFormat = Literal["svg", "png", "pdf", "csv"]
BundleFormat = Literal["docx", "xlsx"]
ReportFormat = Literal["html", "docx", "pdf"]

CLUSTER_COLUMNS = ("cluster", "cluster.2")
"""What the cohort calls the columns of clusters; no covariate can have the name of the second."""


def _one_or_two(given: Any) -> Any:
    """Refuse lists of clusters that are not two different columns."""
    if isinstance(given, list | tuple) and (len(given) != 2 or given[0] == given[1]):
        raise ValueError("clusters are one column, or a list of two different columns ([firm, year])")
    return given


class Formats(Strict):
    """The forms in which exhibits are written."""

    tables: tuple[TableFormat, ...] = Field(default=get_args(TableFormat), min_length=1)
    figures: tuple[FigureFormat, ...] = Field(
        default=get_args(FigureFormat),
        min_length=1,
        description="csv is the numbers behind the figure, once for all languages.",
    )
    bundles: tuple[BundleFormat, ...] = Field(
        default=get_args(BundleFormat), description="All tables of the evaluation in one file; may be empty."
    )
    report: tuple[ReportFormat, ...] = Field(
        default=("html", "docx"),
        description="html always; docx, to be edited, which needs png among the figures and is left out by default without it; pdf, which a browser of the machine makes of the page at the end of a run, in some seconds.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_pictures(cls, given: Any) -> Any:
        """Leave Word out of the default where its pictures are not made; a report that asks for it is refused below."""
        if isinstance(given, dict) and "report" not in given and "png" not in given.get("figures", ("png",)):
            return {**given, "report": ("html",)}
        return given

    @field_validator("tables", "figures", "bundles", "report")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a format is named twice")
        return value

    @field_validator("figures")
    @classmethod
    def _with_svg(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "svg" not in value:
            raise ValueError("svg must be among them: the report shows it")
        return value

    @field_validator("report")
    @classmethod
    def _with_html(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "html" not in value:
            raise ValueError("html must be among them: the other forms are made next to it")
        return value

    @model_validator(mode="after")
    def _pictures_for_word(self) -> Self:
        if "docx" in self.report and "png" not in self.figures:
            raise ValueError(
                "the report in Word shows figures as png, which is not among `figures`; add it there, or take docx out of `report`"
            )
        return self


class DisclosureChoice(Strict):
    """Which rules protect the results that leave the secure zone."""

    profile: Name = Field(description="A file of `config/disclosure`; `none` for public and synthetic data alone.")


class EvaluationDisclosure(Strict):
    """Disclosure control of one evaluation's releases."""

    profile: Name | None = Field(
        default=None, description="A file of `config/disclosure`; by default the one of `config/config.yaml`."
    )
    leave_out: dict[Name, Shown] = Field(
        default={}, description="Exhibits that no release holds, each with the reason, which the release states."
    )


class Project(Strict):
    """`config/config.yaml`: what to run, in which languages, with which engine and seed."""

    evaluation: Name = Field(description="Which file of `config/evaluations` to run.")
    languages: tuple[Language, ...] = Field(default=("nb", "en"), min_length=1)
    formats: Formats = Field(default_factory=Formats, description="In which forms tables and figures are written.")
    stars: Stars = Field(default=(), description="Stars after effects: true, or levels of p; an exhibit may differ.")
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="Who computes panels and outcomes: DuckDB inside the program, or a Spark server. The numbers are the same.",
    )
    spark_address: str = Field(
        default="local",
        description="For engine spark: `local` (a server inside the program, without Java) or `sc://host:port` of a Spark "
        "Connect server. The environment variable SPARK_REMOTE replaces it.",
    )
    panel_parts: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Jobs that share the people of a panel, with the same result; by default one for each million people.",
    )
    disclosure: DisclosureChoice | None = Field(
        default=None, description="Rules for releases of all evaluations that name no profile themselves."
    )
    seed: int = Field(default=20180501, ge=0, description="The study seed; every random step derives its own from it.")
    work_per_job: int = Field(
        default=500_000,
        ge=1,
        description="People times outcomes that one job takes on; more work is split into more jobs. Results do not depend on it.",
    )


def _as_expression(given: Any) -> Any:
    """Take a number, true or false as the expression that it is: YAML reads a constant without quotes as one."""
    return str(given).lower() if isinstance(given, bool | int | float) else given


Expression = Annotated[str, BeforeValidator(_as_expression, json_schema_input_type=str | float | bool)]


class Arm(Strict):
    """One value of the random assignment."""

    name: Name
    label: Label
    code: Scalar | Annotated[tuple[Scalar, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="The value in the delivered file that means this arm; a list when several do; default: its name.",
    )
    colour: Annotated[Colour | None, DESCRIPTIVE] = Field(
        default=None,
        description=(
            "Of the arm in every figure, as '#rrggbb'; give all arms one or none. Default: navy for the treated arm, orange for "
            "the control. Line, marker and name differ in any case, so that a black-and-white print can be read."
        ),
    )

    @property
    def codes(self) -> tuple[Scalar, ...]:
        """The values that mean this arm."""
        if self.code is None:
            return (self.name,)
        return self.code if isinstance(self.code, tuple) else (self.code,)


def _listed(value: Any) -> Any:
    """Take one arm for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


class Pooled(Strict):
    """All treated arms taken together."""

    name: Name
    label: Label


class Arms(Strict):
    """The arms: what was drawn, one or several, and what it is compared with."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    treated_arms: Annotated[
        tuple[Arm, ...],
        BeforeValidator(_listed, json_schema_input_type=Arm | Annotated[list[Arm], Field(min_length=1)]),
    ] = Field(alias="treated", min_length=1, description="One arm, or a list of several.")
    control: Arm
    pooled: Pooled | None = Field(
        default=None, description="What all treated arms together are called, for exhibits that compare them as one."
    )

    @property
    def treated(self) -> Arm:
        """The treated arm, the first of several."""
        return self.treated_arms[0]

    @property
    def everyone(self) -> tuple[Arm, ...]:
        """All arms, the control last."""
        return (*self.treated_arms, self.control)

    @property
    def labels(self) -> dict[str, Label]:
        """What the arms are called, and what all treated ones together are."""
        named = {arm.name: arm.label for arm in self.everyone}
        return named if self.pooled is None else {**named, self.pooled.name: self.pooled.label}

    @model_validator(mode="after")
    def _different(self) -> Arms:
        names = [arm.name for arm in self.everyone] + ([self.pooled.name] if self.pooled else [])
        codes = [str(code) for arm in self.everyone for code in arm.codes]
        if len(set(names)) < len(names) or len(set(codes)) < len(codes):
            raise ValueError("the arms must differ in name and in code")
        if problems := list(colour_problems({arm.name: arm.colour for arm in self.everyone})):
            raise ValueError("; ".join(problems))
        return self


WITHOUT_PEOPLE = Arms(
    treated_arms=(Arm(name="programme", label=Label(nb="Med tiltaket", en="With the programme")),),
    control=Arm(name="without", label=Label(nb="Uten tiltaket", en="Without the programme")),
)
"""The arms of an evaluation that has no people."""


class Step(Strict):
    """One step of the population's flow: which draws are taken out, and why."""

    reason: Name
    label: Label
    first_draw_only: bool = Field(default=False, description="Keep each person's first draw.")
    exclude: tuple[Condition, ...] = Field(default=(), description="Take out draws that meet all of these.")
    draw_from: dt.date | None = Field(default=None, description="Take out draws before this day.")
    draw_to: dt.date | None = Field(default=None, description="Take out draws after this day (kept itself).")

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        said = [self.first_draw_only, bool(self.exclude), bool(self.draw_from or self.draw_to)]
        if sum(said) != 1:
            raise ValueError("a step says one of: first_draw_only, exclude, draw_from/draw_to")
        return self


class SampleStep(Strict):
    """One step from a wider sample to a narrower: who is taken out, and why."""

    reason: Name
    label: Label
    complete: tuple[Name, ...] = Field(default=(), description="Take out people who lack any of these covariates.")
    exclude: tuple[Condition, ...] = Field(
        default=(), description="Take out people who meet all of these, on covariates or strata."
    )
    draw_from: dt.date | None = Field(
        default=None, description="Take out people assigned, or entered, before this day."
    )
    draw_to: dt.date | None = Field(
        default=None, description="Take out people assigned, or entered, after this day (kept itself)."
    )

    @model_validator(mode="after")
    def _one_thing(self) -> SampleStep:
        if sum([bool(self.complete), bool(self.exclude), bool(self.draw_from or self.draw_to)]) != 1:
            raise ValueError("a sample's step says one of: complete, exclude, draw_from/draw_to")
        return self


class Sample(Strict):
    """A named sample: another one, or the whole population, less those whom its steps take out."""

    label: Label
    within: Name | None = Field(
        default=None, description="Another sample, defined before it, that this one is part of."
    )
    steps: tuple[SampleStep, ...] = ()


class NoneBefore(Strict):
    """Programmes that somebody who enters has not been in during the months before."""

    months: int = Field(ge=1, le=120, description="Calendar months before the month of the entry.")
    where: tuple[Condition, ...] = Field(min_length=1, description="Which spells of the register exclude.")


class Entry(Strict):
    """Entry by rule, where nobody was assigned: a person enters an arm by beginning its programme.

    A spell counts in every month that it touches. The arm is the programme entered, and the date of the entry the first day of
    its first month.
    """

    arms: dict[Name, Annotated[tuple[Condition, ...], Field(min_length=1)]] = Field(
        min_length=2, description="Arm -> which spells of the register are its programme."
    )
    months_in_a_row: int = Field(
        default=1, ge=1, le=60, description="How many months in a row somebody must be in the programme."
    )
    none_before: NoneBefore | None = None
    first: CalendarMonth = Field(description="First month of entries that count.")
    last: CalendarMonth = Field(description="Last month of entries that count.")
    repeat: Literal["first"] = Field(
        default="first",
        description="Of several entries of a person the first counts; the others are a line of the flow.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Entry:
        if self.last < self.first:
            raise ValueError(f"the last month of entries, {self.last}, is before the first, {self.first}")
        return self


class Population(Strict):
    """Where the draws stand, and who of them is in the evaluation."""

    register_name: Name = Field(
        alias="register", description="The register of draws; with `entry`, the register of spells in programmes."
    )
    entry: Entry | None = Field(
        default=None,
        description="Who enters by which rule, where nobody was assigned; columns are those of the first spell.",
    )
    arm: Name = Field(default="arm", description="Column of the draw's result.")
    draw_date: dt.date | None = Field(
        default=None, description="One draw date for everybody, where the delivery gives time since the draw only."
    )
    keep: tuple[Name, ...] = Field(
        default=(),
        description="Further columns of the draws to keep in the cohort (the office), to count people by them and to define groups.",
    )
    cluster: Annotated[Name | tuple[Name, Name] | None, BeforeValidator(_one_or_two)] = Field(
        default=None,
        description="Column of the draws with the unit that was assigned (a school, an office), for clustered standard errors. Who "
        "has none is taken out by a line of the flow. Two columns, [office, year]: clusters in two dimensions (covariance CRV1).",
    )
    weights: Name | None = Field(
        default=None,
        description="Column of the draws with probability weights. Who has none, or 0, is taken out by a line of the flow.",
    )
    steps: tuple[Step, ...] = Field(default=(), description="In order; each is a line of `flow.csv`.")

    @property
    def clusters(self) -> tuple[str, ...]:
        """The columns of clusters, one for each dimension."""
        return _dimensions(self.cluster)


def _dimensions(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if given is None else (given,) if isinstance(given, str) else given


class Clock(Strict):
    """A range of event time in calendar months or weeks since that of the draw (0)."""

    first: EventTime
    last: EventTime

    @model_validator(mode="after")
    def _ordered(self) -> Clock:
        if self.last < self.first:
            raise ValueError("the clock ends before it begins")
        return self


class SyntheticData(Strict):
    """Ask for a synthetic delivery, made before ingestion when it is not there."""

    recipe: Name = Field(description="A file of `config/synthetic`.")
    people: int | None = Field(default=None, ge=20, description="Number of people drawn; default: the recipe's.")


class TableFile(Strict):
    """An analysis file, and how it is written."""

    file: str = Field(
        description="Path inside the data folder of a .parquet, .dta, .sas7bdat, .sav, .rds or .rda file, or of a text file: .csv, .tab, .tsv, "
        ".txt, .dat or .raw."
    )
    rows: int | None = Field(default=None, ge=1, description="The number of rows that it must have.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | Literal["whitespace"] | None = Field(
        default=None,
        description="Of a text file; default: a comma, tab or semicolon that its first line has, else whitespace.",
    )
    decimal: Literal[".", ","] = Field(default=".", description="Of a text file.")
    encoding: str = Field(default="utf-8", description="Of a text file.")
    columns: tuple[str, ...] = Field(
        default=(), description="Names of the columns, in order, of a text file whose first line is data."
    )
    values: Literal["codes", "labels"] = Field(
        default="codes",
        description="Whether labelled values of a .dta or .sav file are read as codes or as their labels.",
    )
    missing_values: tuple[Scalar, ...] = Field(
        default=(), description="Codes that mean missing, in whatever column they stand, for instance -99."
    )
    stack: tuple[str, ...] = Field(
        default=(),
        description="Other files with the same columns, whose rows follow those of this file (a site or a year each).",
    )
    stacked_as: Name | None = Field(
        default=None, description="A new column with the name of the file that a row is from, without its ending."
    )
    object: str | None = Field(default=None, description="The data frame in an .rda file that holds several.")


class Joined(TableFile):
    """Another file, joined to those before it on an id."""

    by: str = Field(description="Column of the files before it.")
    key: str | None = Field(default=None, description="The column's name in this file, when it is another.")
    prefix: str = Field(default="", description="Put before the names of this file's columns.")
    relation: Literal["one_to_one", "many_to_one"] = Field(
        default="one_to_one", description="many_to_one: several people share a row, as of a site or a household."
    )
    unmatched: Literal["keep", "out", "fault"] = Field(
        default="keep",
        description="People without a row here. keep: its columns are missing for them; out: they are taken out, by a line of "
        "the flow; fault: the run stops.",
    )


class KeptRows(Condition):
    """A condition on one column of an analysis file, whatever its name."""

    column: str


def _by_own_name(value: Any) -> Any:
    """Take a list of columns for outcomes (covariates) of the same names, written as names are inside the program."""
    if not isinstance(value, list | tuple):
        return value
    found: dict[str, Any] = {}
    for column in value:
        name = re.sub(r"[^a-z0-9]+", "_", str(column).lower()).strip("_")[:38]
        name = name if name[:1].isalpha() else f"c_{name}"
        if name in found:
            raise ValueError(
                f"the columns '{found[name]}' and '{column}' would both be called '{name}': name them, as in `{name}: {column}`"
            )
        found[name] = column
    return found


_STRATA_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ]
}


class PeopleFile(TableFile):
    """An analysis file made elsewhere, and what its columns mean; a person table or a panel."""

    section: ClassVar[str]
    """The key of the evaluation, for messages."""

    join: tuple[Joined, ...] = Field(default=(), description="Other files, joined in order.")
    derive: dict[Name, Expression] = Field(
        default={}, description="New column -> an expression of columns, or of new columns before it."
    )
    person_id: str | None = Field(default=None, description="Column; without one, rows are numbered.")
    treated: str | Annotated[dict[Name, str], Field(min_length=1)] = Field(
        description="Column that says the arm, by the arms' codes; or treated arm -> its own column of 0 and 1, where a file has one "
        "an arm and the control arm is 0 in all."
    )
    strata: Annotated[tuple[str, ...], WithJsonSchema(_STRATA_SCHEMA)] = Field(
        default=(),
        description="Columns that together define the cells; or name -> column, if groups are defined by it.",
    )
    missing_stratum: Literal["out", "own"] = Field(
        default="out",
        description="People without a value of a stratum: left out and counted in the flow, or in a separate cell.",
    )
    covariates: Annotated[
        dict[Name, str], BeforeValidator(_by_own_name, json_schema_input_type=dict[Name, str] | list[str])
    ] = Field(
        default={},
        description="Covariate -> column of numbers; or a list of columns. More can be said under definitions.covariates.",
    )
    labels: dict[Name, Label] = Field(
        default={}, description="Labels of outcomes or states, and of these covariates; default: the column's name."
    )
    take_up: str | None = None
    weights: str | None = Field(
        default=None,
        description="Column of probability weights. Who has none, or 0, is taken out by a line of the flow.",
    )
    cluster: Annotated[str | tuple[str, str] | None, BeforeValidator(_one_or_two)] = Field(
        default=None,
        description="Column of clusters: specifications without `vcov` then take CR2. Who has none is taken out by a line of the flow. "
        "Two columns, [firm, year]: clusters in two dimensions (Cameron, Gelbach and Miller 2011), whose covariance is CRV1.",
    )
    draw_date: str | None = Field(default=None, description="Column of the date of the draw.")
    keep: tuple[KeptRows, ...] = Field(default=(), description="Rows to keep: those that meet all of these.")

    @model_validator(mode="before")
    @classmethod
    def _strata_by_name(cls, given: Any) -> Any:
        """Take strata with names of their own for derived columns."""
        if not isinstance(given, dict) or not isinstance(given.get("strata"), dict):
            return given
        renamed = {name: f"`{column}`" for name, column in given["strata"].items() if name != column}
        return {**given, "strata": list(given["strata"]), "derive": {**(given.get("derive") or {}), **renamed}}

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all files, inside the data folder."""
        return tuple(file for table in (self, *self.join) for file in (table.file, *table.stack))

    @property
    def measured(self) -> dict[str, str]:
        """The columns of what is measured, by name."""
        return {}

    @property
    def clusters(self) -> tuple[str, ...]:
        """The columns of clusters, one for each dimension."""
        return _dimensions(self.cluster)

    @property
    def arm_columns(self) -> dict[str, str]:
        """Treated arm -> its own column; empty when one column says the arm."""
        return {} if isinstance(self.treated, str) else self.treated

    @property
    def column_covariates(self) -> dict[str, ColumnCovariate]:
        """The definitions of the covariates that are named here."""
        return {
            name: ColumnCovariate(kind="column", column=column, label=self._label(name, column))
            for name, column in self.covariates.items()
        }

    def _label(self, name: str, column: str) -> Label:
        return self.labels.get(name) or Label(nb=str(column), en=str(column))


class PersonTable(PeopleFile):
    """An analysis file with one row a person, whose columns are named here."""

    section: ClassVar[str] = "person_table"
    outcomes: Annotated[
        dict[Name, str], BeforeValidator(_by_own_name, json_schema_input_type=dict[Name, str] | list[str])
    ] = Field(min_length=1, description="Outcome -> column; or a list of columns.")
    waves: tuple[int | str, ...] = Field(
        default=(),
        description="Waves of a wide file: an outcome or covariate whose column has `{wave}` in it becomes one for each "
        "(score: score_w{wave} becomes score_1, score_2, ...).",
    )

    @model_validator(mode="before")
    @classmethod
    def _each_wave(cls, given: Any) -> Any:
        """Write out what stands for one column in each wave."""
        if not isinstance(given, dict) or not isinstance(given.get("waves"), list | tuple):
            return given
        waves = [str(wave) for wave in given["waves"]]
        changed = {
            key: _written_out(given[key], waves)
            for key in ("outcomes", "covariates")
            if isinstance(given.get(key), dict)
        }
        several = {name for key in changed for name, column in given[key].items() if _WAVE in str(column)}
        labels = given.get("labels")
        if isinstance(labels, dict):
            changed["labels"] = {
                f"{name}_{wave}" if name in several else name: _of_wave(label, wave) if name in several else label
                for name, label in labels.items()
                for wave in (waves if name in several else [""])
            }
        return {**given, **changed}

    @property
    def measured(self) -> dict[str, str]:
        """The columns of outcomes, by name."""
        return self.outcomes


_WAVE = "{wave}"


def _written_out(columns: dict[str, Any], waves: list[str]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, column in columns.items():
        if _WAVE in str(column):
            written |= {f"{name}_{wave}": str(column).replace(_WAVE, wave) for wave in waves}
        else:
            written[name] = column
    return written


def _of_wave(label: Any, wave: str) -> Any:
    return {key: str(text).replace(_WAVE, wave) for key, text in label.items()} if isinstance(label, dict) else label


_PERIOD = "{period}"


class Panel(PeopleFile):
    """An analysis file with one row a person and month (or week), or one row a person with a column for each period.

    What belongs to the person (arm, strata, cluster, weights) must be the same in all of the person's rows.
    """

    section: ClassVar[str] = "panel"
    person_id: str = Field(description="Column of the person's id.")
    period: str | None = Field(
        default=None,
        description="Column of event time (whole months or weeks since assignment, 0 being the month or week of assignment), or of a "
        "date in the period, which is then counted from draw_date. None for a wide file: the columns of states then have "
        "`{period}` in them.",
    )
    states: Annotated[
        dict[Name, str], BeforeValidator(_by_own_name, json_schema_input_type=dict[Name, str] | list[str])
    ] = Field(
        min_length=1,
        description="State -> column of numbers; or a list of columns. Label, unit and range can be said under "
        "definitions.states (`column:`).",
    )
    baseline: EventTime | None = Field(
        default=None,
        description="Event time whose row gives the covariates; without it a covariate must be the same in all rows of a person.",
    )
    whole: bool = Field(
        default=True,
        description="Whether a person's rows must follow one another without gaps; false: a period without a row is missing.",
    )

    @model_validator(mode="after")
    def _wide_or_long(self) -> Panel:
        wide = [name for name, column in self.states.items() if _PERIOD in column]
        if self.period is None and len(wide) < len(self.states):
            raise ValueError(
                "name the column `period`; or, for a wide file, write `{period}` in the column of each state"
            )
        if self.period is not None and wide:
            raise ValueError(
                f"the state '{wide[0]}' has a column for each period, so there is no column `period` to name"
            )
        if self.period is None and self.baseline is not None:
            raise ValueError("a wide file has one row for each person, so `baseline` has no meaning")
        return self

    @property
    def column_states(self) -> dict[str, GivenState]:
        """The definitions of the states that are named here."""
        return {
            name: GivenState(column=column, label=self._label(name, column), description="", unit=Label(nb="", en=""))
            for name, column in self.states.items()
        }


class Evaluation(Strict):
    """One study: its data, population, arms, strata, clocks and what to run."""

    name: Name
    label: Title
    data_class: Literal["confidential", "public", "synthetic"]
    entry: Literal["spells", "person_table", "panel", "inputs"] = Field(
        default="spells", description="inputs: no people; every exhibit is computed from inputs alone."
    )
    design: Design = Field(
        default="randomised",
        description="observational: nobody was assigned at random. Every text then says difference instead of effect, with a caveat, and "
        "what rests on random assignment is refused.",
    )
    data: str = Field(
        default="data",
        description="The delivery's folder, from the project's root; ${NAME:-default} reads the environment.",
    )
    letter: str | None = Field(
        default=None,
        description="The delivery letter, inside the data folder; default: delivery.yaml when it is there.",
    )
    synthetic: SyntheticData | None = None
    disclosure: EvaluationDisclosure = Field(
        default_factory=EvaluationDisclosure, description="Disclosure control of the evaluation's releases."
    )
    published: Name | None = Field(
        default=None, description="Published values to compare with: `data/published/<name>.csv`."
    )
    sources: tuple[Name, ...] = Field(default=(), description="Registers to ingest: files of `config/sources`.")
    delivery: Delivery | None = Field(
        default=None, description="Format, encoding and coverage of the files of all registers, said once."
    )
    population: Population | None = None
    person_table: PersonTable | None = None
    panel: Panel | None = None
    arms: Arms = Field(
        default=WITHOUT_PEOPLE,
        description="What people were assigned to; an evaluation without people (entry: inputs) has none.",
    )
    samples: dict[Name, Sample] = Field(
        default={"analysed": Sample(label=Label(nb="Alle trukne", en="Everybody drawn"))},
        description="Named samples, wider before narrower; `analysed` is the one that exhibits take unless they say else.",
    )
    strata: tuple[Name, ...] = Field(
        default=(), description="Columns of the draws that define the cells; `draw_month` is made from the draw date."
    )
    strata_labels: dict[str, Label] = Field(
        default={}, description="What exhibits call the strata; default: the column."
    )
    value_labels: dict[Name, dict[str, Text]] = Field(
        default={},
        description="Column of the draws or of the person table -> value -> what exhibits call it, where people are counted or "
        "grouped by it: the names of offices that have codes, for instance.",
    )
    clocks: dict[Unit, Clock] = Field(default={}, description="Event time, by unit.")
    exhibits: tuple[Name, ...] = Field(min_length=1, description="Exhibits to make, in the report's order.")
    first_page: Annotated[dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]], DESCRIPTIVE] = Field(
        default={},
        description="Effects that the report's first page shows: exhibit of kind itt -> its columns, in order, for instance those that the "
        "summary of the published report names. Default: primary outcomes; where none is primary, all, the first six unfolded.",
    )
    definitions: Definitions = Field(default=Definitions(), description="Definitions that belong to this study alone.")

    @property
    def table(self) -> PersonTable | Panel | None:
        """The analysis file made elsewhere that the evaluation reads instead of registers."""
        return self.person_table or self.panel

    @property
    def weights(self) -> str | None:
        """The delivered column of probability weights, if the evaluation names one."""
        people = self.table or self.population
        return None if people is None else people.weights

    @property
    def clusters(self) -> tuple[str, ...]:
        """The delivered columns of clusters, one for each dimension; none, one or two."""
        people = self.table or self.population
        return () if people is None else people.clusters

    @property
    def cluster_columns(self) -> tuple[str, ...]:
        """What the cohort calls these columns."""
        return CLUSTER_COLUMNS[: len(self.clusters)]

    @property
    def has_strata(self) -> bool:
        """Whether the evaluation names strata."""
        return bool(self.strata if self.table is None else self.table.strata)

    @property
    def has_people(self) -> bool:
        """Whether the evaluation is about people, rather than about inputs alone."""
        return self.entry != "inputs"

    @property
    def clock_unit(self) -> Unit:
        """The unit of the first clock; the only one of a panel made elsewhere."""
        return next(iter(self.clocks), "month")

    @property
    def cluster_key(self) -> str:
        """The key of the configuration that names clusters, for messages."""
        return "population.cluster" if self.entry == "spells" else f"{self.entry}.cluster"

    @property
    def releasable(self) -> bool:
        """Whether unprotected exhibits may be passed on: not those of confidential data."""
        return self.data_class != "confidential"

    @property
    def pages_folder(self) -> str:
        """The folder of the results that holds unprotected tables, figures and report."""
        return "release" if self.releasable else "internal"

    def outside_clock(self, what: str, unit: Unit, first: int | None, last: int | None) -> Iterator[str]:
        """Return a sentence for each event time that something reads and the evaluation's clock does not have."""
        clock = self.clocks.get(unit)
        if clock is None:
            if self.entry != "person_table":
                yield f"{what} is by {unit}, and the evaluation has no clock by {unit}. Add clocks.{unit}."
            return
        for value in (first, last):
            if value is not None and not clock.first <= value <= clock.last:
                yield (
                    f"{what} reads event {unit} {value}, outside the evaluation's clock ({clock.first} to {clock.last}). "
                    f"Change the window or clocks.{unit}."
                )

    @field_validator("data")
    @classmethod
    def _relative(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name the delivery's folder")
        return value

    @model_validator(mode="after")
    def _entry(self) -> Evaluation:
        if self.entry == "inputs":
            self._without_people()
        elif missing := [key for key in ("arms", "data") if key not in self.model_fields_set]:
            raise ValueError(f"entry {self.entry} needs {' and '.join(missing)}")
        elif self.entry == "spells":
            if self.population is None or not self.clocks:
                raise ValueError("entry spells needs the sections population and clocks")
        else:
            self._made_elsewhere()
        if (other := self.panel if self.entry != "panel" else self.person_table) is not None:
            raise ValueError(f"entry {self.entry} takes no section {other.section}")
        if self.synthetic is not None and self.data_class != "synthetic":
            raise ValueError("an evaluation of a synthetic delivery declares data_class: synthetic")
        return self

    def _without_people(self) -> None:
        """Refuse what describes people."""
        of_people = (
            "arms",
            "data",
            "sources",
            "population",
            "samples",
            "strata",
            "clocks",
            "delivery",
            "letter",
            "synthetic",
        )
        if given := [key for key in of_people if key in self.model_fields_set]:
            raise ValueError(f"entry inputs is without people, and takes no {', '.join(given)}")

    def _made_elsewhere(self) -> None:
        """Refuse sections that belong to registers, and arms that the file's columns do not have."""
        table = self.person_table if self.entry == "person_table" else self.panel
        if table is None:
            raise ValueError(f"entry {self.entry} needs the section {self.entry}")
        if self.entry == "person_table" and self.clocks:
            raise ValueError("entry person_table takes no clocks")
        if self.entry == "panel" and len(self.clocks) != 1:
            raise ValueError("entry panel needs one clock, by month or by week")
        if self.sources or self.population or self.delivery:
            raise ValueError(f"entry {self.entry} takes no sources, delivery or population")
        own, drawn = set(table.arm_columns), {arm.name for arm in self.arms.treated_arms}
        if own and own != drawn:
            raise ValueError(
                f"{table.section}.treated names the arms {', '.join(sorted(own))}, and the treated arms are "
                f"{', '.join(sorted(drawn))}: name a column for each of them and no other"
            )
