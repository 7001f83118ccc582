"""What a report contains in one language, in its order, before it is written as a page or as a document.

The HTML page and the Word document are written from this one object, so that they cannot show different numbers or hide
different ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from refino_eval.config.base import Language
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.layout.table import Table
from refino_eval.exhibits.render import figure_notes, table_of
from refino_eval.exhibits.tidy import reason_not_made
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import watermark_text
from refino_eval.report.exhibit_basis import ExhibitBasis
from refino_eval.report.page import summary_tables
from refino_eval.report.page.chapters import DEPTHS, by_chapter, in_appendix
from refino_eval.report.page.comparison import Comparison, compare_in_words
from refino_eval.report.page.explanations import Explanation, explanations
from refino_eval.report.page.explorer import explorer_of
from refino_eval.report.page.methods import Methods, methods_of
from refino_eval.report.page.summary import Summary, summarise_numbers
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.text import say
from refino_eval.text.design_wording import worded_for

LONGEST_ON_PAPER = 100
"""Rows of a grid beyond which it is on the screen and in its own file, and not on paper (print.css)."""


@dataclass(frozen=True)
class ReportExhibit:
    """One exhibit of a report, laid out when it is asked for.

    Attributes
    ----------
    name
        What the program calls it.
    inputs, labels
        The run as the exhibit sees it (`ExhibitBasis`), and what to call things.
    verdicts
        Against published numbers; empty where none were published.
    basis
        What it is made from.
    """

    name: str
    inputs: ReportInputs
    labels: LabelBook
    verdicts: str
    basis: ExhibitBasis

    @property
    def definition(self) -> Exhibit:
        """Its definition."""
        return self.inputs.definitions.exhibits[self.name]

    @property
    def title(self) -> str:
        """What the reader calls it."""
        return self.definition.title[self.labels.language]

    @cached_property
    def made_from(self) -> list[Any]:
        """Everything that it is made from, as plain data."""
        return self.basis.of(self.inputs, self.name)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Its tidy numbers."""
        return self.inputs.numbers(self.name)

    @property
    def made(self) -> bool:
        """Whether its numbers could be computed."""
        return reason_not_made(self.frame) is None

    @property
    def _facts(self) -> dict[str, Any]:
        # The report names the class of the data once; single files name it each.
        return {"stars": self.inputs.stars}

    @cached_property
    def table(self) -> Table | None:
        """Laid out; None for a figure, whose pictures are files."""
        if self.definition.form != "table":
            return None
        return table_of(
            self.name, self.definition, self.frame, labels=self.labels, language=self.labels.language, facts=self._facts
        )

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Under it."""
        if self.table is not None:
            return self.table.notes
        return figure_notes(
            self.definition, self.frame, labels=self.labels, language=self.labels.language, facts=self._facts
        )


@dataclass(frozen=True)
class ReportContents:
    """Everything that a report shows.

    Attributes
    ----------
    inputs, language, labels
        The run, the language, and what to call things in it.
    order
        The chapters that have something to show.
    chapters
        The exhibits of each chapter that has some.
    depths
        The same chapters by depth: the summary, the main report, and the appendix.
    see_also
        By chapter of the main report: the exhibits of the same subject in the appendix.
    summary, flow, explorer, checks, methods, comparison, definitions, provenance
        What the chapters of these names show besides exhibits.
    quality, linkage, rules, plan
        Small tables on the delivery and on the registered plan.
    verified
        How many numbers other programs recomputed.
    explained
        What the estimates and tests mean.
    watermark
        On every page of confidential numbers that are not protected.
    """

    inputs: ReportInputs
    language: Language
    labels: LabelBook
    order: tuple[str, ...]
    depths: Mapping[str, tuple[str, ...]]
    see_also: Mapping[str, tuple[ReportExhibit, ...]]
    chapters: Mapping[str, tuple[ReportExhibit, ...]]
    summary: Summary
    flow: SummaryTable | None
    explorer: dict[str, Any] | None
    checks: tuple[str, ...]
    methods: Methods
    comparison: Comparison | None
    definitions: tuple[SummaryTable, ...]
    provenance: tuple[SummaryTable, ...]
    quality: SummaryTable | None
    linkage: SummaryTable | None
    rules: SummaryTable | None
    plan: SummaryTable | None
    verified: str
    explained: tuple[Explanation, ...]
    watermark: str

    @property
    def title(self) -> str:
        """The evaluation's name."""
        return self.inputs.evaluation.label[self.language]

    @property
    def mark(self) -> str:
        """What is at the head of every page on paper: that the data are synthetic, or confidential and unprotected; else nothing."""
        if self.inputs.evaluation.data_class == "synthetic":
            return say("report.synthetic", self.language)
        return say("report.confidential", self.language) if self.watermark else ""

    @property
    def flow_is_drawn(self) -> bool:
        """Whether a figure shows the flow of people through all samples, so that its table says nothing more."""
        held = self.chapters.get("flow", ())
        return any(
            each.made and isinstance(each.definition, FlowExhibit) and not each.definition.samples for each in held
        )

    @property
    def exhibits(self) -> Iterator[ReportExhibit]:
        """All exhibits, in the report's order."""
        for chapter in self.order:
            yield from self.chapters.get(chapter, ())


