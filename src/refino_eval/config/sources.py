"""Models of `config/sources/*.yaml`: one register each, described as data.

A source says which files a register is delivered in, how they are written, which columns are read, why each one is
needed, and which rules decide whether a row is clean. Columns that are not listed are never read.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from refino_eval.config.base import DESCRIPTIVE, WITHOUT_TEXT, Label, Name, Strict, Text

ColumnType = Literal["id", "text", "code", "date", "integer", "number", "hundredths", "ore", "month", "year", "week"]
FileFormat = Literal["csv", "parquet", "sas7bdat", "dta", "sav"]
Encoding = Literal["utf-8", "latin-1", "cp1252"]

RESERVED = ("person_id", "start", "stop")
SHORTEST_REASON = 10


class Column(Strict):
    """One delivered column: its name in the file, its type inside the program, and why it is needed."""

    source: str = Field(alias="from", description="The column's name in the delivered file.")
    type: ColumnType = Field(
        description="id and text stay text; code is text checked against `codelist`; date is a day; integer; number is a "
        "double; hundredths is a decimal number kept as an integer number of hundredths; ore is kroner kept as an integer "
        "number of oere; month is yyyymm; year is yyyy; week is a whole number of weeks since the draw."
    )
    why: Annotated[str, DESCRIPTIVE] = Field(
        description="Why the evaluation needs the column; shown in the variable list.",
        json_schema_extra={"minLength": SHORTEST_REASON},
    )
    date_format: str = Field(
        default="%Y-%m-%d",
        description="How a date is written, for type date: a strftime pattern (%Y%m%d, %d.%m.%Y), or `sas`, `stata` or "
        "`excel` for a whole number of days since that program's origin.",
    )
    width: int | None = Field(
        default=None,
        ge=1,
        le=40,
        description="For id, text and code: digits that are fewer than this get the leading zeros back that a number lost.",
    )
    digits: bool = Field(
        default=False,
        description="For id: every id is a number in digits, with exactly `width` digits if a width is stated; a row with "
        "another id is rejected.",
    )
    inclusive: bool = Field(default=True, description="For `stop`: the delivered date is the last day of the spell.")
    codelist: Name | None = Field(
        default=None, description="Name of the list in `config/codelists` that codes must be in."
    )
    required: bool = Field(default=False, description="A row without a value is rejected.")

    @field_validator("why")
    @classmethod
    def _says_why(cls, value: str, info: ValidationInfo) -> str:
        if len(value) < SHORTEST_REASON and info.context != WITHOUT_TEXT:
            raise ValueError(f"say in at least {SHORTEST_REASON} characters why the evaluation needs the column")
        return value


class MissingStop(Strict):
    """Reject a row without an end date; without this rule an open spell lasts until the data end."""

    rule: Literal["missing_stop"]


class ValueRange(Strict):
    """Reject a row whose value lies outside a range (in the column's own unit, ends included)."""

    rule: Literal["value_range"]
    column: Name
    low: float | None = None
    high: float | None = None


class ValueIn(Strict):
    """Reject a row whose code is not among those kept (for instance participants who never turned up)."""

    rule: Literal["value_in"]
    column: Name
    keep: tuple[str, ...]


class DuplicateRow(Strict):
    """Reject a row that repeats an earlier row in every listed column."""

    rule: Literal["duplicate_row"]


class Superseded(Strict):
    """Reject a row whose key comes again in a later file: the later file corrects the earlier."""

    rule: Literal["superseded"]
    key: tuple[Name, ...] = Field(min_length=1)


class StopBeforeStart(Strict):
    """Reject a spell that ends before it starts."""

    rule: Literal["stop_before_start"]


class FutureDate(Strict):
    """Reject a row with a date (for `stop`: a last day) after the last day covered, or after a day that is given."""

    rule: Literal["future_date"]
    column: Name
    after: dt.date | None = Field(
        default=None, description="The last day allowed; without it, the coverage's last day."
    )


class HoursFromPercent(Strict):
    """Repair missing or zero hours by the position's per cent of full-time hours; no row is rejected."""

    rule: Literal["hours_from_percent"]
    column: Name = Field(description="The column of hours, of type hundredths.")
    percent: Name = Field(description="The column with the position's per cent, of type hundredths.")
    full_time_hours: float = Field(gt=0, le=168, description="Weekly hours of a full position.")


class CutAt(Strict):
    """Cut a spell at a day in another column of the row (a death, an emigration); reject it if it starts after that."""

    rule: Literal["cut_at"]
    column: Name = Field(description="A column of type date: the last day that the spell can have.")


class PersonNotListed(Strict):
    """Reject a row of a person who is not in a list of ids that came with the delivery."""

    rule: Literal["person_not_listed"]
    file: str = Field(
        min_length=1,
        description="A UTF-8 text file in the delivery's folder: a header line, then an id a line (the first field).",
    )


class Overlap(Strict):
    """Join spells of one person that agree in a key and have a day in common; one row of each group stays.

    The rows that are absorbed are rejected by this rule, so that clean and rejected rows still add up.
    """

    rule: Literal["overlap"]
    key: tuple[Name, ...] = Field(
        default=(), description="Columns that must agree in addition to the person (an employer)."
    )
    keep: Literal["merge", "longest"] = Field(
        description="merge: the earliest row stays and lasts until the last day of any; longest: the longest row stays as it is."
    )
    gap: int | None = Field(
        default=None,
        ge=0,
        le=36_500,
        description="Also join spells with at most this many days between (0: one follows the other).",
    )


class OutsideCoverage(Strict):
    """Reject a spell that has no day inside the period that the delivery covers."""

    rule: Literal["outside_coverage"]


Rule = Annotated[
    MissingStop
    | ValueRange
    | ValueIn
    | DuplicateRow
    | Superseded
    | StopBeforeStart
    | OutsideCoverage
    | FutureDate
    | HoursFromPercent
    | CutAt
    | PersonNotListed
    | Overlap,
    Field(discriminator="rule"),
]


class Coverage(Strict):
    """The period in which the register is complete; outside it a state is missing, not zero."""

    first: dt.date
    last: dt.date = Field(description="The last day covered (inclusive).")

    @model_validator(mode="after")
    def _ordered(self) -> Coverage:
        if self.last < self.first:
            raise ValueError("coverage ends before it begins")
        return self


class LinkageExpectation(Strict):
    """How many of the people drawn should have a row in the register."""

    expected: float | None = Field(default=None, ge=0, le=1, description="The share expected, from 0 to 1.")
    at_least: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="A run stops if a smaller share is found; default: half of the expected share (in a small trial less, by "
        "three standard errors). 0 with `expected: 0` allows that nobody is found.",
    )


