"""The files of a delivery: those that a person table is read from, or everything delivered, and nothing that the project makes."""

import json

import pytest

from refino_eval.report.provenance import delivered_files, record_run


@pytest.fixture
def project(tmp_path):
    for name in (
        "people.csv",
        "later.csv",
        "results/other/person_level/cohort.csv",
        ".cache/x.csv",
        "config/config.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("person_id\n1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "expected"),
    [(("people.csv", "absent.csv"), ["people.csv"]), (None, ["later.csv", "people.csv"])],
)
def test_a_delivery_in_the_projects_own_folder_holds_nothing_that_the_project_makes(project, files, expected):
    found = delivered_files(project, files, root=project)
    assert [path.relative_to(project).as_posix() for path in found] == expected


def test_a_folder_of_the_delivery_may_have_the_name_of_one_of_the_projects(project):
    inside = project / "data" / "results"
    inside.mkdir(parents=True)
    (inside / "tests.csv").write_text("1", encoding="utf-8")
    assert delivered_files(project / "data", None, root=project) == [inside / "tests.csv"]


def test_the_record_of_a_run_lists_the_delivery_with_checksums(project):
    record_run(
        {"evaluation": {"name": "mine"}, "project": {}},
        data_folder=project,
        files=["people.csv"],
        root=project,
        provenance_path=project / "provenance.json",
        configuration_path=project / "run_config.yaml",
    )
    record = json.loads((project / "provenance.json").read_text(encoding="utf-8"))
    assert [(entry["file"], entry["bytes"]) for entry in record["delivery"]] == [("people.csv", 12)]
