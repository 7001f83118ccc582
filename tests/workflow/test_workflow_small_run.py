"""The whole workflow on a small synthetic register: what it writes, what it leaves alone, what it does again."""

import contextlib
import hashlib
import json
import re
import shutil
import zipfile
import zlib

import pandas as pd
import pytest

from refino_eval.cli.trace_command import finished_run
from refino_eval.report.page.report_page import build_report
from refino_eval.text import say
from support.workflow import PEOPLE, change, choose_exhibits, planned, refino_eval

pytestmark = pytest.mark.slow
RESULTS = "results/refino"


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*"))}


def test_everything_promised_is_there(small_run):
    results = small_run / RESULTS
    for name in ("flow", "quality", "quality_rules", "comparison"):
        assert len(pd.read_csv(results / "run" / f"{name}.csv")) > 0, name
    for exhibit in ("table_2_3", "table_i", "table_8_1", "table_8_2", "figure_2_1", "figure_8_1", "figure_8_2"):
        numbers = pd.read_csv(results / "aggregates" / f"{exhibit}.csv", keep_default_na=False)
        assert set(numbers["exhibit"]) == {exhibit}
        folder, endings = (
            ("figures", ("svg", "png")) if exhibit.startswith("figure") else ("tables", ("csv", "md", "html"))
        )
        for language in ("nb", "en"):
            for ending in endings:
                assert (results / "release" / folder / f"{exhibit}.{language}.{ending}").stat().st_size > 100
    for language in ("nb", "en"):
        assert (results / "release" / f"report.{language}.html").stat().st_size > 10_000
    assert (
        "CREATE" in (results / "run/panel_month.sql").read_text()
        or "SELECT" in (results / "run/panel_month.sql").read_text()
    )


def test_clean_and_rejected_add_up_to_delivered(small_run):
    quality = pd.read_csv(small_run / RESULTS / "run/quality.csv")
    assert (quality["clean"] + quality["rejected"] == quality["delivered"]).all()
    for row in quality.itertuples():
        assert len(pd.read_parquet(small_run / RESULTS / f"person_level/clean/{row.register}.parquet")) == row.clean
        assert (
            len(pd.read_parquet(small_run / RESULTS / f"person_level/rejects/{row.register}.parquet")) == row.rejected
        )
    rules = pd.read_csv(small_run / RESULTS / "run/quality_rules.csv")
    rejected = quality.set_index("register")["rejected"]
    assert rules.groupby("register")["rows"].sum().reindex(rejected.index, fill_value=0).equals(rejected.rename("rows"))


def test_the_panel_has_everybody_in_every_month(small_run):
    cohort = pd.read_parquet(small_run / RESULTS / "person_level/cohort.parquet")
    panel = pd.read_parquet(small_run / RESULTS / "person_level/panel_month.parquet")
    assert len(cohort) == PEOPLE
    assert len(panel) == PEOPLE * 49
    assert panel["event_time"].min() == -24
    assert panel["event_time"].max() == 24
    assert not panel.duplicated(["person_id", "event_time"]).any()


def test_outcomes_are_what_the_panel_says(small_run):
    person_level = small_run / RESULTS / "person_level"
    panel = pd.read_parquet(person_level / "panel_month.parquet").set_index(["person_id", "event_time"])
    outcomes = pd.read_parquet(person_level / "outcomes.parquet").set_index("person_id")
    wide = panel["any_wage"].unstack()
    summed = wide.loc[:, 1:12].sum(axis=1, skipna=False)
    pd.testing.assert_series_equal(outcomes["any_wage_months_12"].sort_index(), summed.sort_index(), check_names=False)
    at_12 = panel["weekly_hours"].unstack()[12]
    pd.testing.assert_series_equal(
        outcomes["weekly_hours_month_12"].sort_index(), at_12.sort_index(), check_names=False
    )


def contents(path):
    """Return what a file says, unpacked where its form packs it; a PDF's table of offsets says nothing."""
    data = path.read_bytes()
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as package:
            return b"\n".join(package.read(name) for name in package.namelist())
    if path.suffix == ".pdf":
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, flags=re.S)
        unpacked = []
        for stream in streams:
            with contextlib.suppress(zlib.error):
                unpacked.append(zlib.decompress(stream))
        assert unpacked, path.name
        return b"\n".join(unpacked)
    return data


def test_no_persons_id_leaves_the_person_level(small_run):
    ids = set(pd.read_parquet(small_run / RESULTS / "person_level/cohort.parquet")["person_id"])
    outside = [
        path for path in (small_run / "results").rglob("*") if path.is_file() and "person_level" not in path.parts
    ]
    outside += [path for path in (small_run / "logs").rglob("*") if path.is_file()]
    assert len(outside) > 50
    for path in outside:
        content = contents(path)
        found = [person for person in ids if person.encode() in content]
        # an 8-digit id may occur by chance inside a long decimal or a picture; three of them may not
        assert len(found) < 3, f"{path.name} holds {len(found)} ids"


