"""`refino-eval texts`: every text of tables, notes, report and audit with its key, for proofreading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from refino_eval.config.base import Language
from refino_eval.errors import UserError, nearest
from refino_eval.text.catalogue import Catalogue, catalogue, catalogue_files


def proofreading_lines(language: str | None, theme: str | None) -> Iterator[str]:
    """Yield the texts as one Markdown document.

    Parameters
    ----------
    language
        ``nb`` or ``en``; by default both, next to each other.
    theme
        One catalogue; by default all.

    Raises
    ------
    UserError
        When there is no such language or theme.
    """
    themes = dict(catalogue_files())
    if language is not None and language not in get_args(Language):
        raise UserError(f"There is no language '{language}' (--language).{nearest(language, get_args(Language))}")
    if theme is not None and theme not in themes:
        raise UserError(f"There is no theme '{theme}' (--theme).{nearest(theme, themes)}")
    languages = get_args(Language) if language is None else (language,)
    yield f"# Texts ({', '.join(languages)})"
    yield ""
    yield "The program fills in the names in braces. A text that depends on a number has a form for one and a form for several."
    for name in themes if theme is None else (theme,):
        yield from _theme_lines(catalogue(name), languages)


def _theme_lines(texts: Catalogue, languages: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield f"## {texts.theme}"
    for key, entry in texts.entries.items():
        yield ""
        yield f"### `{texts.theme}.{key}`"
        yield ""
        for language in languages:
            mark = f"**{language}** " if len(languages) > 1 else ""
            text = entry[language]
            forms = {"": text} if isinstance(text, str) else {f"*{form}*: ": words for form, words in text.items()}
            for form, words in forms.items():
                yield f"- {mark}{form}{words}"
