"""Text catalogues: every key exists in both languages with the same placeholders, and every key is used."""

import ast
import re
from pathlib import Path

import pytest

from refino_eval.config.yaml_files import parse_yaml
from refino_eval.text import say
from refino_eval.text.catalogue import catalogue, catalogue_files, placeholders

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "refino_eval"
THEMES = dict(catalogue_files())
SPEAKERS = ("say", "say_if_any", "say_both", "finding_about", "texts_of", "text_key")


def spoken():
    """Every key that the code names: whole ones, and the fixed beginnings of those that are put together."""
    whole, begun = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in SPEAKERS:
                continue
            nodes = list(ast.walk(node.args[0]))
            pieces = [
                id(piece)
                for whole_text in nodes
                if isinstance(whole_text, ast.JoinedStr)
                for piece in whole_text.values
            ]
            for key in (each for each in nodes if id(each) not in pieces):
                if isinstance(key, ast.JoinedStr) and key.values and isinstance(key.values[0], ast.Constant):
                    begun.add(str(key.values[0].value))
                elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                    (begun if name == "texts_of" else whole).add(key.value)
    for path in PACKAGE.rglob("*.j2"):
        for key, joined in re.findall(r"""\bsay\(["']([^"']+)["'] *(~?)""", path.read_text(encoding="utf-8")):
            (begun if joined else whole).add(key)
    return whole, begun


WHOLE, BEGUN = spoken()


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_has_both_languages_and_the_same_placeholders(theme):
    for name, entry in catalogue(theme).entries.items():
        assert set(entry) == {"nb", "en"}, f"{theme}.{name}"
        forms = {language: entry[language] for language in ("nb", "en")}
        plural = {language: isinstance(text, dict) for language, text in forms.items()}
        if any(plural.values()):
            assert all(plural.values()), f"{theme}.{name}: plural forms in one language alone"
            assert all(set(text) == {"one", "other"} for text in forms.values()), f"{theme}.{name}"
            found = {language: placeholders(text["other"]) for language, text in forms.items()}
        else:
            found = {language: placeholders(text) for language, text in forms.items()}
        assert found["nb"] == found["en"], f"{theme}.{name}"


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_is_used(theme):
    unused = [
        key
        for key in (f"{theme}.{name}" for name in catalogue(theme).entries)
        if key not in WHOLE and not any(key.startswith(start) for start in BEGUN)
    ]
    assert unused == []


def test_every_key_that_the_code_names_exists():
    missing = []
    for key in WHOLE:
        theme, _, name = key.partition(".")
        if theme in THEMES and name and name not in catalogue(theme).entries:
            missing.append(key)
        if re.fullmatch(r"[a-z_]+\.[a-z0-9_.]+", key) and theme not in THEMES:
            missing.append(key)
    assert missing == []


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError, match="no text"):
        say("notes.no_such_text", "en")


def test_no_catalogue_has_a_key_twice():
    for _, path in catalogue_files():
        parse_yaml(path.read_text(encoding="utf-8"), path.name)
