"""Model of `config/plans/<evaluation>.yaml`: what was said to be tested before anybody saw a result."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from refino_eval.config.base import Name, Strict

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PlannedOutcome(Strict):
    """One primary outcome as it was registered."""

    sha256: Sha256 = Field(description="Hash of `definition`.")
    definition: dict[str, Any] = Field(
        description="The outcome, its family and every state that it is computed from, without words and defaults."
    )


class RegisteredPlan(Strict):
    """The primary outcomes of an evaluation on the day on which its plan was registered."""

    evaluation: Name
    registered: dt.date
    reference: str | None = Field(default=None, description="Where the plan was registered, and under which number.")
    primary: dict[Name, PlannedOutcome]
