"""`refino-eval exhibits`: every kind is listed, and explained with all of its keys and an example that is valid."""

import pytest
import yaml

from refino_eval.cli.exhibits_command import explain_kind, kind_lines
from refino_eval.config.exhibits import KINDS, MODELS
from refino_eval.errors import UserError


def test_every_kind_is_listed_with_what_it_shows():
    lines = list(kind_lines())
    assert [line.split()[0] for line in lines[1 : len(KINDS) + 1]] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_explained_with_every_key_and_a_valid_example(kind):
    text = "\n".join(explain_kind(kind, None))
    keys = [field.alias or key for key, field in MODELS[kind].model_fields.items() if key != "kind"]
    assert all(f"\n  {key}: " in text for key in keys)
    if "Example, under" in text:
        block = text.split("definitions:\n", 1)[1].split("\n\nNone has been made")[0]
        ((_, entry),) = yaml.safe_load(block).items()
        assert MODELS[kind].model_validate(entry).kind == kind


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"'itts'.*'itt'"):
        list(explain_kind("itts", None))


def test_a_finished_exhibit_of_the_project_is_shown(tmp_path):
    run = tmp_path / "results/mine"
    (run / "run").mkdir(parents=True)
    (run / "release/tables").mkdir(parents=True)
    (run / "run/run_config.yaml").write_text(
        "definitions: {exhibits: {t: {kind: itt}, f: {kind: paths}}}", encoding="utf-8"
    )
    (run / "release/tables/t.en.md").write_text("| a | b |\n", encoding="utf-8")
    assert "  | a | b |" in list(explain_kind("itt", tmp_path))
    assert any(line.startswith("None has been made") for line in explain_kind("paths", tmp_path))
