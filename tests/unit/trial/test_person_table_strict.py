"""Person tables are read strictly: a value that could mean something else is refused, and codes stay as delivered."""

import datetime as dt
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.registers.readers import archives
from refino_eval.trial import read_person_table

LABEL = {"nb": "x", "en": "x"}
ARMS = {"treated": {"name": "new", "code": 1, "label": LABEL}, "control": {"name": "old", "code": 0, "label": LABEL}}
SECRET = "31129912345"


def read(folder, file, content=None, *, arms=ARMS, covariates=None, dropping=None, **table):
    """Write a text file and read it as a person table."""
    if content is not None:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    entry = {"file": file, "treated": "z", "outcomes": {"y": "y"}, **table}
    return read_person_table(
        folder,
        table=PersonTable.model_validate(entry),
        samples={"analysed": Sample.model_validate({"label": LABEL})},
        arms=Arms.model_validate(arms),
        covariates=Definitions.model_validate({"covariates": covariates or {}}).covariates,
        dropping=dropping,
    )


def message(folder, *content, **table):
    with pytest.raises(UserError) as caught:
        read(folder, *content, **table)
    text = "\n".join(caught.value.problems)
    assert SECRET not in text
    return text


def outcomes(data):
    return data.outcomes["y"].tolist()


# --- Lines and headers ---


@pytest.mark.parametrize("delimiter", [",", "\t", ";", " "])
def test_row_numbers_without_a_heading_as_r_writes_them(tmp_path, delimiter):
    lines = ['"w" "z" "y"', '"1" 4 1 2.5', '"2" 5 0 3.5']
    file = "r.txt" if delimiter == " " else "r.csv" if delimiter == "," else "r.tsv"
    assert outcomes(read(tmp_path, file, "\n".join(lines).replace(" ", delimiter))) == [2.5, 3.5]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("w,z,y\n7,4,1,2.5\n8,5,0,3.5\n", ("2 lines", "3 columns", "line 2: 4 fields instead of 3")),
        ("w,z,y\n1,4,1,2.5\n2,5,0\n", ("1 lines", "line 2: 4 fields")),
        ("w,z,y\n4,1,2.5\n5,0\n", ("1 lines", "line 3: 2 fields")),
        ('w,z,y\n4,1,2.5\n"5,0,3\n', ("line 3: a quotation mark that is not closed",)),
        ('w,z,y\n4,1,2.5\n"5\n6",0,3\n', ("1 lines", "line 3: a quotation mark")),
        (b"w,z,y\n4,1,2.5\n\xe5,0,3\n", ("line 3: bytes that are not utf-8", "encoding: latin-1")),
        ("w,z,y\n4,1,2.5\n5\0,0,3\n", ("line 3: a control character",)),
    ],
)
def test_lines_that_do_not_fit_the_header_are_refused(tmp_path, content, parts):
    text = message(tmp_path, "t.csv", content)
    assert not [part for part in parts if part not in text], text


def test_columns_that_are_one_too_few_are_refused(tmp_path):
    assert "4 fields instead of 3" in message(tmp_path, "t.csv", "1,4,1,2.5\n2,5,0,3.5\n", columns=["w", "z", "y"])


def test_blank_lines_are_skipped_and_a_quoted_delimiter_is_text(tmp_path):
    assert outcomes(read(tmp_path, "t.csv", 'w,z,y\n"a,b", 1, "2.5"\n\n  \n"c",0,3.5\n\n')) == [2.5, 3.5]


@pytest.mark.parametrize("header", ["y,z,y", '"y ",z,y', "\u00a0y,z,y"])
def test_a_repeated_name_is_ambiguous(tmp_path, header):
    assert "the column 'y' 2 times" in message(tmp_path, "t.csv", f"{header}\n1,1,2\n")
    assert outcomes(read(tmp_path, "t.csv", f"{header.replace('y', 'q')},y\n1,1,2,5\n0,0,0,6\n")) == [5, 6]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1", "cp850", "utf-32"])
