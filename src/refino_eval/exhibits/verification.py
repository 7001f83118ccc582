"""Every coefficient, standard error and F of the exhibits, estimated again by engines that share nothing with the kernel.

An exhibit is computed once more, which must give the same numbers; meanwhile its regressions are recorded, and
other engines are asked for each that a number shown came from. A number that comes from no single regression (a
difference between two samples, a simulated critical value, a bound) is told as not estimated again: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.verification.reestimation import SAME, TOLERANCE, Found, Reestimator, VerificationError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.tidy import KEYS, number_text, write_text

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
    reestimator, pool = Reestimator(), _Pool()
    for name, frame in numbers.items():
        if exhibits[name].exhibits_read:
            continue  # its numbers are those of others, or were computed from them
        shown = frame.loc[frame["statistic"].isin(VERIFIED) & (frame["status"] == ""), "value"]
        if len(shown):
            with recording() as kept:
                again = aggregate(name, exhibits[name], files=files, study=study)
            if not again.equals(frame):
                raise VerificationError(f"The exhibit '{name}', computed again, is not the one that was written.")
            # The report's own tables go through every dummy; variants of them, of which there are many, are absorbed.
            reestimator.dummies = exhibits[name].verified_with_dummies
            pool.add(reestimator.numbers(kept, shown.tolist()))
    # Numbers are looked up once all are known: an exhibit may show those of another.
    rows = [row for frame in numbers.values() for row in _rows(frame, pool)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


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


@dataclass(eq=False)
class _Pool:
    """Recorded numbers by statistic, to be found by their value."""

    _found: dict[str, dict[float, Found]] = field(default_factory=lambda: {name: {} for name in VERIFIED})
    _sorted: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, found: list[Found]) -> None:
        for one in found:
            if np.isfinite(one.value):
                self._found[one.statistic].setdefault(one.value, one)
        self._sorted.clear()

    def of(self, statistic: str, value: float) -> Found | None:
        """Return the recorded number that a shown one is, the nearest within rounding."""
        known = self._found[statistic]
        if statistic not in self._sorted:
            self._sorted[statistic] = np.sort(np.fromiter(known, dtype=np.float64, count=len(known)))
        values = self._sorted[statistic]
        place = int(np.searchsorted(values, value))
        near = [known[float(values[k])] for k in (place - 1, place) if 0 <= k < values.size]
        best = min(near, key=lambda one: abs(one.value - value), default=None)
        if best is None or abs(best.value - value) > SAME * max(abs(value), best.scale):
            return None
        return best


def _rows(frame: pd.DataFrame, pool: _Pool) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    shown = frame[frame["statistic"].isin(VERIFIED) & (frame["status"] == "")]
    for record in shown.to_dict("records"):
        value = float(record["value"])
        keys = tuple(record[key] for key in KEYS)
        one = pool.of(str(record["statistic"]), value)
        if one is None or not one.engines:
            rows.append((*keys, value, "", np.nan, np.nan, ALONE))
            continue
        for engine, theirs in one.engines.items():
            size = max(abs(value), one.scale)
            gap = abs(value - theirs)
            difference = 0.0 if gap == 0.0 else gap / size if size > 0 else np.inf
            rows.append((*keys, value, engine, theirs, difference, AGREES if difference <= TOLERANCE else DIFFERS))
    return rows
