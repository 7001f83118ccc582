"""Every coefficient, standard error and F of the exhibits, estimated again by engines that share nothing with the kernel.

An exhibit is computed once more, which must give the same numbers; meanwhile its regressions are recorded. Each number
carries the regression and the coefficients that it comes from (`Source`), and other engines are asked for these. A number
that comes from no single regression (a difference between two samples, a simulated critical value, a bound) is reported as
not estimated again: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.estimation.core.recording import Recording, Source, recording
from refino_eval.estimation.verification.reestimation import TOLERANCE, Reestimate, Reestimator, VerificationError
from refino_eval.exhibits.aggregate import rows_of
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.tidy import KEYS, number_text, tidy_frame, write_text

VERIFIED = ("estimate", "std_error", "f_stat")
"""The statistics that other engines are asked for; t, p and intervals follow from them."""


COLUMNS = (*KEYS, "value", "engine", "engine_value", "difference", "verdict")


AGREES, DIFFERS, ALONE = "agrees", "differs", "not_reestimated"


def verify(
    exhibits: Mapping[str, Exhibit], numbers: Mapping[str, pd.DataFrame], *, files: PersonFiles, study: Study
) -> pd.DataFrame:
    """Estimate the exhibits' numbers again.

    Parameters
    ----------
    exhibits
        Definitions by name.
    numbers
        The tidy numbers that were written.
    files, study
        As `aggregate.aggregate`.

    Returns
    -------
    pandas.DataFrame
        One row a number and engine, `COLUMNS`: `difference` is relative (an estimate's to the larger of it and its
        standard error); `verdict` is agrees, differs, or not_reestimated, then without an engine.

    Raises
    ------
    VerificationError
        When an exhibit computed again is not the one that was written.
    """
    reestimator, parts = Reestimator(), []
    for name, frame in numbers.items():
        shown = frame.index[frame["statistic"].isin(VERIFIED) & (frame["status"] == "")]
        sources: list[Source | None] = [None] * len(frame)
        kept = Recording()
        if len(shown) and not exhibits[name].exhibits_read:  # else computed from the numbers of other exhibits
            with recording() as kept:
                rows = rows_of(name, exhibits[name], files=files, study=study)
            if not tidy_frame(rows).equals(frame):
                raise VerificationError(f"The exhibit '{name}', computed again, is not the one that was written.")
            sources = [row.get("source") for row in rows]  # type: ignore[misc]
        wanted = [(source, str(frame.at[k, "statistic"])) for k in shown if (source := sources[k]) is not None]
        # The report's own tables go through every dummy; variants of them, of which there are many, are absorbed.
        answers = iter(reestimator.numbers(kept, wanted, dummies=exhibits[name].verified_with_dummies))
        for k in shown:
            answer = next(answers) if sources[k] is not None else None
            parts += _compared(frame.loc[k], answer)
    return pd.DataFrame(parts, columns=list(COLUMNS))


def write_verification(found: pd.DataFrame, path: Path) -> None:
    """Write what `verify` found; an empty cell is a number that does not exist."""
    text = found.copy()
    for name in ("value", "engine_value", "difference"):
        text[name] = text[name].map(number_text)
    write_text(path, text.to_csv(index=False, lineterminator="\n"))


def require_agreement(found: pd.DataFrame) -> None:
    """Raise when an engine differs, naming exhibit, place, engine and both values.

    Raises
    ------
    VerificationError
    """
    wrong = found[found["verdict"] == DIFFERS]
    if len(wrong):
        lines = [
            f"{':'.join(part for part in (row.exhibit, row.panel, row.row, row.column, row.statistic) if part)}: "  # type: ignore[misc]
            f"{row.value!r} here, {row.engine_value!r} by {row.engine}"
            for row in wrong.head(10).itertuples()
        ]
        raise VerificationError(f"{len(wrong)} of {len(found)} comparisons differ:\n" + "\n".join(lines))


def _compared(record: pd.Series, answer: Reestimate | None) -> list[tuple[object, ...]]:
    """Compare one number with what each engine makes of it."""
    value, keys = float(record["value"]), tuple(record[key] for key in KEYS)
    if answer is None or not answer.engines:
        return [(*keys, value, "", np.nan, np.nan, ALONE)]
    lines: list[tuple[object, ...]] = []
    for engine, theirs in answer.engines.items():
        size, gap = max(abs(value), answer.scale), abs(value - theirs)
        difference = 0.0 if gap == 0.0 else gap / size if size > 0 else np.inf
        lines.append((*keys, value, engine, theirs, difference, AGREES if difference <= TOLERANCE else DIFFERS))
    return lines
