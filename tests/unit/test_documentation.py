"""The pages for contributors are complete: rooms, decision records, pages of the site, and files that they name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_room_is_on_the_page(page):
    table = (ROOT / page).read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "src" / "refino_eval").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}" not in table} == set()


def test_every_decision_is_in_the_index():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert len(records) >= 8
    for record in records:
        title = record.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"({record.name}) | {title} |" in index


def test_every_page_has_a_place_in_the_site():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in PAGES if not page.startswith("decisions/0") and f": {page}" not in navigation] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{page}" for page in PAGES)])
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s:]+)\)", text)]
    assert [target for target in targets if target and not ((ROOT / page).parent / target).exists()] == []


def test_recipes_name_files_that_exist():
    recipes = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes")[2]
    named = set(re.findall(r"`((?:\w+/)+[\w.]+\.(?:py|yaml|md))`", recipes))
    assert len(named) > 12
    bases = (ROOT, ROOT / "src" / "refino_eval")
    assert {name for name in named if not any((base / name).exists() for base in bases)} == set()
