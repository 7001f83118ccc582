"""Choosing faults and formats by name, as `refino-eval simulate --mess overlaps,open_ends --format dta` does."""

from __future__ import annotations

from collections.abc import Iterable

from refino_eval.errors import UserError, nearest
from refino_eval.synthetic.recipe import Mess

RATE = 0.005
"""Rate of a fault that the recipe itself does not plant."""

ALIASES = {"overlaps": "same_employer", "backwards": "stop_before_start"}
"""Other names of faults."""

FORMATS = ("csv", "parquet", "dta", "sav")


def mess_names() -> dict[str, str]:
    """Return every fault that can be asked for, with what it is."""
    names = {name: str(field.description) for name, field in Mess.model_fields.items()}
    return names | {alias: f"Another name of {name}." for alias, name in ALIASES.items()}


def chosen_mess(recipe: Mess, names: Iterable[str]) -> Mess:
    """Return the rates that plant the named faults and no others.

    Parameters
    ----------
    recipe
        The recipe's rates; a fault that it does not plant gets `RATE`.
    names
        Names of `mess_names`, or only ``none``.

    Raises
    ------
    UserError
        For a name that is not one of them.
    """
    wanted = [name.strip() for name in names if name.strip()]
    if wanted == ["none"]:
        return Mess()
    faults = [
        f"There is no fault '{name}' to plant.{nearest(name, [*mess_names(), 'none'])} `--mess list` tells them all."
        for name in wanted
        if name not in mess_names()
    ]
    if faults or not wanted:
        raise UserError(*(faults or ["Name the faults to plant, `none`, or `list` to see them."]))
    fields = dict.fromkeys(ALIASES.get(name, name) for name in wanted)
    return Mess(**{name: getattr(recipe, name) or RATE for name in fields})


def chosen_format(name: str | None) -> str | None:
    """Check the name of a file format; None is the recipe's own forms."""
    if name is None or name in FORMATS:
        return name
    if name in ("sas7bdat", "sas"):
        raise UserError(
            "No library writes sas7bdat, so a synthetic delivery cannot be made in it; SAS alone does. Take dta or sav to try "
            "the reading of typed files."
        )
    raise UserError(f"There is no format '{name}' to write.{nearest(name, FORMATS)}")
