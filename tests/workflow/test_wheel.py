"""The wheel is enough: installed without a network, `init` makes a project in an empty folder that is sound and runs."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = (
    "src",
    "workflow",
    "config",
    "Snakefile",
    "setup.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "MANIFEST.in",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the repository, since a build leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, copy / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", str(copy), *options, "--wheel-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory):
    """The command line of a fresh environment: the wheel, and the libraries of the tests' own environment."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    Path(paths["purelib"], "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--quiet", "--force-reinstall"]
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    subprocess.run(install, check=True, capture_output=True, text=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def call(cwd, *arguments):
        command = [str(folder / "bin" / "refino-eval"), *arguments]
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


def files_in(*folders):
    """Return the files of folders of the repository, without what Python compiles."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert len(paths) >= len(folders)
    return {path.relative_to(ROOT).as_posix() for path in paths if "__pycache__" not in path.parts}


def test_the_wheel_holds_workflow_schemas_code_lists_and_the_skeleton(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        f"refino_eval/shipped/{name}"
        for name in files_in("workflow", "config/schemas", "config/codelists", "config/evaluations")
    } <= names
    skeleton = files_in("src/refino_eval/cli/skeleton")
    assert {name.removeprefix("src/") for name in skeleton} <= names
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]


def test_from_an_empty_folder_to_a_report(command, tmp_path):
    began = time.monotonic()
    project = tmp_path / "trial"
    done = command(tmp_path, "init", "trial")
    assert done.returncode == 0, done.stderr
    assert "cd trial" in done.stdout
    checked = command(project, "check")
    assert checked.returncode == 0, checked.stderr
    assert "the configuration is valid" in checked.stdout
    done = command(project, "run", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "results/example/release/report.en.html").is_file()
    assert not (project / "workflow/rules").exists()
    assert time.monotonic() - began < 300
    explained = command(project, "exhibits", "itt").stdout
    assert "specifications: list of text; default" in explained
    assert "'example_effects' of the evaluation example, as it was made" in explained
    listed = command(project, "trace", "--list").stdout
    number = "example_effects:coaching:weeks:estimate"
    assert number in listed
    assert "Example" not in command(project, "trace", number).stderr
    # What was made is found up to date, so the digests of the installed library hold.
    assert "Everything is up to date" in command(project, "run").stdout


def test_init_overwrites_nothing(command, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    done = command(tmp_path, "init", ".")
    assert done.returncode == 2
    assert "the folder is not empty (notes.txt), and nothing is overwritten" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
