"""The report's summary says of which arm it speaks."""

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.labels import LabelBook
from refino_eval.report.summary import _several


def test_the_summary_of_several_arms_says_which_one_it_is_about():
    names = {name: Label(nb=name.title(), en=name.title()) for name in ("letter", "talk", "none")}
    book = LabelBook(
        definitions=Definitions(), treated="letter", control="none", arms=names, several=("letter", "talk")
    )
    assert "2 treated arms" in _several(book, "en")[0]
    assert "Talk" in _several(book, "nb")[0]
    assert _several(LabelBook(definitions=Definitions(), treated="letter", control="none", arms=names), "en") == []
