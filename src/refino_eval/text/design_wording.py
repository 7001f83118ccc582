"""Word texts for the design of a study: a comparison that was not randomised shows differences, and never effects.

The catalogues are written for a randomised trial. For another design, `designs/<design>.yaml` holds the texts that say
something else, and the words that are replaced in all the others, so that no text can be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent / "designs"

_design: ContextVar[str] = ContextVar("design", default="randomised")


def read_texts(path: Path) -> Any:
    """Read a file of texts; the C parser is five times as fast, and a run reads them in every process."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


@contextmanager
def worded_for(design: str) -> Iterator[None]:
    """Word every text that is asked for inside this context for a design, `randomised` or `observational`."""
    token = _design.set(design)
    try:
        yield
    finally:
        _design.reset(token)


@dataclass(frozen=True)
class Wording:
    """How a design that is not randomised changes the texts.

    Attributes
    ----------
    texts
        Key (theme and name) -> language -> the text instead of the catalogue's, or its plural forms.
    words
        Language -> pairs of a pattern and what replaces it, in order.
    """

    texts: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]

    def reworded(self, text: str, language: str) -> str:
        """Return a text with the words of this design; a capital stays a capital."""
        for pattern, replacement in self.words[language]:
            text = pattern.sub(partial(_as_begun, replacement=replacement), text)
        return text


def _as_begun(found: re.Match[str], replacement: str) -> str:
    new = found.expand(replacement)
    return new[:1].upper() + new[1:] if found[0][:1].isupper() else new


@cache
def wording(design: str) -> Wording | None:
    """Read the wording of a design; None for a randomised one, which the catalogues are written for."""
    if design == "randomised":
        return None
    given = read_texts(HERE / f"{design}.yaml")
    return Wording(
        given["texts"],
        {
            language: tuple((re.compile(pattern, re.IGNORECASE), new) for pattern, new in pairs)
            for language, pairs in given["words"].items()
        },
    )


@cache
def _reworded(design: str, text: str, language: str) -> str:
    words = wording(design)
    return text if words is None else words.reworded(text, language)


def text_of_design(key: str, text: str | Mapping[str, str], language: str) -> str | Mapping[str, str]:
    """Return a catalogue's text, or its plural forms, as the design of the study has it."""
    words = wording(_design.get())
    if words is None:
        return text
    text = words.texts.get(key, {}).get(language, text)
    if isinstance(text, str):
        return _reworded(_design.get(), text, language)
    return {form: _reworded(_design.get(), each, language) for form, each in text.items()}