def test_encodings_are_read_as_stated(tmp_path, encoding):
    content = "sted;z;y\nTromsø;1;2,5\nÅs;0;3,5\n".encode(encoding)
    data = read(tmp_path, "t.csv", content, encoding=encoding, delimiter=";", decimal=",", strata=["sted"])
    assert data.cohort.frame["sted"].tolist() == ["Tromsø", "Ås"]
    assert outcomes(data) == [2.5, 3.5]


def test_packed_text_is_read_and_one_made_to_fill_the_disk_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_UNPACKED_FREELY", 1 << 20)
    assert outcomes(read(tmp_path, "t.csv.gz", gzip.compress(b"z,y\n1,2\n0,3\n"))) == [2, 3]
    assert "unpacks to more than" in message(tmp_path, "t.csv.gz", gzip.compress(b"z,y\n" + b"1,2\n" * (1 << 20)))


@pytest.mark.parametrize("file", ["../t.csv", "/etc/passwd.csv", "a/../../t.csv"])
def test_files_outside_the_data_folder_are_refused(tmp_path, file):
    (tmp_path / "t.csv").write_text("z,y\n1,2\n")
    (tmp_path / "in").mkdir()
    assert "leads out of the folder" in message(tmp_path / "in", file)


# --- Codes ---

VILLAGES = "id,village,kommune,z,y\n1,1.1,0301,1,5\n2,1.10,0301,0,4\n3,1.10,301,1,3\n4,1E2,1103,0,2\n5,100,1103,1,1\n"


def test_codes_in_digits_stay_text(tmp_path):
    data = read(tmp_path, "v.csv", VILLAGES, person_id="id", strata=["village"], cluster="kommune")
    assert data.cohort.frame["cell"].tolist() == ["1.1", "1.10", "1.10", "1E2", "100"]
    assert data.cohort.frame["cluster"].tolist() == ["0301", "0301", "301", "1103", "1103"]


@pytest.mark.parametrize(
    ("table", "ids"),
    [
        ({"keep": [{"column": "kommune", "in": ["0301"]}]}, ["1", "2"]),
        ({"keep": [{"column": "kommune", "not_in": ["0301"]}]}, ["3", "4", "5"]),
        ({"keep": [{"column": "village", "in": ["1.10"]}]}, ["2", "3"]),
        ({"keep": [{"column": "y", "at_least": 3, "not_in": [4]}]}, ["1", "3"]),
    ],
)
def test_rows_are_kept_by_code_as_written(tmp_path, table, ids):
    data = read(tmp_path, "v.csv", VILLAGES, person_id="id", **table)
    assert data.cohort.frame["person_id"].tolist() == ids
    lost = {(line.step, line.reason): line for line in data.cohort.flow}
    assert lost["delivered", ""].persons == 5
    assert lost["population", "not_kept"].persons == 5 - len(ids)
    assert lost["delivered", ""].treated == 3


def test_expressions_compare_codes_as_text(tmp_path):
    derive = {
        "oslo": "kommune = '0301'",
        "double": "kommune * 2",
        "same": "village in ('1.10', '1E2')",
        "k": "`kommune`",
    }
    names = {"oslo": "oslo", "double": "double", "same": "same"}
    data = read(tmp_path, "v.csv", VILLAGES, derive=derive, outcomes=names, strata=["k"])
    assert data.outcomes["oslo"].tolist() == [1, 1, 0, 0, 0]
    assert data.outcomes["double"].tolist() == [602, 602, 602, 2206, 2206]
    assert data.outcomes["same"].tolist() == [0, 1, 1, 1, 0]
    assert data.cohort.frame["k"].tolist() == ["0301", "0301", "301", "1103", "1103"]


def test_a_covariate_by_code_and_a_code_that_never_occurs(tmp_path):
    oslo = {"kind": "column", "column": "kommune", "equals": ["0301"], "label": LABEL}
    frame = read(tmp_path, "v.csv", VILLAGES, covariates={"oslo": oslo}).cohort.frame
    assert frame["oslo"].tolist() == [1, 1, 0, 0, 0]
    text = message(tmp_path, "v.csv", VILLAGES, covariates={"oslo": {**oslo, "equals": ["031"]}})
    assert "'031'" in text
    assert "'kommune'" in text


