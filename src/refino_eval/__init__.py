"""Evaluate a randomised labour-market trial from register data."""


def __getattr__(name: str) -> str:
    """Return the installed version as `__version__`, which takes longer to find out than a light command to start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("refino-eval")
    except PackageNotFoundError:  # run from the source folder without installation
        return "unknown"
