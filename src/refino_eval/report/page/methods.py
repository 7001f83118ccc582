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


@dataclass(frozen=True)
class Methods:
    """Paragraphs, and the specifications that were estimated."""

    paragraphs: tuple[str, ...]
    specifications: SummaryTable | None


def methods_of(inputs: ReportInputs, labels: LabelBook) -> Methods:
    """Return the chapter on the methods of a run."""
    exhibits = [inputs.definitions.exhibits[name] for name in inputs.evaluation.exhibits]
    names = dict.fromkeys(name for exhibit in exhibits for name in exhibit.specifications_read)
    used = {name: entry for name in names if (entry := labels.specification_of(name)) is not None}
    if not inputs.evaluation.has_people:
        return Methods((labels.say("methods.without_people"),), None)
    paragraphs = [
        _estimand(labels),
        labels.say("methods.strata", strata=labels.cells()) if labels.strata else labels.say("methods.one_stratum"),
        *_time(inputs, labels),
        *_inference(list(used.values()), labels),
    ]
    for exhibit in exhibits:
        paragraph = report_part(exhibit.kind, "methods")
        if paragraph is not None:
            paragraphs.append(paragraph(exhibit, labels.comparing(exhibit.arm, exhibit.against)))
    return Methods(tuple(dict.fromkeys(paragraphs)), _specifications(used, labels))


def _estimand(labels: LabelBook) -> str:
    treated = labels.say("methods.or").join(labels.arm(arm) for arm in labels.treated_arms)
    return labels.say("methods.estimand", treated=treated, control=labels.arm(labels.control))


def _time(inputs: ReportInputs, labels: LabelBook) -> Iterator[str]:
    """State which event times were computed; nothing where the evaluation has no clock."""
    style = NumberStyle.of(labels.language)
    spans = [
        labels.say(f"methods.span_{unit}", first=style.integer(clock.first), last=style.integer(clock.last))
        for unit, clock in inputs.evaluation.clocks.items()
    ]
    if spans:
        yield labels.say("methods.time", spans="; ".join(spans))


def _inference(used: list[Specification], labels: LabelBook) -> Iterator[str]:
    """State which covariances were estimated; nothing where no specification was."""
    if used:
        vcovs = ", ".join(dict.fromkeys(vcov_label(entry.vcov, labels.language) for entry in used))
        sentences = [labels.say("methods.errors", vcovs=vcovs)]
        if not any(is_clustered(entry.vcov) for entry in used):
            sentences.append(labels.say("methods.not_clustered"))
        yield " ".join([*sentences, labels.say("methods.reference_distribution")])


def _specifications(used: dict[str, Specification], labels: LabelBook) -> SummaryTable | None:
    # Where all specifications have one covariance, the text has named it.
    several = len({entry.vcov for entry in used.values()}) > 1
    rows = tuple(
        (
            f"{entry.label[labels.language]} ({name})",
            regression("y", entry, labels),
            text_in(entry.description, labels.language),
            *([vcov_label(entry.vcov, labels.language)] if several else []),
        )
        for name, entry in used.items()
    )
    keys = ("specification", "formula", "meaning", *(["vcov"] if several else []))
    head = tuple(labels.say(f"methods.{key}") for key in keys)
    caption = labels.say("methods.specifications")
    return SummaryTable(head, rows, ("left",) * len(head), caption=caption) if rows else None
