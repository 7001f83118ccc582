"""The catalogue as Markdown: the same facts as on the page, with windows in words."""

from __future__ import annotations

import re

from refino_eval.catalogue.catalogue_entries import (
    PARTS,
    CatalogueInputs,
    Entry,
    EntryTable,
    entries,
    examples_line,
    ready_outcomes,
)
from refino_eval.config.base import Language
from refino_eval.text import say


def markdown_catalogue(inputs: CatalogueInputs, language: Language) -> str:
    """Return the catalogue in one language as Markdown, for a repository or an appendix."""
    title = f"{say('catalogue.title', language)}: {inputs.evaluation.label[language]}"
    lines = [f"# {_plain(title)}", "", say("catalogue.lead", language), "", examples_line(inputs, language)]
    for kind in PARTS:
        listed = entries(inputs, kind, language)
        ready = ready_outcomes(inputs.evaluation, language) if kind == "outcomes" else []
        if not listed and not ready:
            continue
        lines += ["", f"## {say(f'catalogue.{kind}', language)}", "", say(f"catalogue.{kind}_lead", language)]
        if ready:
            lines += ["", say("catalogue.from_person_table", language), ""]
            lines += [f"- `{name}` {_plain(label)} (`{column}`)" for name, label, column in ready]
        for entry in listed:
            lines += _entry(entry, language)
    return "\n".join(lines) + "\n"


def _entry(entry: Entry, language: Language) -> list[str]:
    marks = [say(f"catalogue.{entry.role}", language)] if entry.role else []
    marks += [] if entry.used else [say("catalogue.unused", language)]
    texts = [f"*{', '.join(marks)}*" if marks else "", _plain(entry.words), _plain(entry.description)]
    lines = ["", f"### {_plain(entry.label)} (`{entry.name}`)", ""]
    lines += [line for text in texts if text for line in (text, "")]
    users = "; ".join(title for _, title in entry.users) or say("catalogue.nowhere", language)
    facts = [*entry.facts, (say("catalogue.used_in", language), users)]
    lines += [f"- {label}: {_plain(value)}" for label, value in facts]
    return lines + [line for table in entry.tables for line in _table(table)]


def _table(table: EntryTable) -> list[str]:
    head, *rows = ("| " + " | ".join(map(_plain, row)) + " |" for row in (table.head, *table.rows))
    return ["", head, "|" + " --- |" * len(table.head), *rows]


def _plain(text: str) -> str:
    """Escape what Markdown and HTML would interpret: a label is text, whatever signs it holds."""
    return re.sub(r"([\\|*_<>&`\[\]])", r"\\\1", text).replace("\n", " ")