def test_a_number_that_may_be_several_codes_is_refused(tmp_path):
    keep = [{"column": "village", "in": [1.1]}]
    assert "codes that are the number 1.1" in message(tmp_path, "v.csv", VILLAGES, keep=keep)


@pytest.mark.parametrize(("first", "second"), [("1", "0"), ("1.0", "0.0"), ("01", "00"), ("TRUE", "FALSE")])
def test_arms_are_the_codes_however_numbers_are_written(tmp_path, first, second):
    data = read(tmp_path, "a.csv", f"z,y\n{first},2\n{second},3\n")
    assert data.cohort.frame["arm"].tolist() == ["new", "old"]


def test_a_code_with_and_without_decimals_is_refused(tmp_path):
    assert "with and without decimals" in message(tmp_path, "a.csv", "s,z,y\n1,1,2\n1.0,0,3\n", strata=["s"])


def test_ids_in_a_column_of_arms_are_not_shown(tmp_path):
    rows = f"z,id,y\n{SECRET},1,2\n11111111111,0,3\n"
    text = message(tmp_path, "a.csv", rows)
    assert "11111111111" not in text
    assert "'9'" in message(tmp_path, "a.csv", "z,y\n1,2\n9,3\n")


def test_a_file_without_a_header_shows_nothing_of_its_first_person(tmp_path):
    assert "Kari" not in message(tmp_path, "a.csv", f"{SECRET},Kari,1\n1,2,3\n")


# --- Ids and joins ---


@pytest.mark.parametrize(
    ("kind", "ids"),
    [(pa.float32(), [16_777_216.0, 16_777_218.0]), (pa.float64(), [2.0**53, 2.0**53 + 2]), (pa.float64(), [1e20, 2.0])],
)
@pytest.mark.parametrize("use", ["person_id", "cluster", "by"])
def test_ids_that_are_not_exact_are_refused(tmp_path, kind, ids, use):
    pq.write_table(pa.table({"id": pa.array(ids, kind), "z": [1, 0], "y": [1.0, 2.0]}), tmp_path / "m.parquet")
    (tmp_path / "j.csv").write_text("id,w\n16777216,1\n")
    table = {"join": [{"file": "j.csv", "by": "id"}]} if use == "by" else {use: "id"}
    assert "too large to be exact" in message(tmp_path, "m.parquet", **table)


def test_ids_of_a_stata_float_are_refused(tmp_path):
    frame = pd.DataFrame({"id": np.array([16_777_217, 20_000_001], dtype="float32"), "z": [1, 0], "y": [1.0, 2.0]})
    frame.to_stata(tmp_path / "m.dta", write_index=False)
    assert "too large to be exact" in message(tmp_path, "m.dta", person_id="id")


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.decimal128(20, 0), pa.string()])
def test_exact_ids_of_every_type_join(tmp_path, kind):
    pq.write_table(pa.table({"id": pa.array([7, 12]).cast(kind), "z": [1, 0]}), tmp_path / "m.parquet")
    join = [{"file": "j.csv", "by": "id"}]
    (tmp_path / "j.csv").write_text("id,y\n\u00a012\u200b,3\n 7 ,4\n")
    assert outcomes(read(tmp_path, "m.parquet", join=join, person_id="id")) == [3, 4]


@pytest.mark.parametrize("other", ["12", "012.0", "0-12", "012a"])
def test_some_ids_that_are_written_in_another_way_stop_a_join(tmp_path, other):
    (tmp_path / "j.csv").write_text(f"id,y\n007,3\n{other},4\n")
    rows, join = "id,z\n007,1\n012,0\n", [{"file": "j.csv", "by": "id"}]
    if other == "012a":
        assert outcomes(read(tmp_path, "m.csv", rows, join=join)) == pytest.approx([3, np.nan], nan_ok=True)
    else:
        assert "1 values of 'id' have no row in j.csv, but differ" in message(tmp_path, "m.csv", rows, join=join)


def test_ids_that_lost_their_zeros_are_not_joined_to_others(tmp_path):
    (tmp_path / "j.csv").write_text("id,y\n7,3\n12,4\n")
    rows, join = "id,z\n007,1\n012,0\n", [{"file": "j.csv", "by": "id"}]
    assert "leading zeros" in message(tmp_path, "m.csv", rows, join=join)


