"""Snakemake's own report, made without a network, holds release files alone; the configured forms are those written."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from support.workflow import change, planned

RELEASE = "results/refino/release"


def test_snakemakes_report_is_made_offline_of_release_files_alone(small_run, tmp_path):
    page = tmp_path / "report.html"
    arguments = [
        "--workflow-profile",
        "workflow/profiles/laptop",
        "--config",
        "evaluation=refino",
        "--report",
        str(page),
    ]
    command = [sys.executable, "-m", "snakemake", *arguments]
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which(alone[0]) and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
        command = [*alone, *command]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=small_run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    shown = set(re.findall(r'"(results/[^"]+)": \{"name"', text))
    assert shown
    assert not [path for path in shown if not path.startswith(f"{RELEASE}/")]
    for path in (
        "tables/table_8_1.nb.html",
        "figures/figure_8_1.nb.svg",
        "tables.en.docx",
        "tables.en.xlsx",
        "report.nb.html",
        "report.en.docx",
    ):
        assert f"{RELEASE}/{path}" in shown, path
    assert json.dumps({"exhibit": "table_8_1", "language": "nb", "form": "html"}) in text
    assert re.search(r"Drawn up from", text)


def test_the_configured_forms_are_those_that_are_planned(finished):
    path = finished / "config/config.yaml"
    change(path, "tables: [csv, md, html, tex, docx, xlsx]", "tables: [html, tex]")
    change(path, "figures: [svg, png, pdf, csv]", "figures: [svg]")
    change(path, "bundles: [docx, xlsx]", "bundles: []")
    change(path, "report: [html, docx]", "report: [html]")
    jobs = planned(finished)
    assert (
        {"render_tables", "render_figures"}
        <= set(jobs)
        <= {"render_tables", "render_figures", "record_run", "write_catalogue", "write_report"}
    )
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "workflow/profiles/laptop", "--summary"]
    listed = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=True).stdout
    endings = {line.split("\t")[0].rsplit(".", 1)[-1] for line in listed.splitlines() if f"{RELEASE}/tables/" in line}
    # Snakemake plans by the pages of tables; their other files are made with them.
    assert endings == {"html"}
    assert "report.nb.html" in listed
    assert "report.nb.docx" not in listed


def test_a_format_that_snakemake_has_not_planned_by_yet_is_named(finished):
    change(finished / "config/config.yaml", "tables: [csv, md, html, tex, docx, xlsx]", "tables: [csv, tex]")
    command = [sys.executable, "-m", "snakemake", "-n", "--workflow-profile", "workflow/profiles/laptop"]
    done = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=True)
    assert "table_8_1.nb.csv was made next to another file" in done.stdout + done.stderr


def test_a_file_that_snakemake_does_not_plan_by_can_be_asked_for_by_its_name(finished):
    table = finished / RELEASE / "tables/table_8_1.nb.tex"
    asked = table.relative_to(finished).as_posix()
    assert planned(finished, asked) == {}
    table.unlink()
    assert planned(finished) == {}
    assert planned(finished, asked) == {"render_tables": 1}


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
def test_all_tables_stand_in_one_file(small_run, ending):
    for language in ("nb", "en"):
        assert (small_run / RELEASE / f"tables.{language}.{ending}").read_bytes()[:2] == b"PK"
