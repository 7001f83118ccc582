"""What is wrong with an analysis file is said with what to do about it."""

import pandas as pd
import pytest

from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.trial import read_person_table

WORD = {"nb": "ord", "en": "word"}
PEOPLE = 20
FRAME = pd.DataFrame(
    {
        "pid": range(PEOPLE), "z": [0, 1] * 10, "y": [f"{k}.5" for k in range(PEOPLE)], "share": [f"{k} %" for k in range(PEOPLE)],
        "town": ["Ås", "Bø"] * 10, "remark": ["nobody knows", *["1"] * 19], "w": [-1, *[1] * 19],
    }
)  # fmt: skip


def read(folder, text, control=0, **table):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    entry = {"file": "t.csv", "person_id": "pid", "treated": "z", "outcomes": {"y": "y"}, **table}
    arms = {
        "treated": {"name": "t", "label": WORD, "code": 1},
        "control": {"name": "c", "label": WORD, "code": control},
    }
    return read_person_table(
        folder,
        table=PersonTable.model_validate(entry),
        samples={"analysed": Sample.model_validate({"label": WORD})},
        arms=Arms.model_validate(arms),
        covariates={},
    )


@pytest.mark.parametrize(
    ("sign", "table", "said"),
    [
        (",", {"outcomes": {"y": "share"}}, "20 rows hold something else. They end with a per cent sign. Write numbers without it"),
        (",", {"outcomes": {"y": "town"}}, "20 rows hold something else ('Bø', 'Ås'). Correct the file; or make a column of 0 and 1"),
        # A value of one row may be about a person, and is not shown.
        (",", {"outcomes": {"y": "remark"}}, "1 rows hold something else. Correct the file"),
        (":", {}, "t.csv has one column, so that its first line is divided by another sign"),
        (",", {"weights": "w"}, "the column 'w' holds 1 negative weights. Weights must be zero or positive."),
        (",", {"control": None}, "An arm without `code` has its name as code: 'c'."),
        (",", {"file": "u.csv"}, "no file 'u.csv' in "),
        (",", {"file": "u.csv"}, "Put it there, or correct its name or the folder."),
    ],
)  # fmt: skip
def test_the_message_says_what_to_do(tmp_path, sign, table, said):
    with pytest.raises(UserError) as raised:
        read(tmp_path, FRAME.to_csv(index=False, sep=sign), **table)
    assert said in "\n".join(raised.value.problems)


def test_a_file_divided_by_bars_is_read(tmp_path):
    assert len(read(tmp_path, FRAME.to_csv(index=False, sep="|")).cohort.frame) == PEOPLE


@pytest.mark.parametrize(("rows", "said"), [([0, 1], "; 2 rows repeat one."), ([], "")])
def test_only_what_occurs_is_counted(tmp_path, rows, said):
    text = pd.concat([FRAME, FRAME.iloc[rows]]).to_csv(index=False)
    if not rows:
        assert len(read(tmp_path, text).cohort.frame) == PEOPLE
        return
    with pytest.raises(UserError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "no id" not in str(raised.value)
