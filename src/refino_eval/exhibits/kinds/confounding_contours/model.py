"""Kind `confounding_contours`: the difference adjusted for an unobserved trait of any strength, as a figure."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.exhibit_base import Form, Several
from refino_eval.exhibits.kinds.unobserved_confounding.model import ConfoundingExhibit


class ConfoundingContoursExhibit(ConfoundingExhibit):
    """The difference adjusted for an unobserved trait of any strength, with traits as strong as observed ones marked."""

    kind: Literal["confounding_contours"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"
