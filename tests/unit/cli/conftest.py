"""The toy project as fixtures: as configured, and after a run."""

import pytest

from refino_eval.config import load_configuration
from refino_eval.config.load import project_root
from refino_eval.months.engine import derive_panel
from support import project as toy


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The root of the toy, with the working folder in it."""
    root = tmp_path / "toy"
    toy.write_project(root)
    monkeypatch.chdir(root)
    project_root.cache_clear()
    yield root
    project_root.cache_clear()


@pytest.fixture
def with_panel(project):
    """The toy after a run: the panel holds hours and half_time, and its query stands beside it."""
    configuration = load_configuration(project)
    folder = project / "results/toy"
    report = derive_panel(
        configuration.definitions,
        configuration.sources,
        {},
        clock_unit="month",
        first=-2,
        last=14,
        states=["hours", "half_time"],
        cohort_path=folder / "person_level/cohort.parquet",
        clean_paths={"jobs": folder / "person_level/clean/jobs.parquet"},
        out_path=folder / "person_level/panel_month.parquet",
    )
    (folder / "run").mkdir()
    (folder / "run/panel_month.sql").write_text(report.sql, encoding="utf-8")
    return project
