"""Model of exhibits of kind `sites`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict, Text
from refino_eval.config.exhibit_base import By, Chapter, PlainExhibit, Several
from refino_eval.config.money.costs import Amount
from refino_eval.errors import nearest


class SiteColumn(Strict):
    """A column of what documents state."""

    label: Label
    sum: bool = Field(default=False, description="Of a column of numbers: whether the last row has their sum.")


class Site(Strict):
    """A place of the study: what documents state of it, and which people were there."""

    label: Label
    values: tuple[str, ...] = Field(
        default=(), description="Values of the exhibit's `by` of the people who were there; none: nobody is counted."
    )
    texts: dict[Name, Text] = Field(default={}, description="Column -> what it says of the site.")
    stated: dict[Name, Amount] = Field(
        default={}, description="Column -> a number: published, or written with its source."
    )


class SitesExhibit(PlainExhibit):
    """What documents state of each place of a study (contracts, providers, capacity), and the people counted there by arm."""

    kind: Literal["sites"]
    counts_people: ClassVar[bool] = True
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "design"
    from_regressions: ClassVar[bool] = False
    published: Name | None = Field(
        default=None, description="Published values that `stated` names: `data/published/<name>.csv`."
    )
    by: Name = Field(description="Column of the cohort that says where a person was: the office, the county.")
    values_head: Label | None = Field(
        default=None,
        description="Heading of a column that lists the `values` of each site by their labels; default: no such column.",
    )
    columns: dict[Name, SiteColumn] = Field(description="Columns of texts and stated numbers, in order.")
    sites: dict[Name, Site] = Field(min_length=1, description="Rows, in order.")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        of: dict[str, str] = {}
        for name, site in self.sites.items():
            for column in (*site.texts, *site.stated):
                if column not in self.columns:
                    raise ValueError(
                        f"the site '{name}' has '{column}', which is no column of the table.{nearest(column, self.columns)}"
                    )
            for value in site.values:
                if value in of:
                    raise ValueError(f"'{value}' is in the sites '{of[value]}' and '{name}'; people are counted once")
                of[value] = name
            if self.published is None and any(entry.published for entry in site.stated.values()):
                raise ValueError("`stated` names published numbers: say in which file with `published`")
        for column in self.columns:
            in_text, in_number = (
                any(column in getattr(site, part) for site in self.sites.values()) for part in ("texts", "stated")
            )
            if in_text and in_number:
                raise ValueError(f"the column '{column}' has texts in some sites and numbers in others; choose one")
        return self

    @property
    def splits(self) -> tuple[By, ...]:
        """The column that people are counted by."""
        return (self.by,)

    @property
    def published_read(self) -> tuple[str, ...]:
        """The file that stated numbers name."""
        return (self.published,) if self.published else ()

    @property
    def outcome_columns(self) -> Mapping[str, str]:
        """Nothing: the columns are texts and stated numbers, not outcomes."""
        return {}

    @property
    def own_labels(self) -> Mapping[str, Label]:
        """Sites and columns."""
        return {
            **{name: site.label for name, site in self.sites.items()},
            **{name: column.label for name, column in self.columns.items()},
        }
