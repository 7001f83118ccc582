"""Every coefficient, standard error and F of the exhibits, estimated again by engines that share nothing with the kernel.

An exhibit is computed once more, which must give the same numbers; meanwhile its regressions are recorded. Each number
carries the regression and the coefficients that it comes from (`Source`), and other engines are asked for these. What follows
from several regressions by arithmetic (a difference between groups) is computed again from the engines' estimates. A number
that comes from no regression is reported as not estimated again, with the reason: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.covariances import COVARIANCES
from refino_eval.csv_output import frame_csv
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.recording import Recording, Source, recording
from refino_eval.estimation.verification.engines import Answer, Engine
from refino_eval.estimation.verification.reestimation import (
    EXACT,
    ROUNDING,
    TOLERANCE,
    Question,
    Reestimate,
    Reestimator,
    VerificationError,
    joint_estimates,
)
from refino_eval.exhibits.aggregate import rows_of
from refino_eval.exhibits.keys import NONRESPONSE
from refino_eval.exhibits.numbers.number_sources import CopyOf, Derived, Reason, Refitted
from refino_eval.exhibits.numbers.study import PersonFiles, Row, Study
from refino_eval.exhibits.tidy import KEYS, number_text, tidy_frame, write_text

VERIFIED = ("estimate", "std_error", "f_stat")
"""The statistics that other engines are asked for; t, p and intervals follow from them and from degrees of freedom."""
ESTIMATED_FREEDOM = ("df", "df_residual")
"""Asked for in addition where degrees of freedom are estimated."""


COLUMNS = (*KEYS, "value", "engine", "engine_value", "difference", "verdict", "reason")


AGREES, DIFFERS, ALONE = "agrees", "differs", "not_reestimated"


Again = tuple[list[Row], pd.DataFrame, Recording]
"""An exhibit computed again: its rows with their sources, the same in tidy form, and the regressions behind them."""


def verify(
    exhibits: Mapping[str, Exhibit],
    numbers: Mapping[str, pd.DataFrame],
    *,
    files: PersonFiles,
    study: Study,
    again: MutableMapping[str, Again] | None = None,
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
    again
        Exhibits that were computed again already, of the same files and study: those that others copy numbers from are
        asked for more than once. What is computed here is added.

    Returns
    -------
    pandas.DataFrame
        One row a number and engine, `COLUMNS`: `difference` is relative (an estimate's to the larger of it and its
        standard error); `verdict` is agrees, differs, or not_reestimated, then without an engine and with a `reason`.

    Raises
    ------
    VerificationError
        When an exhibit computed again is not the one that was written.
    """
    reestimator, questions = Reestimator(), dict[Keys, Asked]()
    again = {} if again is None else again
    # Exhibits that copy numbers of others come after them.
    for name in sorted(numbers, key=lambda name: bool(exhibits[name].exhibits_read)):
        if not exhibits[name].from_regressions:
            # Means of arms, or computed with published numbers as well, which no program can estimate again.
            reason = Reason.COSTS if _reads_documents(exhibits[name]) else Reason.MEANS
            questions |= {_keys(record): reason for record in numbers[name].to_dict("records")}
        else:
            verifiable = numbers[name][_is_verified(numbers[name]) | _is_freedom(numbers[name])]
            if verifiable.empty:
                continue
            if name not in again:
                again[name] = _computed_again(name, exhibits[name], files, study)
            sources, kept = _sources(numbers[name], verifiable, again[name])
            questions |= _questions(exhibits[name], sources, kept, reestimator, questions)
    # Engines are asked when every exhibit has named its regressions, so that those of one design go together.
    answers = {keys: _answer(reestimator, question, keys[-1]) for keys, question in questions.items()}
    return pd.DataFrame(
        [
            line
            for frame in numbers.values()
            for record in frame[_is_verified(frame) | _is_freedom(frame)].to_dict("records")
            if record["statistic"] in VERIFIED or _keys(record) in answers
            for line in _compared(record, answers.get(_keys(record), Reason.UNSTATED))
        ],
        columns=list(COLUMNS),
    )


def _reads_documents(exhibit: Exhibit) -> bool:
    return any((exhibit.costs_read, exhibit.cost_benefit_read, exhibit.payments_read, exhibit.exhibits_read))


Keys = tuple[str, ...]
"""Exhibit, panel, row, column and statistic of a number."""


@dataclass(frozen=True, eq=False)
class _DerivedQuestion:
    """What follows from the estimates of several regressions."""

    formula: Callable[[FloatArray, FloatArray], float]
    estimates: tuple[Question, ...]
    std_errors: tuple[Question, ...]


