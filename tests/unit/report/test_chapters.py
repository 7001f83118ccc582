"""Every exhibit stands in one chapter: its own word first, then its kind's, and a kind that nobody knows is not lost."""

from typing import get_args

from refino_eval.config.exhibit_base import Chapter
from refino_eval.config.exhibits import MODELS
from refino_eval.exhibits.kinds.draws.model import DrawsExhibit
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.report.page.chapters import EXHIBIT_CHAPTERS, by_chapter, chapter_of

TITLE = {"nb": "x", "en": "x"}


def test_the_table_knows_chapters_only():
    assert set(EXHIBIT_CHAPTERS) == set(get_args(Chapter))
    assert {model.usual_chapter for model in MODELS.values()} <= set(EXHIBIT_CHAPTERS)


def test_the_definitions_own_word_goes_first():
    itt = IttExhibit.model_validate({"kind": "itt", "title": TITLE, "columns": {"a": "b"}})
    assert chapter_of(itt) == "results"
    assert chapter_of(itt.model_copy(update={"chapter": "robustness"})) == "robustness"


def test_exhibits_are_sorted_by_the_chapter_of_their_kind():
    draws = DrawsExhibit.model_validate({"kind": "draws", "title": TITLE})
    itt = IttExhibit.model_validate({"kind": "itt", "title": TITLE, "columns": {"a": "b"}})
    assert by_chapter(["a", "b", "c"], {"a": itt, "b": draws, "c": itt}) == {"design": ["b"], "results": ["a", "c"]}
