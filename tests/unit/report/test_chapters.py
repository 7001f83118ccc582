"""Every exhibit stands in one chapter: its own word first, then its kind's, and a kind that nobody knows is not lost."""

from typing import get_args

from refino_eval.config.exhibits import Chapter, DrawsExhibit, IttExhibit
from refino_eval.report.page.chapters import CHAPTER_OF_KIND, EXHIBIT_CHAPTERS, by_chapter, chapter_of

TITLE = {"nb": "x", "en": "x"}


def test_the_table_knows_chapters_only():
    assert set(EXHIBIT_CHAPTERS) == set(get_args(Chapter))
    assert set(CHAPTER_OF_KIND.values()) <= set(EXHIBIT_CHAPTERS)


def test_the_definitions_own_word_goes_first():
    itt = IttExhibit.model_validate({"kind": "itt", "title": TITLE, "columns": {"a": "b"}})
    assert chapter_of(itt) == "results"
    assert chapter_of(itt.model_copy(update={"chapter": "robustness"})) == "robustness"


def test_an_unknown_kind_stands_among_the_results():
    new = DrawsExhibit.model_construct(kind="brand_new", chapter=None)
    draws = DrawsExhibit.model_validate({"kind": "draws", "title": TITLE})
    assert by_chapter(["a", "b", "c"], {"a": new, "b": draws, "c": new}) == {"design": ["b"], "results": ["a", "c"]}
