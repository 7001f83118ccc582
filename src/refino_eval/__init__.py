"""Evaluate a randomised labour-market trial from register data."""

from importlib.metadata import version

__version__ = version("refino-eval")
