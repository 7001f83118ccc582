"""Words that claim an effect or random assignment, which nothing about a study without randomisation may use."""

from __future__ import annotations

import re

PATTERNS = {
    "nb": r"(?<!faste )(?<!fast )effekt(?!iv)|tilfeldig fordel|trekning|\btrekking|\btrukne\b|trekke(?:tids|måned|uk|år)|fordelt til|(?<!ikke )(?<!ikke er )randomis|intensjon-å-behandle|etterlever|\bforsøket\b|\bITT\b|\bLATE\b",
    "en": r"(?<!fixed )\beffects?\b|(?<!not )\brandom(?! seed)|\bassign|\bdraws?\b|\bdrawn\b|intention-to-treat|complier|\btrials?\b|\bITT\b|\bLATE\b|\bimpact",
}
"""By language. "Fixed effects" and "not randomised" are allowed."""

_COMPILED = {language: re.compile(pattern, re.IGNORECASE) for language, pattern in PATTERNS.items()}


def causal_words(text: str, language: str) -> str:
    """Return the first word of a text that claims an effect or random assignment, or nothing."""
    claim = _COMPILED[language].search(text)
    return claim[0] if claim is not None else ""
