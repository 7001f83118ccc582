"""From the delivered code of the draw's result to `treated`, 0 or 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config.evaluation import Arms
from refino_eval.errors import UserError, shown_values


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
    UserError
        When any row holds another value, or none; the message counts rows and shows codes, never people.
    """
    text = values.map(code_text, na_action="ignore").astype(object)
    names = {code_text(code): arm.name for arm in arms.everyone for code in arm.codes}
    found = text.map(names, na_action="ignore")
    known = found.notna().to_numpy(dtype=bool)
    if not known.all():
        other = text[~known]
        codes = set(other.dropna())
        missing = int(other.isna().sum())
        told = " and ".join(
            part
            for part in (
                f"{len(other) - missing:,} rows with other values ({shown_values(codes)})" if codes else "",
                f"{missing:,} rows without a value" if missing else "",
            )
            if part
        )
        meant = [f"'{code}' ({name})" for code, name in names.items()]
        raise UserError(
            f"{where}: the draw's result must be {', '.join(meant[:-1])} or {meant[-1]} in every row; there are {told}. "
            "Mend the delivery or the codes under arms in the evaluation, or take these rows out (`keep` of a person table)."
        )
    named = found.to_numpy(dtype=str)
    return named, np.asarray(named != arms.control.name, dtype=np.int64)


def code_from_columns(
    raw: pd.DataFrame, columns: Mapping[str, str], arms: Arms, *, file: str
) -> npt.NDArray[np.object_]:
    """Return the first code of each person's arm from columns of 0 and 1, one a treated arm; None where one is missing.

    Parameters
    ----------
    raw
        The file's rows.
    columns
        Treated arm -> its column.
    arms
        The arms; who is 0 in all columns is in the control arm.
    file
        What to call the file in a message.

    Raises
    ------
    UserError
        When a column holds anything but 0 and 1, or a row is 1 in several.
    """
    codes = {arm.name: arm.codes[0] for arm in arms.everyone}
    found = np.full(len(raw), codes[arms.control.name], dtype=object)
    times, unknown, faults = np.zeros(len(raw), dtype=np.int64), np.zeros(len(raw), dtype=bool), []
    for arm, column in columns.items():
        text = raw[column].map(code_text, na_action="ignore")
        other = text.notna() & ~text.isin(["0", "1"])
        if other.any():
            faults.append(
                f"{file}: the column '{column}' must be 1 for who was drawn to '{arm}' and 0 for others; {int(other.sum()):,} rows "
                f"hold something else ({shown_values(text[other])}). Make a column of 0 and 1 under derive."
            )
        drawn = (text == "1").fillna(False).to_numpy(dtype=bool)
        found[drawn] = codes[arm]
        times, unknown = times + drawn, unknown | text.isna().to_numpy(dtype=bool)
    if (times > 1).any():
        faults.append(
            f"{file}: {int((times > 1).sum()):,} rows are 1 in several of the columns {', '.join(columns.values())}. Arms that were "
            "crossed are arms of their own: make one column of them under derive."
        )
    if faults:
        raise UserError(*faults)
    found[unknown] = None
    return found


def code_text(value: object) -> str:
    """Return a code as text, so that 1, 1.0 and '1' are the same code in every file format."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
