"""The comparison with what was published, cell by cell: printed, obtained, verdict, distance, and why not equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.base import Language
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import say
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.published import HELD, VERDICTS
from refino_eval.report.page.summary_tables import Grid, printed_exhibit
from refino_eval.report.page.words import word
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.locations import words_of_place


@dataclass(frozen=True)
class Compared:
    """One printed number beside ours."""

    what: str
    printed: str
    obtained: str
    verdict: str
    distance: str
    why: str


@dataclass(frozen=True)
class Block:
    """The printed numbers of one exhibit; `line` tells their verdicts, `shown` whether the report shows the exhibit."""

    name: str
    title: str
    line: str
    shown: bool
    rows: tuple[Compared, ...]


@dataclass(frozen=True)
class Comparison:
    """The whole comparison: counts by exhibit, the cells of each, and the verdicts that occur."""

    lead: str
    counts: Grid
    blocks: tuple[Block, ...]
    verdicts: tuple[str, ...]

    def line(self, exhibit: str) -> str:
        """Return the verdicts of one exhibit in a line; nothing when none of its numbers was printed."""
        return next((block.line for block in self.blocks if block.name == exhibit), "")


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
    blocks = tuple(
        Block(
            name=str(name),
            title=titles.get(str(name), printed_exhibit(str(name), language)),
            line=verdict_line(part, language),
            shown=str(name) in made,
            rows=tuple(_compared(record, inputs, labels, made, language) for record in part.to_dict("records")),
        )
        for name, part in table.groupby("exhibit", sort=False)
    )
    there = tuple(verdict for verdict in VERDICTS if (table["verdict"] == verdict).any())
    return Comparison(_lead(table, language), counts_grid(table, titles, language), blocks, there)


def _lead(table: pd.DataFrame, language: Language) -> str:
    """Say how the numbers that ours were held to came out, and then what the others are."""
    style = NumberStyle.of(language)
    counts = {verdict: int(count) for verdict, count in table["verdict"].value_counts().items()}
    parts = ", ".join(f"{word(v, language)} {style.integer(counts[v])}" for v in HELD if counts.get(v, 0))
    total = style.integer(sum(counts.get(v, 0) for v in HELD))
    told = [
        say(
            language,
            f"{total} trykte tall er holdt mot våre: {parts}.",
            f"{total} printed numbers are held against ours: {parts}.",
        )
    ]
    others = {
        "input": ("er forutsetninger i beregningen, så likhet sier ingenting", "are what a calculation starts from, so agreement says nothing"),
        "not_computed": ("kan ikke beregnes av registrene; grunnen står ved hvert tall", "cannot be computed from the registers; the reason stands by each"),
        "missing": ("mangler uten at grunnen er kjent", "are missing without a known reason"),
    }  # fmt: skip
    told += [f"{style.integer(counts[v])} {say(language, *words)}." for v, words in others.items() if counts.get(v, 0)]
    return " ".join(told)


def counts_grid(comparison: pd.DataFrame, titles: Mapping[str, str], language: Language) -> Grid:
    """Return the verdicts by exhibit."""
    rows = []
    for exhibit, part in comparison.groupby("exhibit", sort=False):
        counts = part["verdict"].value_counts()
        title = titles.get(str(exhibit), printed_exhibit(str(exhibit), language))
        rows.append((title, *(str(int(counts.get(v, 0))) for v in VERDICTS), str(len(part))))
    totals = comparison["verdict"].value_counts()
    everything = say(language, "I alt", "In all")
    rows.append((everything, *(str(int(totals.get(v, 0))) for v in VERDICTS), str(len(comparison))))
    head = (word("exhibit", language), *(word(v, language) for v in VERDICTS), word("cells", language))
    classes = (*[""] * (len(rows) - 1), "total")
    return Grid(head, tuple(rows), ("left", *["right"] * (len(VERDICTS) + 1)), classes)


def verdict_line(part: pd.DataFrame, language: Language) -> str:
    """Say the verdicts of one exhibit in a line, for instance ``equal 12, within sampling error 6``."""
    counts = part["verdict"].value_counts()
    return ", ".join(f"{word(v, language)} {int(counts[v])}" for v in VERDICTS if counts.get(v, 0))


def _compared(
    record: Mapping[Any, Any], inputs: ReportInputs, labels: LabelBook, made: frozenset[str], language: Language
) -> Compared:
    style = NumberStyle.of(language)
    exhibit, verdict = str(record["exhibit"]), str(record["verdict"])
    distance = str(record["distance_in_se"])
    key = (str(record["panel"]), str(record["row"]), str(record["column"]), str(record["statistic"]))
    entry = inputs.definitions.exhibits.get(exhibit)
    what = (
        words_of_place(key, entry, labels, language)
        if entry is not None
        else " · ".join(labels.word(part, language) for part in key if part)
    )
    return Compared(
        what=what,
        printed=str(record["printed"]),
        obtained=str(record["obtained_rounded"]).replace(".", style.decimal).replace("-", style.minus),
        verdict=verdict,
        distance=style.fixed(float(distance), 1) if distance not in ("", "nan") else "",
        why=_told_reason(record, language)
        or _why(
            verdict,
            exhibit,
            made,
            language,
            measured=distance not in ("", "nan"),
            synthetic=inputs.evaluation.data_class == "synthetic",
        ),
    )


def _told_reason(record: Mapping[Any, Any], language: Language) -> str:
    """Return the reason that the published document's source gives, if any."""
    reason = str(record.get(f"reason_{language}", ""))
    return "" if reason == "nan" else reason


def _why(
    verdict: str, exhibit: str, made: frozenset[str], language: Language, *, measured: bool, synthetic: bool
) -> str:
    """Say why a number is not equal to the printed one, as far as the numbers themselves tell."""
    if verdict == "last_digit":
        return say(
            language,
            "Én enhet i siste siffer: avrunding kan forklare det.",
            "One unit of the last digit: rounding may explain it.",
        )
    if verdict == "input":
        return say(
            language,
            "Beregningen starter med det trykte tallet.",
            "The calculation starts from the printed number.",
        )
    if verdict == "missing":
        if exhibit not in made:
            return say(
                language,
                "Tabellen eller figuren lages ikke i denne evalueringen.",
                "This evaluation does not make the exhibit.",
            )
        return say(
            language,
            "Det finnes ikke noe slikt tall, eller det er tatt ut.",
            "There is no such number, or it was taken out.",
        )
    if verdict == "differs":
        if not measured:
            return say(
                language,
                "Uten standardfeil: avstanden lar seg ikke vurdere mot utvalgsfeil.",
                "Without a standard error: the distance cannot be held against sampling error.",
            )
        if synthetic:
            return say(
                language, "Lenger fra enn utvalgsfeil tilsier.", "Further away than sampling error accounts for."
            )
        return say(
            language,
            "Uforklart: se definisjon, utvalg og spesifikasjon.",
            "Not explained: see definition, sample and specification.",
        )
    return ""
