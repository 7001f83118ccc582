"""Convert the delivered code of the random assignment's result to an arm and to `treated`, 0 or 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config.evaluation import Arms
from refino_eval.errors import UserError, raise_problems, shown_values
from refino_eval.sql.quoting import code_text


def arm_names(values: pd.Series, arms: Arms) -> pd.Series:
    """Return the name of each row's arm, None where the code is of none.

    Parameters
    ----------
    values
        (n,) delivered codes, text or numbers.
    arms
        The arms with their codes.
    """
    names = {code_text(code): arm.name for arm in arms.everyone for code in arm.codes}
    text = values.map(code_text, na_action="ignore").astype(object)
    return text.map(names, na_action="ignore").astype(object)


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
    names = arm_names(values, arms)
    known = names.notna().to_numpy(dtype=bool)
    if not known.all():
        other = values[~known].map(code_text, na_action="ignore").dropna()
        missing = int((~known).sum()) - len(other)
        counts = [f"{len(other):,} rows with other values ({shown_values(set(other))})"] if len(other) else []
        counts += [f"{missing:,} rows without a value"] if missing else []
        meant = [f"'{code_text(code)}' ({arm.name})" for arm in arms.everyone for code in arm.codes]
        by_name = [f"'{arm.name}'" for arm in arms.everyone if arm.code is None and len(other)]
        unsaid = f" An arm without `code` has its name as code: {', '.join(by_name)}." if by_name else ""
        raise UserError(
            f"{where}: the result of the random assignment must be {', '.join(meant[:-1])} or {meant[-1]} in every row; there "
            f"are {' and '.join(counts)}. Correct the delivery or the codes under `arms` in the evaluation, or exclude these "
            f"rows (`keep` of a person table).{unsaid}"
        )
    named = names.to_numpy(dtype=str)
    return named, np.asarray(named != arms.control.name, dtype=np.int64)


def code_from_columns(
    values: Mapping[str, pd.Series], columns: Mapping[str, str], arms: Arms, *, file: str
) -> pd.Series:
    """Return the first code of each person's arm from columns of 0 and 1, one for each treated arm; None if one is missing.

    Parameters
    ----------
    values
        Treated arm -> (n,) the codes of its column.
    columns
        Treated arm -> the column's name.
    arms
        The arms; who is 0 in all columns is in the control arm.
    file
        What to call the file in a message.

    Raises
    ------
    UserError
        When a column holds anything but 0 and 1, or a row is 1 in several.
    """
    people = len(next(iter(values.values())))
    first = {arm.name: code_text(arm.codes[0]) for arm in arms.everyone}
    codes = pd.Series(np.full(people, first[arms.control.name], dtype=object))
    times, unknown, problems = np.zeros(people, dtype=np.int64), np.zeros(people, dtype=bool), []
    for arm, text in values.items():
        other = text[text.notna() & ~text.isin(["0", "1"])]
        if len(other):
            problems.append(
                f"{file}: the column '{columns[arm]}' must be 1 for those assigned to '{arm}' and 0 for others; "
                f"{len(other):,} rows hold something else ({shown_values(set(other))}). Derive a column of 0 and 1."
            )
        assigned = (text == "1").to_numpy(dtype=bool)
        codes[assigned] = first[arm]
        times, unknown = times + assigned, unknown | text.isna().to_numpy(dtype=bool)
    if (times > 1).any():
        problems.append(
            f"{file}: {int((times > 1).sum()):,} rows are 1 in several of the columns {', '.join(columns.values())}. Arms that "
            "were crossed are separate arms: derive one column of them."
        )
    raise_problems(problems)
    codes[unknown] = None
    return codes
