"""What a reader calls groups of people."""

from __future__ import annotations

from collections.abc import Iterable

from refino_eval.config.exhibit_base import By
from refino_eval.exhibits.keys import split_key
from refino_eval.exhibits.wording.labels import LabelBook, inside, plain


def group_label(by: By, name: str, groups: Iterable[str], labels: LabelBook) -> str:
    """Return what a reader calls one of some groups; those of a covariate that is 0 or 1 are its name and yes or no."""
    if not isinstance(by, str):
        entry = labels.definitions.subgroups.get(name)
        return entry.label[labels.language] if entry is not None else plain(name)
    if by in labels.definitions.covariates:
        covariate = labels.covariate(by, unit=False)
        is_question = {*groups, name} <= {"0", "1"}
        answer = labels.word("yes" if name == "1" else "no") if is_question else name
        return f"{covariate}: {inside(answer)}"
    return labels.value(by, name)


def split_label(by: By, labels: LabelBook) -> str:
    """Return what a reader calls the question that splits people."""
    if not isinstance(by, str):
        covariates = [
            labels.definitions.subgroups[name].covariate for name in by if name in labels.definitions.subgroups
        ]
        return labels.covariate(covariates[0], unit=False) if covariates else plain(split_key(by))
    if by in labels.definitions.covariates:
        return labels.covariate(by, unit=False)
    if by in labels.strata_labels:
        text = labels.strata_labels[by][labels.language]
        return text[:1].upper() + text[1:]
    return labels.word(by)
