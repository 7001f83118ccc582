"""What a delivery must be: calibrated, true, reproducible, and as messy as it says."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config import load_configuration
from refino_eval.errors import UserError
from refino_eval.synthetic import Mess, Recipe, generate
from refino_eval.synthetic.calibration import calibration_report, write_calibration
from refino_eval.synthetic.calibration_moments import load_delivery, read_register
from refino_eval.synthetic.delivery_writer import checksum

HEAVY = Mess(
    duplicates=0.05,
    same_employer=0.2,
    absurd_hours=0.05,
    lost_decimal=0.05,
    corrected_end=0.1,
    taken_back=0.05,
    stop_before_start=0.05,
    missing_start=0.05,
    outside_coverage=0.05,
    no_show=0.8,
)


def test_the_default_delivery_is_within_every_tolerance(recipe: Recipe, delivery: Path, tmp_path: Path) -> None:
    report = calibration_report(delivery, recipe)
    outside = report[report["verdict"] != "within"]
    assert outside.empty, outside.to_string()
    assert len(report) > 80
    write_calibration(report, tmp_path / "calibration.csv")
    assert len(pd.read_csv(tmp_path / "calibration.csv")) == len(report)
    assert f"{len(report)} moments, 0 outside" in (tmp_path / "calibration.md").read_text(encoding="utf-8")


def test_a_delivery_of_another_recipe_is_outside_its_tolerance(recipe: Recipe, tmp_path: Path) -> None:
    """The tolerance has power: four points more women and higher wages are found in a delivery of the trial's size."""
    persons = recipe.persons.model_copy(update={"female": recipe.persons.female + 0.04})
    work = recipe.work.model_copy(update={"monthly_wage": 1.25 * recipe.work.monthly_wage})
    generate(recipe.model_copy(update={"persons": persons, "work": work}), tmp_path / "other")
    verdicts = calibration_report(tmp_path / "other", recipe).set_index("moment")["verdict"]
    assert verdicts["mean:female:all"] == "outside"
    assert verdicts["state:wage:12:oppfolging"] == "outside"
    assert verdicts["mean:immigrant:all"] == "within"


def test_the_seed_of_the_shipped_recipe_is_the_study_seed(recipe: Recipe) -> None:
    """A seed that nobody chose by its results."""
    root = Path(__file__).parents[3]
    assert recipe.seed == load_configuration(root).project.seed


def test_employment_falls_before_assignment_and_rises_after(recipe: Recipe, delivery: Path) -> None:
    states = load_delivery(delivery, recipe).states
    for state in ("any_wage", "weekly_hours", "half_time", "full_time"):
        path = states[state].mean()
        assert path[-24] > path[-12] > path[0] < path[6] < path[12] < path[24], state


def test_same_seed_same_bytes_whatever_the_number_of_threads(recipe: Recipe, tmp_path: Path) -> None:
    threads = pa.cpu_count()
    manifests = []
    try:
        for place, count in enumerate((1, 2)):
            pa.set_cpu_count(count)
            manifests.append(generate(recipe, tmp_path / str(place), people=300))
    finally:
        pa.set_cpu_count(threads)
    assert manifests[0] == manifests[1]
    assert generate(recipe, tmp_path / "other", people=300, seed=7).sha256 != manifests[0].sha256


def test_manifest_lists_the_files_of_the_folder(recipe: Recipe, delivery: Path) -> None:
    manifest = json.loads((delivery / "manifest.json").read_text("utf-8"))
    assert manifest["synthetic"] is True
    assert manifest["people"] == 4901
    assert manifest["treated"] == 1827
    for name, digest in manifest["sha256"].items():
        assert checksum(delivery / name) == digest
    for form in recipe.registers.values():
        path = delivery / form.file
        rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else path.read_bytes().count(b"\n") - 1
        assert manifest["rows"][form.file] == rows
    assert "SYNTHETIC" in (delivery / "README.md").read_text("utf-8")


@pytest.mark.parametrize("people", [20, 200])
def test_small_deliveries_hold_together(recipe: Recipe, tmp_path: Path, people: int) -> None:
    manifest = generate(recipe, tmp_path / "small", people=people)
    report = calibration_report(tmp_path / "small", recipe).set_index("moment")
    assert manifest.treated == round(people * 1827 / 4901)
    assert report.loc[[name for name in report.index if name.startswith("people:")], "verdict"].eq("within").all()
    assert report.loc["truth:mismatches", "obtained"] == 0


