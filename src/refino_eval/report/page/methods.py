"""The chapter on methods: what was done in this run, from its configuration and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refino_eval.config.base import text_in
from refino_eval.config.definitions import Specification
from refino_eval.covariances import is_clustered
from refino_eval.exhibits.report_parts import report_part
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook, vcov_label
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.text import say


@dataclass(frozen=True)
class Methods:
    """Paragraphs, and the specifications that were estimated."""

    paragraphs: tuple[str, ...]
    specifications: SummaryTable | None


def methods_of(inputs: ReportInputs, labels: LabelBook, language: str) -> Methods:
    """Return the chapter on the methods of a run."""
    exhibits = [inputs.definitions.exhibits[name] for name in inputs.evaluation.exhibits]
    names = dict.fromkeys(name for exhibit in exhibits for name in exhibit.specifications_read)
    used = {name: entry for name in names if (entry := labels.specification_of(name)) is not None}
    paragraphs = [
        _estimand(labels, language),
        say("methods.strata", language, strata=labels.cells(language))
        if labels.strata
        else say("methods.one_stratum", language),
        *_time(inputs, language),
        *_inference(list(used.values()), language),
    ]
    for exhibit in exhibits:
        paragraph = report_part(exhibit.kind, "methods")
        if paragraph is not None:
            paragraphs.append(paragraph(exhibit, labels.comparing(exhibit.arm, exhibit.against), language))
    return Methods(tuple(dict.fromkeys(paragraphs)), _specifications(used, labels, language))


def _estimand(labels: LabelBook, language: str) -> str:
    treated = say("methods.or", language).join(labels.arm(arm, language) for arm in labels.treated_arms)
    return say("methods.estimand", language, treated=treated, control=labels.arm(labels.control, language))


def _time(inputs: ReportInputs, language: str) -> Iterator[str]:
    """Say which event times were computed; nothing where the evaluation has no clock."""
    style = NumberStyle.of(language)
    spans = [
        say(f"methods.span_{unit}", language, first=style.integer(clock.first), last=style.integer(clock.last))
        for unit, clock in inputs.evaluation.clocks.items()
    ]
    if spans:
        yield say("methods.time", language, spans="; ".join(spans))


def _inference(used: list[Specification], language: str) -> Iterator[str]:
    """Say which covariances were estimated; nothing where no specification was."""
    if used:
        vcovs = ", ".join(dict.fromkeys(vcov_label(entry.vcov, language) for entry in used))
        sentences = [say("methods.errors", language, vcovs=vcovs)]
        if not any(is_clustered(entry.vcov) for entry in used):
            sentences.append(say("methods.not_clustered", language))
        yield " ".join([*sentences, say("methods.reference_distribution", language)])


def _specifications(used: dict[str, Specification], labels: LabelBook, language: str) -> SummaryTable | None:
    rows = tuple(
        (
            f"{entry.label[language]} ({name})",
            regression("y", entry, labels),
            text_in(entry.description, language),
            vcov_label(entry.vcov, language),
        )
        for name, entry in used.items()
    )
    head = tuple(say(f"methods.{key}", language) for key in ("specification", "formula", "meaning", "vcov"))
    caption = say("methods.specifications", language)
    return SummaryTable(head, rows, ("left",) * 4, caption=caption) if rows else None
