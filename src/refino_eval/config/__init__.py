"""Typed configuration: what a study is, written in YAML and checked before anything runs."""

from refino_eval.config.base import Label, Language, Unit
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation, Project
from refino_eval.config.load import Configuration, load_configuration
from refino_eval.config.sources import Source

__all__ = [
    "Configuration",
    "Definitions",
    "Evaluation",
    "Label",
    "Language",
    "Project",
    "Source",
    "Unit",
    "load_configuration",
]
