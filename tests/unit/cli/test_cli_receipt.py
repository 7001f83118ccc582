"""`refino-eval check`, `sources` and `simulate --mess` as a user meets them, in a copy of the project."""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from support.project import write_project

ROOT = Path(__file__).resolve().parents[3]


def call(folder, *arguments):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("REFINO_EVAL_SHARED", str(ROOT.parent / "shared" / "data"))
    command = [sys.executable, "-m", "refino_eval.cli.main", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receipt") / "project"
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "data/published", folder / "data/published")
    done = call(folder, "simulate", "--people", "150", "--no-calibration")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def delivery(project, tmp_path):
    copy = tmp_path / "delivery"
    shutil.copytree(project / "data/synthetic/refino", copy)
    return copy


def test_a_synthetic_delivery_that_is_there_is_checked_too(project):
    done = call(project, "check")
    assert done.returncode == 0, done.stderr
    out = project / "results/refino/run/receipt"
    names = {
        "receipt.html",
        "receipt.txt",
        *(f"receipt_{part}.csv" for part in ("files", "columns", "years", "repairs", "linkage", "problems")),
    }
    assert {path.name for path in out.iterdir()} == names
    assert "worked examples give the expected values" in done.stdout
    assert "letter: The synthetic register" in done.stdout
    assert list((project / "results/refino/person_level").iterdir()) == []
    with (out / "receipt_files.csv").open(encoding="utf-8") as stream:
        files = list(csv.DictReader(stream))
    assert len(files) >= 8
    assert {file["letter"] for file in files} == {"agrees"}


def test_no_id_is_printed(project, delivery):
    path = delivery / "demografi_v1.csv"
    text = path.read_bytes().replace(b".19", b".xx")  # every birth date is broken
    path.write_bytes(text)
    out = delivery.parent / "out"
    done = call(project, "check", "--delivery", str(delivery), "--out", str(out))
    assert done.returncode == 2
    written = done.stdout + done.stderr + "".join(file.read_text(encoding="utf-8") for file in out.iterdir())
    ids = set(pq.read_table(delivery / "a_melding_lonn_p2015_p2022_v1.parquet")["lopenr"].to_pylist())
    assert len(ids) > 100
    # The checksums are long enough to hold eight digits by chance; an id would be told with something around it.
    words = set(written.replace(",", " ").replace(";", " ").replace("<", " ").replace(">", " ").split())
    assert not ids & words


def test_all_problems_are_reported_at_once(project, delivery):
    (delivery / "arena_tiltak_p2015_p2022_v1.csv").unlink()
    for name, old, new in (("demografi_v1.csv", b"kjonn", b"sex"), ("skatt_inntekt_v1.csv", b";20", b";2o")):
        path = delivery / name
        path.write_bytes(path.read_bytes().replace(old, new, 1 if old == b"kjonn" else -1))
    done = call(project, "check", "--delivery", str(delivery), "--out", str(delivery.parent / "out"))
    assert done.returncode == 2
    for said in (
        "'programmes' is missing", "lacks the column 'kjonn'", "skatt_inntekt_v1.csv inntektsaar",
        "demografi_v1.csv: The file is not the one that was sent", "arena_tiltak_p2015_p2022_v1.csv: The letter lists",
    ):  # fmt: skip
        assert said in done.stderr, done.stderr
    assert "wages" in done.stdout
    with (delivery.parent / "out/receipt_problems.csv").open(encoding="utf-8") as stream:
        assert sum(row["severity"] == "error" for row in csv.DictReader(stream)) == len(done.stderr.splitlines()) - 1


def test_missing_delivery_folder_is_reported(project):
    done = call(project, "check", "--delivery", "nowhere")
    assert done.returncode == 2
    assert "no such delivery folder" in done.stderr


@pytest.mark.parametrize(("language", "delimiter", "head"), [("nb", ";", "Dataeier"), ("en", ",", "Data owner")])
def test_the_variable_list_has_every_column_with_its_reason(project, language, delimiter, head):
    done = call(project, "sources", "--variable-list", "--language", language, "--format", "csv")
    assert done.returncode == 0, done.stderr
    first, *rows = csv.reader(io.StringIO(done.stdout), delimiter=delimiter)
    assert first[1] == head
    assert all(len(row) == 6 and all(row) for row in rows)
    assert "jobs.weekly_hours" in {row[3] for row in rows}
    page = call(project, "sources", "--variable-list", "--language", language)
    assert page.stdout.count("\n| ") == len(rows) + len({row[0] for row in rows})  # and a head for each register


def test_the_variable_list_goes_to_a_file(project, tmp_path):
    done = call(project, "sources", "--variable-list", "--out", str(tmp_path / "list.md"))
    assert done.returncode == 0
    assert (tmp_path / "list.md").read_text(encoding="utf-8").startswith("# Variable list for ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sources", "--format", "xml"), "Valid names: csv, md"),
        (("sources", "--language", "no"), "Valid names: en, nb"),
        (("simulate", "--mess", "overlap"), "Did you mean 'overlaps'"),
        (("simulate", "--format", "sas7bdat"), "only SAS itself can write sas7bdat"),
        (("check", "--all", "--out", "x"), "belong to one evaluation"),
    ],
)
def test_missing_names_and_files_are_reported(project, arguments, said):
    done = call(project, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_faults_are_listed_and_planted_by_name(project, tmp_path):
    assert "same_employer" in call(project, "simulate", "--mess", "list").stdout
    out = tmp_path / "messy"
    done = call(
        project, "simulate", "--people", "100", "--mess", "open_ends,bad_dates", "--no-calibration", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    checked = call(project, "check", "--delivery", str(out), "--out", str(tmp_path / "out"))
    assert "not written as a date" in checked.stdout + checked.stderr


def test_an_arm_that_does_not_vary_within_a_school_is_reported_unless_a_cluster_is_named(tmp_path):
    write_project(tmp_path)
    source, study = tmp_path / "config/sources/draws.yaml", tmp_path / "config/evaluations/toy.yaml"
    source.write_text(
        source.read_text("utf-8") + "  school: {from: school, type: text, why: Where they were.}\n", "utf-8"
    )
    folder = tmp_path / "data/toy"
    folder.mkdir(parents=True)

    def deliver(school_of):
        rows = [f"p{n:04d};2018-03-05;{'N' if n % 6 < 3 else 'O'};S{school_of(n)}" for n in range(60)]
        (folder / "draws.csv").write_text("\n".join(["id;day;arm;school", *rows, ""]), encoding="utf-8")
        jobs = [f"p{n:04d};2018-01-01;2020-12-31;{(37, 19)[n % 2]};ORD" for n in range(60)]
        (folder / "jobs.csv").write_text("\n".join(["id;begin;end;hrs;sort", *jobs, ""]), encoding="utf-8")
        done = call(tmp_path, "check")
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Each of the 20 groups of several people in the column 'school' has one arm alone" in deliver(
        lambda n: n // 3
    )
    assert "one arm alone" not in deliver(lambda n: n % 10)
    study.write_text(study.read_text("utf-8").replace("arm: arm}", "arm: arm, cluster: school}"), encoding="utf-8")
    assert "one arm alone" not in deliver(lambda n: n // 3)
