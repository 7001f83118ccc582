"""Deliveries that several tests read, made once."""

from pathlib import Path

import pytest

from refino_eval.synthetic import Recipe, generate, load_recipe

RECIPE = Path(__file__).parents[3] / "config" / "synthetic" / "refino.yaml"


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return load_recipe(RECIPE)


@pytest.fixture(scope="session")
def delivery(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "refino"
    generate(recipe, folder)
    return folder
