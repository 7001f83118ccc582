"""Kinds of exhibits, a folder each: its model, its numbers, its layout and its texts."""

# Configuration imports every model by name. It must do so before one of them is imported on its own, since a model in turn
# imports the base classes of configuration.
import refino_eval.config  # noqa: F401
