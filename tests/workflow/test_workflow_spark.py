"""A run whose panel and outcomes are computed on Spark, on the server inside the program."""

import json
import subprocess
import sys

from support.workflow import change


def test_panel_and_outcomes_are_the_same_files_on_spark(finished, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "local")
    results = finished / "results" / "refino"
    made = sorted((results / "person_level" / "outcomes").glob("*.parquet"))
    names = [*made, results / "person_level" / "panel_month.parquet", results / "person_level" / "outcomes.parquet"]
    before = {path: path.read_bytes() for path in names}
    for path in names:
        path.unlink()
    change(finished / "config" / "config.yaml", "engine: duckdb ", "engine: spark ")
    targets = ["results/refino/person_level/outcomes.parquet", "results/refino/run/provenance.json"]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--workflow-profile",
        "workflow/profiles/laptop",
        "--cores",
        "1",
        *targets,
    ]
    done = subprocess.run(command, cwd=finished, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((results / "run" / "provenance.json").read_text(encoding="utf-8"))
    assert record["engine"]["name"] == "spark"
    assert record["engine"]["server"] == "inside the program"
    assert len(made) > 20
    for path, content in before.items():
        assert path.read_bytes() == content, path.name
