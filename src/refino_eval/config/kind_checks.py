"""Cross-checks of single kinds of exhibits: what one key says must fit what another, or another exhibit, says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from refino_eval.config import definitions as d
from refino_eval.config import exhibits as x
from refino_eval.config.evaluation import Evaluation
from refino_eval.errors import nearest


def kind_faults(where: str, exhibit: Any, study: Evaluation, definitions: d.Definitions) -> Iterator[str]:
    """Return a paragraph for each thing that an exhibit says and cannot mean."""
    if isinstance(exhibit, x.NullCardExhibit):
        yield from _card(where, exhibit, definitions)
    elif isinstance(exhibit, x.SpecificationCurveExhibit):
        yield from _curve(where, exhibit, study, definitions)
    elif isinstance(exhibit, x.StepwiseExhibit):
        yield from _steps(where, exhibit, definitions)
    elif isinstance(exhibit, x.TimeToEventExhibit):
        yield from _durations(where, exhibit, definitions)


def _card(where: str, exhibit: x.NullCardExhibit, definitions: d.Definitions) -> Iterator[str]:
    tests = definitions.exhibits.get(exhibit.tests)
    if tests is None:
        return
    if not isinstance(tests, x.TestsExhibit):
        yield f"The {where} reads its numbers from '{exhibit.tests}', which is of kind {tests.kind}. Name an exhibit of kind tests."
        return
    for key, outcome in exhibit.columns.items():
        if tests.columns.get(key) != outcome:
            yield (
                f"The {where} shows the column '{key}: {outcome}', which the exhibit '{exhibit.tests}' does not have."
                f"{nearest(key, tests.columns)}"
            )
    for what in ("sample", "specification"):
        mine, theirs = getattr(exhibit, what), getattr(tests, what)
        if mine != theirs:
            yield (
                f"The {where} says {what} '{mine}', and its numbers are made in '{exhibit.tests}' with {what} '{theirs}'. "
                "Say the same in both."
            )


def _curve(
    where: str, exhibit: x.SpecificationCurveExhibit, study: Evaluation, definitions: d.Definitions
) -> Iterator[str]:
    for sample in exhibit.samples:
        if sample not in study.samples:
            yield f"The {where} names no sample '{sample}'.{nearest(sample, study.samples)}"
    units = {definitions.outcomes[name].unit.en for name in exhibit.columns.values() if name in definitions.outcomes}
    if exhibit.scale == "units" and len(units) > 1:
        yield (
            f"The {where} puts outcomes in different units ({', '.join(sorted(units))}) on one axis. Take outcomes of one unit, "
            "or say scale: control_sd."
        )


def _steps(where: str, exhibit: x.StepwiseExhibit, definitions: d.Definitions) -> Iterator[str]:
    specification = definitions.specifications.get(exhibit.specification)
    if specification is None:
        return
    controls = [term.covariate for term in specification.controls]
    named = list(exhibit.covariates)
    for name in dict.fromkeys(named):
        if name not in controls:
            yield (
                f"The {where} lets '{name}' enter, which is no control of the specification '{exhibit.specification}'."
                f"{nearest(name, controls)}"
            )
        elif named.count(name) > 1:
            yield f"The {where} lets '{name}' enter {named.count(name)} times. Name it in one step."
    for name in controls:
        if name not in named:
            yield (
                f"The {where} leaves out '{name}', a control of the specification '{exhibit.specification}'. Add it to a step, so "
                "that the last step is that specification."
            )


def _durations(where: str, exhibit: x.TimeToEventExhibit, definitions: d.Definitions) -> Iterator[str]:
    outcome = definitions.outcomes.get(exhibit.outcome)
    if outcome is None or exhibit.event is not None:
        return
    if not outcome.companion or outcome.censored != "last":
        yield (
            f"The {where} reads '{exhibit.outcome}', which does not say how long those without the event were followed. Use an "
            "outcome of kind first_month with censored: last."
        )
