"""An analysis file with one row a person becomes the same cohort and outcomes as registers give."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.trial import read_person_table
from support.builders import LABEL

ARMS = Arms.model_validate(
    {"treated": {"name": "new", "code": 1, "label": LABEL}, "control": {"name": "old", "code": 0, "label": LABEL}}
)
FRAME = pd.DataFrame(
    {
        "pid": ["0007", "0003", "0005", "0001"],
        "z": [1, 0, 1, 0],
        "site": ["a", "a", "b", None],
        "wave": [1.0, 1.0, 2.0, 2.0],
        "sex": ["F", "M", None, "F"],
        "y": [1.5, np.nan, 3.0, 4.0],
        "word": ["a", "b", "c", "d"],
    }
)
WRITERS = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.dta": lambda frame, path: frame.to_stata(path, write_index=False),
}


def read(folder, *, frame=FRAME, file="t.parquet", covariates=None, samples=None, **table):
    WRITERS[file](frame, folder / file)
    entry = {"file": file, "person_id": "pid", "treated": "z", "outcomes": {"y": "y"}, **table}
    return read_person_table(
        folder,
        table=PersonTable.model_validate(entry),
        samples={n: Sample.model_validate(s) for n, s in (samples or {"analysed": {"label": LABEL}}).items()},
        arms=ARMS,
        covariates=Definitions.model_validate({"covariates": covariates or {}}).covariates,
    )


def test_ids_cells_and_outcomes(tmp_path):
    data = read(tmp_path, strata=["site", "wave"])
    frame = data.cohort.frame
    assert frame["person_id"].tolist() == ["0003", "0005", "0007"], "sorted, leading zeros kept, no stratum left out"
    assert frame["cell"].tolist() == ["a x 1", "b x 2", "a x 1"]
    assert data.outcomes["person_id"].tolist() == frame["person_id"].tolist()
    assert data.outcomes["y"].tolist()[1:] == [3.0, 1.5]
    assert [(line.reason, line.persons) for line in data.cohort.flow] == [("", 4), ("missing_stratum", 1), ("", 3)]


def test_a_stratum_can_be_a_covariate_as_well(tmp_path):
    wave = {"wave": {"kind": "column", "column": "wave", "label": LABEL}}
    frame = read(tmp_path, strata=["wave"], covariates=wave).cohort.frame
    assert frame.columns.is_unique
    assert frame["cell"].tolist() == ["2", "1", "2", "1"]
    assert frame["wave"].tolist() == [2.0, 1.0, 2.0, 1.0]


@pytest.mark.parametrize("file", ["t.parquet", "t.dta"])
def test_formats_say_the_same(tmp_path, file):
    frame = FRAME.fillna({"site": "", "sex": ""}) if file == "t.dta" else FRAME
    data = read(tmp_path, frame=frame, file=file)
    assert data.cohort.frame["treated"].tolist() == [0, 0, 1, 1]
    assert data.outcomes["y"].isna().sum() == 1


def test_rows_are_numbered_without_an_id(tmp_path):
    data = read(tmp_path, person_id=None)
    assert data.cohort.frame["person_id"].tolist() == ["1", "2", "3", "4"]


def test_codes_become_zero_and_one(tmp_path):
    female = {"female": {"kind": "column", "column": "sex", "equals": ["F"], "label": LABEL}}
    frame = read(tmp_path, covariates=female).cohort.frame.set_index("person_id")
    assert frame["female"].to_dict() == pytest.approx(
        {"0007": 1.0, "0003": 0.0, "0001": 1.0, "0005": np.nan}, nan_ok=True
    )


def test_rows_can_be_kept_by_condition(tmp_path):
    data = read(tmp_path, keep=[{"column": "wave", "in": [1]}])
    assert sorted(data.cohort.frame["person_id"]) == ["0003", "0007"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"strata": ["sit"]}, "names the column 'sit'.*'site'"),
        ({"outcomes": {"y": "yy"}}, "names the column 'yy'"),
        ({"outcomes": {"y": "word"}}, "'word' must hold numbers, and 4 rows hold something else"),
        ({"treated": "wave"}, "2 rows with other values"),
        ({"person_id": "wave"}, "2 rows repeat one"),
        ({"file": "t.xlsx"}, "none of the formats"),
        ({"file": "u.csv"}, r"no file 'u.csv'.*'t.parquet'|no file 'u.csv'"),
    ],
)
def test_problems_are_reported(tmp_path, table, said):
    WRITERS["t.parquet"](FRAME, tmp_path / "t.parquet")
    entry = {"file": "t.parquet", "person_id": "pid", "treated": "z", "outcomes": {"y": "y"}, **table}
    with pytest.raises(UserError, match=said):
        read_person_table(
            tmp_path,
            table=PersonTable.model_validate(entry),
            samples={"analysed": Sample.model_validate({"label": LABEL})},
            arms=ARMS,
            covariates={},
        )
