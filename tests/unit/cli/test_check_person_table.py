"""`check` opens the analysis file of a person table: columns, types, weights, and how many people there are."""

import shutil
from pathlib import Path

import pytest

from refino_eval.cli.check_command import check_evaluation
from refino_eval.errors import UserError

ROOT = Path(__file__).parents[3]
STUDY = """
name: small
label: {nb: x, en: x}
data_class: public
entry: person_table
data: data/small
person_table: {file: small.csv, treated: %(treated)s, weights: %(weights)s, take_up: %(take_up)s, outcomes: {y: %(outcome)s}}
arms:
  treated: {name: new, code: 1, label: {nb: x, en: x}}
  control: {name: old, code: 0, label: {nb: x, en: x}}
exhibits: [effects]
definitions:
  specifications:
    plain: {label: {nb: x, en: x}, description: Nothing.}
  exhibits:
    effects: {kind: itt, title: {nb: x, en: x}, columns: {y: y}, specifications: [plain]}
"""
NAMES = {"treated": "z", "weights": "w", "take_up": "d", "outcome": "y"}
ROWS = "z,w,d,y\n1,1,1,2\n0,2,0,3\n1,,0,4\n0,1,,5\n"


@pytest.fixture
def check(tmp_path):
    """Return the lines of `check` for a file and the names of its columns."""
    shutil.copytree(ROOT / "config", tmp_path / "config")

    def run(rows=ROWS, ending=None, **names):
        (tmp_path / "data/small").mkdir(parents=True, exist_ok=True)
        if rows is not None:
            (tmp_path / "data/small/small.csv").write_text(rows)
        path = tmp_path / "config/evaluations/small.yaml"
        study = STUDY if ending is None else STUDY.partition("exhibits:")[0] + ending
        path.write_text(study % (NAMES | names), encoding="utf-8")
        return "\n".join(check_evaluation(tmp_path, "small"))

    return run


def test_a_file_that_can_be_used_is_counted(check):
    text = check()
    assert "4 people" in text
    assert "no weight" in text


@pytest.mark.parametrize(
    ("rows", "names", "parts"),
    [
        (ROWS, {"treated": "zz", "weights": "ww", "outcome": "yy"}, ("'z'?", "'w'?", "'y'?")),
        (ROWS.replace("1,1,1,2", "1,-1,yes,2"), {}, ("'w' holds 1 negative weights", "'d' must hold numbers")),
        (ROWS.replace("1,1,1,2", "7,1,1,2"), {}, ("'7'",)),
        (None, {}, ("no file 'small.csv'",)),
    ],
)
def test_problems_of_the_file_are_reported_together(check, rows, names, parts):
    with pytest.raises(UserError) as caught:
        check(rows, **names)
    text = "\n".join(caught.value.problems)
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("nsw", "", r"no data/published/nsv\.csv.*'nsw'"),
        (
            "nsv",
            "effects,,treated,y,estimat,1.2,line 3\n",
            r"nsv\.csv, line 2: unknown statistic 'estimat'.*'estimate'",
        ),
        ("nsv", "effects,,treated,y,estimate,1.2 x,line 3\n", r"nsv\.csv, line 2: `printed` is '1\.2 x'"),
    ],
)
def test_published_values_that_cannot_be_compared_are_refused(check, tmp_path, file, row, message):
    (tmp_path / "data/published").mkdir(parents=True)
    head = "exhibit,panel,row,column,statistic,printed,source_line\n"
    (tmp_path / f"data/published/{file}.csv").write_text(head + row)
    with pytest.raises(UserError, match=message):
        check(outcome="y}}\npublished: nsv\n#")


@pytest.mark.parametrize(
    ("groups", "exhibit", "message"),
    [
        (
            13,
            "kind: subgroups, columns: {y: y}, groups: [g]",
            "'effects' is split by 'g', which has 13 values among the 130 people",
        ),
        (1, "kind: subgroups, columns: {y: y}, groups: [g]", "'g', which has one value"),
        (13, "kind: late, columns: {y: y}, by: g", "'g', which has 13 values"),
        (61, "kind: leave_one_out, columns: {y: y}, without: g", "between 2 and 60 groups"),
        (60, "kind: leave_one_out, columns: {y: y}, without: g", ""),
        (12, "kind: subgroups, columns: {y: y}, groups: [g]", ""),
    ],
)
def test_columns_of_too_many_or_too_few_groups_are_refused_before_the_run(check, groups, exhibit, message):
    rows = "z,w,d,y,g\n" + "".join(f"{i % 2},1,{i % 2},{i},{i % groups}\n" for i in range(10 * groups))
    outcome = "y}, derive: {one: 1}, covariates: {g: g}}\n#"
    text = f"exhibits: [effects]\ndefinitions:\n  specifications: {{plain: {{label: {{nb: x, en: x}}, description: x.}}}}\n  exhibits: {{effects: {{title: {{nb: x, en: x}}, specification: plain, {exhibit}}}}}\n"
    if message:
        with pytest.raises(UserError, match=message):
            check(rows, outcome=outcome, ending=text)
    else:
        assert "people and every column" in check(rows, outcome=outcome, ending=text)