def test_without_effects_both_histories_are_the_same(recipe: Recipe, tmp_path: Path) -> None:
    generate(recipe, tmp_path / "zero", people=400, effects="zero")
    truth = pd.read_parquet(tmp_path / "zero" / "truth.parquet")
    for name in recipe.truth:
        assert (truth[f"{name}_y0"] == truth[f"{name}_y1"]).all(), name


def test_effects_are_planted_and_work_through_those_who_start(recipe: Recipe, tmp_path: Path) -> None:
    generate(recipe, tmp_path / "large", people=3000, effects="large")
    effects = pd.read_csv(tmp_path / "large" / "truth_effects.csv").set_index("outcome")
    assert effects.loc["any_wage_month_12", "planted"] == pytest.approx(0.14)
    planted = effects.dropna(subset="planted")
    assert len(planted) == 8
    assert np.allclose(planted["sample_average"], planted["planted"], rtol=0.12)
    truth = pd.read_parquet(tmp_path / "large" / "truth.parquet")
    never = truth[truth["compliance"] == "never_taker"]
    assert (never["any_wage_months_12_y0"] == never["any_wage_months_12_y1"]).all()
    gain = truth["any_wage_months_12_y1"] - truth["any_wage_months_12_y0"]
    assert gain.min() >= 0, "an effect that only adds must leave nobody worse off"
    assert gain[truth["compliance"] == "complier"].mean() > 0.5


