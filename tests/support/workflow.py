"""Copying the project, running it, and asking what a run would do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 400


def copy_project(folder, *, people=PEOPLE):
    """Copy what a run needs, with a small synthetic register."""
    for name in ("config", "workflow", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(ROOT / "data" / "published", folder / "data" / "published")
    shutil.copy(ROOT / "Snakefile", folder / "Snakefile")
    change(study_file(folder, "refino"), "{recipe: refino}", f"{{recipe: refino, people: {people}}}")
    return folder


def study_file(folder, evaluation):
    """Return the file of an evaluation: its only one, or the first of its folder."""
    single = folder / f"config/evaluations/{evaluation}.yaml"
    return single if single.is_file() else folder / f"config/evaluations/{evaluation}/evaluation.yaml"


def change(path, old, new):
    """Change one place of a file; a test whose place is gone must fail."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def choose_exhibits(folder, names, *, evaluation="refino"):
    """Let an evaluation make some exhibits only, where it is not their number that is tried."""
    path = study_file(folder, evaluation)
    text = path.read_text(encoding="utf-8")
    head, rest = text.split("\nexhibits:", 1)
    lines = rest.split("\n")[1:]
    after = next((k for k, line in enumerate(lines) if line and not line.startswith((" ", "#"))), len(lines))
    chosen = "\nexhibits: [" + ", ".join(names) + "]\n"
    path.write_text(head + chosen + "\n".join(lines[after:]), encoding="utf-8")


def refino_eval(folder, *arguments, timeout=900, wrap=()):
    """Run the command line in a project folder."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("REFINO_EVAL_SHARED", str(ROOT.parent / "shared" / "data"))
    command = [*wrap, sys.executable, "-m", "refino_eval.cli.main", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def planned(folder, *arguments):
    """Return the rules that a dry run plans, each as often as it has jobs."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "--quiet",
        "reason",
        "--workflow-profile",
        "workflow/profiles/laptop",
    ]
    command += ["--cores", "1", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {}
    inside = False
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith("job ") and "count" in line:
            inside = True
        elif inside and not line.strip():
            break
        elif inside and not line.startswith("-"):
            rule, count = line.split()
            counts[rule] = int(count)
    counts.pop("all", None)
    counts.pop("total", None)
    return counts
