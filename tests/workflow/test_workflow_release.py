"""What leaves a finished run: a release that is compared with the one before, and a package that runs without a network."""

import json
import subprocess
import zipfile
from dataclasses import replace

import pytest

from refino_eval.config.load import load_configuration
from refino_eval.disclosure.attack import attack
from refino_eval.disclosure.profiles import load_profile
from refino_eval.disclosure.protect import protect_release
from refino_eval.disclosure.release_tables import release_exhibits
from refino_eval.exhibits.tidy import read_tidy
from support.workflow import choose_exhibits, copy_project, refino_eval

pytestmark = pytest.mark.slow
EXHIBITS = ["table_2_1", "table_8_1", "figure_8_1"]
RESULTS = "results/refino"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small project that has been run."""
    folder = copy_project(tmp_path_factory.mktemp("release") / "project")
    choose_exhibits(folder, EXHIBITS)
    done = refino_eval(folder, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_release_is_recorded_verified_and_compared_with_the_next(finished):
    key = finished.parent / "key"
    key.write_text("0123456789abcdef" * 4)
    done = refino_eval(finished, "release", "--key", str(key))
    assert done.returncode == 0, done.stdout + done.stderr
    first = finished / RESULTS / "releases/v1"
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    assert {f"numbers/{name}.csv" for name in EXHIBITS} < set(manifest["files"])
    assert manifest["profile"] == "none"
    assert "profile none" in (first / "tables/table_8_1.en.md").read_text(encoding="utf-8")
    again = refino_eval(finished, "release", "--version", "same")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Compared with refino v1" in again.stdout
    for name in ("numbers/table_8_1.csv", "tables/table_8_1.en.docx", "figures/figure_8_1.nb.pdf", "report.nb.html"):
        assert (first / name).read_bytes() == (finished / RESULTS / "releases/same" / name).read_bytes()
    sealed = refino_eval(finished, "verify-release", f"{RESULTS}/releases/refino_v1.zip", "--key", str(key))
    assert sealed.returncode == 0, sealed.stderr
    assert "The key confirms" in sealed.stdout
    table = first / "tables/table_8_1.en.csv"
    table.write_text(table.read_text(encoding="utf-8") + " ", encoding="utf-8")
    (first / "run.log").write_text("log")
    changed = refino_eval(finished, "verify-release", f"{RESULTS}/releases/v1")
    assert changed.returncode == 2
    assert "tables/table_8_1.en.csv was changed" in changed.stderr
    assert "run.log was added" in changed.stderr
    refused = refino_eval(finished, "release")
    assert refused.returncode == 2
    assert "not as it was released" in refused.stderr


def test_the_replication_package_gives_the_same_numbers_without_a_network(finished):
    done = refino_eval(finished, "replication-package")
    assert done.returncode == 0, done.stdout + done.stderr
    cut = subprocess.run(["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False)
    assert ("network cut off" in done.stdout) == (cut.returncode == 0)
    assert f"all {len(EXHIBITS)} files of numbers have the same bytes" in done.stdout
    folder = finished / RESULTS / "replication"
    assert sorted(path.name for path in folder.iterdir()) == ["refino_A.zip", "refino_B.json", "refino_README.md"]
    with zipfile.ZipFile(folder / "refino_A.zip") as archive:
        names = {name.removeprefix("refino_A/") for name in archive.namelist()}
        readme = archive.read("refino_A/README.md").decode()
    assert {
        "Snakefile",
        "README.md",
        "wheels.csv",
        "requirements/run.txt",
        "src/refino_eval/release/__init__.py",
    } <= names
    assert any(name.startswith("data/published/") for name in names)
    assert "same bytes" in readme
    assert all(name in readme for name in EXHIBITS)


@pytest.mark.parametrize("name", ["ssb", "dst", "opensafely", "acro_default", "strict"])
def test_the_person_between_two_samples_of_a_run_is_not_in_its_release(finished, name):
    # The figure is about everybody assigned, the table about those with demography: one treated person fewer.
    configuration, profile = load_configuration(finished, evaluation="refino"), load_profile(name, root=finished)
    frames = {name: read_tidy(finished / RESULTS / f"aggregates/{name}.csv") for name in EXHIBITS}
    exhibits = release_exhibits(frames, configuration.definitions.exhibits, configuration.evaluation)
    release = protect_release(exhibits, profile)
    assert attack(release, profile) == []
    path, table = (release[name].frame for name in ("figure_8_1", "table_8_1"))
    everybody = (path["column"] == "refino") & (path["statistic"] == "n") & (path["row"] == "0")
    sizes = {*path[everybody]["value"], *table[table["statistic"] == "n_treated"]["value"]}
    assert len(sizes) == 1
    exact = tuple(
        replace(part, frame=part.source.frame, cells=part.cells.assign(step=0.0)) for part in release.exhibits
    )
    paths = {finding.path for finding in attack(replace(release, exhibits=exact), profile)}
    assert {"nested populations", "digits"} <= paths
