"""The rules of the house: rooms import upwards, nothing of one study stands in the code, generated files are in step."""

import ast
import re
import subprocess
import tomllib
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from refino_eval.config.schemas import schemas
from refino_eval.digest import files_behind, names_in, source_digest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "refino_eval"
ROOMS = (
    "errors", "seeds", "digest", "covariances", "checksums", "workflow_job", "kept_results", "recent_results", "csv_output", "statistic_names", "text", "sql", "expressions", "config", "codes", "registers", "trial", "months", "outcomes",
    "estimation", "economics", "cost_benefit", "published", "catalogue", "exhibits", "disclosure", "report", "release", "synthetic", "workflow", "cli",
)  # fmt: skip
STUDY_WORDS = (
    "refino", "oppfolging", "oppfølging", "akershus", "hordaland", "telemark", "østfold", "ostfold", "vestfold", "horten", "job_corps",
    "innsatsgruppe", "lopenr",
)  # fmt: skip


def configured_words():
    """Return the names of studies, areas and programmes, the codes of offices, and the arms, as the configuration has them."""
    words = {path.stem for path in (ROOT / "config/evaluations").iterdir()} - {"reference_trial"}
    for path in (ROOT / "config/synthetic").glob("*.yaml"):
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        arms = [recipe["arms"]["treated"], recipe["arms"]["control"]]
        words |= {arm["programme"] for arm in arms} | {arm["name"] for arm in arms} - {"control", "intervention"}
        for area in (*recipe["areas"], *recipe.get("extra", {}).get("areas", ())):
            words |= {area["name"], *(f'"{office}"' for office in area["offices"])}
        words |= {*recipe.get("other_programmes", {}), *recipe.get("entries", {}).get("during", {})} - {"MENTOR"}
    return sorted(word.lower() for word in words)


