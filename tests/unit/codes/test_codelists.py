"""Code lists: labels, and what is reported about a faulty list."""

from __future__ import annotations

from pathlib import Path

import pytest

from refino_eval.codes.codelists import load_codelist, load_codelists
from refino_eval.errors import UserError

CONFIG = Path(__file__).parents[3] / "config" / "codelists"
HEADER = "code,label_nb,label_en,group,valid_from,valid_to,source\n"


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    (folder / "kinds.csv").write_text(header + "".join(row + "\n" for row in rows), encoding="utf-8")
    return folder


def test_a_code_with_several_rows_has_the_label_of_the_latest(tmp_path: Path) -> None:
    folder = write(tmp_path, "1,én,one,odd,,,s", "2,TO,TWO,even,2020-01-01,,s", "2,to,two,even,2018-01-01,2018-12-31,s")
    kinds = load_codelist("kinds", folder)
    assert kinds.codes == ("1", "2")
    assert (kinds.label("2", "nb"), kinds.label("1", "en")) == ("TO", "one")


def test_missing_file_names_the_nearest_list(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file kind\.csv.*Did you mean 'kinds'"):
        load_codelist("kind", write(tmp_path))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("1,a,a,,,,s", "1,b,b,,,,s"), "two rows that are valid at the same time"),
        (("1,a,a,,,2018-06-30,s", "1,b,b,,2018-06-30,,s"), "two rows that are valid at the same time"),
        (("1,a,a,,2018-07-01,2018-06-30,s",), "valid_to is before valid_from"),
        (("1,a,a,,01.07.2018,,s",), "line 2: valid_from is '01.07.2018', not a date"),
        (("1,a,,,,,",), "label_en and source are empty"),
    ],
)
def test_faulty_rows(tmp_path: Path, rows: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserError, match=told):
        load_codelist("kinds", write(tmp_path, *rows))


def test_adjacent_periods_do_not_overlap(tmp_path: Path) -> None:
    folder = write(tmp_path, "1,a,a,,,2018-06-30,s", "1,b,b,,2018-07-01,,s")
    assert [row.label_nb for row in load_codelist("kinds", folder).rows] == ["a", "b"]


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_codelist("kinds", write(tmp_path, "1,a,a,,x,,s", "2,b,b,,,,", "3,c,c,,,,s", "3,c,c,,,,s"))
    assert len(caught.value.problems) == 3


def test_missing_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"column 'label_nb' is missing.*Did you mean 'label_no'"):
        load_codelist("kinds", write(tmp_path, header=HEADER.replace("label_nb", "label_no")))


def test_wrong_encoding_is_a_plain_fault(tmp_path: Path) -> None:
    (tmp_path / "kinds.csv").write_bytes((HEADER + "1,Ø,o,,,,s\n").encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        load_codelist("kinds", tmp_path)


def test_load_several_once() -> None:
    lists = load_codelists(["sex", "programmes", "sex"], CONFIG)
    assert list(lists) == ["programmes", "sex"]
    assert "INDOPPFAG" in lists["programmes"].codes
