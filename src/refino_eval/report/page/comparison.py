"""The comparison with published numbers, cell by cell: published, ours, verdict, distance, and why they are not equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.base import Language
from refino_eval.exhibits.wording.labels import LabelBook, plain
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.published.compare import HELD, VERDICTS
from refino_eval.published.source import PublishedSource, pages_text
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.locations import word_of_key, words_of_place
from refino_eval.report.trail.trails import address_of
from refino_eval.text import say


@dataclass(frozen=True)
class ComparedNumber:
    """One published number next to ours; `address` is the name of ours, if it has the same key."""

    what: str
    published: str
    ours: str
    verdict: str
    distance: str
    reason: str
    address: str = ""


@dataclass(frozen=True)
class ComparedExhibit:
    """The published numbers of one exhibit: their verdicts in a line, whether the report shows it, and their pages."""

    name: str
    title: str
    line: str
    shown: bool
    pages: str
    rows: tuple[ComparedNumber, ...]


@dataclass(frozen=True)
class Comparison:
    """The whole comparison: counts by exhibit, the numbers of each, and the verdicts that occur with their names."""

    lead: str
    counts: SummaryTable
    exhibits: tuple[ComparedExhibit, ...]
    verdicts: Mapping[str, str]

    def line(self, exhibit: str) -> str:
        """Return the verdicts of one exhibit in a line; nothing when none of its numbers was published."""
        return next((compared.line for compared in self.exhibits if compared.name == exhibit), "")


def compare_in_words(
    inputs: ReportInputs, made: frozenset[str], labels: LabelBook, language: Language
) -> Comparison | None:
    """Return the comparison of a run as the page shows it; None where nothing was compared.

    Parameters
    ----------
    inputs
        The run.
    made
        The exhibits that the report shows.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    """
    table = inputs.table("comparison")
    if table is None:
        return None
    titles = {name: exhibit.title[language] for name, exhibit in inputs.definitions.exhibits.items()}
    parts = [(str(name), part) for name, part in table.groupby("exhibit", sort=False)]
    exhibits = tuple(
        ComparedExhibit(
            name=name,
            title=titles.get(name) or _published_title(name, language),
            line=verdict_line(part, VERDICTS, language),
            shown=name in made,
            pages=_pages(part, language),
            rows=tuple(_compared(record, inputs, labels, made, language) for record in part.to_dict("records")),
        )
        for name, part in parts
    )
    counts = _counts(
        [(exhibit.title, part) for exhibit, (_, part) in zip(exhibits, parts, strict=True)], table, language
    )
    verdicts = {v: say(f"comparison.verdict_{v}", language) for v in VERDICTS if (table["verdict"] == v).any()}
    return Comparison(" ".join(_lead(table, language)), counts, exhibits, verdicts)


def verdict_line(part: pd.DataFrame, verdicts: tuple[str, ...], language: Language) -> str:
    """State how many numbers have each verdict, for instance ``equal 12, within sampling error 6``."""
    style, counts = NumberStyle.of(language), part["verdict"].value_counts()
    return ", ".join(
        f"{say(f'comparison.verdict_{verdict}', language)} {style.integer(counts[verdict])}"
        for verdict in verdicts
        if counts.get(verdict, 0)
    )


def _pages(part: pd.DataFrame, language: Language) -> str:
    """State the pages of the document where an exhibit is; nothing where its source does not state them."""
    return pages_text(str(part["pages"].iloc[0]), language) if "pages" in part else ""


def _published_title(name: str, language: Language) -> str:
    """Return what a document calls an exhibit that is not defined here: `table_iii` is Table III, `text_8_1` Text 8.1."""
    return PublishedSource().exhibit_name(name, language) or plain(name)


def _lead(table: pd.DataFrame, language: Language) -> Iterator[str]:
    """State the verdicts on the numbers that can be compared with ours, and then what the others are."""
    style, counts = NumberStyle.of(language), table["verdict"].value_counts()
    total = sum(int(counts.get(verdict, 0)) for verdict in HELD)
    if total:
        verdicts = verdict_line(table, HELD, language)
        yield say("comparison.compared", language, n=style.integer(total), verdicts=verdicts)
    else:
        yield say("comparison.none_compared", language)
    if "reason" in table:
        off = table["verdict"].isin(["differs", "last_digit"])
        explained = int((off & table["reason"].fillna("").ne("")).sum())
        if explained:
            yield say("comparison.count_explained", language, n=style.integer(explained))
    for verdict in VERDICTS:
        if verdict not in HELD and counts.get(verdict, 0):
            yield say(f"comparison.count_{verdict}", language, n=style.integer(counts[verdict]))


def _counts(parts: list[tuple[str, pd.DataFrame]], table: pd.DataFrame, language: Language) -> SummaryTable:
    """Return the number of verdicts by exhibit, and in all."""
    rows = []
    for title, part in (*parts, (say("comparison.total", language), table)):
        counts = part["verdict"].value_counts()
        rows.append((title, *(str(int(counts.get(verdict, 0))) for verdict in VERDICTS), str(len(part))))
    verdicts = (say(f"comparison.verdict_{verdict}", language) for verdict in VERDICTS)
    head = (say("report.exhibit", language), *verdicts, say("comparison.cells", language))
    classes = (*[""] * len(parts), "total")
    return SummaryTable(head, tuple(rows), ("left", *["right"] * (len(VERDICTS) + 1)), classes)


def _compared(
    record: Mapping[Any, Any], inputs: ReportInputs, labels: LabelBook, made: frozenset[str], language: Language
) -> ComparedNumber:
    style = NumberStyle.of(language)
    verdict, distance = str(record["verdict"]), str(record["distance_in_se"])
    key = (str(record["panel"]), str(record["row"]), str(record["column"]), str(record["statistic"]))
    entry = inputs.definitions.exhibits.get(str(record["exhibit"]))
    measured = distance not in ("", "nan")
    given = str(record.get(f"reason_{language}", ""))
    reason = _reason(
        verdict,
        made=str(record["exhibit"]) in made,
        measured=measured,
        synthetic=inputs.evaluation.data_class == "synthetic",
    )
    return ComparedNumber(
        what=words_of_place(key, entry, labels)
        if entry is not None
        else " · ".join(word_of_key(part, labels) for part in key if part),
        published=str(record["printed"]),
        ours=style.of_text(str(record["obtained_rounded"])),
        verdict=verdict,
        distance=style.fixed(float(distance), 1) if measured else "",
        address=""
        if str(record.get("obtained_from", "")) not in ("", "nan")
        else address_of(str(record["exhibit"]), key),
        # The source of the published document may give a reason, which goes before ours.
        reason=given if given not in ("", "nan") else say(f"comparison.why_{reason}", language) if reason else "",
    )


def _reason(verdict: str, *, made: bool, measured: bool, synthetic: bool) -> str:
    """Return the key of why a number is not equal to the published one; nothing where there is nothing to explain."""
    if verdict in ("last_digit", "input"):
        return verdict
    if verdict == "missing":
        return "no_such_number" if made else "exhibit_not_made"
    if verdict == "differs":
        if not measured:
            return "without_standard_error"
        return "beyond_sampling_error" if synthetic else "unexplained"
    return ""
