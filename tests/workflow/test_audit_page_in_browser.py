"""The page of the audit in a real browser: accessible, no sideways scrolling on any screen, whole on paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from refino_eval.cli.audit_command import audit_documents

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (360, 390, 768, 1400)
PAPER = 680
"""Pixels of a page of A4 between its margins."""

# What is folded away in a frame that scrolls is reached there; nothing else may be outside the window.
OUTSIDE = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.getBoundingClientRect().right > window.innerWidth + 1 && !part.closest(".frame, .scroll"))
  .map((part) => part.outerHTML.slice(0, 120))"""
WIDER = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def documents(tmp_path_factory) -> list[str]:
    """A table with many columns and words, and the project's document with most kinds of findings."""
    columns = [f"Outcome with a long name, number {number}" for number in range(1, 13)]
    rows = [f"A characteristic that is described at length {number}" for number in range(1, 25)]
    lines = ["Table 1. Estimates and t-statistics", ";" + ";".join(columns)]
    for number, row in enumerate(rows):
        lines.append(f"{row};" + ";".join(f"0.{number + 11}{column}**" for column in range(10, 22)))
        lines.append(";" + ";".join("(0.0100)" for _ in columns))
        lines.append(
            "t;" + ";".join(f"{(number + 11) + column / 100 + 9 * (number == 9):.2f}" for column in range(10, 22))
        )
    wide = tmp_path_factory.mktemp("audit") / "wide.csv"
    wide.write_text("\n".join(lines), encoding="utf-8")
    return [str(wide), "oppfolging_2020"]


@pytest.mark.parametrize(("language", "scheme", "judged"), [("en", "light", 1400), ("nb", "dark", 390)])
def test_page_is_accessible_and_fits_screens_and_paper(browser, documents, tmp_path, language, scheme, judged):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = tmp_path / "audit.html"
    audit_documents(documents, form="html", language=language, out=path, strict=False, root=ROOT)
    page = browser.new_page(color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(WIDER) <= 0, width
        assert page.evaluate(OUTSIDE) == [], width
        if width == judged:
            violations = axe.run(page, None, {"resultTypes": ["violations"]}).response["violations"]
            serious = [each for each in violations if each["impact"] in ("serious", "critical")]
            assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == [], width
    marks = page.locator("mark.wrong:visible, mark.suspect:visible")
    assert marks.count() > 20
    assert page.locator("#document-1 mark.wrong, #document-1 mark.suspect").count() >= 10
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 900})
    # On paper nothing scrolls: what is in a frame must fit, too.
    assert page.evaluate(OUTSIDE.replace(' && !part.closest(".frame, .scroll")', "")) == []
    assert complaints == []
    page.close()