Asked = Question | _DerivedQuestion | Reestimate | Reason
"""What engines are asked for a number; estimates with their joint covariance are answered at once."""


def _keys(record: Mapping[Hashable, object]) -> Keys:
    return tuple(str(record[key]) for key in KEYS)


def _is_verified(frame: pd.DataFrame) -> pd.Series:
    return (frame["statistic"].isin(VERIFIED) | (frame["panel"] == NONRESPONSE)) & (frame["status"] == "")


def _is_freedom(frame: pd.DataFrame) -> pd.Series:
    """Mark degrees of freedom of a reference distribution; beside an F, `df` is the number of coefficients tested."""
    stated = frame["statistic"].isin(ESTIMATED_FREEDOM) & (frame["status"] == "")
    if not stated.any():
        return stated
    place = pd.MultiIndex.from_frame(frame[list(KEYS[:-1])])
    of_test = (frame["statistic"] == "df") & place.isin(place[frame["statistic"] == "f_stat"])
    return stated & ~of_test


def _computed_again(name: str, exhibit: Exhibit, files: PersonFiles, study: Study) -> Again:
    with recording() as kept:
        rows = rows_of(name, exhibit, files=files, study=study)
    return rows, tidy_frame(rows), kept


def _sources(frame: pd.DataFrame, verifiable: pd.DataFrame, again: Again) -> tuple[dict[Keys, object], Recording]:
    """Return where the numbers of an exhibit come from, if it is as it was written."""
    rows, computed, kept = again
    if not computed.equals(frame):
        name = frame["exhibit"].iloc[0]
        raise VerificationError(f"The exhibit '{name}', computed again, is not the one that was written.")
    records = zip(verifiable.index, verifiable.to_dict("records"), strict=True)
    return {_keys(record): rows[k].get("source") for k, record in records}, kept


def _questions(
    exhibit: Exhibit,
    sources: Mapping[Keys, object],
    kept: Recording,
    reestimator: Reestimator,
    earlier: Mapping[Keys, Asked],
) -> dict[Keys, Asked]:
    """Return what to ask other engines about numbers by their sources; copies of other exhibits take their questions."""
    asked, regressions, together = _by_origin(sources, earlier)
    # The report's own tables go through every dummy; variants of them, of which there are many, are absorbed.
    noted = reestimator.questions(
        kept,
        [(source, statistic) for (_, _, statistic), source in regressions.items()],
        dummies=exhibit.verified_with_dummies,
    )
    questions = dict(zip(regressions, noted, strict=True))
    for keys in dict.fromkeys(keys for keys, _, _ in regressions):
        asked[keys] = _of_regressions(keys, sources[keys], questions)
    joint = joint_estimates(kept, [(source.parts, source.people) for source in together.values()])
    for (keys, source), answer in zip(together.items(), joint, strict=True):
        asked[keys] = source.otherwise if answer is None else _derived({"within": answer}, source.formula, keys[-1])
    return asked


def _by_origin(
    sources: Mapping[Keys, object], earlier: Mapping[Keys, Asked]
) -> tuple[dict[Keys, Asked], dict[tuple[Keys, int, str], Source], dict[Keys, Derived]]:
    """Sort numbers by where they come from: answered already, of regressions, or of several regressions of the same people."""
    asked: dict[Keys, Asked] = {}
    regressions: dict[tuple[Keys, int, str], Source] = {}
    together: dict[Keys, Derived] = {}
    for keys, source in sources.items():
        verified = keys[-1] in VERIFIED
        if isinstance(source, Source) and (verified or COVARIANCES[source.key.vcov].has_satterthwaite):
            regressions[keys, 0, keys[-1]] = source
        elif isinstance(source, Derived) and verified:
            if source.people:
                together[keys] = source
            else:
                regressions |= _parts_of(keys, source)
        elif isinstance(source, CopyOf):
            original = (source.exhibit, source.panel, source.row, source.column, keys[-1])
            if verified or original in earlier:
                asked[keys] = _scaled(earlier.get(original, Reason.UNSTATED), source.factor)
        elif isinstance(source, Refitted):
            asked[keys] = Reestimate(source.scale, {source.engine: source.value()})
        elif verified:
            asked[keys] = source if isinstance(source, Reason) else Reason.UNSTATED
    return asked, regressions, together


def _parts_of(keys: Keys, source: Derived) -> dict[tuple[Keys, int, str], Source]:
    """Return the coefficients that a derived number is computed from, by the statistics to ask for."""
    return {
        (keys, k, statistic): part for k, part in enumerate(source.parts) for statistic in ("estimate", "std_error")
    }


