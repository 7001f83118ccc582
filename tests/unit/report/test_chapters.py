"""Every exhibit is in one chapter: its own word first, then its kind's; the summary asks each question once."""

from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import pandas as pd
import pytest

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.config.exhibit_base import Chapter
from refino_eval.config.exhibits import MODELS
from refino_eval.exhibits.kinds.draws.model import DrawsExhibit
from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.kinds.leave_one_out.model import LeaveOneOutExhibit
from refino_eval.exhibits.tidy import NOT_MADE
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.page.chapters import EXHIBIT_CHAPTERS, by_chapter, chapter_of, in_appendix
from refino_eval.report.page.report_contents import ReportContents, ReportExhibit
from refino_eval.report.page.summary import questions

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


def test_the_main_report_lists_what_the_appendix_has_on_each_subject():
    itt = IttExhibit.model_validate({"kind": "itt", "title": TITLE, "columns": {"a": "b"}})
    exhibits = {
        "without": LeaveOneOutExhibit.model_validate(
            {"kind": "leave_one_out", "title": TITLE, "columns": {"a": "b"}, "without": "county"}
        ),
        "further": itt.model_copy(update={"chapter": "supplement"}),
        "effects": itt,
        "draws": DrawsExhibit.model_validate({"kind": "draws", "title": TITLE}),
    }
    # The supplement is in the order of subjects: results before robustness.
    assert by_chapter(exhibits, exhibits)["supplement"] == ["further", "without"]
    names = ["further", "without", "draws"]
    assert in_appendix(names, exhibits, {"flow", "results", "robustness"}) == {
        "results": ("further",),
        "robustness": ("without",),
        "flow": ("draws",),
    }
    # A subject without a chapter in the main report is listed under the results.
    assert in_appendix(names, exhibits, {"results"}) == {"results": ("further", "without", "draws")}


@pytest.mark.parametrize(
    ("samples", "statistic", "drawn"), [((), "count", True), (("few",), "count", False), ((), NOT_MADE, False)]
)
def test_the_table_of_the_flow_is_needed_unless_a_figure_shows_all_samples(samples, statistic, drawn):
    flow = FlowExhibit.model_validate({"kind": "flow", "title": TITLE, "samples": samples})
    frame = pd.DataFrame({"row": ["all"], "statistic": [statistic], "status": ["x"]})
    inputs = SimpleNamespace(
        definitions=SimpleNamespace(exhibits={"figure_flow": flow}), numbers={"figure_flow": frame}.__getitem__
    )
    exhibit = ReportExhibit("figure_flow", inputs, labels=None, verdicts="", basis=None)
    assert ReportContents.flow_is_drawn.fget(SimpleNamespace(chapters={"flow": (exhibit,)})) is drawn


def test_the_question_is_asked_once_for_all_arms_that_are_compared_with_the_same_one():
    arms = {name: Label(nb=name.upper(), en=name.title()) for name in ("letter", "talk", "usual", "none")}
    book = LabelBook(definitions=Definitions(), treated="letter", control="usual", arms=arms)
    others = [replace(book, treated="talk"), replace(book, treated="usual", control="none")]
    assert list(questions([book, *others])) == [
        "The question: do outcomes differ between people assigned to Letter or Talk and people assigned to Usual?",
        "The question: do outcomes differ between people assigned to Usual and people assigned to None?",
    ]
    (norwegian,) = questions([book.in_language("nb")])
    assert "fordelt til LETTER, andre" in norwegian
