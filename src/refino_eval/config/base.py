"""What all configuration models share: strictness, labels and names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name inside the program: lower case ASCII, digits and underscores, at most 40 characters."""

Language = Literal["nb", "en"]
Unit = Literal["month", "week"]


class Strict(BaseModel):
    """Base of every configuration model: immutable, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Label(Strict):
    """A text in the report's two languages."""

    nb: str = Field(description="Norwegian (bokmål).")
    en: str = Field(description="English.")

    def __getitem__(self, language: str) -> str:
        return self.nb if language == "nb" else self.en
