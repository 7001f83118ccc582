"""Why an exhibit could not be made, in the language of its reader.

Messages are written in English where they are raised. Those that data alone can give are listed in `text/reasons.yaml` with
placeholders; a message is recognised by its English text, and its values are put into the text of the other language.
"""

from __future__ import annotations

import re
from functools import cache

from refino_eval.text import say, texts_of

_OF_EXHIBIT = re.compile(r"Exhibit '[a-z0-9_]+': ")
_PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")
_NESTED = "reason"
"""The placeholder that holds the reason of another exhibit."""


def reason_text(reason: str, language: str) -> str:
    """Return the reason in a language; one that is not listed stays in English, and is introduced as such.

    Examples
    --------
    >>> reason_text("Exhibit 'table_1': nobody has a value of 'wage'. Look at its window against the register's coverage.", "nb")
    'ingen har en verdi av «wage». Sammenlign utfallets vindu med perioden som registeret dekker.'
    """
    text = _OF_EXHIBIT.sub("", reason)
    if language == "en":
        return text
    for name, pattern in _patterns().items():
        if match := pattern.fullmatch(text):
            values = match.groupdict()
            if _NESTED in values:
                values[_NESTED] = reason_text(values[_NESTED], language)
            return texts_of("reasons", language)[name].format(**values)
    return say("notes.in_english", language, reason=text)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Return what recognises each English text: its placeholders stand for anything."""
    return {
        name: re.compile(_PLACEHOLDER.sub(r"(?P<\1>.*?)", re.escape(text)), re.DOTALL)
        for name, text in texts_of("reasons", "en").items()
    }
