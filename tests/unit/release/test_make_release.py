"""A release is protected under a profile, or refused with the reason; nothing is left behind when it is refused."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from refino_eval.config.evaluation import EvaluationDisclosure, Formats, Project
from refino_eval.config.load import Configuration
from refino_eval.errors import UserError
from refino_eval.exhibits.tidy import write_tidy
from refino_eval.release.make_release import make_release
from support import exhibits as toy
from support.finished_run import evaluation

ROOT = Path(__file__).resolve().parents[3]
EXHIBITS = ("figure_2_1", "table_8_1")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that gives the configuration of a finished toy run, of a class of data and with a profile."""
    shutil.copytree(ROOT / "config/disclosure", tmp_path / "config/disclosure")
    monkeypatch.chdir(tmp_path)
    frames = toy.frames()
    # One month with few people: what a profile hides, and an unprotected release shows.
    small = frames["figure_2_1"]
    small.loc[small["row"].eq("2018-05") & small["column"].eq("refino"), "value"] = 4
    for name in EXHIBITS:
        write_tidy(frames[name], Path("results/toy/aggregates") / f"{name}.csv")
    formats = Formats(tables=("csv", "md"), figures=("svg", "png"), bundles=())
    project = Project(evaluation="toy", languages=("en",), formats=formats)

    def configured(data_class, profile=None, leave_out=None):
        chosen = EvaluationDisclosure(profile=profile, leave_out=leave_out or {})
        study = evaluation(data_class).model_copy(update={"exhibits": EXHIBITS, "disclosure": chosen})
        return Configuration(tmp_path, project, study, toy.definitions(), {})

    return configured


@pytest.mark.parametrize(
    ("profile", "option", "said"),
    [
        (None, None, "no disclosure profile is chosen"),
        (None, "none", "protects nothing"),
        (None, "sbb", "There is no disclosure profile 'sbb'"),
    ],
)
def test_confidential_data_need_a_profile_that_protects(run, profile, option, said):
    with pytest.raises(UserError, match=said):
        make_release(run("confidential", profile), profile=option)
    assert not Path("results/toy/releases").exists()


def test_releases_have_versions_and_are_never_overwritten(run):
    configuration = run("synthetic")
    first = make_release(configuration)
    second = make_release(configuration)
    assert (first.folder.name, second.folder.name) == ("v1", "v2")
    assert second.earlier == ("toy v1",)
    for version in ("v1", "../x", "With Space"):
        with pytest.raises(UserError, match="--version"):
            make_release(configuration, version=version)
    records = pd.read_csv(second.folder / "records.csv", dtype=str, keep_default_na=False)
    listed = {path.relative_to(second.folder).as_posix() for path in second.folder.rglob("*") if path.is_file()}
    assert set(records["file"]) == listed - {"records.csv", "manifest.json"}
    assert set(records["profile"]) == {"none"}
    cells = Path("results/toy/internal")
    assert {path.stat().st_mode & 0o777 for path in cells.rglob("*.csv")} == {0o600}


def test_an_unprotected_earlier_release_stops_a_protected_one(run):
    protected = make_release(run("confidential", "strict"))
    numbers = pd.read_csv(protected.folder / "numbers/figure_2_1.csv")
    hidden = numbers["row"].eq("2018-05") & numbers["column"].eq("refino")
    assert numbers.loc[hidden, "status"].tolist() == ["suppressed"]
    make_release(run("synthetic"))
    with pytest.raises(
        UserError, match=r"not safe.*figure_2_1//2018-05/refino/count.*The release alone would be safe: .*toy v2"
    ):
        make_release(run("confidential", "strict"))
    names = sorted(path.name for path in Path("results/toy/releases").iterdir())
    assert names == ["toy_v1.zip", "toy_v2.zip", "v1", "v2"]


def test_an_exhibit_that_is_left_out_is_named_with_the_reason(run):
    name = run("synthetic").evaluation.exhibits[0]
    made = make_release(run("synthetic", leave_out={name: "Too few people."}))
    assert not (made.folder / f"numbers/{name}.csv").exists()
    assert f"- {name}: Too few people." in (made.folder / "README.en.md").read_text(encoding="utf-8")


def test_a_label_with_a_path_stops_the_release(run):
    configuration = run("synthetic")
    name = configuration.evaluation.exhibits[0]
    exhibit = configuration.definitions.exhibits[name]
    title = exhibit.title.model_copy(update={"en": "From " + "/" + "home/kari/data"})
    exhibits = {**configuration.definitions.exhibits, name: exhibit.model_copy(update={"title": title})}
    changed = configuration.definitions.model_copy(update={"exhibits": exhibits})
    with pytest.raises(UserError, match="a path of a machine"):
        make_release(Configuration(configuration.root, configuration.project, configuration.evaluation, changed, {}))
    assert list(Path("results/toy/releases").iterdir()) == []
