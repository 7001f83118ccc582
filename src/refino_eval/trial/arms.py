"""From the delivered code of the draw's result to `treated`, 0 or 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config.evaluation import Arms
from refino_eval.errors import UserFault


def treated_from_codes(values: pd.Series, arms: Arms, *, where: str) -> npt.NDArray[np.int64]:
    """Return 1 for the treated arm's code and 0 for the control arm's.

    Parameters
    ----------
    values
        (n,) delivered codes, text or numbers.
    arms
        The two arms with their codes.
    where
        What to call the column in a message.

    Raises
    ------
    UserFault
        When any row holds another value, or none; the message counts rows and shows codes, never people.
    """
    text = values.map(code_text, na_action="ignore").astype(object)
    treated, control = code_text(arms.treated.code), code_text(arms.control.code)
    known = text.isin([treated, control]).to_numpy()
    if not known.all():
        other = text[~known]
        codes = sorted({str(code)[:20] for code in other.dropna()})
        shown = ", ".join(f"'{code}'" for code in codes[:5]) + (", ..." if len(codes) > 5 else "")
        missing = int(other.isna().sum())
        found = " and ".join(
            part
            for part in (
                f"{len(other) - missing:,} rows with other values ({shown})" if codes else "",
                f"{missing:,} rows without a value" if missing else "",
            )
            if part
        )
        raise UserFault(
            f"{where}: the draw's result must be '{treated}' ({arms.treated.name}) or '{control}' ({arms.control.name}) "
            f"in every row; there are {found}. Mend the delivery, or the codes under arms in the evaluation."
        )
    return np.asarray(text == treated, dtype=np.int64)


def code_text(value: object) -> str:
    """Return a code as text, so that 1, 1.0 and '1' are the same code in every file format."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
