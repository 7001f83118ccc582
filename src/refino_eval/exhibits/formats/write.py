"""From a table to its files: one form a function, whatever the table is of; Word and Excel are imported when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from refino_eval.exhibits.formats.latex import to_latex
from refino_eval.exhibits.formats.text_formats import to_csv, to_html_page, to_markdown
from refino_eval.exhibits.layout.table import Table
from refino_eval.exhibits.tidy import write_bytes
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say


@dataclass(frozen=True)
class Laid:
    """A table laid out for a page, with the tidy numbers behind it, and for a spreadsheet when a form needs that."""

    make: Callable[[NumberStyle], Table]
    numbers: pd.DataFrame
    language: str

    @cached_property
    def page(self) -> Table:
        """As a reader sees it."""
        return self.make(NumberStyle.of(self.language))

    @cached_property
    def sheet(self) -> Table:
        """With numbers as a program reads them."""
        return self.make(NumberStyle.of(self.language, machine=True))


def _word(laid: Laid) -> bytes:
    from refino_eval.exhibits.formats.word import to_word

    return to_word(laid.page)


def _excel(laid: Laid) -> bytes:
    from refino_eval.exhibits.formats.excel import to_excel

    return to_excel(laid.page, laid.numbers)


TABLE_FORMS: Mapping[str, Callable[[Laid], bytes]] = {
    "csv": lambda laid: to_csv(laid.sheet).encode(),
    "md": lambda laid: to_markdown(laid.page).encode(),
    "html": lambda laid: to_html_page(laid.page).encode(),
    "tex": lambda laid: to_latex(laid.page).encode(),
    "docx": _word,
    "xlsx": _excel,
}


def write_table(laid: Laid, directory: Path, *, formats: Sequence[str]) -> list[Path]:
    """Write a table as `<exhibit>.<language>.<format>`.

    Parameters
    ----------
    laid
        The table.
    directory
        Where to; made when it is not there.
    formats
        Keys of `TABLE_FORMS`.

    Returns
    -------
    list of Path
        The files, in the order of the formats.
    """
    paths = [directory / f"{laid.page.exhibit}.{laid.page.language}.{name}" for name in formats]
    for name, path in zip(formats, paths, strict=True):
        write_bytes(path, TABLE_FORMS[name](laid))
    return paths


def write_bundle(
    tables: Sequence[Laid], path: Path, *, title: str, language: str, chapters: Sequence[str] = ()
) -> Path:
    """Write all tables of an evaluation as one Word document or one Excel book, by the ending of the path.

    Parameters
    ----------
    tables
        In order.
    path
        The file.
    title
        Its head.
    language
        Of the tables.
    chapters
        Of the report, one for each table, as the program calls them.
    """
    if path.suffix == ".docx":
        from refino_eval.exhibits.formats.word import to_word_bundle

        content = to_word_bundle([laid.page for laid in tables], title=title, language=language)
    else:
        from refino_eval.exhibits.formats.excel import to_excel_bundle

        named = [say(f"report.chapter_{chapter}", language) for chapter in chapters]
        numbers = pd.concat([laid.numbers for laid in tables], ignore_index=True)
        content = to_excel_bundle(
            [laid.page for laid in tables], numbers, title=title, language=language, chapters=named
        )
    write_bytes(path, content)
    return path
