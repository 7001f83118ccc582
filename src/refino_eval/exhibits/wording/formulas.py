"""A regression as one line, in the notation that econometricians' programs share.

`outcome ~ regressors | absorbed strata | endogenous ~ instrument`; ``C()`` a dummy for each value, ``bins(x, k)`` for each
quantile group, ``edges(x)`` for each interval, ``*`` an interaction with its main effects.
"""

from __future__ import annotations

from refino_eval.config.definitions import ControlTerm, Specification
from refino_eval.exhibits.wording.labels import LabelBook


def regression(outcome: str, entry: Specification, labels: LabelBook, regressor: str | None = None) -> str:
    """Return the regression of an outcome on assignment (or on `regressor`) under a specification."""
    arm = regressor or labels.treated
    controls = [term_text(term) for term in entry.terms_of([outcome])]
    if entry.adjustment == "interacted":
        controls = [f"{arm} * centred({control})" for control in controls]
    terms = [arm, *controls]
    absorbed = f" | {' + '.join(entry.absorb)}" if entry.absorb else strata_text(labels, absorbed=entry.strata)
    return f"{outcome} ~ {' + '.join(terms)}{absorbed}"


def term_text(term: ControlTerm) -> str:
    """Return how one control enters."""
    name = term.covariate
    forms = {"categories": f"C({name})", "quantile_bins": f"bins({name}, {term.bins})", "edges": f"edges({name})"}
    return forms.get(term.encoding, name)


def strata_text(labels: LabelBook, *, absorbed: bool = True) -> str:
    """Return the absorbed strata; nothing where there are none."""
    return f" | {'^'.join(labels.strata)}" if absorbed and labels.strata else ""
