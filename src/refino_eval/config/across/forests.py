"""Model of `config/forests.yaml`: comparisons of effects from several evaluations and published studies.

What is compared is configuration: each row is a number of an evaluation's aggregates, or a published effect with its source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from refino_eval.config.base import Label, Name, SourceText, Strict
from refino_eval.config.entry_files import listed_files, study_files
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import nearest, raise_problems

FILE = "config/forests.yaml"


class OwnEffect(Strict):
    """An effect in the aggregates of an evaluation, by its keys."""

    evaluation: Name
    exhibit: Name
    panel: str = ""
    row: str
    column: str


class StatedEffect(Strict):
    """An effect that a document states: a number of `data/published`, a number written here, or a range."""

    model_config = ConfigDict(allow_inf_nan=False)

    document: Name | None = Field(default=None, description="With `at`: `data/published/<document>.csv`.")
    at: str | None = Field(
        default=None,
        pattern=r"^[^/\\s]+(/[^/]*){2}/[^/]+$",
        description="exhibit/panel/row/column of a published estimate, and of its standard error if there is one.",
    )
    estimate: float | None = Field(
        default=None, description="In the units that are shown, like `std_error` and `range`."
    )
    std_error: float | None = Field(default=None, gt=0)
    range: tuple[float, float] | None = Field(default=None, description="Where the document states a range: its ends.")
    n: int | None = Field(default=None, gt=0, description="People in the study.")
    source: SourceText = Field(description="Document and place, in one language or in both languages of the page.")

    @model_validator(mode="after")
    def _one_form(self) -> StatedEffect:
        if sum(form is not None for form in (self.estimate, self.range, self.at)) != 1:
            raise ValueError("give either `document` and `at`, or `estimate`, or `range`")
        if (self.at is None) != (self.document is None):
            raise ValueError("`document` and `at` go together")
        if self.std_error is not None and self.estimate is None:
            raise ValueError("a `std_error` goes with an `estimate`")
        if self.range is not None and self.range[1] < self.range[0]:
            raise ValueError("the range ends below its start")
        return self


class ForestRow(Strict):
    """One effect of one study at one horizon."""

    label: Label
    outcome: Label
    design: Literal["randomised", "observational"] = "randomised"
    horizon: int = Field(ge=0, description="Months after the start; effects of one horizon are shown together.")
    counted: bool = Field(
        default=True,
        description="Whether it counts in measures of heterogeneity: false for a second number of the same study.",
    )
    own: OwnEffect | None = None
    published: StatedEffect | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> ForestRow:
        if (self.own is None) == (self.published is None):
            raise ValueError("a row has either `own` or `published`")
        return self


class Forest(Strict):
    """A comparison of effects of the same kind against the same alternative, by horizon and design."""

    title: Label
    note: Label | None = None
    unit: Label
    times: float = Field(
        default=1.0, gt=0, description="Shown units in one unit of own effects: 100 for percentage points."
    )
    rows: tuple[ForestRow, ...] = Field(min_length=1)


class Forests(Strict):
    """The whole file."""

    forests: dict[Name, Forest] = Field(default={})


def load_forests(root: Path) -> dict[str, Forest]:
    """Read the comparisons of a project; none without the file.

    Raises
    ------
    UserError
        When the file is invalid, or names an evaluation that does not exist.
    """
    path = root / FILE
    if not path.is_file():
        return {}
    forests = validate(read_yaml(path, FILE) or {}, Forests, FILE).forests
    studies = study_files(listed_files(root))
    raise_problems(
        [
            f"{FILE}: '{name}' takes an effect from the evaluation '{row.own.evaluation}', which does not exist."
            f"{nearest(row.own.evaluation, studies)}"
            for name, forest in forests.items()
            for row in forest.rows
            if row.own is not None and row.own.evaluation not in studies
        ]
        + [
            f"{FILE}: '{name}' takes a published effect from data/published/{row.published.document}.csv, which does not exist."
            for name, forest in forests.items()
            for row in forest.rows
            if row.published is not None
            and row.published.document is not None
            and not (root / "data/published" / f"{row.published.document}.csv").is_file()
        ]
    )
    return forests
