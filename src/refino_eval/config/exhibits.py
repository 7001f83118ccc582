"""Models of `config/definitions/exhibits.yaml`: one table or figure each.

A kind of exhibit is one model here, one function that makes its numbers (`exhibits.aggregate`) and one that lays them
out (`exhibits.render`). A model says by itself whether it is a table or a figure and what it reads, so that
the workflow needs no list of kinds.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from refino_eval.config.exhibit_base import (
    USUAL_LEVELS,
    By,
    Chapter,
    Form,
    GroupedExhibit,
    Level,
    OutcomesExhibit,
    PlainExhibit,
    Several,
    Stars,
    StatesExhibit,
)
from refino_eval.config.exhibits_described import (
    BalanceExhibit,
    CountsExhibit,
    DescriptivesExhibit,
    DesignExhibit,
    DrawsExhibit,
    FlowExhibit,
    PathsExhibit,
)
from refino_eval.config.exhibits_of_effects import (
    BinaryModelsExhibit,
    EffectsExhibit,
    EstimandsExhibit,
    InteractionsExhibit,
    IttExhibit,
    LeaveOneOutExhibit,
    NullCardExhibit,
    SpecificationCurveExhibit,
    StepwiseExhibit,
    SubgroupsExhibit,
    TestsExhibit,
    TimeToEventExhibit,
)
from refino_eval.config.exhibits_of_money import (
    BreakEvenExhibit,
    CostsExhibit,
    NetBenefitExhibit,
    PaymentRegisters,
    PaymentsExhibit,
    SocialCostsExhibit,
)
from refino_eval.config.exhibits_of_participation import (
    AttritionExhibit,
    CompliersExhibit,
    EverStartedExhibit,
    FallBackExhibit,
    LateExhibit,
    Participation,
    SpellSurvivalExhibit,
    StartersExhibit,
    TakeUpExhibit,
)

__all__ = [
    "USUAL_LEVELS",
    "AttritionExhibit",
    "BalanceExhibit",
    "BinaryModelsExhibit",
    "BreakEvenExhibit",
    "By",
    "Chapter",
    "CompliersExhibit",
    "CostsExhibit",
    "CountsExhibit",
    "DescriptivesExhibit",
    "DesignExhibit",
    "DrawsExhibit",
    "EffectsExhibit",
    "EstimandsExhibit",
    "EverStartedExhibit",
    "Exhibit",
    "FallBackExhibit",
    "FlowExhibit",
    "Form",
    "GroupedExhibit",
    "InteractionsExhibit",
    "IttExhibit",
    "LateExhibit",
    "LeaveOneOutExhibit",
    "Level",
    "NetBenefitExhibit",
    "NullCardExhibit",
    "OutcomesExhibit",
    "Participation",
    "PathsExhibit",
    "PaymentRegisters",
    "PaymentsExhibit",
    "PlainExhibit",
    "Several",
    "SocialCostsExhibit",
    "SpecificationCurveExhibit",
    "SpellSurvivalExhibit",
    "Stars",
    "StartersExhibit",
    "StatesExhibit",
    "StepwiseExhibit",
    "SubgroupsExhibit",
    "TakeUpExhibit",
    "TestsExhibit",
    "TimeToEventExhibit",
    "kinds_of",
]

Exhibit = Annotated[
    DescriptivesExhibit
    | BalanceExhibit
    | IttExhibit
    | TestsExhibit
    | EstimandsExhibit
    | LateExhibit
    | FallBackExhibit
    | CompliersExhibit
    | AttritionExhibit
    | EverStartedExhibit
    | StartersExhibit
    | TakeUpExhibit
    | SpellSurvivalExhibit
    | InteractionsExhibit
    | DrawsExhibit
    | PathsExhibit
    | EffectsExhibit
    | DesignExhibit
    | FlowExhibit
    | CostsExhibit
    | SocialCostsExhibit
    | BreakEvenExhibit
    | NetBenefitExhibit
    | PaymentsExhibit
    | SubgroupsExhibit
    | LeaveOneOutExhibit
    | StepwiseExhibit
    | NullCardExhibit
    | SpecificationCurveExhibit
    | BinaryModelsExhibit
    | TimeToEventExhibit
    | CountsExhibit,
    Field(discriminator="kind"),
]


def kinds_of(form: Form) -> tuple[str, ...]:
    """Return the kinds of exhibits that are tables, or figures."""
    models = get_args(get_args(Exhibit)[0])
    return tuple(get_args(model.model_fields["kind"].annotation)[0] for model in models if model.form == form)
