"""Why an exhibit could not be made is said in the language of the report."""

import ast
import re
from pathlib import Path

import pytest

import refino_eval
from refino_eval.exhibits.wording.reasons import reason_text
from refino_eval.text import texts_of

PACKAGE = Path(refino_eval.__file__).parent
EMPTY = "Exhibit 'table_a': The sample is empty: no person is left in use. Look at the sample flow for the step that lost them."


def messages():
    """Return the messages that exhibits and what they use raise, with {} for what varies."""
    for room in ("exhibits", "estimation", "economics", "trial"):
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError" and node.args:
                    parts = getattr(node.args[0], "values", [node.args[0]])
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_listed_reason_is_a_message_of_the_program():
    """A message that is written anew must be changed in the list as well, or readers get it in English."""
    raised = {re.sub(r"Exhibit '\{\}': ", "", message) for message in messages()}
    listed = {re.sub(r"\{\w+\}", "{}", text) for text in texts_of("reasons", "en").values()}
    assert listed <= raised


@pytest.mark.parametrize("name", list(texts_of("reasons", "en")))
def test_reason_keeps_its_values(name):
    values = {key: f"<{key}>" for key in re.findall(r"\{(\w+)\}", texts_of("reasons", "en")[name])}
    english = texts_of("reasons", "en")[name].format(**values)
    if "reason" not in values:
        assert reason_text(english, "nb") == texts_of("reasons", "nb")[name].format(**values)
    assert reason_text(english, "en") == english


def test_reason_of_another_exhibit_is_said_in_the_same_language():
    text = f"Exhibit 'table_b': it is computed from the exhibit 'table_a', which could not be made: {EMPTY}"
    assert reason_text(text, "nb").startswith("beregnes fra «table_a», som ikke kunne lages: Utvalget er tomt")


def test_reason_that_is_not_listed_is_introduced_as_english():
    assert reason_text("Exhibit 'table_b': something else.", "nb") == "Programmets melding, på engelsk: something else."
