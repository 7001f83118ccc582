"""Every coefficient, standard error and F of the exhibits, estimated again by engines that share nothing with the kernel.

An exhibit is computed once more, which must give the same numbers; meanwhile its regressions are recorded. Each number
carries the regression and the coefficients that it comes from (`Source`), and other engines are asked for these. A number
that comes from no single regression (a difference between two samples, a simulated critical value, a bound) is reported as
not estimated again: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.covariances import COVARIANCES
from refino_eval.estimation.core.recording import Source, recording
from refino_eval.estimation.verification.reestimation import (
    TOLERANCE,
    Question,
    Reestimate,
    Reestimator,
    VerificationError,
)
from refino_eval.exhibits.aggregate import rows_of
from refino_eval.exhibits.numbers.study import CopyOf, PersonFiles, Study
from refino_eval.exhibits.tidy import KEYS, number_text, tidy_frame, write_text

VERIFIED = ("estimate", "std_error", "f_stat")
"""The statistics that other engines are asked for; t, p and intervals follow from them and from degrees of freedom."""
ESTIMATED_FREEDOM = ("df", "df_residual")
"""Asked for in addition where degrees of freedom are estimated."""


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
    reestimator, questions = Reestimator(), dict[Keys, Question | None]()
    # Exhibits that copy numbers of others come after them.
    for name in sorted(numbers, key=lambda name: bool(exhibits[name].exhibits_read)):
        if not exhibits[name].costs_read:  # computed with published numbers, which no program can estimate again
            questions |= _questions(
                name, exhibits[name], numbers[name], reestimator, questions, files=files, study=study
            )
    # Engines are asked when every exhibit has named its regressions, so that those of one design go together.
    answers = {keys: reestimator.reestimate(question) for keys, question in questions.items() if question is not None}
    return pd.DataFrame(
        [
            line
            for frame in numbers.values()
            for record in frame[_is_verified(frame) | _is_freedom(frame)].to_dict("records")
            if record["statistic"] in VERIFIED or _keys(record) in answers
            for line in _compared(record, answers.get(_keys(record)))
        ],
        columns=list(COLUMNS),
    )


Keys = tuple[str, ...]
"""Exhibit, panel, row, column and statistic of a number."""


def _keys(record: Mapping[Hashable, object]) -> Keys:
    return tuple(str(record[key]) for key in KEYS)


def _is_verified(frame: pd.DataFrame) -> pd.Series:
    return frame["statistic"].isin(VERIFIED) & (frame["status"] == "")


def _is_freedom(frame: pd.DataFrame) -> pd.Series:
    """Mark degrees of freedom of a reference distribution; beside an F, `df` is the number of coefficients tested."""
    tests = frame.loc[frame["statistic"] == "f_stat", list(KEYS[:-1])].apply(tuple, axis=1)
    place = frame[list(KEYS[:-1])].apply(tuple, axis=1)
    of_test = place.isin(set(tests)) & (frame["statistic"] == "df")
    return frame["statistic"].isin(ESTIMATED_FREEDOM) & (frame["status"] == "") & ~of_test


def _questions(
    name: str,
    exhibit: Exhibit,
    frame: pd.DataFrame,
    reestimator: Reestimator,
    earlier: Mapping[Keys, Question | None],
    *,
    files: PersonFiles,
    study: Study,
) -> dict[Keys, Question | None]:
    """Compute an exhibit again, and return what to ask other engines; copies of other exhibits take their questions."""
    shown = frame[_is_verified(frame) | _is_freedom(frame)]
    if shown.empty:
        return {}
    with recording() as kept:
        rows = rows_of(name, exhibit, files=files, study=study)
    if not tidy_frame(rows).equals(frame):
        raise VerificationError(f"The exhibit '{name}', computed again, is not the one that was written.")
    sources = {
        _keys(record): rows[k].get("source") for k, record in zip(shown.index, shown.to_dict("records"), strict=True)
    }
    wanted = {
        keys: source
        for keys, source in sources.items()
        if isinstance(source, Source) and (keys[-1] in VERIFIED or COVARIANCES[source.key.vcov].has_satterthwaite)
    }
    # The report's own tables go through every dummy; variants of them, of which there are many, are absorbed.
    asked = reestimator.questions(
        kept, [(source, keys[-1]) for keys, source in wanted.items()], dummies=exhibit.verified_with_dummies
    )
    copies = {
        keys: earlier.get((*source, keys[-1]))
        for keys, source in sources.items()
        if isinstance(source, CopyOf) and (keys[-1] in VERIFIED or (*source, keys[-1]) in earlier)
    }
    return dict(zip(wanted, asked, strict=True)) | copies


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


def _compared(record: Mapping[Hashable, Any], answer: Reestimate | None) -> list[tuple[object, ...]]:
    """Compare one number with what each engine makes of it."""
    value, keys = float(record["value"]), _keys(record)
    if answer is None or not answer.engines:
        return [(*keys, value, "", np.nan, np.nan, ALONE)]
    lines: list[tuple[object, ...]] = []
    for engine, theirs in answer.engines.items():
        size, gap = max(abs(value), answer.scale), abs(value - theirs)
        difference = 0.0 if gap == 0.0 else gap / size if size > 0 else np.inf
        lines.append((*keys, value, engine, theirs, difference, AGREES if difference <= TOLERANCE else DIFFERS))
    return lines