# --- Numbers ---


@pytest.mark.parametrize(
    ("values", "decimal", "part"),
    [
        (["1,5", "2.5"], ".", "decimal mark ','"),
        (["1,5", "2.5"], ",", "decimal mark '.'"),
        (["1 234", "2"], ".", "1 rows hold something else"),
        (["1.234,5", "2"], ",", "1 rows hold something else"),
        (["2018-05-01", "2"], ".", "1 rows hold something else"),
        (["9007199254740993", "2"], ".", "1 numbers of 9,007,199,254,740,992 or more"),
        (["1e300", "2"], ".", "1 numbers of"),
        (["1e999", "2"], ".", "1 infinite values"),
        (["inf", "2"], ".", "1 rows hold something else"),
        (["0x10", "2"], ".", "1 rows hold something else"),
        (["٣", "2"], ".", "1 rows hold something else"),
    ],
)
def test_what_is_not_wholly_a_number_is_refused(tmp_path, values, decimal, part):
    content = "z;y\n" + "".join(f"{arm};{value}\n" for arm, value in zip((1, 0), values, strict=True))
    text = message(tmp_path, "n.csv", content, delimiter=";", decimal=decimal)
    assert part in text
    assert "'y'" in text


@pytest.mark.parametrize(
    ("text", "value"), [(".5", 0.5), ("-.5", -0.5), ("5.", 5), ("+1e2", 100), ("007", 7), ("true", 1), ("NA", np.nan)]
)
def test_numbers_as_programs_write_them(tmp_path, text, value):
    assert outcomes(read(tmp_path, "n.csv", f"z,y\n1,{text}\n0,0\n")) == pytest.approx([value, 0], nan_ok=True)


@pytest.mark.parametrize("codes", [[-99], ["-99"], [-99.0]])
@pytest.mark.parametrize("text", ["-99", "-99.0"])
def test_codes_for_missing_values(tmp_path, codes, text):
    if codes == ["-99"] and text == "-99.0":
        return
    data = read(tmp_path, "n.csv", f"z,y\n1,{text}\n0,0\n", missing_values=codes)
    assert np.isnan(outcomes(data)[0])


def test_stata_integers_with_missing_values_are_numbers(tmp_path):
    frame = pd.DataFrame({"z": [1, 0, 1], "y": [1.0, 2.0, 3.0], "kids": pd.array([3, None, 0], dtype="Int8")})
    pyreadstat.write_dta(frame, str(tmp_path / "s.dta"))
    data = read(tmp_path, "s.dta", derive={"k": "kids + 1"}, outcomes={"y": "k"})
    assert outcomes(data) == pytest.approx([4, np.nan, 1], nan_ok=True)


# --- Dates and other types ---


def dated(folder, values, kind, **table):
    columns = {"z": [1, 0], "y": [1.0, 2.0], "d": pa.array(values, kind)}
    pq.write_table(pa.table(columns), folder / "d.parquet")
    return "d.parquet", table


MIDNIGHTS = [dt.datetime(2018, 4, 30, 22), dt.datetime(2018, 12, 31, 23)]
SPANS = [dt.timedelta(days=3), dt.timedelta(days=10)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [(MIDNIGHTS, pa.timestamp("us", tz="UTC")), (SPANS, pa.duration("ns")), ([[1], [2]], pa.list_(pa.int64()))],
)
@pytest.mark.parametrize(
    "use", [{"draw_date": "d"}, {"derive": {"q": "days(d)"}, "outcomes": {"y": "q"}}, {"outcomes": {"y": "d"}}]
)
def test_types_with_a_hidden_unit_or_zone_are_refused_where_they_are_used(tmp_path, values, kind, use):
    file, _ = dated(tmp_path, values, kind)
    text = message(tmp_path, file, **use)
    assert "column 'd' holds values of type" in text
    assert outcomes(read(tmp_path, file)) == [1, 2]


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (["20180501", "20180601"], "yyyymmdd"),
        (["2018-05-01T00:00Z", "2018-06-01T00:00Z"], "time zone"),
        (["01.05.18", "01.06.18"], "four digits"),
        (["2018-02-30", "2018-05-01"], "1 rows hold something else"),
        (["1768-05-01", "2018-05-01"], "1 dates outside the years"),
        (["9999-12-31", "2018-05-01"], "1 dates outside the years"),
        (["", "2018-05-01"], "1 rows have none"),
    ],
)
def test_the_cause_is_named_for_days_that_are_none(tmp_path, values, part):
    content = "z,y,d\n" + "".join(f"{arm},1,{day}\n" for arm, day in zip((1, 0), values, strict=True))
    assert part in message(tmp_path, "d.csv", content, draw_date="d")


