"""Person tables that are stacked, saved by R, or wide."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.trial import read_person_table
from support.builders import LABEL

ARMS = Arms.model_validate(
    {"treated": {"name": "new", "code": 1, "label": LABEL}, "control": {"name": "old", "code": 0, "label": LABEL}}
)
PEOPLE = pd.DataFrame(
    {"pid": ["01", "02", "03", "04"], "z": [1, 0, 1, 0], "y": [1.5, 2.0, np.nan, 4.0], "x": [3, 4, 5, 6]}
)


def read(folder, **table):
    return read_person_table(
        folder,
        table=PersonTable.model_validate({"person_id": "pid", "treated": "z", "outcomes": {"y": "y"}, **table}),
        samples={"analysed": Sample.model_validate({"label": LABEL})},
        arms=ARMS,
        covariates={},
    )


def test_stacked_files_are_read_as_one_whatever_the_order_of_their_columns(tmp_path):
    PEOPLE[:2].to_csv(tmp_path / "oslo.csv", index=False)
    PEOPLE[2:].assign(y=[7, 8])[["y", "x", "z", "pid"]].to_csv(tmp_path / "bergen.csv", index=False)
    data = read(tmp_path, file="oslo.csv", stack=["bergen.csv"], stacked_as="site", strata=["site"], rows=4)
    assert data.cohort.frame["cell"].tolist() == ["oslo", "oslo", "bergen", "bergen"]
    assert data.outcomes["y"].tolist() == [1.5, 2, 7, 8]
    with pytest.raises(UserError, match="the stacked files have 4 rows, and 5 are expected"):
        read(tmp_path, file="oslo.csv", stack=["bergen.csv"], rows=5)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (PEOPLE[2:].rename(columns={"y": "yy"}), r"'b\.csv' lacks the column 'y' of 'a\.csv'.*'yy'"),
        (PEOPLE[2:].assign(more=1), r"'b\.csv' has columns that 'a\.csv' lacks: more"),
        (PEOPLE[:2], "2 rows repeat one"),
    ],
)
def test_files_that_cannot_be_stacked_are_refused(tmp_path, second, problem):
    PEOPLE[:2].to_csv(tmp_path / "a.csv", index=False)
    second.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(UserError, match=problem):
        read(tmp_path, file="a.csv", stack=["b.csv"])


def test_a_number_in_one_file_and_a_text_in_another_are_not_mixed(tmp_path):
    PEOPLE[:2].to_parquet(tmp_path / "a.parquet")
    PEOPLE[2:].assign(x=["p", "q"]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UserError, match="the column 'x' is of different types in the stacked files"):
        read(tmp_path, file="a.parquet", stack=["b.parquet"], outcomes={"y": "y", "x": "x"})


def test_data_frames_of_r_give_the_same_people_as_text(tmp_path):
    pyreadr = pytest.importorskip("pyreadr")
    PEOPLE.to_csv(tmp_path / "p.csv", index=False)
    pyreadr.write_rds(str(tmp_path / "p.rds"), PEOPLE)
    pyreadr.write_rdata(str(tmp_path / "p.rda"), PEOPLE, df_name="people")
    expected = read(tmp_path, file="p.csv")
    for table in ({"file": "p.rds"}, {"file": "p.rda"}, {"file": "p.rda", "object": "people"}):
        data = read(tmp_path, **table)
        pd.testing.assert_frame_equal(data.cohort.frame, expected.cohort.frame)
        pd.testing.assert_frame_equal(data.outcomes, expected.outcomes)
    with pytest.raises(UserError, match=r"'p\.rda' has no data frame 'poeple'; it holds people"):
        read(tmp_path, file="p.rda", object="poeple")
    (tmp_path / "cut.rds").write_bytes((tmp_path / "p.rds").read_bytes()[:60])
    with pytest.raises(UserError, match=r"'cut\.rds' cannot be read: it is no data frame saved by R"):
        read(tmp_path, file="cut.rds")


def test_the_waves_of_a_wide_file_become_outcomes_of_their_own(tmp_path):
    PEOPLE.assign(s_1=[1, 2, 3, 4], s_2=[5, 6, 7, 8]).to_csv(tmp_path / "p.csv", index=False)
    table = {
        "waves": [1, 2], "outcomes": {"score": "s_{wave}", "y": "y"},
        "labels": {"score": {"nb": "Poeng, runde {wave}", "en": "Score, wave {wave}"}},
    }  # fmt: skip
    data = read(tmp_path, file="p.csv", **table)
    assert data.outcomes[["score_1", "score_2"]].to_numpy().T.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    model = PersonTable.model_validate({"file": "p.csv", "treated": "z", **table})
    assert list(model.outcomes) == ["score_1", "score_2", "y"]
    assert {name: label.en for name, label in model.labels.items()} == {
        "score_1": "Score, wave 1",
        "score_2": "Score, wave 2",
    }
