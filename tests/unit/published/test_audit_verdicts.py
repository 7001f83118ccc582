"""Every finding in the project's documents has been read, and the page about the audit counts what the data hold."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from refino_eval.published.audit import RULES, Finding, audit_file
from refino_eval.published.values import load_published

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "published"
READ = sorted(path.name.removesuffix(".audit.yaml") for path in DATA.glob("*.audit.yaml"))
VERDICTS = ("confirmed", "rounding", "unclear")


@cache
def findings(name: str) -> tuple[Finding, ...]:
    return audit_file(DATA / f"{name}.csv")


def verdicts(name: str) -> list[dict[str, str]]:
    return list(yaml.safe_load((DATA / f"{name}.audit.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", READ)
def test_every_finding_has_a_verdict_and_every_verdict_a_finding(name: str) -> None:
    read = [(entry["place"], entry["rule"]) for entry in verdicts(name)]
    assert read == [("/".join(finding.cells[0]), finding.rule) for finding in findings(name)]


@pytest.mark.parametrize("name", READ)
def test_every_verdict_is_valid_and_has_a_reason(name: str) -> None:
    for entry in verdicts(name):
        assert set(entry) == {"place", "rule", "verdict", "why"}, entry
        assert entry["verdict"] in VERDICTS, entry
        assert entry["rule"] in RULES, entry
        assert entry["why"].endswith("."), entry


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.stem)
def test_a_document_with_findings_has_been_read(path: Path) -> None:
    assert path.stem in READ or not findings(path.stem)


def test_the_page_counts_what_the_data_hold() -> None:
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    told = {
        name: tuple(map(int, re.findall(r"\d+", rest))) for name, rest in re.findall(r"\| `(\w+)` \|([ \d|]+)\n", page)
    }
    held = {}
    for name in READ:
        counts = Counter(entry["verdict"] for entry in verdicts(name))
        held[name] = (len(load_published(DATA / f"{name}.csv")), len(findings(name)), *(counts[v] for v in VERDICTS))
    assert told == held
