"""A regression as one line, in the notation that econometricians' programs share.

`outcome ~ regressors | absorbed cells | endogenous ~ instrument`; ``C()`` a dummy a value, ``bins(x, k)`` a dummy a
quantile group, ``edges(x)`` a dummy an interval, ``*`` an interaction with its main effects.
"""

from __future__ import annotations

from refino_eval.config.definitions import ControlTerm, Definitions, Specification
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.kinds.balance.model import BalanceExhibit
from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.trail.locations import Key, own_outcome, specification_name


def formula_of(exhibit: Exhibit, key: Key, definitions: Definitions, labels: LabelBook) -> str:
    """Return the regression behind a number; empty where there is none.

    Parameters
    ----------
    exhibit
        Where the number stands.
    key
        Its panel, row, column and statistic.
    definitions
        For the specification's controls.
    labels
        For the treated arm and the cells.
    """
    if isinstance(exhibit, BalanceExhibit):
        return _balance(exhibit, key, labels)
    name = specification_name(exhibit, key, definitions)
    entry = definitions.specifications.get(name or "")
    if entry is None:
        return ""
    outcome = own_outcome(exhibit, key)
    if isinstance(exhibit, EffectsExhibit):
        outcome = f"{key[0]}[{key[1]}]"
    if outcome is None:
        return ""
    if isinstance(exhibit, LateExhibit):
        return _late(exhibit, key, outcome, entry, labels)
    treated = next((part for part in key[:3] if part in labels.treated_arms), labels.treated)
    if isinstance(exhibit, InteractionsExhibit) and key[2] in exhibit.moderators:
        treated = f"{treated} * {key[2]}"
    return _joined(f"{outcome} ~ {treated}", entry, labels)


def written(entry: Specification, labels: LabelBook) -> str:
    """Return a specification's regression with the outcome left open."""
    return _joined(f"y ~ {labels.treated}", entry, labels)


def term_text(term: ControlTerm) -> str:
    """Return how one control enters."""
    name = term.covariate
    return {"categories": f"C({name})", "quantile_bins": f"bins({name}, {term.bins})", "edges": f"edges({name})"}.get(
        term.encoding, name
    )


def _joined(head: str, entry: Specification, labels: LabelBook) -> str:
    return " + ".join([head, *map(term_text, entry.controls)]) + _cells(labels, strata=entry.strata)


def _cells(labels: LabelBook, *, strata: bool) -> str:
    return f" | {'^'.join(labels.strata)}" if strata and labels.strata else ""


def _balance(exhibit: BalanceExhibit, key: Key, labels: LabelBook) -> str:
    panel, row, column, _ = key
    cells = _cells(labels, strata=True)
    if panel == "differences":
        return f"{row} ~ {labels.treated}{cells}" if column == "difference" else ""
    if column == "joint":
        return f"{labels.treated} ~ {' + '.join(exhibit.covariates)}{cells}"
    return f"{labels.treated} ~ {row}{cells}" if row in exhibit.covariates else ""


def _late(exhibit: LateExhibit, key: Key, outcome: str, entry: Specification, labels: LabelBook) -> str:
    taken = exhibit.take_up or "take_up"
    if key[1] == "draw":
        return _joined(f"{outcome} ~ {labels.treated}", entry, labels)
    if key[1] == "first_stage":
        return _joined(f"{taken} ~ {labels.treated}", entry, labels)
    controls = " + ".join(map(term_text, entry.controls)) or "1"
    return f"{outcome} ~ {controls}{_cells(labels, strata=entry.strata)} | {taken} ~ {labels.treated}"
