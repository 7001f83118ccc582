"""From the delivered code of the draw's result to `treated`, 0 or 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config.evaluation import Arms
from refino_eval.errors import UserFault


def arms_from_codes(values: pd.Series, arms: Arms, *, where: str) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    """Return the name of each person's arm, and 1 for a treated arm and 0 for the control arm.

    Parameters
    ----------
    values
        (n,) delivered codes, text or numbers.
    arms
        The arms with their codes.
    where
        What to call the column in a message.

    Raises
    ------
    UserFault
        When any row holds another value, or none; the message counts rows and shows codes, never people.
    """
    text = values.map(code_text, na_action="ignore").astype(object)
    names = {code_text(code): arm.name for arm in arms.everyone for code in arm.codes}
    found = text.map(names, na_action="ignore")
    known = found.notna().to_numpy(dtype=bool)
    if not known.all():
        other = text[~known]
        codes = sorted({str(code)[:20] for code in other.dropna()})
        shown = ", ".join(f"'{code}'" for code in codes[:5]) + (", ..." if len(codes) > 5 else "")
        missing = int(other.isna().sum())
        told = " and ".join(
            part
            for part in (
                f"{len(other) - missing:,} rows with other values ({shown})" if codes else "",
                f"{missing:,} rows without a value" if missing else "",
            )
            if part
        )
        meant = [f"'{code}' ({name})" for code, name in names.items()]
        raise UserFault(
            f"{where}: the draw's result must be {', '.join(meant[:-1])} or {meant[-1]} in every row; there are {told}. "
            "Mend the delivery or the codes under arms in the evaluation, or take these rows out (`keep` of a person table)."
        )
    named = found.to_numpy(dtype=str)
    return named, np.asarray(named != arms.control.name, dtype=np.int64)


def code_text(value: object) -> str:
    """Return a code as text, so that 1, 1.0 and '1' are the same code in every file format."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