class DeliveredForm(Strict):
    """How delivered files are written; what is left out is as the register's file says."""

    format: FileFormat | None = None
    encoding: Encoding | None = None
    delimiter: str | None = None
    decimal: Literal[",", "."] | None = None
    date_format: str | None = Field(
        default=None, description="Of columns of type date, as in the columns of a register."
    )
    coverage: Coverage | None = Field(default=None, description="The period that the delivery covers.")

    def said(self) -> dict[str, Any]:
        """Return what is said, by key."""
        return {name: value for name in DeliveredForm.model_fields if (value := getattr(self, name)) is not None}


class Delivery(DeliveredForm):
    """How the files of one evaluation's delivery are written: one place for all its registers.

    A register's file in `config/sources` goes before what is said here for all registers; what is said here for one register goes
    before its file.
    """

    registers: dict[Name, DeliveredForm] = Field(
        default={}, description="Registers that are delivered in another form."
    )

    def applied(self, source: Source) -> Source:
        """Return a register's description with what holds for this delivery."""
        own = {name: getattr(source, name) for name in source.model_fields_set}
        exact = self.registers.get(source.register_name, DeliveredForm()).said()
        chosen = {
            **self.said(),
            **{key: value for key, value in own.items() if key in DeliveredForm.model_fields},
            **exact,
        }
        columns = {
            name: self._with_date_format(column, exact.get("date_format")) for name, column in source.columns.items()
        }
        if source.temporality in ("fixed", "event") and "coverage" not in exact:
            chosen["coverage"] = source.coverage  # dates of assignment, and facts about people, cover no period
        update = {key: value for key, value in chosen.items() if key != "date_format" and value is not None}
        if (
            source.coverage is not None
            and source.example_coverage is None
            and update.get("coverage") != source.coverage
        ):
            update["example_coverage"] = source.coverage
        return source.model_copy(update={**update, "columns": columns})

    def _with_date_format(self, column: Column, of_register: str | None) -> Column:
        """Return a column of dates in the form of its register in this delivery, else its own, else that of the delivery."""
        form = of_register or (None if "date_format" in column.model_fields_set else self.date_format)
        return column.model_copy(update={"date_format": form}) if form and column.type == "date" else column


