"""Evaluate a randomised labour-market trial from register data."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("refino-eval")
except PackageNotFoundError:  # run from the source folder without installation
    __version__ = "unknown"
