"""From draws to cohort: arms, flow, samples and covariates, on tables small enough to read."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.codes.prices import PriceIndex
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, Population, Sample
from refino_eval.errors import UserError
from refino_eval.trial import flow_frame, link_population, write_cohort
from refino_eval.trial.covariates import derive_covariates
from refino_eval.trial.sample_flow import FlowLine
from support.builders import LABEL, source

DRAWS = source("draws", "event", {"person_id": ("id", "id"), "start": ("day", "date"), "arm": "text", "county": "text"})
PERSONS = source(
    "persons", "fixed", {"person_id": ("id", "id"), "sex": "code", "birth_date": ("born", "date")}, owner="office"
)
INCOMES = source(
    "incomes", "accumulated", {"person_id": ("id", "id"), "period": ("year", "year"), "amount": ("kr", "ore")}
)
STAYS = source(
    "stays",
    "spell",
    {"person_id": ("id", "id"), "start": ("from", "date"), "stop": ("to", "date"), "status": "code"},
    owner="office",
)
ARMS = Arms.model_validate(
    {"treated": {"name": "new", "code": "T", "label": LABEL}, "control": {"name": "old", "code": "C", "label": LABEL}}
)
DAY = dt.date(2019, 3, 15)


def write(path, rows, schema):
    table = pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in schema.items()})
    pq.write_table(table, path)
    return path


def draws_file(folder, rows):
    schema = {"person_id": pa.string(), "start": pa.date32(), "arm": pa.string(), "county": pa.string(),
              "school": pa.string(), "w": pa.float64(), "source_file": pa.string(), "source_row": pa.int64()}  # fmt: skip
    full = [
        {"start": DAY, "county": "a", "source_file": "d.csv", "source_row": n + 1, **row} for n, row in enumerate(rows)
    ]
    return write(folder / "draws.parquet", full, schema)


def link(
    folder, rows, *, steps=(), samples=None, covariates=None, strata=("county", "draw_month"), more=None, **population
):
    clean = {"draws": draws_file(folder, rows), **(more or {})}
    return link_population(
        population=Population.model_validate({"register": "draws", "steps": list(steps), **population}),
        samples={n: Sample.model_validate(s) for n, s in (samples or {"analysed": {"label": LABEL}}).items()},
        arms=ARMS,
        strata=tuple(strata),
        covariates=Definitions.model_validate({"covariates": covariates or {}}).covariates,
        sources={"draws": DRAWS, "persons": PERSONS, "incomes": INCOMES, "stays": STAYS},
        clean=clean,
        indices={"cpi": PriceIndex("cpi", {2018: Decimal("100"), 2019: Decimal("110"), 2023: Decimal("120")})},
    )


FOUR = [
    {"person_id": "01", "arm": "T"},
    {"person_id": "02", "arm": "C"},
    {"person_id": "03", "arm": "T", "county": "b"},
    {"person_id": "04", "arm": "C", "county": "b", "start": dt.date(2019, 4, 1)},
]


def test_arms_cells_and_months(tmp_path):
    frame = link(tmp_path, FOUR).frame
    assert frame["person_id"].tolist() == ["01", "02", "03", "04"]
    assert frame["treated"].tolist() == [1, 0, 1, 0]
    assert frame["arm"].tolist() == ["new", "old", "new", "old"]
    assert frame["cell"].tolist() == ["a x 2019-03", "a x 2019-03", "b x 2019-03", "b x 2019-04"]


def test_a_delivery_in_another_order_gives_the_same_cohort(tmp_path):
    (tmp_path / "again").mkdir()
    first = link(tmp_path, FOUR).frame
    again = link(tmp_path / "again", FOUR[::-1]).frame
    pd.testing.assert_frame_equal(first, again)


def test_the_flow_accounts_for_everybody(tmp_path):
    rows = [
        *FOUR,
        {"person_id": "02", "arm": "T", "start": dt.date(2019, 5, 1)},
        {"person_id": "05", "arm": "C", "county": "gone"},
        {"person_id": "06", "arm": "T", "start": dt.date(2030, 1, 1)},
        {"person_id": "07", "arm": "C", "county": None},
    ]
    steps = [
        {"reason": "repeated", "label": LABEL, "first_draw_only": True},
        {"reason": "area", "label": LABEL, "exclude": [{"column": "county", "in": ["gone"]}]},
        {"reason": "period", "label": LABEL, "draw_to": "2019-12-31"},
    ]
    cohort = link(tmp_path, rows, steps=steps)
    flow = flow_frame(cohort.flow)
    assert flow[["step", "reason", "persons"]].to_numpy().tolist() == [
        ["delivered", "", 8],
        ["population", "missing_stratum", 1],
        ["population", "repeated", 1],
        ["population", "area", 1],
        ["population", "period", 1],
        ["analysed", "", 4],
    ]
    assert (flow["treated"] + flow["control"] == flow["persons"]).all()
    assert cohort.frame.set_index("person_id").loc["02", "treated"] == 0, "the first draw counts"


def test_clusters_and_weights_are_columns_of_the_draws_and_who_lacks_them_is_counted(tmp_path):
    rows = [{**row, "school": f"S{n}", "w": 1.5} for n, row in enumerate(FOUR)]
    rows += [{"person_id": "05", "arm": "C", "w": 0.0, "school": "S9"}, {"person_id": "06", "arm": "C", "w": 1.0}]
    cohort = link(tmp_path, rows, cluster="school", weights="w")
    assert cohort.frame["cluster"].tolist() == ["S0", "S1", "S2", "S3"]
    assert cohort.frame["weight"].tolist() == [1.5] * 4
    reasons = {line.reason: line.persons for line in cohort.flow if line.reason}
    assert reasons == {"no_weight": 1, "missing_cluster": 1}
    two = link(tmp_path, [{**row, "w": 1.0 + n % 2} for n, row in enumerate(rows)], cluster=["school", "w"]).frame
    assert two[["cluster", "cluster.2"]].iloc[:2].to_numpy().tolist() == [["S0", "1"], ["S1", "2"]]
    rows[0]["w"] = -1.0
    with pytest.raises(UserError, match="'w' of the register 'draws' holds 1 negative weights"):
        link(tmp_path, rows, weights="w")


def test_repeated_draws_without_a_step_are_a_fault(tmp_path):
    with pytest.raises(UserError, match=r"1 draws of people who were drawn before.*first_draw_only"):
        link(tmp_path, [*FOUR, {"person_id": "02", "arm": "T"}])


def test_a_result_that_is_neither_arm_is_a_fault_without_ids(tmp_path):
    with pytest.raises(UserError) as caught:
        link(tmp_path, [*FOUR, {"person_id": "99999", "arm": "X"}, {"person_id": "88888", "arm": None}])
    said = str(caught.value)
    assert "1 rows with other values ('X')" in said
    assert "1 rows without a value" in said
    assert "99999" not in said
    assert "88888" not in said


def test_an_arm_that_nobody_is_left_in_is_a_fault(tmp_path):
    with pytest.raises(UserError, match="nobody is left in the arm 'old'"):
        link(tmp_path, [row for row in FOUR if row["arm"] == "T"])


def test_samples_follow_their_steps(tmp_path):
    persons = write(
        tmp_path / "persons.parquet",
        [
            {"person_id": "01", "sex": "K", "birth_date": dt.date(1989, 3, 15)},
            {"person_id": "02", "sex": "M", "birth_date": dt.date(1999, 3, 16)},
            {"person_id": "03", "sex": None, "birth_date": dt.date(1969, 1, 1)},
        ],
        {"person_id": pa.string(), "sex": pa.string(), "birth_date": pa.date32()},
    )
    covariates = {
        "female": {"kind": "column", "register": "persons", "column": "sex", "equals": ["K"], "label": LABEL},
        "age": {"kind": "age_at_draw", "register": "persons", "column": "birth_date", "label": LABEL},
    }
    samples = {
        "drawn": {"label": LABEL},
        "analysed": {
            "label": LABEL,
            "within": "drawn",
            "steps": [{"reason": "no_age", "label": LABEL, "complete": ["age"]}],
        },
        "complete": {
            "label": LABEL,
            "within": "analysed",
            "steps": [{"reason": "no_sex", "label": LABEL, "complete": ["female"]}],
        },
    }
    cohort = link(tmp_path, FOUR, samples=samples, covariates=covariates, more={"persons": persons})
    frame = cohort.frame
    assert frame["female"].tolist()[:2] == [1.0, 0.0]
    assert np.isnan(frame["female"].to_numpy()[2:]).all()
    assert frame["age"].tolist()[:2] == [30.0, 20.0]
    assert frame["sample_drawn"].tolist() == [True] * 4
    assert frame["sample_analysed"].tolist() == [True, True, True, False]
    assert frame["sample_complete"].tolist() == [True, True, False, False]
    assert [(line.step, line.reason, line.persons) for line in cohort.flow][-4:] == [
        ("analysed", "no_age", 1), ("analysed", "", 3), ("complete", "no_sex", 1), ("complete", "", 2),
    ]  # fmt: skip


def test_a_fixed_register_with_two_rows_a_person_is_a_fault(tmp_path):
    persons = write(
        tmp_path / "persons.parquet",
        [{"person_id": "01", "sex": "K"}, {"person_id": "01", "sex": "M"}],
        {"person_id": pa.string(), "sex": pa.string(), "birth_date": pa.date32()},
    )
    covariates = {"female": {"kind": "column", "register": "persons", "column": "sex", "equals": ["K"], "label": LABEL}}
    with pytest.raises(UserError, match="1 people have several"):
        link(tmp_path, FOUR, covariates=covariates, more={"persons": persons})


def test_yearly_amounts_and_years_with_income(tmp_path):
    incomes = write(
        tmp_path / "incomes.parquet",
        [
            {"person_id": "01", "period": 2018, "amount": 30_000_000},
            {"person_id": "01", "period": 2017, "amount": 1},
            {"person_id": "01", "period": 2016, "amount": 0},
            {"person_id": "01", "period": 2019, "amount": 99},
            {"person_id": "02", "period": 2017, "amount": 5},
        ],
        {"person_id": pa.string(), "period": pa.int32(), "amount": pa.int64()},
    )
    covariates = {
        "years": {"kind": "years_with", "register": "incomes", "column": "amount", "label": LABEL},
        "before": {"kind": "amount_in_year", "register": "incomes", "column": "amount", "divide_by": 100000,
                   "deflate": {"index": "cpi", "base_year": 2023}, "label": LABEL},
        "before_or_0": {"kind": "amount_in_year", "register": "incomes", "column": "amount", "absent": 0, "label": LABEL},
    }  # fmt: skip
    frame = link(tmp_path, FOUR, covariates=covariates, more={"incomes": incomes}).frame
    assert frame["years"].tolist() == [2.0, 1.0, 0.0, 0.0], "the draw year and years of nothing do not count"
    assert frame["before"].tolist()[0] == pytest.approx(3.0 * 1.2), "300 000 kr of 2018 in prices of 2023"
    assert np.isnan(frame["before"].to_numpy()[1:]).all()
    assert frame["before_or_0"].tolist() == [300_000.0, 0.0, 0.0, 0.0]


def test_a_spell_covers_the_day_of_the_draw_or_does_not(tmp_path):
    def spell(person, start, stop, status="yes"):
        return {"person_id": person, "start": start, "stop": stop, "status": status}

    one = dt.timedelta(days=1)
    stays = write(
        tmp_path / "stays.parquet",
        [
            spell("01", DAY, DAY + one),
            spell("02", DAY - one, DAY),
            spell("03", DAY - one, None),
            spell("04", DAY, None, "no"),
        ],
        {"person_id": pa.string(), "start": pa.date32(), "stop": pa.date32(), "status": pa.string()},
    )
    where = [{"column": "status", "in": ["yes"]}]
    covariates = {
        "now": {"kind": "spell_at_draw", "register": "stays", "where": where, "label": LABEL},
        "before": {"kind": "ever_before_draw", "register": "stays", "where": where, "label": LABEL},
    }
    frame = link(tmp_path, FOUR, covariates=covariates, more={"stays": stays}).frame
    assert frame["now"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert frame["before"].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_the_cohort_file_is_the_same_bytes_every_time(tmp_path):
    frame = link(tmp_path, FOUR).frame
    write_cohort(frame, tmp_path / "one.parquet")
    write_cohort(frame, tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    schema = pq.read_schema(tmp_path / "one.parquet")
    assert str(schema.field("treated").type) == "int32"
    assert str(schema.field("draw_date").type) == "date32[day]"


@pytest.mark.parametrize(
    ("second", "refused"),
    [
        ({"arm": "C"}, True),
        ({"arm": "T", "county": "b"}, True),
        ({"arm": "T"}, False),
        ({"arm": "C", "start": dt.date(2019, 5, 1)}, False),
    ],
)
def test_two_first_draws_of_one_day_that_differ_are_refused(tmp_path, second, refused):
    rows = [*FOUR, {"person_id": "01", **second}]
    step = {"reason": "again", "label": LABEL, "first_draw_only": True}
    if refused:
        with pytest.raises(UserError, match="1 people have several first draws on the same day"):
            link(tmp_path, rows, steps=[step])
    else:
        assert len(link(tmp_path, rows, steps=[step]).frame) == 4


@pytest.mark.parametrize(
    ("born", "part"), [("2068-02-01", "1 people who were born after"), ("1880-01-01", "1 who were older")]
)
def test_births_that_cannot_be_are_refused(tmp_path, born, part):
    schema = {"person_id": pa.string(), "sex": pa.string(), "birth_date": pa.date32()}
    people = [{"person_id": "01", "birth_date": dt.date.fromisoformat(born)}, {"person_id": "02", "birth_date": DAY}]
    persons = write(tmp_path / "persons.parquet", people, schema)
    age = {"age": {"kind": "age_at_draw", "register": "persons", "column": "birth_date", "label": LABEL}}
    with pytest.raises(UserError, match=part):
        link(tmp_path, FOUR, covariates=age, more={"persons": persons})


def test_what_stands_on_the_day_of_the_draw_is_added_up_or_counted_as_absent(tmp_path):
    hours = source(
        "work",
        "spell",
        {"person_id": ("id", "id"), "start": ("from", "date"), "stop": ("to", "date"), "hours": "hundredths"},
        owner="office",
    )
    schema = {"person_id": pa.string(), "start": pa.date32(), "stop": pa.date32(), "hours": pa.int64()}
    rows = [
        {"person_id": "01", "start": DAY, "stop": None, "hours": 2000},
        {"person_id": "01", "start": DAY - dt.timedelta(9), "stop": DAY + dt.timedelta(1), "hours": 750},
        {"person_id": "01", "start": DAY - dt.timedelta(9), "stop": DAY, "hours": 100},  # ended the day before
        {"person_id": "02", "start": DAY, "stop": None, "hours": None},
        {"person_id": "03", "start": DAY + dt.timedelta(1), "stop": None, "hours": 500},
    ]
    clean = {"draws": draws_file(tmp_path, FOUR), "work": write(tmp_path / "work.parquet", rows, schema)}
    covariates = Definitions.model_validate(
        {
            "covariates": {
                "hours": {"kind": "sum_at_draw", "register": "work", "column": "hours", "label": LABEL},
                "long": {
                    "kind": "sum_at_draw", "register": "work", "column": "hours", "label": LABEL,
                    "where": [{"column": "hours", "at_least": 10}],
                },
                "jobless": {"kind": "no_spell_at_draw", "register": "work", "label": LABEL},
            }
        }
    ).covariates  # fmt: skip
    draws = pd.DataFrame({"person_id": ["01", "02", "03", "04"], "draw_date": [DAY] * 4})
    frame = derive_covariates(draws, covariates, {"work": hours}, clean, {})
    assert frame.to_numpy().tolist() == [[27.5, 20.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]


def test_control_characters_of_a_stratum_are_written_visibly(tmp_path):
    """Tables, pages, SVG, Word and Excel cannot hold them; texts that differ stay different."""
    counties = ["Os\x0blo", "Os\x1blo", "Oslo", None]
    frame = pd.DataFrame({"person_id": ["1", "2", "3", "4"], "treated": [0, 1, 0, 1], "county": counties})
    write_cohort(frame, tmp_path / "cohort.parquet")
    assert pq.read_table(tmp_path / "cohort.parquet")["county"].to_pylist() == ["Os\\x0blo", "Os\\x1blo", "Oslo", None]


def test_a_treated_arm_without_people_has_its_column_in_the_flow():
    lines = [FlowLine("delivered", "", 3, 2, 1, {"letter": 2})]
    flow = flow_frame(lines, ["letter", "talk"])
    assert flow[["arm_letter", "arm_talk"]].to_numpy().tolist() == [[2, 0]]
    assert list(flow_frame(lines, ["letter"])) == ["step", "reason", "persons", "treated", "control"]