class Source(Strict):
    """One register: its files, their form, its columns and its rules."""

    register_name: Name = Field(alias="register", description="The register's name; equals the file's.")
    label: Label
    description: Text = ""
    owner: Annotated[str, DESCRIPTIVE] = Field(description="Who delivers the register.")
    temporality: Literal["fixed", "event", "spell", "accumulated", "series"] = Field(
        description="fixed: one row a person; event: a dated row (`start`); spell: `start` and `stop`; accumulated: an "
        "amount for a calendar month or year (`period`); series: a number for a place, or another unit that is no person (`unit`), and a "
        "calendar month or year (`period`)."
    )
    files: tuple[str, ...] = Field(min_length=1, description="File names or patterns inside the delivery's folder.")
    format: FileFormat = Field(
        default="csv", description="csv: any text file with a delimiter, also packed as .gz or .zip (one file in it)."
    )
    lake: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9+.-]*://\S+$",
        description="Address of the register in a data lake (s3a://..., hdfs://..., file:///...), for engine spark: the Spark server "
        "reads and cleans it there, and `files` is not looked for. The format is parquet or csv.",
    )
    encoding: Encoding = "utf-8"
    delimiter: str = ";"
    decimal: Literal[",", "."] = "."
    columns: dict[Name, Column]
    coverage: Coverage | None = Field(default=None, description="Needed for registers from which states are made.")
    example_coverage: Coverage | None = Field(
        default=None,
        description="The coverage that worked examples assume; by default `coverage`. Where an evaluation states the coverage of its "
        "delivery, examples keep that of the register's file.",
    )
    rules: tuple[Rule, ...] = ()
    linkage: LinkageExpectation | None = Field(
        default=None, description="How well the register links to the draws; default: a run stops if nobody is found."
    )

    @model_validator(mode="before")
    @classmethod
    def _units_as_rows(cls, given: Any) -> Any:
        """Take the unit of a series where other registers have the person."""
        if not isinstance(given, dict) or given.get("temporality") != "series":
            return given
        columns = given.get("columns")
        if not isinstance(columns, dict) or "unit" not in columns:
            return given
        return {**given, "columns": {"person_id" if name == "unit" else name: own for name, own in columns.items()}}

    @property
    def is_by_period(self) -> bool:
        """Whether a row is a number for a calendar month or year."""
        return self.temporality in ("accumulated", "series")

    @model_validator(mode="after")
    def _complete(self) -> Source:
        self._require_columns()
        self._require_columns_of_rules()
        return self

    def _require_columns(self) -> None:
        """Require the columns that make a row one of a person, event, spell or period, of the types that these have."""
        wanted = {"fixed": ["person_id"], "event": ["person_id", "start"], "spell": ["person_id", "start", "stop"]}
        need = wanted.get(self.temporality, ["person_id", "period"])
        lacking = [name for name in need if name not in self.columns]
        if self.temporality == "series":
            lacking = ["unit" if name == "person_id" else name for name in lacking]
        if lacking:
            raise ValueError(f"a register with temporality {self.temporality} needs the columns {', '.join(lacking)}")
        if self.columns["person_id"].type != "id":
            raise ValueError("person_id must be of type id: ids are text from the first byte read")
        period = self.columns.get("period")
        if self.is_by_period and period is not None and period.type not in ("month", "year"):
            raise ValueError("the column period of an accumulated register, or of a series, is of type month or year")

    def _require_columns_of_rules(self) -> None:
        """Require the columns that rules name."""
        for rule in self.rules:
            single = (getattr(rule, key) for key in ("column", "percent") if hasattr(rule, key))
            for name in (*getattr(rule, "key", ()), *single):
                if name not in self.columns:
                    raise ValueError(f"rule {rule.rule} names the column '{name}', which is not listed")