CONFIGURED = configured_words()
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    """Return the room of a module; the model of an exhibit kind is configuration, wherever it lies."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "config" if parts[:2] == ("exhibits", "kinds") and parts[-1] in ("model", "__init__") else parts[0]


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_rooms(path):
    for node in ast.walk(parsed(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "refino_eval"
                else [node.module]
            )
        for name in names:
            parts = name.split(".")
            if parts[0] == "refino_eval" and len(parts) > 1 and parts[1] in ROOMS:
                is_model = parts[1:3] == ["exhibits", "kinds"] and "model" in parts[-2:]
                yield "config" if is_model else parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_rooms_above_it(path):
    if path == PACKAGE / "__init__.py":
        return
    assert room(path) in ROOMS, "a new room needs a place in the order"
    below = [other for other in imported_rooms(path) if ROOMS.index(other) > ROOMS.index(room(path))]
    assert below == []


def test_a_folder_can_be_surveyed_and_a_file_name_says_which_module_it_is():
    folders = Counter(path.parent.relative_to(PACKAGE).as_posix() for path in MODULES)
    assert {folder: modules for folder, modules in folders.items() if modules > 25} == {}
    parts = [PACKAGE / "exhibits" / "kinds", PACKAGE / "outcomes" / "kinds"]
    names = Counter(path.name for path in MODULES if not any(kinds in path.parents for kinds in parts))
    assert {name for name, modules in names.items() if modules > 1} == {"__init__.py"}


def imported_when_loaded(path):
    """Yield the modules of the package that a module imports when it is loaded itself."""
    for node in parsed(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            folder = PACKAGE.joinpath(*node.module.split(".")[1:])
            inside = [folder / f"{alias.name}.py" for alias in node.names]
            yield from (file for file in (folder.with_suffix(".py"), *inside) if file.is_file())


def test_no_modules_import_each_other():
    graph = {path: set(imported_when_loaded(path)) for path in MODULES}
    assert sum(map(len, graph.values())) > 2 * len(graph)
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_of_one_study_stands_in_the_code(path):
    text = path.read_text(encoding="utf-8").lower().replace("refino-eval", "")
    assert [word for word in STUDY_WORDS if re.search(rf"\b{word}\b", text)] == []


def test_nothing_that_the_configuration_names_stands_in_the_code():
    """The list is taken from the evaluations and recipes, so that a new study is covered without a word here."""
    assert {"se_klar", "oppfolging_2020", "akershus", "utvaoonav", "hordaland", "moss"} <= set(CONFIGURED)
    found = {}
    for path in MODULES:
        text = path.read_text(encoding="utf-8").lower().replace("refino-eval", "").replace("refino_eval", "")
        # A search for all words at once takes ten times as long.
        somewhere = [word for word in CONFIGURED if word in text]
        if words := [word for word in somewhere if re.search(rf"(?<![\w-]){re.escape(word)}(?!\w)", text)]:
            found[path.relative_to(PACKAGE).as_posix()] = words
    assert found == {}


def test_schemas_are_in_step_with_the_models():
    for name, text in schemas():
        committed = (ROOT / "config" / "schemas" / name).read_text(encoding="utf-8")
        assert committed == text, "run: python -m refino_eval.config.schemas"


def test_every_rules_script_is_there_and_has_a_digest():
    named = re.findall(
        r"scripts/(\w+\.py)", "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    )
    scripts = {path.name for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert set(named) == scripts
    for script in scripts:
        assert len(source_digest(ROOT / "workflow/scripts" / script)) == 16


def test_a_digest_follows_imports_and_nothing_else(tmp_path):
    uses_estimation = tmp_path / "a.py"
    uses_estimation.write_text("def f():\n    from refino_eval.estimation import itt\n")
    uses_nothing = tmp_path / "b.py"
    uses_nothing.write_text("import json\n")
    alone = tmp_path / "c.py"
    alone.write_text("from refino_eval.errors import UserError\n")
    assert len({source_digest(path) for path in (uses_estimation, uses_nothing, alone)}) == 3


def test_a_digest_finds_the_imports_that_python_would():
    for path in (*MODULES, *(ROOT / "workflow/scripts").glob("*.py")):
        nodes = list(ast.walk(parsed(path)))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                assert not node.level, "a relative import would be missing in the digest"
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        found, _ = names_in(str(path))
        assert set(found) == {name for name in names if name.split(".")[0] == PACKAGE.name}, path


def closure(script, kind="*"):
    """Return the package's files in a script's digest, by asking which changes of the package change it."""
    return {path.relative_to(PACKAGE).as_posix() for path in files_behind(ROOT / "workflow/scripts" / script, kind)}


def test_a_change_of_wording_reruns_no_estimate():
    texts = {"text/notes.yaml", "text/__init__.py", "exhibits/kinds/late/text.yaml", "exhibits/kinds/late/layout.py"}
    for script in ("derive_panel.py", "derive_outcomes.py", "estimate_exhibits.py", "verify_numbers.py"):
        assert texts & closure(script) == set(), script
    assert texts <= closure("render_exhibits.py")


def test_a_job_of_one_kind_depends_on_the_code_of_no_other():
    late = closure("estimate_exhibits.py", "late")
    assert {"exhibits/kinds/late/numbers.py", "exhibits/kinds/fall_back/numbers.py"} <= late
    assert "exhibits/kinds/balance/numbers.py" not in late
    assert "exhibits/kinds/balance/numbers.py" in closure("verify_numbers.py")


def test_the_conda_environment_asks_for_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = dict(re.match(r"([a-z0-9-]+)(.*)", text).groups() for text in project["dependencies"])
    environment = yaml.safe_load((ROOT / "workflow/envs/refino_eval.yaml").read_text(encoding="utf-8"))
    listed = dict(text.split(" ", 1) for text in environment["dependencies"])
    assert listed.pop("python") == project["requires-python"]
    renamed = {"python-duckdb": "duckdb", "matplotlib-base": "matplotlib", "snakemake-minimal": "snakemake"}
    assert {renamed.get(name, name): bounds for name, bounds in listed.items()} == asked


def test_scripts_do_not_read_the_configuration_behind_the_rules_back():
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        assert "snakemake.config" not in path.read_text(encoding="utf-8"), path.name


def test_only_release_files_are_marked_for_snakemakes_report():
    rules = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.smk")}
    rules["Snakefile"] = (ROOT / "Snakefile").read_text(encoding="utf-8")
    marking = {name: len(re.findall(r"(?<![\w.])report\(", text)) for name, text in rules.items()}
    assert {name for name, count in marking.items() if count} == {"forms.smk"}, "mark files with marked()"
    assert marking["forms.smk"] == 1
    assert 'if not path.startswith(f"results/{STUDY.name}/release/")' in rules["forms.smk"]
    for caption in re.findall(r"\.\./report/(\w+\.rst)", rules["release.smk"]):
        assert (ROOT / "workflow/report" / caption).is_file()


def test_no_committed_file_holds_a_path_of_a_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    pattern = re.compile(rb"(^|[^A-Za-z0-9_.])/(home|root|Users|work)/[a-z]")
    for name in filter(None, listed.stdout.split(b"\0")):
        path = ROOT / name.decode()
        if path.is_file() and path != Path(__file__):
            assert not pattern.search(path.read_bytes()), name.decode()


def test_rules_name_every_code_list_and_index_that_their_scripts_read():
    rules = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    for script in sorted((ROOT / "workflow/scripts").glob("*.py")):
        if "config/codelists" in script.read_text(encoding="utf-8"):
            rule = next(part for part in re.split(r"\n\s*rule\b", rules) if f"scripts/{script.name}" in part)
            assert re.search(r"(codelists|indices)=", rule), f"{script.name} would not rerun when a list changes"