def report_contents(inputs: ReportInputs, language: Language) -> ReportContents:
    """Gather what a report shows.

    Parameters
    ----------
    inputs
        The run.
    language
        ``"nb"`` or ``"en"``.
    """
    with worded_for(inputs.evaluation.design):
        return _gathered(inputs, language)


def _gathered(inputs: ReportInputs, language: Language) -> ReportContents:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions).in_language(language)
    names = [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]
    frames = {name: inputs.numbers(name) for name in names}
    comparison = compare_in_words(inputs, frozenset(names), labels, language)
    chapters = _chapters(inputs, frames, comparison, labels)
    made = {name: frame for name, frame in frames.items() if reason_not_made(frame) is None}
    # What each chapter without exhibits shows; one that has nothing to show is left out.
    summary = summarise_numbers(inputs, made, labels)
    own: dict[str, Any] = {
        "summary": summary,
        "flow": summary_tables.flow_table(inputs, labels, language),
        "explorer": explorer_of(inputs, made, labels),
        "checks": summary.checks,
        "methods": methods_of(inputs, labels),
        "comparison": comparison,
        "definitions": tuple(summary_tables.definitions_tables(inputs, language)),
        "provenance": tuple(summary_tables.provenance_tables(inputs.provenance(), language)),
    }
    quality = summary_tables.quality_table(inputs, language)
    depths = _depths(chapters, own, quality=quality is not None)
    order = tuple(chapter for held in depths.values() for chapter in held)
    shown = {exhibit.name: exhibit for held in chapters.values() for exhibit in held}
    further = in_appendix(shown, inputs.definitions.exhibits, order)
    return ReportContents(
        inputs=inputs,
        language=language,
        labels=labels,
        order=order,
        depths=depths,
        see_also={chapter: tuple(shown[name] for name in held) for chapter, held in further.items()},
        chapters=chapters,
        **own,
        quality=quality,
        linkage=summary_tables.linkage_table(inputs, labels, language),
        rules=summary_tables.rules_table(inputs, language),
        plan=summary_tables.plan_table(inputs, labels, language),
        verified=summary_tables.verified_line(inputs, language),
        explained=explanations((exhibit for _, exhibit in inputs.shown(made)), language, inputs.evaluation.design),
        watermark=watermark_text({"data_class": inputs.evaluation.data_class, "profile": inputs.profile}, language),
    )


def _chapters(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], comparison: Comparison | None, labels: LabelBook
) -> dict[str, tuple[ReportExhibit, ...]]:
    """Return the exhibits of each chapter, each of which sees its own part of the definitions."""
    basis = ExhibitBasis(inputs, labels.language)

    def exhibit(name: str) -> ReportExhibit:
        narrow = basis.inputs_of(name)
        verdicts = comparison.line(name) if comparison is not None else ""
        return ReportExhibit(name, narrow, replace(labels, definitions=narrow.definitions), verdicts, basis)

    by_name = by_chapter(frames, inputs.definitions.exhibits)
    return {chapter: tuple(map(exhibit, held)) for chapter, held in by_name.items()}


def _depths(chapters: Mapping[str, Any], own: Mapping[str, Any], *, quality: bool) -> dict[str, tuple[str, ...]]:
    """Return the chapters that have something to show, by depth and in order."""
    filled = {
        *chapters,
        "methods",
        *(name for name, content in own.items() if content),
        *(["provenance"] if quality else []),
    }
    depths = {depth: tuple(name for name in held if name in filled) for depth, held in DEPTHS.items()}
    return {depth: held for depth, held in depths.items() if held}
