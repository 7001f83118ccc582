"""What users read is in standard terms: pages, catalogues of texts, and labels and comments of the configuration."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = (
    "*.md", "docs/**/*.md", "config/**/*.yaml", "config/**/*.md", "config/schemas/*.json", "data/published/README.md", "workflow/**/*.md", "workflow/report/*.rst",
    ".github/**/*.md", ".github/**/*.yml", "src/refino_eval/text/*.yaml", "src/refino_eval/exhibits/kinds/*/text.yaml",
)  # fmt: skip
FILES = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)})
INSTEAD = {
    r"told|tells?|telling": "shows, states, is reported",
    r"mend(s|ed|ing)?|amiss": "fix, correct, invalid",
    r"stands? (in|beside)|beside": "is in, is listed next to, in addition to",
    r"in print|printed": "published",
    r"holds? zero|leaves? zero out": "the confidence interval includes, or excludes, zero",
    r"effects? of taking part|moved by (the )?(draw|assignment)": "LATE, compliers",
    r"(is|are|being|be) seen": "is observed",
    r"awkward": "edge cases",
    r"redraws?|redrawn": "permutation, re-randomisation",
    r"of (its|their|his|her) own": "separate",
    r"what is kept|promises?": "coverage, size",
}
"""Words that the project does not use, and what it writes instead."""
# Names of keys and files, quoted words, and titles of published works keep their words.
QUOTED = re.compile(r"`[^`\n]*`|“[^”\n]*”|«[^»\n]*»|\bprinted[:,]")
# "The LATE is the effect of taking part for the compliers" is the explanation in everyday words that follows the term.
EXPLAINED = {"explanations.yaml": ("effect of taking part",), "keys.yaml": ("redraws",)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_and_texts_use_standard_terms(path):
    allowed = EXPLAINED.get(path.name, ())
    uses = [
        f"{path.relative_to(ROOT)}:{number}: '{match[0]}'; write: {standard}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for words, standard in INSTEAD.items()
        for match in re.finditer(rf"\b({words})\b", QUOTED.sub("", line), re.IGNORECASE)
        if match[0].lower() not in allowed
    ]
    assert uses == []


def test_every_group_of_texts_is_looked_at():
    assert len(FILES) > 100