def test_days_of_every_kind(tmp_path):
    days = [dt.date(2018, 5, 1), dt.date(2019, 1, 31)]
    for kind in (pa.date32(), pa.date64(), pa.timestamp("ns"), pa.timestamp("s")):
        file, _ = dated(tmp_path, pa.array(days, pa.date32()).cast(kind), kind)
        data = read(tmp_path, file, draw_date="d", derive={"q": "days(d)"}, outcomes={"y": "q"})
        assert data.cohort.frame["draw_month"].tolist() == ["2018-05", "2019-01"]
        assert outcomes(data) == [(day - dt.date(1970, 1, 1)).days for day in days]
    frame = pd.DataFrame({"z": [1, 0], "y": [1.0, 2.0], "d": pd.Series(days, dtype=object)})
    for file, write in (("d.sav", pyreadstat.write_sav), ("d.dta", pyreadstat.write_dta)):
        write(frame, str(tmp_path / file))
        assert read(tmp_path, file, draw_date="d").cohort.frame["draw_month"].tolist() == ["2018-05", "2019-01"]


def test_months_of_stata_are_named(tmp_path):
    frame = pd.DataFrame({"z": [1.0, 0.0], "y": [1.0, 2.0], "d": [700.0, 701.0]})
    pyreadstat.write_dta(frame, str(tmp_path / "m.dta"), variable_format={"d": "%tm"})
    text = message(tmp_path, "m.dta", draw_date="d")
    assert "months since 1960" in text


@pytest.mark.parametrize("file", ["far.sav", "far.dta"])
def test_an_impossible_date_in_a_column_that_is_not_used_stops_nothing(tmp_path, file):
    frame = pd.DataFrame({"z": [1.0, 0.0], "y": [1.0, 2.0], "far": [1e15, 1.0]})
    write, form = (pyreadstat.write_sav, "DATE11") if file.endswith("sav") else (pyreadstat.write_dta, "%td")
    write(frame, str(tmp_path / file), variable_format={"far": form})
    assert outcomes(read(tmp_path, file)) == [1, 2]
    assert "dates outside the years" in message(tmp_path, file, draw_date="far")


# --- Everything at once, and the flow ---


def test_everything_wrong_is_reported_at_once_with_the_nearest_names(tmp_path):
    rows = "z,y,w,g\n1,1,2,a\n0,2,1,b\n"
    text = message(tmp_path, "m.csv", rows, treated="zz", outcomes={"y": "yy"}, weights="ww", cluster="g")
    assert [part for part in ("'z'?", "'y'?", "'w'?") if part not in text] == []
    rows = "z,y,w,d\n1,x,-1,2\n0,2,1,q\n"
    text = message(tmp_path, "m.csv", rows, weights="w", take_up="d")
    assert [part for part in ("'y'", "'d'", "1 negative weights") if part not in text] == []


def test_people_whom_a_specification_drops_are_in_the_flow(tmp_path):
    rows = "z,y,a,b\n1,1,,\n0,2,3,\n1,3,4,5\n"
    covariates = {name: {"kind": "column", "column": name, "label": LABEL} for name in ("a", "b")}
    data = read(tmp_path, "m.csv", rows, covariates=covariates, dropping={"main": ["a", "b"]})
    lost = {(line.step, line.reason): (line.persons, line.treated) for line in data.cohort.flow}
    assert lost["specification_main", "missing_a"] == (1, 1)
    assert lost["specification_main", "missing_b"] == (1, 0)
    assert lost["analysed", ""] == (3, 2)
