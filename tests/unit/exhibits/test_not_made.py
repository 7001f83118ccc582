"""An exhibit that cannot be computed is shown empty with its reason, in every format."""

import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.formats.write import TABLE_FORMS
from refino_eval.exhibits.render import figure_notes, render
from refino_eval.exhibits.tidy import not_made, read_made, read_tidy, reason_not_made, write_tidy
from refino_eval.exhibits.wording.labels import LabelBook

REASON = "Family 'all' has no members; 3 outcomes, one\nof them constant."
LABEL = {"nb": "x", "en": "x"}
ENTRIES = Definitions.model_validate(
    {
        "exhibits": {
            "t": {"kind": "itt", "title": {"nb": "Tabell", "en": "Table"}, "columns": {"a": "a"}},
            "f": {"kind": "paths", "title": {"nb": "Figur", "en": "Figure"}, "states": ["s"]},
        }
    }
)
LABELS = LabelBook(definitions=ENTRIES, treated="new", control="old", arms={}, samples={}, strata=(), strata_labels={})


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [("t", "nb", "Kunne ikke lages"), ("t", "en", "Could not be made"), ("f", "en", "Could not be made")],
)
def test_it_is_shown_empty_in_every_format(tmp_path, name, language, said):
    frame = not_made(name, [REASON])
    options = {"labels": LABELS, "language": language, "facts": {}}
    written = render(name, ENTRIES.exhibits[name], frame, tables_dir=tmp_path, figures_dir=tmp_path, **options)
    assert len(written) == (len(TABLE_FORMS) if name == "t" else 4)
    texts = [path.read_text(encoding="utf-8") for path in written if path.suffix in (".md", ".html", ".svg")]
    if name == "t":
        assert all("has no members" in text and said in text for text in texts)
    else:
        assert any("has no members" in text for text in texts)
        assert said in figure_notes(ENTRIES.exhibits[name], frame, **options)[0]


def test_the_reason_is_read_back_and_stops_what_is_computed_from_it(tmp_path):
    path, _ = write_tidy(not_made("t", [REASON, "And more."]), tmp_path / "t.csv")
    assert (
        reason_not_made(read_tidy(path)) == "Family 'all' has no members; 3 outcomes, one of them constant. And more."
    )
    with pytest.raises(UserError, match="computed from the exhibit 't', which could not be made: Family"):
        read_made(path)
