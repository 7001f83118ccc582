"""Faults and formats by name, as in `refino-eval simulate --mess overlaps,open_ends --format dta`."""

from __future__ import annotations

from collections.abc import Iterable

from refino_eval.errors import UserError, nearest
from refino_eval.synthetic.recipe import Mess

RATE = 0.005
"""Rate of a fault that the recipe does not plant."""

ALIASES = {"overlaps": "same_employer", "backwards": "stop_before_start"}
"""Other names of faults."""

FORMATS = ("csv", "parquet", "dta", "sav")


def mess_names() -> dict[str, str]:
    """Return every fault that can be planted, with its description."""
    names = {name: str(field.description) for name, field in Mess.model_fields.items()}
    return names | {alias: f"Another name for {name}." for alias, name in ALIASES.items()}


def chosen_mess(recipe: Mess, names: Iterable[str]) -> Mess:
    """Return the rates that plant the named faults and no others.

    Parameters
    ----------
    recipe
        The recipe's rates; a fault that it does not plant gets `RATE`.
    names
        Names in `mess_names`, or only ``none``.

    Raises
    ------
    UserError
        For an unknown name.
    """
    chosen = [name.strip() for name in names if name.strip()]
    if chosen == ["none"]:
        return Mess()
    problems = [
        f"--mess: unknown fault '{name[:80]}'.{nearest(name[:80], [*mess_names(), 'none'])} `--mess list` shows them all."
        for name in chosen
        if name not in mess_names()
    ]
    if problems or not chosen:
        raise UserError(*(problems or ["--mess: name the faults to plant, `none`, or `list` to see them."]))
    fields = dict.fromkeys(ALIASES.get(name, name) for name in chosen)
    return Mess(**{name: getattr(recipe, name) or RATE for name in fields})


def chosen_format(name: str | None) -> str | None:
    """Return a file format, having checked its name; None for the formats of the recipe."""
    if name is None or name in FORMATS:
        return name
    if name in ("sas7bdat", "sas"):
        raise UserError(
            "--format: only SAS itself can write sas7bdat. Use dta or sav to test the reading of typed files."
        )
    raise UserError(f"--format: unknown format '{name[:80]}'.{nearest(name[:80], FORMATS)}")
