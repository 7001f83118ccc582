"""Hostile deliveries and places: `check` says what is wrong, names the file, and shows no id."""

from __future__ import annotations

import gzip
import random
import shutil

import pytest
from typer.testing import CliRunner

from refino_eval.cli import main
from refino_eval.config.load import project_root
from refino_eval.errors import MACHINE_ERROR, USER_ERROR
from support.register_runs import SECRET, delivery, write_configuration, write_delivery

FILES = delivery(random.Random(5))


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "small"
    write_configuration(root)
    write_delivery(root / "data/small", FILES)
    monkeypatch.chdir(root)
    project_root.cache_clear()
    yield root
    project_root.cache_clear()


def check(root):
    result = CliRunner().invoke(main.app, ["check"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return main_code(result.exception), result.output + str(result.exception)
    return result.exit_code, result.output


def main_code(error):
    from refino_eval.errors import MachineError, UserError, machine_problem

    if isinstance(error, UserError):
        return USER_ERROR
    assert isinstance(error, MachineError) or machine_problem(error), repr(error)
    return MACHINE_ERROR


def rewritten(name, change):
    def apply(root):
        path = root / "data/small" / name
        path.write_bytes(change(path.read_bytes()))

    return apply


def header_only(root):
    rewritten("jobs.csv", lambda content: content.split(b"\n")[0] + b"\n")(root)


def a_folder(root):
    (root / "data/small/pay.csv").unlink()
    (root / "data/small/pay.csv").mkdir()


def a_link_outside(root):
    outside = root.parent / "elsewhere.csv"
    shutil.move(root / "data/small/pay.csv", outside)
    (root / "data/small/pay.csv").symlink_to(outside)


def a_broken_link(root):
    (root / "data/small/pay.csv").unlink()
    (root / "data/small/pay.csv").symlink_to(root / "nowhere")


def a_bomb(root):
    (root / "data/small/pay.csv").unlink()
    with gzip.open(root / "data/small/pay.csv.gz", "wb", compresslevel=1) as stream:
        stream.write(b"id;month;kr\n")
        stream.write(b"\n" * (1 << 21))
    text = (root / "config/sources/pay.yaml").read_text("utf-8")
    (root / "config/sources/pay.yaml").write_text(text.replace("[pay.csv]", "[pay.csv.gz]"), "utf-8")


def results_are_a_file(root):
    (root / "results").write_text("mine", encoding="utf-8")


DAMAGE = {
    "header only": (header_only, "jobs.csv: The file has no rows"),
    "an empty file": (rewritten("jobs.csv", lambda content: b""), "jobs.csv (register 'jobs') cannot be read: it is empty, without even a header line"),
    "a folder with the name of a file": (a_folder, "pay.csv"),
    "a link that leads nowhere": (a_broken_link, "pay.csv"),
    "UTF-16": (rewritten("pay.csv", lambda content: content.decode().encode("utf-16")), "text in UTF-16"),
    "ids with a decimal": (
        rewritten("pay.csv", lambda content: content.replace(b";2018", b".0;2018")), "leading zeros, blanks, signs or decimals",
    ),
    "a compressed file that unpacks to line feeds": (a_bomb, "pay.csv.gz"),
    "results that are a file": (results_are_a_file, "results: this is a file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(DAMAGE))
def test_hostile_delivery_is_refused(project, kind):
    damage, expected = DAMAGE[kind]
    damage(project)
    code, output = check(project)
    assert code == USER_ERROR, output
    assert expected in " ".join(output.split()), output
    assert SECRET not in output


@pytest.mark.parametrize(
    "harmless",
    [
        lambda root: None,
        a_link_outside,
        rewritten("pay.csv", lambda content: b"\xef\xbb\xbf" + content),
        rewritten("pay.csv", lambda content: content.replace(b"\n", b";1\r\n").replace(b"kr;1", b"kr;ID", 1)),
    ],
    ids=["as it is", "a link", "byte order mark", "CRLF, and another column in capitals"],
)  # fmt: skip
def test_harmless_form_is_accepted(project, harmless):
    harmless(project)
    code, output = check(project)
    assert code == 0, output


def test_place_of_results_that_cannot_be_written_is_reported(project):
    (project / "results").symlink_to("/proc")
    code, output = check(project)
    assert code in (USER_ERROR, MACHINE_ERROR), output


def test_repeated_rows_that_no_rule_rejects_are_reported(project):
    rewritten("pay.csv", lambda content: content + content.split(b"\n")[1] + b"\n")(project)
    code, output = check(project)
    assert code == 0, output
    assert "pay.csv: 1 rows repeat an earlier row in every column, and are used" in " ".join(output.split())
