"""What every HTML page shares: templates, style sheets and scripts inside the page, and writing it at once.

All texts that a template shows are escaped, whatever a label or a delivery holds; only what is marked safe here or made by
the exhibits, which escape their cells themselves, is taken as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from refino_eval.config.base import Language
from refino_eval.exhibits.formats.text_formats import table_style
from refino_eval.exhibits.tidy import write_text
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say, texts_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

BLANK_LINES = re.compile(r"\n\s*\n+")
ROOM = "refino_eval.report"
SEARCH = ("numbers.js", "links.js", "search.js")
"""The scripts of a page that can be searched, and whose headings have addresses to copy; its styles are tools.css and search.css."""


@cache
def environment(language: Language) -> Environment:
    """Return the environment of the pages' templates, in which `say` gives the texts of a language."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(str(files(ROOM).joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"language": language, "say": partial(_say, language), "css_text": css_text}
    return made


def compile_templates() -> None:
    """Compile the templates of all pages in both languages."""
    for language in get_args(Language):
        for name in environment(language).list_templates():
            environment(language).get_template(name)


def css_text(text: str) -> Markup:
    """Return a text as a style sheet writes it, such that nothing in it can end the text or the sheet."""
    from markupsafe import Markup

    return Markup('"' + re.sub(r'["\\\\<>\n\r\f]', lambda mark: f"\\{ord(mark[0]):x} ", text) + '"')


def _say(language: Language, key: str, **values: object) -> str:
    return say(key, language, **values)


def page_text(template: str, language: Language, *, styles: Iterable[str], **values: Any) -> str:
    """Return a page as text, made from a template and the style sheets that it needs after that of tables."""
    from markupsafe import Markup

    style = Markup("").join((Markup(table_style()), *map(asset, styles)))
    return BLANK_LINES.sub("\n", environment(language).get_template(template).render(style=style, **values))


def write_page(path: Path, template: str, language: Language, *, styles: Iterable[str], **values: Any) -> Path:
    """Write a page made from a template, at once or not at all, and return its path."""
    write_text(path, page_text(template, language, styles=styles, **values))
    return path


def asset(name: str) -> Markup:
    """Return a style sheet or a script as it is in the page, without blank lines: the page knows a script by its hash."""
    from markupsafe import Markup

    return Markup(BLANK_LINES.sub("\n", files(ROOM).joinpath("assets", name).read_text(encoding="utf-8")))


def scripted(names: Iterable[str], language: Language, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a template with scripts needs: these, their names in the page's security policy, and the data that they read.

    Parameters
    ----------
    names
        Scripts, in running order.
    language
        Of the words and the marks of numbers that all scripts use.
    data
        What else they read: aggregates and texts, never data on a person.
    """
    style = NumberStyle.of(language)
    marks = {"decimal": style.decimal, "thousands": style.thousands, "minus": style.minus}
    shared = {"language": language, "marks": marks, "words": texts_of("script", language)}
    scripts = [asset(name) for name in names]
    return {
        "scripts": scripts,
        "script_sources": " ".join(map(_source, scripts)),
        "data": _embedded({**shared, **(data or {})}),
    }


def _embedded(data: Mapping[str, Any]) -> Markup:
    """Return data for a script element, such that no text in it can end the element."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _source(script: str) -> str:
    """Return a script's name in the page's security policy: its hash, so that no other script runs."""
    digest = hashlib.sha256(f"\n{script}".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
