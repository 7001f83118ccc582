"""Person tables of several files, with derived columns, codes for missing values, weights and clusters that are not there."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.expressions.expression_arrays import columns_in, derive_column
from refino_eval.trial import read_person_table
from support.builders import LABEL

ARMS = {
    "treated": [{"name": "a", "code": 1, "label": LABEL}, {"name": "b", "code": [2, 3], "label": LABEL}],
    "control": {"name": "none", "code": 0, "label": LABEL},
}
BASE = pd.DataFrame(
    {
        "Pid": ["007", "003", "005", "001", "002", "004"],
        "z": [1, 0, 2, 0, 3, 1],
        "village": [10, 10, 20, 20, 30, 30],
        "pay": [5.0, -99.0, 7.0, 8.0, 9.0, 1.0],
        "w": [1.0, 2.0, 0.0, 1.0, None, 3.0],
        "hh": ["h1", "h1", None, "h2", "h3", "h3"],
        "drawn": pd.to_datetime(["2020-01-05", "2020-01-20", "2020-02-01", "2020-02-02", "2020-03-01", "2020-03-09"]),
    }
)
END = pd.DataFrame({"id": ["001", "003", "007", "999"], "job": [1, 0, 1, 1], "days": [30.0, 12.0, None, 4.0]})
VILLAGE = pd.DataFrame({"village": [10, 20, 30], "Size Class": ["big", "small", "big"]})


def read(folder, covariates=None, samples=None, **table):
    BASE.to_parquet(folder / "base.parquet")
    END.to_csv(folder / "end.csv", index=False, sep=";", decimal=",")
    VILLAGE.to_parquet(folder / "village.parquet")
    entry = {"file": "base.parquet", "person_id": "Pid", "treated": "z", "outcomes": ["pay"], **table}
    return read_person_table(
        folder,
        table=PersonTable.model_validate(entry),
        samples={n: Sample.model_validate(s) for n, s in (samples or {"analysed": {"label": LABEL}}).items()},
        arms=Arms.model_validate(ARMS),
        covariates=Definitions.model_validate({"covariates": covariates or {}}).covariates,
    )


def flow(data):
    return {(line.step, line.reason): line.persons for line in data.cohort.flow}


ENDLINE = {"file": "end.csv", "delimiter": ";", "decimal": ",", "by": "Pid", "key": "id"}


def test_files_are_joined_on_an_id_and_what_is_left_over_is_counted(tmp_path):
    sites = {"file": "village.parquet", "by": "village", "relation": "many_to_one", "prefix": "v_"}
    data = read(
        tmp_path, join=[ENDLINE, sites], outcomes={"job": "job", "days": "days"}, strata=["v_Size Class", "village"]
    )
    found = data.outcomes.set_index("person_id")
    assert found["job"].to_dict() == pytest.approx(
        {"001": 1, "003": 0, "007": 1, "002": np.nan, "004": np.nan, "005": np.nan}, nan_ok=True
    )
    assert data.cohort.frame.set_index("person_id").loc["005", "cell"] == "small x 20"
    counted = flow(data)
    assert counted["joined", "without_row_in_end"] == 3
    assert counted["joined", "rows_of_nobody_in_end"] == 1
    assert counted["delivered", ""] == counted["analysed", ""] == 6


def test_people_without_a_row_can_be_taken_out(tmp_path):
    data = read(tmp_path, join=[{**ENDLINE, "unmatched": "out"}], outcomes={"job": "job"})
    assert flow(data)["population", "not_in_end"] == 3
    assert data.cohort.frame["person_id"].tolist() == ["001", "003", "007"]


def test_several_arms_weights_clusters_and_missing_codes(tmp_path):
    data = read(tmp_path, missing_values=[-99], weights="w", cluster="hh", draw_date="drawn")
    frame = data.cohort.frame.set_index("person_id")
    assert frame["arm"].to_dict() == {"001": "none", "003": "none", "004": "a", "007": "a"}
    assert frame["treated"].tolist() == [0, 0, 1, 1]
    assert frame["draw_month"].tolist() == ["2020-02", "2020-01", "2020-03", "2020-01"]
    assert np.isnan(data.outcomes.set_index("person_id").loc["003", "pay"])
    counted = flow(data)
    assert counted["population", "no_weight"] == 2
    assert ("population", "missing_cluster") not in counted, "one is told once"
    assert data.cohort.flow[0].by_arm == {"a": 2, "b": 2}


def test_a_missing_stratum_can_be_a_separate_cell(tmp_path):
    assert flow(read(tmp_path, strata=["hh"]))["population", "missing_stratum"] == 1
    own = read(tmp_path, strata=["hh"], missing_stratum="own").cohort.frame.set_index("person_id")
    assert own.loc["005", "cell"] == "missing"


def test_columns_are_derived_and_used_like_any_other(tmp_path):
    data = read(
        tmp_path,
        join=[ENDLINE, {"file": "village.parquet", "by": "village", "relation": "many_to_one"}],
        derive={
            "big": "`Size Class` = 'big'",
            "late": "days(drawn) - days('2020-01-31') > 0",
            "took": "0 if missing(days) else 1",
            "half": "village * 0 + big / 2",
        },
        outcomes={"took": "took", "half": "half"},
        strata=["late"],
        keep=[{"column": "z", "in": [0, 1]}],
    )
    assert data.cohort.frame["cell"].tolist() == ["1", "0", "1", "0"]
    assert data.outcomes["took"].tolist() == [1, 1, 0, 0]
    assert data.outcomes["half"].tolist() == [0, 0.5, 0.5, 0.5]


FRAME = pd.DataFrame({"x": [1.0, 4.0, np.nan], "y": [0.0, 2.0, 3.0], "s": ["u", None, "w"], "on": [True, False, True]})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x + y * 2", [1, 8, np.nan]),
        ("x / y", [np.nan, 2, np.nan]),
        ("log(x)", [0, np.log(4), np.nan]),
        ("-x ** 2", [-1, -16, np.nan]),
        ("x > 1 and y > 1", [0, 1, np.nan]),
        ("x > 1 or y >= 0", [1, 1, 1]),
        ("not x > 1", [1, 0, np.nan]),
        ("missing(x)", [0, 0, 1]),
        ("coalesce(x, y, 9)", [1, 4, 3]),
        ("min(x, y, 3)", [0, 2, np.nan]),
        ("y if missing(x) else x", [1, 4, 3]),
        ("1 if s = 'u' else 0", [1, np.nan, 0]),
        ("s in ('u', 'v')", [1, np.nan, 0]),
        ("y not in (0, 3)", [0, 1, 0]),
        ("y = '3'", [0, 0, 1]),
        ("round(x / 3)", [0, 1, np.nan]),
        ("on + 1", [2, 1, 2]),
        ("0.5", [0.5, 0.5, 0.5]),
    ],
)
def test_the_language_of_derived_columns(text, values):
    np.testing.assert_allclose(derive_column(text, FRAME, name="n").to_numpy(dtype=float), values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xx + 1", "no column 'xx'.*'x'"),
        ("logg(x)", "no function 'logg'.*'log'"),
        ("s + 1", "'s' is text or a date where a number is needed"),
        ("x < y < 3", "cannot be chained"),
        ("__import__('os').system('true')", "has no meaning here"),
        ("x.real", "has no meaning here"),
        ("[v for v in x]", "takes values in parentheses"),
        ("x in y", "takes values in parentheses"),
        ("x +", "makes no sense at its end"),
        ("min(x)", "takes 2 to 20 values"),
        ("(" * 60 + "x" + ")" * 60, "nested more than"),
        ("x + 1" * 400, "longer than"),
        ("days(s)", "holds no dates"),
        ("lambda: 1", "has no meaning here"),
    ],
)
def test_what_is_outside_the_language_is_reported(text, said):
    with pytest.raises(UserError, match=said):
        derive_column(text, FRAME, name="n")


def test_text_can_be_chosen_and_names_are_found():
    found = derive_column("'a' if x > 1 else s", FRAME, name="n")
    assert found.tolist()[:2] == ["u", "a"]
    assert found.isna()[2]
    assert columns_in("`Size Class` = 'big' and log(x) > y", name="n") == ("Size Class", "x", "y")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"join": [{**ENDLINE, "by": "pid"}]}, r"the column 'pid' is not in the files before it.*'Pid'"),
        ({"join": [{**ENDLINE, "key": "job"}]}, "2 repeat one"),
        ({"join": [{"file": "village.parquet", "by": "village"}]}, "relation: many_to_one"),
        ({"join": [{**ENDLINE, "unmatched": "fault"}]}, "3 of 6 people have no row"),
        ({"join": [{**ENDLINE, "by": "village", "relation": "many_to_one"}]}, "no value of 'village' occurs"),
        ({"join": [{"file": "base.parquet", "by": "Pid"}]}, "there already: z, village.*prefix: base_"),
        ({"join": [{**ENDLINE, "rows": 5}]}, "has 4 rows, and 5 are expected"),
        ({"outcomes": {"y": "drawn"}}, r"holds dates.*days\(drawn\)"),
        ({"draw_date": "hh"}, "must hold dates"),
        ({"derive": {"pay": "z"}}, "the files have a column of that name"),
        ({"derive": {"q": "zz", "r": "ppay"}}, "(?s)no column 'zz'.*no column 'ppay'"),
        ({"derive": {"q": "zz"}, "treated": "zed"}, r"(?s)names the column 'zed'.*no column 'zz'"),
        ({"derive": {"q": "villag"}}, r"Did you mean 'village'\?$"),
        ({"outcomes": {"y": "pai"}, "strata": ["vilage"]}, "(?s)'vilage'.*'village'.*'pai'.*'pay'"),
        ({"weights": "pay"}, "1 negative weights"),
        ({"keep": [{"column": "z", "in": [9]}]}, "no row of base.parquet has one of the codes 9"),
        ({"keep": [{"column": "z", "at_least": 9}]}, "no row of base.parquet is left"),
    ],
)
def test_problems_of_files_are_reported(tmp_path, table, said):
    with pytest.raises(UserError) as caught:
        read(tmp_path, **table)
    assert pd.Series(["\n".join(caught.value.problems)]).str.contains(said)[0], caught.value.problems
    assert "007" not in str(caught.value)


def test_labels_of_a_statistical_file_and_its_empty_texts(tmp_path):
    frame = pd.DataFrame({"z": [0, 1, 2], "s": ["p", "", "q"], "y": [1.0, 2.0, 3.0]})
    frame.to_stata(tmp_path / "t.dta", write_index=False, value_labels={"z": {0: "none", 1: "letter", 2: "talk"}})
    arms = {
        "treated": [{"name": "a", "code": "letter", "label": LABEL}, {"name": "b", "code": "talk", "label": LABEL}],
        "control": {"name": "none", "code": "none", "label": LABEL},
    }
    entry = {"file": "t.dta", "treated": "z", "outcomes": ["y"], "values": "labels", "strata": ["s"]}
    data = read_person_table(
        tmp_path,
        table=PersonTable.model_validate(entry),
        samples={"analysed": Sample.model_validate({"label": LABEL})},
        arms=Arms.model_validate(arms),
        covariates={},
    )
    assert data.cohort.frame["arm"].tolist() == ["none", "b"]
    assert flow(data)["population", "missing_stratum"] == 1
