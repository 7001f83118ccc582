"""The wheel is enough: installed without a network, it takes a newcomer from an empty folder through the tutorial."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "your_own_registers.md"
BLOCK = re.compile(r"(?:<!-- (?P<where>[^\n]*) -->\n)?```(?P<kind>yaml|sh|csv)\n(?P<text>.*?)```\n", re.DOTALL)
BUILT_FROM = (
    "src",
    "workflow",
    "config",
    "requirements",
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
        for name in files_in(
            "workflow", "config/schemas", "config/codelists", "config/disclosure", "config/evaluations"
        )
    } <= names
    skeleton = files_in("src/refino_eval/cli/skeleton")
    assert {name.removeprefix("src/") for name in skeleton} <= names
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]


def key_lines(text, path):
    """Return the first line of a key and the line after its value (from 0), in YAML text."""
    node = yaml.compose(text)
    for step in path.split("."):
        key, node = next((key, value) for key, value in node.value if key.value == step)
    # A block ends where the next key begins, and anything else on its own last line.
    return key.start_mark.line, node.end_mark.line + (0 if getattr(node, "flow_style", True) is False else 1)


def apply(project, where, text):
    """Do with a block of the page what the comment above it says."""
    action, rest = where.split(" ", 1)
    path = project / rest.split(" ")[-1]
    if action == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    old = path.read_text(encoding="utf-8")
    if action == "append":
        path.write_text(old.rstrip("\n") + "\n\n" + text, encoding="utf-8")
        return
    assert action == "replace"
    first, last = key_lines(old, rest.split(" ")[0])
    lines = old.splitlines(keepends=True)
    path.write_text("".join([*lines[:first], text, *lines[last:]]), encoding="utf-8")


@pytest.fixture(scope="module")
def followed(command, tmp_path_factory):
    """The tutorial followed from an empty folder: the project, what each command printed last, and the seconds to the first report."""
    folder = tmp_path_factory.mktemp("empty")
    project = folder / "trial"
    began, first_report = time.monotonic(), None
    said = {}
    for block in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        if block["kind"] != "sh":
            apply(project, block["where"], block["text"])
            continue
        for line in block["text"].splitlines():
            program, *arguments = shlex.split(line)
            assert program == "refino-eval"
            done = command(folder if arguments[0] == "init" else project, *arguments)
            assert done.returncode == (2 if block["where"] == "exit code 2" else 0), (
                f"{line}\n{done.stdout}{done.stderr}"
            )
            said[line] = done.stdout + done.stderr
            if line == "refino-eval run":
                first_report = time.monotonic() - began
    return project, said, first_report


def test_from_an_empty_folder_to_the_first_report(followed, command):
    project, said, seconds = followed
    assert seconds < 300
    assert "the configuration is valid" in said["refino-eval check"]
    assert (project / "results/example/release/report.en.html").is_file()
    assert not (project / "workflow/rules").exists(), "rules are included from the package, not copied"
    # What was made is found up to date, so the digests of the installed library hold.
    assert "Everything is up to date" in command(project, "run").stdout
    explained = command(project, "exhibits", "itt").stdout
    assert "specifications: list of text; default" in explained
    assert "'example_effects' of the evaluation example, as it was made" in explained


def test_the_tutorial_leads_to_a_report_of_a_cluster_trial(followed):
    project, said, _ = followed
    results = project / "results/schools"
    assert (results / "release/report.en.html").is_file()
    effects = pd.read_csv(results / "aggregates/schools_effects.csv").set_index(["column", "statistic"])["value"]
    assert effects["weeks", "n"] == 417
    number = "refino-eval trace schools_effects:coaching:weeks:estimate --evaluation schools"
    assert "Clusters: school" in said[number]
    assert (
        "schools_effects:coaching:weeks:estimate"
        in said["refino-eval trace schools_effects --list --evaluation schools"]
    )
    verdicts = pd.read_csv(results / "run/comparison.csv")["verdict"].tolist()
    assert verdicts == ["equal", "equal", "differs"]
    assert "hours" in said["refino-eval sources --variable-list --evaluation schools"]
    # The same people by the example's own definitions.
    example = pd.read_csv(project / "results/example/aggregates/example_effects.csv").set_index(
        ["column", "statistic"]
    )["value"]
    assert effects["weeks", "mean_control"] == pytest.approx(example["weeks", "mean_control"], rel=1e-12)


def test_the_replication_package_of_a_project_runs_elsewhere(followed, command):
    project, _, _ = followed
    aggregates = project / "results/example/aggregates"
    (aggregates / "removed_exhibit.csv").write_text("exhibit\n", encoding="utf-8")
    done = command(project, "replication-package", "--evaluation", "example")
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(list(aggregates.glob("*.csv"))) - 1
    assert f"all {count} files of numbers have the same bytes" in done.stdout
    with zipfile.ZipFile(project / "results/example/replication/example_A.zip") as archive:
        names = {name.removeprefix("example_A/") for name in archive.namelist()}
    assert {"requirements/run.txt", "Snakefile", "src/refino_eval/shipped/Snakefile"} <= names
    assert "expected/removed_exhibit.csv" not in names
    (aggregates / "removed_exhibit.csv").unlink()


def test_init_overwrites_nothing(command, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    done = command(tmp_path, "init", ".")
    assert done.returncode == 2
    assert "the folder is not empty (notes.txt), and nothing is overwritten" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