def _of_regressions(keys: Keys, source: object, questions: Mapping[tuple[Keys, int, str], Question | None]) -> Asked:
    """Return what to ask about a number of one regression, or of several that share no people."""
    if not isinstance(source, Derived):
        return questions[keys, 0, keys[-1]] or Reason.UNSTATED
    estimates, std_errors = (
        tuple(filter(None, (questions[keys, k, statistic] for k in range(len(source.parts)))))
        for statistic in ("estimate", "std_error")
    )
    whole = len(estimates) == len(std_errors) == len(source.parts)
    return _DerivedQuestion(source.formula, estimates, std_errors) if whole else Reason.UNSTATED


def _derived(
    answers: Mapping[Engine, Answer], formula: Callable[[FloatArray, FloatArray], float], statistic: str
) -> Reestimate:
    """Return what engines' estimates and covariances give; an F near 0 is as exact as its t, a difference as its parts."""
    values = {engine: formula(b, cov) for engine, (b, cov) in answers.items()}
    # A standard error of 0 by design is a rounding error of the estimates in other programs.
    of_parts = max(
        max(float(np.sqrt(np.max(np.diag(cov)))), ROUNDING * float(np.max(np.abs(b)))) for b, cov in answers.values()
    )
    if statistic == "f_stat":
        return Reestimate(min(1.0, float(np.sqrt(min(values.values())))), values)
    # Where estimates cancel out, engines have the square root of a rounding error.
    cancelled = statistic == "std_error" and max(values.values()) <= ROUNDING * of_parts
    return Reestimate(of_parts * EXACT if cancelled else of_parts, values)


def _scaled(question: Asked, factor: float) -> Asked:
    """Return what is asked for a number in other units."""
    if factor == 1.0 or isinstance(question, Reason):
        return question
    if isinstance(question, Reestimate):
        values = {engine: factor * value for engine, value in question.engines.items()}
        return Reestimate(abs(factor) * question.scale, values)
    if isinstance(question, _DerivedQuestion):
        return replace(question, formula=lambda b, cov: factor * question.formula(b, cov))
    return replace(question, loadings=question.loadings * factor)


def _answer(reestimator: Reestimator, question: Asked, statistic: str) -> Reestimate | Reason:
    """Return what engines make of a number; of a derived one, those that know all its parts."""
    if isinstance(question, Reason | Reestimate):
        return question
    if isinstance(question, Question):
        answer = reestimator.reestimate(question)
        return answer if answer.engines else Reason.SINGULAR
    estimates, std_errors = (
        [reestimator.reestimate(part) for part in parts] for parts in (question.estimates, question.std_errors)
    )
    engines = [
        engine for engine in estimates[0].engines if all(engine in one.engines for one in estimates + std_errors)
    ]
    answers: dict[Engine, Answer] = {
        engine: (
            np.array([one.engines[engine] for one in estimates]),
            np.diag([one.engines[engine] ** 2 for one in std_errors]),
        )
        for engine in engines
    }
    return _derived(answers, question.formula, statistic) if answers else Reason.SINGULAR


def write_verification(found: pd.DataFrame, path: Path) -> None:
    """Write what `verify` found; an empty cell is a number that does not exist."""
    text = found.copy()
    for name in ("value", "engine_value", "difference"):
        text[name] = text[name].map(number_text)
    write_text(path, frame_csv(text))


def require_agreement(found: pd.DataFrame) -> None:
    """Raise when an engine differs, naming exhibit, place, engine and both values.

    Raises
    ------
    VerificationError
    """
    wrong = found[found["verdict"] == DIFFERS]
    if len(wrong):
        # Few digits: logs replace longer numbers, which could be a person's id.
        lines = [
            f"{':'.join(part for part in (row.exhibit, row.panel, row.row, row.column, row.statistic) if part)}: "  # type: ignore[misc]
            f"{row.value:.4g} here, {row.engine_value:.4g} by {row.engine}"
            for row in wrong.head(10).itertuples()
        ]
        raise VerificationError(f"{len(wrong)} of {len(found)} comparisons differ:\n" + "\n".join(lines))


def _compared(record: Mapping[Hashable, Any], answer: Reestimate | Reason) -> list[tuple[object, ...]]:
    """Compare one number with what each engine makes of it."""
    value, keys = float(record["value"]), _keys(record)
    if isinstance(answer, Reason):
        return [(*keys, value, "", np.nan, np.nan, ALONE, str(answer))]
    lines: list[tuple[object, ...]] = []
    for engine, theirs in answer.engines.items():
        size, gap = max(abs(value), answer.scale), abs(value - theirs)
        difference = 0.0 if gap == 0.0 else gap / size if size > 0 else np.inf
        lines.append((*keys, value, engine, theirs, difference, AGREES if difference <= TOLERANCE else DIFFERS, ""))
    return lines
