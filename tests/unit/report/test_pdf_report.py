"""The report as PDF: page numbers in its contents, the same bytes again, nothing about the machine, and no browser is no fault."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from refino_eval.cli.pdf_command import RECORD, pdf_after_run
from refino_eval.errors import UserError
from refino_eval.report.pdf_report import (
    PROGRAMS,
    VARIABLE,
    NoBrowser,
    find_browser,
    pages_of_headings,
    print_report,
    without_metadata,
)

BROWSER = next(filter(None, map(shutil.which, PROGRAMS)), None)
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Toy</title>
<style>h2 { break-before: page; } b { float: right; }</style></head><body>
<nav class="printed"><a href="#first"><span>First</span><i></i></a> <a href="#last"><span>Last</span><i></i></a></nav>
<p><a href="catalogue.en.html">Catalogue</a></p><svg viewBox="0 0 9 9"><text>drawn</text></svg>
<h2 id="first">First</h2><script>document.title = "changed";</script><p>x</p><h2 id="last">Last</h2></body></html>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium, Chrome or Edge on this machine")
def test_the_same_page_gives_the_same_bytes_with_numbers_of_pages(tmp_path: Path) -> None:
    page = tmp_path / "report.en.html"
    page.write_text(PAGE, encoding="utf-8")
    first, again = (
        print_report(page, tmp_path / name, browser=str(BROWSER)).read_bytes() for name in ("a.pdf", "b.pdf")
    )
    assert first == again
    assert first.startswith(b"%PDF")
    assert pages_of_headings(first) == {"first": 2, "last": 3}
    assert b"/MarkInfo" in first  # tagged
    assert b"/Outlines" in first
    assert b"Toy" in first.replace(b"\0", b"") or b"FEFF0054006F0079" in first
    assert not re.search(rb"CreationDate|ModDate|Skia|Chrome|file:", first)
    assert tmp_path.name.encode() not in first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf", "report.en.html"]


def test_pages_are_counted_through_a_tree_and_metadata_keep_their_room() -> None:
    pdf = (
        b"%PDF-1.4\n1 0 obj\n<</Title (A)\n/Creator (X \\(y\\) z)\n/Producer (P)\n/CreationDate (D:20260101)>>\nendobj\n"
        b"2 0 obj\n<</Type /Catalog\n/Pages 3 0 R\n/Dests 9 0 R>>\nendobj\n"
        b"3 0 obj\n<</Type /Pages\n/Kids [4 0 R 7 0 R]>>\nendobj\n4 0 obj\n<</Type /Pages\n/Kids [5 0 R 6 0 R]>>\nendobj\n"
        b"5 0 obj\n<</Type /Page>>\nendobj\n6 0 obj\n<</Type /Page>>\nendobj\n7 0 obj\n<</Type /Page>>\nendobj\n"
        b"9 0 obj\n<</a [7 0 R /XYZ 0 1 0]\n/b#20c [6 0 R /XYZ 0 1 0]>>\nendobj\n"
    )
    assert pages_of_headings(pdf) == {"a": 3, "b c": 2}
    plain = without_metadata(pdf)
    assert len(plain) == len(pdf)
    assert b"/Title (A)" in plain
    assert not re.search(rb"Creator|Producer|CreationDate", plain)


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run with a report on a machine without a browser."""
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    monkeypatch.delenv(VARIABLE, raising=False)
    pages = tmp_path / "results" / "release"
    pages.mkdir(parents=True)
    (pages / "report.en.html").write_text(PAGE, encoding="utf-8")

    def configured(*forms: str) -> Any:
        formats = SimpleNamespace(report=forms)
        return SimpleNamespace(
            project=SimpleNamespace(languages=("en",), formats=formats),
            evaluation=SimpleNamespace(name="toy", pages_folder="release"),
            results_folder=tmp_path / "results",
        )

    return configured


def test_without_a_browser_a_run_says_so_in_one_line(finished: Any) -> None:
    (line,) = pdf_after_run(finished("html", "pdf"))
    assert line.startswith("No PDF of the report was made: no Chromium, Chrome or Edge")
    assert VARIABLE in line
    assert list(pdf_after_run(finished("html", "docx"))) == []
    with pytest.raises(NoBrowser):
        find_browser()


def test_a_browser_that_is_named_must_be_there(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/opt/none/chromium")
    with pytest.raises(UserError, match="is no program on this machine"):
        find_browser()


def test_a_pdf_of_an_earlier_report_does_not_stay(finished: Any) -> None:
    configuration = finished("html")
    old = configuration.results_folder / "release" / "report.en.pdf"
    old.write_bytes(b"%PDF")
    assert not (configuration.results_folder / RECORD).exists()
    (line,) = pdf_after_run(configuration)
    assert "is removed" in line
    assert not old.exists()