def test_heterogeneous_effects_spare_one_group(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "heterogeneous"
    generate(recipe, folder, people=2000, effects="heterogeneous")
    cohort = load_delivery(folder, recipe).cohort
    truth = pd.read_parquet(folder / "truth.parquet").set_index("person_id").reindex(cohort.index)
    gain = truth["any_wage_month_12_y1"] - truth["any_wage_month_12_y0"]
    reduced = cohort["reduced_capacity"] == 1
    assert (gain[reduced] == 0).all()
    assert gain[~reduced].mean() == pytest.approx(0.06 / 0.52, rel=0.25)


def test_own_numbers_may_be_given_as_effects(recipe: Recipe, tmp_path: Path) -> None:
    own = recipe.effects["large"].model_copy(update={"states": {"full_time": {0: 0.0, 12: 0.1}}, "wage": {0: 0.0}})
    assert generate(recipe, tmp_path / "own", people=300, effects=own).effects == "own"
    effects = pd.read_csv(tmp_path / "own" / "truth_effects.csv").set_index("outcome")
    assert effects.loc["full_time_month_12", "sample_average"] > 0.05
    assert effects.loc["any_wage_month_12", "sample_average"] == 0


def test_heavy_mess_leaves_the_truth_as_it_is(recipe: Recipe, tmp_path: Path) -> None:
    tidy = generate(recipe, tmp_path / "tidy", people=800, mess=Mess())
    messy = generate(recipe, tmp_path / "messy", people=800, mess=HEAVY)
    assert tidy.sha256["truth.parquet"] == messy.sha256["truth.parquet"]
    assert sum(messy.rows.values()) > 1.1 * sum(tidy.rows.values())
    for name in ("tidy", "messy"):
        report = calibration_report(tmp_path / name, recipe).set_index("moment")
        assert report.loc["truth:mismatches", "obtained"] == 0, name
    planted = pd.read_csv(tmp_path / "tidy" / "planted_mess.csv").set_index("kind")["rows"]
    assert planted.drop("zero_hours").sum() == 0


def _raw(folder: Path, recipe: Recipe, register: str, *, corrections: bool = False) -> pd.DataFrame:
    form = recipe.registers[register]
    file = form.corrections if corrections else form.file
    assert file is not None
    if file.endswith(".parquet"):
        rows = pd.read_parquet(folder / file)
    else:
        rows = pd.read_csv(folder / file, sep=form.delimiter, encoding=form.encoding, dtype=str, keep_default_na=False)
    rows = rows.rename(columns={column.name: name for name, column in form.columns.items()})
    for name, column in form.columns.items():
        if column.type == "date":
            rows[name] = pd.to_datetime(rows[name].replace("", None), format=column.date_format)
    return rows


@pytest.mark.parametrize("mess", [None, HEAVY], ids=["recipe", "heavy"])
def test_what_is_planted_is_what_can_be_counted(recipe: Recipe, tmp_path: Path, mess: Mess | None) -> None:
    folder = tmp_path / "messy"
    generate(recipe, folder, people=1500, mess=mess)
    planted = pd.read_csv(folder / "planted_mess.csv").set_index(["register", "kind"])["rows"]
    counted: dict[tuple[str, str], int] = {}
    for register in ("jobs", "aap", "sickness", "unemployment", "disability", "programmes", "registrations"):
        rows = _raw(folder, recipe, register)
        counted[register, "duplicate_row"] = int(rows.duplicated().sum())
        rows = rows.drop_duplicates()
        counted[register, "missing_start"] = int(rows["start"].isna().sum())
        counted[register, "stop_before_start"] = int((rows["stop"] < rows["start"]).sum())
        early = (rows["stop"] < pd.Timestamp(recipe.first)) & (rows["stop"] >= rows["start"])
        counted[register, "outside_coverage"] = int(early.sum())
        if register == "programmes":
            whole = rows[rows["start"].notna() & ~(rows["stop"] < rows["start"]) & ~early]
            counted[register, "no_show"] = int((whole["status"] == recipe.programme_status["no_show"]).sum())
    for register in ("persons", "diagnoses", "incomes", "wages"):
        counted[register, "duplicate_row"] = int(_raw(folder, recipe, register).duplicated().sum())
    wages = _raw(folder, recipe, "wages").drop_duplicates()
    counted["wages", "outside_coverage"] = int((wages["period"] // 100 < recipe.first.year).sum())
    counted.update(_job_counts(folder, recipe))
    for key, rows_found in counted.items():
        assert rows_found == planted.get(key, 0), key
    assert set(planted[planted > 0].index) <= set(counted)
    assert planted["jobs"].gt(0).all()


def _job_counts(folder: Path, recipe: Recipe) -> dict[tuple[str, str], int]:
    first, second = (_raw(folder, recipe, "jobs", corrections=later).drop_duplicates() for later in (False, True))
    both = first.merge(second, on="job_id", suffixes=("", "_right"))
    undone = both["stop_right"] < both["start_right"]
    hours = first["weekly_hours"].str.replace(",", ".").astype(float)
    other_end = ~undone & (both["weekly_hours"] == both["weekly_hours_right"])
    clean = read_register(folder, recipe, "jobs")
    clean["until"] = clean["stop"].fillna(pd.Timestamp("2030-01-01"))
    pairs = clean.merge(clean, on=["person_id", "employer_id"], suffixes=("", "_other"))
    pairs = pairs[(pairs["job_id"] < pairs["job_id_other"]) & (pairs["start"] <= pairs["until_other"])]
    return {
        ("jobs", "taken_back_later"): int(undone.sum()),
        ("jobs", "end_corrected_later"): int(other_end.sum()),
        ("jobs", "lost_decimal_corrected_later"): int((both["weekly_hours"] != both["weekly_hours_right"]).sum()),
        ("jobs", "absurd_hours"): int(((hours > 80) & ~first["job_id"].isin(second["job_id"])).sum()),
        ("jobs", "zero_hours"): int((clean["weekly_hours"] == 0).sum()),
        ("jobs", "overlap_same_employer"): int((pairs["start_other"] <= pairs["until"]).sum()),
    }


def test_ids_are_text_of_one_width_with_leading_zeros(recipe: Recipe, delivery: Path) -> None:
    draws = _raw(delivery, recipe, "draws")
    assert draws["person_id"].str.fullmatch(r"\d{8}").all()
    assert draws["person_id"].str.startswith("0").any()
    assert draws["office"].str.fullmatch(r"\d{4}").all()
    assert _raw(delivery, recipe, "persons")["municipality"].str.startswith("0").any()
    jobs = _raw(delivery, recipe, "jobs")
    assert jobs["employer_id"].str.fullmatch(r"3\d{8}").all()
    assert jobs["job_id"].str.fullmatch(r"\d{11}").all()
    wages = pq.read_table(delivery / recipe.registers["wages"].file)
    assert str(wages.schema.field("lopenr").type) == "string"
    assert str(wages.schema.field("kontantlonn").type) == "decimal128(12, 2)"


def test_the_sample_flow_has_people_to_take_out(recipe: Recipe, delivery: Path) -> None:
    draws = _raw(delivery, recipe, "draws")
    assert draws["person_id"].duplicated().sum() == recipe.extra.repeated_draws
    once = draws.sort_values("start", kind="stable").drop_duplicates("person_id")
    inside = once["county"].isin([area.name for area in recipe.areas])
    assert (~inside).sum() == recipe.extra.area_people
    month = once["start"].dt.strftime("%Y-%m")
    assert (inside & month.isin(recipe.extra.outside_months)).sum() == recipe.extra.outside_people
    first = once[inside & ~month.isin(recipe.extra.outside_months)].groupby("county")["start"].min()
    assert first.dt.strftime("%Y-%m").to_dict() == {area.name: area.first for area in recipe.areas}
    assert draws["start"].dt.day_of_week.max() <= 4, "draws are made on working days"
    persons = _raw(delivery, recipe, "persons")["person_id"]
    assert (~persons.isin(draws["person_id"])).sum() > 100, "people who were never drawn"


def test_yearly_incomes_agree_with_monthly_wages(recipe: Recipe, delivery: Path) -> None:
    wages = read_register(delivery, recipe, "wages")
    wages = wages[wages["period"] >= recipe.first.year * 100]
    yearly = wages.groupby(["person_id", wages["period"] // 100])["amount"].sum().astype(float)
    incomes = read_register(delivery, recipe, "incomes").set_index(["person_id", "period"])
    # The one person without an income row the year before may have had wages that year.
    missing = ~yearly.index.isin(incomes.index)
    assert missing.sum() <= 1
    gap = incomes["occupational_income"].reindex(yearly.index) - yearly
    assert gap.dropna().min() > -1.0
    assert (incomes["pensionable_income"] >= incomes["occupational_income"]).all()


def test_parquet_holds_the_same_as_text(recipe: Recipe, tmp_path: Path) -> None:
    registers = ["draws", "persons", "jobs", "wages"]
    generate(recipe, tmp_path / "text", people=200, registers=registers)
    generate(recipe, tmp_path / "parquet", people=200, registers=registers, format="parquet")
    assert len(list((tmp_path / "parquet").glob("*.csv"))) == 2, "the truth's effects and the planted mess"
    for register in registers:
        text, parquet = (read_register(tmp_path / kind, recipe, register) for kind in ("text", "parquet"))
        pd.testing.assert_frame_equal(text, parquet, check_dtype=False)


def test_nothing_half_written_is_left(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "refino"
    before = generate(recipe, folder, people=50)
    monkeypatch.setattr(
        "refino_eval.synthetic.generator._write_truth", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        generate(recipe, folder, people=60)
    assert [path.name for path in tmp_path.iterdir()] == ["refino"]
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["people"] == before.people


def test_a_folder_with_something_else_is_never_replaced(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "delivery").mkdir()
    (tmp_path / "delivery" / "real.csv").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match="not a synthetic delivery"):
        generate(recipe, tmp_path / "delivery", people=50)
    assert (tmp_path / "delivery" / "real.csv").read_text("utf-8") == "x"


def test_code_names_no_study(recipe: Recipe) -> None:
    words = {arm.name for arm in (recipe.arms.treated, recipe.arms.control)} - {"refino"}
    words |= {arm.programme for arm in (recipe.arms.treated, recipe.arms.control)}
    words |= {area.name for area in (*recipe.areas, *recipe.extra.areas)}
    words |= set(recipe.programme_status.values()) | set(recipe.benefits.status_codes) | set(recipe.other_programmes)
    words |= {column.name for form in recipe.registers.values() for column in form.columns.values()} - {
        "status",
        "grad",
        "fra",
        "til",
        "fom",
        "tom",
    }
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(words)))
    for path in (Path(__file__).parents[3] / "src" / "refino_eval" / "synthetic").glob("*.py"):
        assert not pattern.findall(path.read_text("utf-8")), path.name
