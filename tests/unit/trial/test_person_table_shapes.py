"""Person tables as archives have them: text files of every kind, old Stata files, a column an arm, names that are no words."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, Evaluation, PersonTable, Sample
from refino_eval.config.load import merged_definitions
from refino_eval.errors import UserError
from refino_eval.expressions import parse
from refino_eval.expressions.expression_arrays import derive_column
from refino_eval.expressions.expression_words import expression_words
from refino_eval.trial import read_person_table
from support.builders import LABEL

ARMS = {
    "treated": [{"name": "letter", "label": LABEL}, {"name": "talk", "code": "Talk", "label": LABEL}],
    "control": {"name": "none", "code": "None", "label": LABEL},
}


def read(folder, file, *, arms=None, covariates=None, **table):
    entry = {"file": file, "treated": "arm", "outcomes": {"y": "y"}, **table}
    return read_person_table(
        folder,
        table=PersonTable.model_validate(entry),
        samples={"analysed": Sample.model_validate({"label": LABEL})},
        arms=Arms.model_validate(arms or ARMS),
        covariates=Definitions.model_validate({"covariates": covariates or {}}).covariates,
    )


def same(data):
    """The three people that every file of `FILES` holds."""
    assert data.cohort.frame["arm"].tolist() == ["letter", "talk", "none"]
    assert data.outcomes["y"].tolist() == pytest.approx([1.5, np.nan, -2], nan_ok=True)
    assert data.cohort.frame["cell"].tolist() == ["North East", "South", "South"]


FILES = {
    "tab.tab": 'id\tarm\ty\tSite Name\n"07"\t"letter  "\t1.5\t" North East"\n"08"\t"Talk"\t\t"South"\n"10"\t"None"\t-2\t"South"\n',
    "bom.csv": '\ufeff"id","arm","y","Site Name"\n07,letter,1.5,North East\n08,Talk,.a,South\n10,None,-2,South \n',
    "semicolons.csv": "id;arm;y;Site Name\n07;letter;1.5;North East\n08;Talk;NA;South\n10;None;-2;South\n",
    "spaces.txt": '  id   arm     y  "Site Name"\n  07  letter 1.5 "North East"\n  08  Talk  .   South\n  10  None  -2   South\n',
    "by_r.dat": '"id" "arm" "y" "Site Name"\n"1" "07" "letter" 1.5 "North East"\n"2" "08" "Talk" NA "South"\n"3" "10" "None" -2 "South"\n',
    "surplus.csv": "id,arm,y,Site Name\n07,letter,1.5,North East,\n08,Talk,,South,\n10,None,-2,South,\n",
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:Length of header")
def test_text_files_of_every_kind_hold_the_same_people(tmp_path, file):
    (tmp_path / file).write_text(FILES[file], encoding="utf-8")
    data = read(tmp_path, file, person_id="id", strata=["Site Name"])
    same(data)
    assert data.cohort.frame["person_id"].tolist() == ["07", "08", "10"]


def test_a_file_without_a_header_has_its_columns_named(tmp_path):
    (tmp_path / "raw.txt").write_text("letter 1.5 1\nTalk -9 2\nNone -2 2\n", encoding="utf-8")
    data = read(tmp_path, "raw.txt", columns=["arm", "y", "Site Name"], missing_values=[-9])
    assert data.outcomes["y"].tolist() == pytest.approx([1.5, np.nan, -2], nan_ok=True)


@pytest.mark.parametrize("version", [8, 10, 13])
def test_old_stata_files_with_labels_missing_codes_and_trailing_spaces(tmp_path, version):
    frame = pd.DataFrame(
        {
            "arm": ["letter ", "Talk", "None  "],
            "y": [1.5, np.nan, -2.0],
            "site": ["North East", "South ", "South"],
            "s": 1,
        }
    )
    labels = {"s": {1: "one"}}
    pyreadstat.write_dta(frame, str(tmp_path / "old.dta"), version=version, variable_value_labels=labels)
    same(read(tmp_path, "old.dta", strata=["site"]))
    named = read(tmp_path, "old.dta", strata={"place": "site", "s": "s"})
    assert named.cohort.frame["place"].tolist() == ["North East", "South", "South"]
    assert named.cohort.frame["cell"].tolist() == ["North East x 1", "South x 1", "South x 1"]


def test_another_encoding_is_reported(tmp_path):
    (tmp_path / "latin.csv").write_bytes("arm,y\nTalk,1\nletter,2\nÅrsak,3\n".encode("latin-1"))
    with pytest.raises(UserError, match="encoding: latin-1"):
        read(tmp_path, "latin.csv")


DUMMIES = {"treated": {"letter": "T.1", "talk": "T 2"}}


def dummies(folder, **columns):
    frame = pd.DataFrame({"T.1": [1, 0, 0, 0], "T 2": [0.0, 1.0, 0.0, 0.0], "y": [1, 2, 3, 4], **columns})
    frame.to_csv(folder / "d.csv", index=False)
    return read(folder, "d.csv", **DUMMIES)


def test_a_column_an_arm(tmp_path):
    assert dummies(tmp_path).cohort.frame["arm"].tolist() == ["letter", "talk", "none", "none"]
    with pytest.raises(UserError, match=r"1 rows are 1 in several of the columns T\.1, T 2"):
        dummies(tmp_path, **{"T 2": [1, 1, 0, 0]})
    with pytest.raises(UserError, match=r"'T 2' must be 1 .* 1 rows hold something else \('2'\)"):
        dummies(tmp_path, **{"T 2": [0, 2, 0, 0]})
    with pytest.raises(UserError, match="1 rows without a value"):
        dummies(tmp_path, **{"T 2": [0, 1, None, 0]})
    with pytest.raises(
        UserError, match=r"treated.talk names the column 'T3'.* 'T.1'|treated.talk names the column 'T3'"
    ):
        read(tmp_path, "d.csv", treated={"letter": "T.1", "talk": "T3"})


EVALUATION = """
name: t
label: {nb: x, en: x}
data_class: public
entry: person_table
data: nowhere
person_table:
  file: d.csv
  treated: {letter: T.1, talk: T 2}
  outcomes: [Y.1 post, "2nd_Wave"]
  covariates: [Age, Base-Line Pay]
  labels: {age: {nb: Alder, en: Age at draw}}
