"""Relations between documents: a number that was taken from another document follows from it, or is reported."""

import shutil
from pathlib import Path

import pytest

from refino_eval.errors import UserError
from refino_eval.published.audit import audit_file

DATA = Path(__file__).resolve().parents[3] / "data" / "published"
DOCUMENTS = ("omrade_2024", "oppfolging_2020", "refino_2023")


def copied(folder, document, old, new):
    """Copy the documents, and change one place of a file."""
    for name in DOCUMENTS:
        for path in DATA.glob(f"{name}.*"):
            shutil.copy(path, folder / path.name)
    text = (folder / document).read_text(encoding="utf-8")
    assert old in text
    (folder / document).write_text(text.replace(old, new), encoding="utf-8")
    return folder / "omrade_2024.csv"


def places(path):
    return ["/".join(finding.cells[0]) for finding in audit_file(path) if finding.rule == "other_document"]


@pytest.mark.parametrize(
    ("document", "old", "new", "place"),
    [
        ("omrade_2024.relations.yaml", 'factor: "1228/1108"', 'factor: "1161/1108"', "utvidet_oppfolging"),
        (
            "refino_2023.csv",
            "table_8_3,,2022,oppfolging,value,7 090",
            "table_8_3,,2022,oppfolging,value,7 190",
            "oppfolging",
        ),
    ],
)
def test_a_number_that_does_not_follow_from_the_other_document_is_reported(document, old, new, place, tmp_path):
    assert places(DATA / "omrade_2024.csv") == []
    path = copied(tmp_path, document, old, new)
    assert places(path) == [f"table_4_5//{place}/cost_per_month/value"]


def test_a_document_that_is_not_there_is_reported(tmp_path):
    path = copied(tmp_path, "omrade_2024.relations.yaml", "refino_2023:", "refino_2032:")
    with pytest.raises(UserError, match="names the document 'refino_2032', and there is no"):
        audit_file(path)
