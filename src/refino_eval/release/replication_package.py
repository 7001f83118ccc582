"""Replication packages: archive A runs elsewhere, archive B lists the inputs that may not leave."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from refino_eval.config import Configuration
from refino_eval.csv_output import csv_text
from refino_eval.errors import UserError, raise_problems
from refino_eval.release.package_scan import duplicates, package_problems
from refino_eval.release.package_trial import Trial, try_package
from refino_eval.release.release_manifest import write_manifest, write_zip
from refino_eval.report.provenance import delivered_files

FOLDER = "replication"
SOURCE = Path(__file__).resolve().parents[1]
CODE = ("Snakefile", "workflow", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "CITATION.cff", "requirements")
"""What a package takes of the program's folder, as far as it is there; the library itself is `src/refino_eval`."""
SHIPPED = ("Snakefile", "workflow", "config/schemas", "config/codelists", "config/disclosure")
"""What a package of a project of its own takes of what an installed program shares, into `src/refino_eval/shipped`."""
LOCK = "requirements/run.txt"

LEFT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "shipped")


@dataclass(frozen=True)
class Package:
    """A replication package that was written; `trial` is what running it gave, None if it was not run."""

    archive: Path
    inputs: Path
    readme: Path
    trial: Trial | None


def make_package(
    configuration: Configuration,
    *,
    program: Path,
    run: bool = True,
    wheelhouse: Path | None = None,
) -> Package:
    """Write the replication package of a finished run.

    Parameters
    ----------
    configuration
        The evaluation's configuration; its results are in the current folder.
    program
        The folder that holds the program's `Snakefile` and `workflow/`: the project's root, or what an installed program shares.
    run
        Whether to unpack archive A in an empty folder, run it without a network, and compare its numbers.
    wheelhouse
        A folder of wheels: the trial then runs in a new environment made from it, instead of the present one.

    Raises
    ------
    UserError
        If there is no finished run, the package holds what must not leave, or the trial gives other numbers.
    """
    study, results = configuration.evaluation, configuration.results_folder
    record = _provenance(results, study.name)
    folder = results / FOLDER
    draft = folder / ".part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    archive, inputs, readme = (folder / f"{study.name}_{part}" for part in ("A.zip", "B.json", "README.md"))
    try:
        _copy_code(configuration, draft, program)
        open_data = _copy_data(configuration, draft)
        runs = study.releasable and (open_data or study.synthetic is not None)
        if study.releasable:
            _copy_expected(results / "aggregates", study.exhibits, draft / "expected")
        (draft / "wheels.csv").write_text(csv_text([("package", "version"), *_wheels(draft)]), encoding="utf-8")
        listed = [] if runs else record["delivery"]
        inputs.write_text(json.dumps({"evaluation": study.name, "inputs": listed}, indent=1) + "\n", encoding="utf-8")
        raise_problems(list(package_problems(draft)))
        facts = _readme_facts(
            configuration, record, draft, runs=runs, listed=len(listed), archive=archive, inputs=inputs
        )
        _finish(draft, archive, readme, facts, study.name, tried="")
        if not (run and runs):
            return Package(archive, inputs, readme, None)
        trial = try_package(archive, folder / ".trial", study.name, wheelhouse=wheelhouse)
        raise_problems(
            [
                f"The package gives other numbers than the run: {name}. Nothing vouches for it."
                for name in trial.different
            ]
        )
        _finish(draft, archive, readme, facts, study.name, tried=trial.in_words)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(folder / ".trial", ignore_errors=True)
    return Package(archive, inputs, readme, trial)


def _provenance(results: Path, name: str) -> dict[str, Any]:
    path = results / "run" / "provenance.json"
    if not path.is_file():
        raise UserError(
            f"{path} is not there, so there is no finished run to package. Run first: refino-eval run --evaluation {name}"
        )
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _copy_code(configuration: Configuration, draft: Path, program: Path) -> None:
    """Copy the library, the workflow, the configuration and the published values.

    A project of its own has a Snakefile that includes the one of the installed program: both are copied, each to its place.
    """
    root, library = configuration.root, draft / "src" / "refino_eval"
    shutil.copytree(SOURCE, library, ignore=LEFT)
    if root.resolve() == program.resolve():
        _copy_parts(CODE, program, draft)
    else:
        _copy_parts(CODE, root, draft)
        _copy_parts(SHIPPED, program, library / "shipped")
        if not (draft / LOCK).exists():
            _copy_parts([LOCK], program, draft)
    shutil.copytree(root / "config", draft / "config", ignore=LEFT)
    machine = draft / "config" / "config.yaml"
    lines = machine.read_text(encoding="utf-8").splitlines()
    chosen = f"evaluation: {configuration.evaluation.name}"
    machine.write_text(
        "\n".join(chosen if line.startswith("evaluation:") else line for line in lines) + "\n", encoding="utf-8"
    )
    documents = configuration.root / "data" / "published"
    if documents.is_dir():
        shutil.copytree(documents, draft / "data" / "published", ignore=LEFT)