arms:
  treated: [{name: letter, label: {nb: x, en: x}}, {name: talk, label: {nb: x, en: x}}]
  control: {name: none, label: {nb: x, en: x}}
exhibits: [a]
"""


def test_columns_whose_names_are_no_words_get_one_and_covariates_need_a_line_only(tmp_path):
    study = Evaluation.model_validate(yaml.safe_load(EVALUATION))
    assert study.person_table.outcomes == {"y_1_post": "Y.1 post", "c_2nd_wave": "2nd_Wave"}
    definitions = merged_definitions(study, Definitions())
    found = {name: (one.column, one.label.en) for name, one in definitions.covariates.items()}
    assert found == {"age": ("Age", "Age at draw"), "base_line_pay": ("Base-Line Pay", "Base-Line Pay")}
    given = yaml.safe_load(EVALUATION)
    given["person_table"]["outcomes"] = ["y.1", "y 1"]
    with pytest.raises(ValueError, match="would both be called 'y_1'"):
        Evaluation.model_validate(given)
    given = yaml.safe_load(EVALUATION)
    given["person_table"]["treated"] = {"letter": "T.1"}
    with pytest.raises(ValueError, match="treated names the arms letter, and the treated arms are letter, talk"):
        Evaluation.model_validate(given)


def test_strata_can_be_made_of_numbers():
    frame = pd.DataFrame({"age": [18, 25, 39, 40, np.nan], "pay": [3.0, 1, 2, 4, 5], "s": ["b", None, "a", "b", "10"]})
    made = {
        text: derive_column(text, frame, name="x").tolist()
        for text in ("band(age, 25, 40)", "quantile_group(pay, 2)", "number_of(s)")
    }
    assert made["band(age, 25, 40)"] == pytest.approx([0, 1, 1, 2, np.nan], nan_ok=True)
    assert made["quantile_group(pay, 2)"] == [1, 1, 1, 2, 2]
    assert made["number_of(s)"] == pytest.approx([3, np.nan, 2, 3, 1], nan_ok=True)
    with pytest.raises(UserError, match="from 2 to 100"):
        derive_column("quantile_group(pay, 1)", frame, name="x")


def test_a_column_is_standardised_by_the_rows_that_meet_a_condition():
    frame = pd.DataFrame({"y": [1.0, 3.0, 5.0, np.nan, 9.0], "z": [0.0, 0.0, 1.0, 0.0, 1.0]})
    made = {
        text: derive_column(text, frame, name="x").tolist()
        for text in ("y - mean(y)", "standardise(y, z = 0)", "sd(y) * z")
    }
    assert made["y - mean(y)"][:3] == [-3.5, -1.5, 0.5]
    assert made["standardise(y, z = 0)"][:3] == pytest.approx([-(2**-0.5), 2**-0.5, 3 * 2**-0.5])
    assert np.isnan(made["standardise(y, z = 0)"][3])
    assert made["sd(y) * z"][4] == pytest.approx(np.std([1, 3, 5, 9], ddof=1))
    for text, problem in (
        ("mean(y, z = 7)", "needs two rows"),
        ("standardise(z, z = 0)", "all its values are the same"),
    ):
        with pytest.raises(UserError, match=problem):
            derive_column(text, frame, name="x")


def test_indices_of_outcomes_are_weighted_as_their_papers_say():
    frame = pd.DataFrame({"a": [1.0, 2, 4, 3, 6, 5], "b": [2.0, 1, 5, 3, 9, np.nan], "z": [0.0, 0, 0, 1, 1, 1]})
    scores = np.column_stack(
        [(frame[c] - frame.loc[frame.z == 0, c].mean()) / frame.loc[frame.z == 0, c].std() for c in "ab"]
    )
    plain = derive_column("mean_index(z = 0, a, b)", frame, name="x").to_numpy()
    assert plain == pytest.approx(np.nanmean(scores, axis=1))
    inverse = np.linalg.inv(np.cov(scores[:5], rowvar=False))
    weighted = derive_column("covariance_index(z = 0, a, b)", frame, name="x").to_numpy()
    assert weighted[:5] == pytest.approx(scores[:5] @ inverse.sum(axis=1) / inverse.sum())
    assert weighted[5] == pytest.approx(scores[5, 0])
    assert derive_column("min(a, quantile(a, 0.5, z = 0))", frame, name="x").tolist() == [1, 2, 2, 2, 2, 2]
    for text, problem in (
        ("covariance_index(z = 0, a, a)", "a column repeats others"),
        ("mean_index(a, b, z)", "a condition first"),
        ("quantile(a, b)", "a share from 0 to 1"),
    ):
        with pytest.raises(UserError, match=problem):
            derive_column(text, frame, name="x")


def test_a_missing_value_can_be_written():
    frame = pd.DataFrame({"a": [1.0, 2.0], "code": ["x", "y"]})
    assert np.isnan(derive_column("a if a > 1 else missing()", frame, name="x").to_numpy()[0])
    assert derive_column("code if a > 1 else missing()", frame, name="x").tolist() == [None, "y"]
    assert expression_words("a if a > 1 else missing()", {}, "en") == "a if a > 1, otherwise a missing value"
    for word in ("missing", "NA", "null"):
        with pytest.raises(UserError, match=r"no column '\w+'. A missing value is written `missing\(\)`"):
            derive_column(f"a if a > 1 else {word}", frame, name="x")
    with pytest.raises(UserError, match="for columns of a person table"):
        parse("wage if aap else missing()", {"wage": "number", "aap": "boolean"}, where="State 's'")
