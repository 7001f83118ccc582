"""`refino-eval texts`: every text once, in the language asked for; invalid options are reported."""

import re

import pytest
from typer.testing import CliRunner

from refino_eval.cli.main import app
from refino_eval.text.catalogue import catalogue, catalogue_files


def run(*arguments):
    return CliRunner().invoke(app, ["texts", *arguments])


def test_every_text_is_printed_once_with_its_key():
    keys = re.findall(r"^### `([^`]+)`$", run().stdout, re.MULTILINE)
    assert keys == [f"{theme}.{name}" for theme, _ in catalogue_files() for name in catalogue(theme).entries]


@pytest.mark.parametrize("language", ["nb", "en"])
def test_one_language_and_theme_can_be_chosen(language):
    printed = run("--language", language, "--theme", "summary").stdout
    entry = catalogue("summary").entries["omnibus"]
    other = {"nb": "en", "en": "nb"}[language]
    assert all(text in printed for text in entry[language].values())
    assert not any(text in printed for text in entry[other].values())
    assert "`report." not in printed


@pytest.mark.parametrize("option", ["--language", "--theme"])
def test_an_invalid_option_is_reported(option):
    result = run(option, "sumary" if option == "--theme" else "nn")
    assert result.exit_code == 2
    assert ("'summary'" if option == "--theme" else "nb") in result.stderr