def _copy_parts(names: Iterable[str], source: Path, target: Path) -> None:
    """Copy files and folders, as far as they are there."""
    for name in names:
        path, copy = source / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, copy, ignore=LEFT)
        elif path.is_file():
            shutil.copyfile(path, copy)


def _copy_expected(aggregates: Path, exhibits: Iterable[str], target: Path) -> None:
    """Copy the numbers of the evaluation's exhibits; the folder may hold others, of exhibits that it no longer has."""
    _copy_parts([f"{name}.csv" for name in exhibits], aggregates, target)


def _copy_data(configuration: Configuration, draft: Path) -> bool:
    """Copy open data that are in the project's folder; returns whether there are any."""
    folder, study = configuration.data_folder, configuration.evaluation
    inside = not folder.is_absolute() and ".." not in folder.parts and (configuration.root / folder).is_dir()
    if not study.releasable or not inside:
        return False
    files = study.table.files if study.table is not None else None
    for path in delivered_files(configuration.root / folder, files, root=configuration.root):
        copy = draft / path.relative_to(configuration.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return True


def _wheels(draft: Path) -> list[tuple[str, str]]:
    """Return the packages of the lock with the versions that are installed here."""
    lock = draft / "requirements" / "run.txt"
    locked = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    names = [line.split("==")[0].strip() for line in locked if "==" in line and not line.startswith((" ", "#"))]
    return [(name, _version(name)) for name in names]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _rights(*, confidential: bool, runs: bool) -> str:
    if confidential:
        return "The data are about people and confidential: the owners below decide who may use them, and no file of them is in the package."
    if runs:
        return "The data may be published, and the authors may redistribute them."
    return "The data are public and must be fetched from their archive."


def _readme_facts(
    configuration: Configuration,
    record: Mapping[str, Any],
    draft: Path,
    *,
    runs: bool,
    listed: int,
    archive: Path,
    inputs: Path,
) -> dict[str, Any]:
    study = configuration.evaluation
    synthetic, confidential = study.synthetic is not None, not study.releasable
    benchmarks = list(_benchmarks(configuration.results_folder / "run" / "benchmarks"))
    data = "a synthetic register" if synthetic else "open data" if runs else "no data"
    return {
        "title": study.label.en,
        "name": study.name,
        "archive": archive.name,
        "manifest_b": inputs.name,
        "inputs_b": listed,
        "pages": study.pages_folder,
        "data_in_words": data,
        "data_class": study.data_class,
        "runs": runs,
        "rights": _rights(confidential=confidential, runs=runs),
        "expected": ""
        if confidential
        else "`expected/` holds the same numbers as the run that this package was made from gave.",
        "sources": [
            {"name": name, "owner": source.owner, "here": "yes, synthetic" if synthetic else "yes" if runs else "no"}
            for name, source in configuration.sources.items()
        ],
        "python": record["python"],
        "seed": record["seed"],
        "seconds": f"{sum(seconds for seconds, _ in benchmarks):.0f}",
        "memory": f"{max((memory for _, memory in benchmarks), default=0):.0f}",
        "commit": record["code"]["commit"] or "unknown",
        "modified": record["code"]["modified"],
        "lock": record["lock_sha256"] or "unknown",
        "packages": sorted(record["packages"].items()),
        "exhibits": [
            {
                "name": name,
                "title": (exhibit := configuration.definitions.exhibits[name]).title.en,
                "kind": exhibit.kind,
            }
            for name in study.exhibits
        ],
        "files": sum(path.is_file() for path in draft.rglob("*")) + 2,
        "duplicates": [", ".join(names) for names in duplicates(draft)],
    }


def _benchmarks(folder: Path) -> list[tuple[float, float]]:
    """Return seconds and the largest memory (MB) of each job."""
    rows = []
    for path in folder.glob("*.tsv"):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += [row for row in csv.DictReader(stream, delimiter="\t") if row["max_rss"] not in ("-", "NA")]
    return [(float(row["s"]), float(row["max_rss"])) for row in rows]


def _finish(draft: Path, archive: Path, readme: Path, facts: Mapping[str, Any], name: str, *, tried: str) -> None:
    """Write README, manifest and archive."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(str(Path(__file__).parent / "templates"))
    # Markdown for people, not a page: nothing is escaped.
    environment = Environment(
        loader=loader, autoescape=False, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    text = environment.get_template("replication_readme.md.j2").render(**facts, tried=tried)
    (draft / "README.md").write_text(text, encoding="utf-8")
    readme.write_text(text, encoding="utf-8")
    write_manifest(draft, {"evaluation": name, "archive": "A"})
    write_zip(draft, archive, inside=f"{name}_A")
