"""What was tested about the design and its validity, as the first page and the chapter of checks show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.layout.tables_by_arm import frame_of, frames_by_arm
from refino_eval.exhibits.report_parts import DesignCheck, report_part
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.chapters import NUMBERED
from refino_eval.report.report_inputs import ReportInputs

LIMIT = 0.05
"""Level of the tests that the summary counts."""
WORST = 3
"""Checks with a p-value below the limit that the first page quotes, at most."""


def checks_by_concern(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> list[DesignCheck]:
    """Return everything that was tested about the design, the worst first; then what is shown without a test."""
    return sorted(_checks(inputs, frames, labels), key=_concern)


def _checks(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook) -> Iterator[DesignCheck]:
    """Return everything that was tested about the design and its validity."""
    yield from _linkage_checks(inputs, labels)
    with_checks = [
        (name, exhibit)
        for name, exhibit in inputs.shown(frames)
        if report_part(exhibit.kind, "design_checks") is not None
    ]
    kinds = Counter(exhibit.kind for _, exhibit in with_checks)
    seen = set()
    for name, exhibit in with_checks:
        # Titles distinguish two tables of balance.
        title = f"{_headed(exhibit.title[labels.language])} " if kinds[exhibit.kind] > 1 else ""
        for check in _checks_of(exhibit, frames[name], labels.comparing(exhibit.arm, exhibit.against)):
            # Two tables may test the same.
            if check.text not in seen:
                seen.add(check.text)
                yield replace(check, text=title + check.text)


def _headed(title: str) -> str:
    """Return a title as the head of a line, its number in a publication behind it."""
    match = NUMBERED.match(title)
    if match is not None:
        title = f"{title[match.end() + 2 :].rstrip('.')} ({match.group()})"
    return title if title.endswith((".", "?", "!")) else f"{title}."


def _checks_of(exhibit: Exhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the checks of one exhibit, of each treated arm under its name where it has a table for each."""
    checks = report_part(exhibit.kind, "design_checks")
    assert checks is not None
    if len(exhibit.comparisons) > 1:
        for name in exhibit.comparisons:
            alone, entry = exhibit.model_copy(update={"comparisons": (name,)}), labels.definitions.comparisons[name]
            for check in _checks_of(alone, frame_of(frame, name), labels):
                yield replace(check, text=f"{entry.label[labels.language]}. {check.text}")
        return
    if len(labels.treated_arms) == 1 or exhibit.several_arms != "apart":
        yield from checks(exhibit, frame, labels)
        return
    for part, own in frames_by_arm(frame, labels):
        for check in checks(exhibit, part, own):
            yield replace(check, text=f"{labels.arm(own.treated)}. {check.text}")


def _linkage_checks(inputs: ReportInputs, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the register that links worst, relative to what its source expects, and the one in which the arms differ most."""
    linkage = inputs.table("linkage")
    if linkage is None:
        return
    names = [inputs.register_label(str(name), labels.language) for name in linkage["register"]]
    # A disclosure mark in place of a count becomes missing.
    frame = linkage.drop(columns="register").apply(pd.to_numeric, errors="coerce")
    percent = NumberStyle.of(labels.language).percent
    share, treated, control = (
        frame[found] / frame[people]
        for found, people in (("found", "people"), ("treated_found", "treated"), ("control_found", "control"))
    )
    relative, gap = (share / frame["expected"]).dropna(), (treated - control).abs().dropna()
    if len(relative):
        worst = int(relative.idxmin())
        yield DesignCheck(labels.say(
            "summary.check_linkage", register=names[worst], share=percent(share[worst]),
            expected=percent(frame.loc[worst, "expected"]),
        ))  # fmt: skip
    if len(gap):
        widest = int(gap.idxmax())
        yield DesignCheck(labels.say(
            "summary.check_linkage_by_arm", register=names[widest],
            share_treated=percent(treated[widest]), share_control=percent(control[widest]),
        ))  # fmt: skip


def _concern(check: DesignCheck) -> tuple[bool, float]:
    """Order checks: tests by their p-values, then what is shown without a test."""
    return check.p_value is None, check.p_value or 0.0


def validity(checks: list[DesignCheck], labels: LabelBook) -> Iterator[str]:
    """State how many tests of the design have a p-value below the limit and how many would by chance; then quote the worst.

    Without a test, the first of the other checks is quoted.
    """
    style = NumberStyle.of(labels.language)
    tests = [check for check in checks if check.p_value is not None]
    worst = [check.text for check in tests if check.p_value is not None and check.p_value < LIMIT]
    limit = style.fixed(LIMIT, 2)
    if not tests:
        yield from [check.text for check in checks[:1]] or [labels.say("summary.no_checks")]
        return
    if len(worst) == len(tests):
        yield labels.say("summary.checks_all", n=len(worst), limit=limit)
    elif worst:
        expected = style.fixed(LIMIT * len(tests), 1)
        yield labels.say("summary.checks_some", n=len(worst), total=len(tests), limit=limit, expected=expected)
    else:
        yield labels.say("summary.checks_none", n=len(tests), limit=limit)
    yield from worst[:WORST] or [labels.say("summary.checks_least", check=tests[0].text)]