def test_a_second_run_does_nothing(finished):
    before = digests(finished / RESULTS / "aggregates")
    done = refino_eval(finished, "run")
    assert done.returncode == 0, done.stderr
    assert "Everything is up to date" in done.stdout
    assert digests(finished / RESULTS / "aggregates") == before


SOME = ("figure_flow", "table_2_3", "table_i", "figure_effects", "table_8_1", "table_tests", "table_late", "figure_3_2")


def test_the_same_bytes_on_one_core_and_with_the_work_split_into_many_jobs(finished):
    folders = ("aggregates", "run/verification", "release/tables", "release/figures", "person_level/outcomes")
    before = {folder: digests(finished / RESULTS / folder) for folder in folders}
    shutil.rmtree(finished / "results")
    shutil.rmtree(finished / "data/synthetic")
    choose_exhibits(finished, SOME)
    change(finished / "config/config.yaml", "work_per_job: 500000", "work_per_job: 2500")
    done = refino_eval(finished, "run", "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^(\d+) jobs done", done.stdout, flags=re.MULTILINE)[1]) >= 20
    for folder in folders:
        after = digests(finished / RESULTS / folder)
        assert {name.split(".")[0] for name in after} >= (set(SOME) if folder == "aggregates" else set())
        assert after == {name: before[folder][name] for name in after}, folder
    # Put together again, nothing is computed: the results do not depend on the jobs that made them.
    change(finished / "config/config.yaml", "work_per_job: 2500", "work_per_job: 500000")
    done = refino_eval(finished, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    for rule in ("estimate_exhibits", "render_tables", "render_figures"):
        log = (finished / f"logs/refino/{rule}.log").read_text(encoding="utf-8")
        assert "unchanged" in log
        assert not re.search(r"(numbers|files) in ", log), rule


def computed(folder, rule):
    """Return the results that a job computed, by its log; the others it kept."""
    pattern = re.compile(r"INFO (\w+): .* in [\d.]+ s$")
    logs = sorted((folder / "logs/refino").glob(f"{rule}*.log"))
    assert logs
    return {match[1] for log in logs for line in log.read_text("utf-8").splitlines() if (match := pattern.search(line))}


def test_editing_one_outcome_computes_its_own_results_only(finished):
    assert planned(finished) == {}
    path = finished / "config/definitions/outcomes/work.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("    full_time_months_12:")
    end = text.index("window: [1, 12]", start)
    edited = text[:end] + "window: [1, 11]" + text[end + len("window: [1, 12]") :]
    path.write_text(edited, encoding="utf-8")
    assert not {"ingest_registers", "link_population", "derive_panel"} & set(planned(finished))
    before = digests(finished / RESULTS / "aggregates")
    done = refino_eval(finished, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    # Tables 8.2, II, III for all outcomes, that of tests, the null card read from it and the specification curve show the outcome.
    showing = {
        "table_8_2",
        "table_ii",
        "table_iii_all_outcomes",
        "table_tests",
        "table_null_card",
        "figure_specification_curve",
    }
    assert computed(finished, "estimate_exhibits") == showing
    assert computed(finished, "render_tables") | computed(finished, "render_figures") <= showing
    assert "table_8_2" in computed(finished, "render_tables")
    after = digests(finished / RESULTS / "aggregates")
    changed = {name.split(".")[0] for name in after if after[name] != before[name]}
    assert {"table_8_2", "table_tests"} <= changed <= showing
    log = (finished / "logs/refino/derive_outcomes.log").read_text(encoding="utf-8")
    assert "panel_month: full_time_months_12" in log
    assert_report_as_if_made_anew(finished)
    # Undone, everything is as it was.
    path.write_text(text, encoding="utf-8")
    assert refino_eval(finished, "run").returncode == 0
    assert digests(finished / RESULTS / "aggregates") == before
    assert_report_as_if_made_anew(finished)


def assert_report_as_if_made_anew(folder):
    """Compare the report, put together from kept parts, with one of the same run that nothing is kept for."""
    anew = build_report(finished_run(folder, "refino"), language="en", out_path=folder / "anew.html")
    assert anew.read_bytes() == (folder / RESULTS / "release/report.en.html").read_bytes()


NEW_OUTCOME = """
tried_outcome:
  label: { nb: Prøvd, en: Tried }
  description: For this test alone.
  kind: months_in
  expression: %s
  window: [1, 12]
  unit: { nb: måneder, en: months }
"""


def add_outcome(folder, expression):
    """Define an outcome, and show it in place of one of Table 8.2's."""
    path = folder / "config/definitions/outcomes/work.yaml"
    path.write_text(path.read_text(encoding="utf-8") + NEW_OUTCOME % expression, encoding="utf-8")
    exhibits = folder / "config/evaluations/refino/exhibits.yaml"
    text = exhibits.read_text(encoding="utf-8")
    start = text.index("\ntable_8_2:")
    table = text[start:].replace("full_time_months_12", "tried_outcome", 1)
    exhibits.write_text(text[:start] + table, encoding="utf-8")


def test_an_outcome_on_states_that_are_there_leaves_the_panel_alone(finished):
    assert planned(finished) == {}
    add_outcome(finished, "half_time and not full_time")
    counts = planned(finished)
    assert counts["derive_outcomes"] == 1
    assert "derive_panel" not in counts
    assert "ingest_registers" not in counts


def test_an_outcome_that_needs_another_state_makes_the_panel_anew(finished):
    add_outcome(finished, "half_time and job_seeker")
    counts = planned(finished)
    assert counts["derive_panel"] == 1
    assert "link_population" not in counts


def test_editing_a_worked_example_computes_nothing(finished):
    change(
        finished / "config/definitions/outcomes/wages.examples.yaml",
        "Both ends count, and the months next to them",
        "Both count, and those next to them",
    )
    assert set(planned(finished)) <= {
        "render_tables",
        "render_figures",
        "record_run",
        "write_catalogue",
        "write_report",
    }


def test_a_primary_outcome_changed_after_the_plan_is_reported_with_both_hashes(finished):
    assert len(pd.read_csv(finished / RESULTS / "run/plan.csv")) == 0
    # The limits of a state stand in no worked example, so that nothing but the plan notices the change.
    path = finished / "config/definitions/states/work.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("\nfull_time:")
    path.write_text(text[:start] + text[start:].replace("range: [0, 1]", "range: [0, 2]", 1), encoding="utf-8")
    assert planned(finished)["record_run"] == 1
    done = refino_eval(finished, "check")
    assert (
        "the outcome 'full_time_months_12' is defined otherwise than in the registered plan"
        in done.stdout + done.stderr
    )


def test_editing_a_label_reestimates_nothing(finished):
    change(finished / "config/evaluations/refino/exhibits.yaml", "Table 2.3. Characteristics", "Table 2.3. Traits")
    counts = planned(finished)
    assert (
        {"render_tables", "write_report"}
        <= set(counts)
        <= {"render_tables", "render_figures", "record_run", "write_catalogue", "write_report"}
    )


def test_the_provenance_names_what_went_in(small_run):
    record = json.loads((small_run / RESULTS / "run/provenance.json").read_text(encoding="utf-8"))
    assert record["evaluation"] == "refino"
    assert {entry["file"] for entry in record["delivery"]} >= {"demografi_v1.csv", "manifest.json"}
    assert record["packages"]["duckdb"].startswith("2.")


def test_pages_of_confidential_data_are_private_watermarked_and_not_marked(finished):
    path = finished / "config/evaluations/refino/evaluation.yaml"
    change(path, "data_class: synthetic", "data_class: confidential")
    text = "\n".join(
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("synthetic:")
    )
    path.write_text(text + "\n", encoding="utf-8")
    choose_exhibits(finished, SOME[:3])
    shutil.rmtree(finished / "results")
    done = refino_eval(finished, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "watermarked" in done.stdout
    assert not (finished / RESULTS / "release").exists()
    internal = finished / RESULTS / "internal"
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in [internal, *internal.rglob("*")]}
    assert modes == {True: 0o700, False: 0o600}
    for path in [*internal.rglob("report.*.html"), *internal.rglob("*.md"), *internal.rglob("tables/*.html")]:
        language = path.name.split(".")[-2]
        assert path.stem.startswith("catalogue") or say("notes.watermark", language) in path.read_text(encoding="utf-8")


def test_every_printed_number_has_ours_or_a_reason(small_run):
    comparison = pd.read_csv(small_run / RESULTS / "run/comparison.csv", keep_default_na=False)
    counts = comparison["verdict"].value_counts().to_dict()
    missing = comparison.loc[comparison["verdict"] == "missing", ["exhibit", "panel", "row", "column", "statistic"]]
    assert missing.to_numpy().tolist() == []
    assert counts["input"] == 30
    assert counts["not_computed"] == 6
    untold = comparison.loc[comparison["verdict"] == "not_computed", ["reason", "reason_nb", "reason_en"]]
    assert (untold != "").all(axis=None)
    for language in ("nb", "en"):
        report = (small_run / RESULTS / f"release/report.{language}.html").read_text(encoding="utf-8")
        assert all(reason in report for reason in untold[f"reason_{language}"])
