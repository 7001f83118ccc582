"""The container file, which the tests cannot build, is in step with the project."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
LINES = TEXT.replace("\\\n", " ").splitlines()


def test_everything_that_is_copied_exists():
    copied = [name for line in LINES if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {name for name in copied if not (ROOT / name).exists()} <= {"wheelhouse"}
    shipped = re.search(r"SHIPPED = \((.*?)\)", (ROOT / "setup.py").read_text(encoding="utf-8"), re.DOTALL)[1]
    needed = {*re.findall(r'"([^"]+)"', shipped), "src", "pyproject.toml", "setup.py", "MANIFEST.in"}
    assert {name for name in needed if not any(Path(name).is_relative_to(place) for place in copied)} == set()


def test_only_locked_wheels_are_installed_without_an_index():
    installs = [line for line in LINES if "pip install" in line]
    assert all("--no-index" in line for line in installs)
    assert "--require-hashes -r requirements/run.txt" in installs[0]
    assert "--no-deps" in installs[1]


def test_the_python_is_one_that_the_project_supports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = re.fullmatch(r">=(\d+\.\d+)", project["requires-python"])[1]
    assert re.search(r"^FROM python:(\d+\.\d+)-", TEXT, re.MULTILINE)[1] == least
    assert 'ENTRYPOINT ["refino-eval"]' in TEXT
    assert "refino-eval" in project["scripts"]


def test_the_guide_names_the_same_commands():
    guide = (ROOT / "docs/how_to_work_in_a_secure_zone.md").read_text(encoding="utf-8")
    for command in re.findall(r"^#   (python .*|podman build -t refino-eval \.)", TEXT, re.MULTILINE):
        assert command in guide
