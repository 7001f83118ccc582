"""The page on how to add an outcome does what it says: its own blocks and commands, from nothing to a table."""

import re
import shlex
import shutil
import subprocess

import pandas as pd
import pytest
import yaml

from support.workflow import ROOT, refino_eval

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "how_to_add_an_outcome.md"
BLOCK = re.compile(r"(?:<!-- (?P<where>[^\n]*) -->\n)?```(?P<kind>yaml|sh)\n(?P<text>.*?)```\n", re.DOTALL)
NAME = "half_time_unsubsidised_7_12"
COLUMN = "half_time_unsubsidised"


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def lines_of_entry(text, *path):
    """Return the first and last line (0-based, last excluded) of a key in YAML text."""
    node = yaml.compose(text)
    for step in path:
        key, node = next((key, value) for key, value in node.value if key.value == step)
    return key.start_mark.line, node.end_mark.line


def apply(folder, where, text):
    """Do with a block what the comment above it says."""
    append = re.fullmatch(r"append to (\S+)", where)
    replace = re.fullmatch(r"replace (\S+) in (\S+)", where)
    add = re.fullmatch(r"add to the columns of (\S+) in (\S+)", where)
    path = folder / (append[1] if append else (replace or add)[2])
    old = path.read_text(encoding="utf-8")
    if append:
        new = old.rstrip("\n") + "\n\n" + text
    elif replace:
        first, last = lines_of_entry(old, replace[1])
        lines = old.splitlines(keepends=True)
        assert "A copy of" in lines[first - 1]
        new = "".join(lines[: first - 1]) + text + "".join(lines[last:])
    else:
        _, last = lines_of_entry(old, add[1], "columns")
        lines = old.splitlines(keepends=True)
        while not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#"):
            last -= 1
        new = "".join(lines[:last]) + text + "".join(lines[last:])
    path.write_text(new, encoding="utf-8")


@pytest.fixture(scope="module")
def told(small_run, tmp_path_factory):
    """The page followed from top to bottom in a copy of a finished run: the folder, and what each command said."""
    folder = tmp_path_factory.mktemp("how_to") / "project"
    shutil.copytree(small_run, folder)
    (folder / ".gitignore").write_text("results/\nlogs/\ndata/synthetic/\n.snakemake/\n", encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "before")
    said = {}
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["kind"] == "yaml":
            assert block["where"], "a YAML block says where it goes"
            apply(folder, block["where"], block["text"])
            continue
        for line in block["text"].splitlines():
            program, *arguments = shlex.split(line)
            assert program == "refino-eval"
            done = refino_eval(folder, *arguments)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said[line] = done.stdout
    return folder, said


def test_the_tables_column_is_there(told):
    folder, _ = told
    numbers = pd.read_csv(folder / "results/refino/aggregates/table_readings.csv", keep_default_na=False)
    estimate = numbers[(numbers["column"] == COLUMN) & (numbers["statistic"] == "estimate")]
    assert len(estimate) == 1
    assert -1 < float(estimate["value"].iloc[0]) < 1
    for ending in ("html", "md", "csv"):
        table = (folder / f"results/refino/release/tables/table_readings.en.{ending}").read_text(encoding="utf-8")
        assert "Half time without subsidy" in table or COLUMN in table
    assert "Half time without subsidy" in (folder / "results/refino/release/report.en.html").read_text(encoding="utf-8")


def test_the_values_are_what_the_page_asks_for(told):
    folder, _ = told
    person_level = folder / "results/refino/person_level"
    panel = pd.read_parquet(person_level / "panel_month.parquet").set_index(["person_id", "event_time"])
    half = panel["half_time"].unstack()[range(7, 13)]
    subsidised = panel["subsidised_all_month"].unstack()[range(7, 13)]
    expected = ((half == 1) & (subsidised == 0)).all(axis=1).astype(float)
    expected[half.isna().any(axis=1) | subsidised.isna().any(axis=1)] = float("nan")
    given = pd.read_parquet(person_level / f"outcomes/{NAME}.parquet").set_index("person_id")["value"]
    pd.testing.assert_series_equal(given.sort_index(), expected.sort_index(), check_names=False)
    assert 0 < given.mean() < half.eq(1).all(axis=1).mean() + 1e-12


def test_the_commands_say_what_the_page_promises(told):
    _, said = told
    tried = said[f"refino-eval outcomes try {NAME}"]
    assert "it lacks subsidised_all_month" in tried
    assert "Examples: 5 of 5 give the expected value." in tried
    assert "Most similar outcome: " in tried
    difference = said["refino-eval outcomes diff HEAD"]
    assert f"added   outcomes.{NAME}" in difference
    assert "added   states.subsidised_all_month" in difference
    assert "table_readings" in difference.split("Exhibits affected:")[1]
    assert "table_8_1" not in difference.split("Exhibits affected:")[1]


def test_the_catalogue_tells_the_new_outcome(told):
    folder, _ = told
    page = (folder / "results/refino/release/catalogue.nb.html").read_text(encoding="utf-8")
    assert f'id="outcomes-{NAME}"' in page
    assert "MIDLONTIL" in page
    report = (folder / "results/refino/release/report.nb.html").read_text(encoding="utf-8")
    assert 'href="catalogue.nb.html"' in report
