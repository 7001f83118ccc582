"""A small copy of the project, run once for all workflow tests."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from support.workflow import ROOT, copy_project, refino_eval

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A finished run of the Refino evaluation on a small synthetic register, made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "small" / "project"
    with (shared / "small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "small.done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            done = refino_eval(copy_project(folder), "run", "--cores", "2")
            assert done.returncode == 0, done.stdout + done.stderr
            (shared / "small.done").touch()
    return folder


@pytest.fixture(scope="module")
def browser():
    """A running Chromium; the test is skipped where there is none."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is on the path")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def finished(small_run, tmp_path):
    """A copy of the finished run, with its times, to be changed."""
    copy = tmp_path / "project"
    shutil.copytree(small_run, copy)
    return copy


@pytest.fixture(scope="session")
def shared():
    """The folder of real trials, or a skip."""
    folder = Path(os.environ.get("REFINO_EVAL_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the shared folder of real trials is not here (REFINO_EVAL_SHARED)")
    return folder
