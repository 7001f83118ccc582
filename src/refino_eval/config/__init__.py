"""Typed configuration: what a study is, written in YAML and checked before anything runs.

The names are imported when they are first used: a job that needs one model does not wait for all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULES = {
    "base": ("Label", "Language", "Unit"),
    "definitions": ("Definitions",),
    "evaluation": ("Evaluation", "Project"),
    "load": ("Configuration", "load_configuration"),
    "sources": ("Source",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
