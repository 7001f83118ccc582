"""Recipes: what is refused, and how it is said."""

from pathlib import Path

import pytest
import yaml

from refino_eval.errors import UserError
from refino_eval.synthetic import Recipe, generate, load_recipe
from refino_eval.synthetic.calibration import calibration_report

SHIPPED = Path(__file__).parents[3] / "config" / "synthetic" / "refino.yaml"


def _changed(tmp_path: Path, **changes: object) -> Path:
    data = yaml.safe_load(SHIPPED.read_text("utf-8"))
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump({**data, **changes}, allow_unicode=True), encoding="utf-8")
    return path


def test_every_field_is_described() -> None:
    seen: set[type] = set()

    def walk(model: type) -> None:
        if model in seen or not hasattr(model, "model_fields"):
            return
        seen.add(model)
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(part, type):
                    walk(part)

    walk(Recipe)
    assert len(seen) > 12


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"treated": 5000}, "fewer than people"),
        ({"peeple": 10}, "Did you mean 'people'"),
        ({"default_effects": "publisched"}, "Did you mean 'published'"),
        ({"prices": {"base_year": 2023, "unit": 1, "index": {2023: 1.0}}}, "every year that the registers cover"),
        ({"effects": {"published": {"states": {"half_tme": {0: 0.0}}}}}, "Did you mean 'half_time'"),
    ],
)
def test_problems_of_a_recipe_are_reported(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_recipe(_changed(tmp_path, **changes))


def test_shares_must_add_up(tmp_path: Path) -> None:
    persons = yaml.safe_load(SHIPPED.read_text("utf-8"))["persons"]
    persons["categories"]["A"] = 0.5
    with pytest.raises(UserError, match=r"categories must add up to 1"):
        load_recipe(_changed(tmp_path, persons=persons))


def test_unknown_options_name_the_nearest(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'large'"):
        generate(recipe, tmp_path / "x", effects="lagre")
    with pytest.raises(UserError, match="Did you mean 'wages'"):
        generate(recipe, tmp_path / "x", registers=["wage"])
    with pytest.raises(UserError, match="at least 20"):
        generate(recipe, tmp_path / "x", people=5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("moment", ["state:any_wag:12:all", "men:age:all", "sum:wage:1", "r_squared:all"])
def test_a_target_that_cannot_be_computed_is_a_fault(recipe: Recipe, tmp_path: Path, moment: str) -> None:
    generate(recipe, tmp_path / "x", people=40)
    target = recipe.targets[0].model_copy(update={"moment": moment})
    with pytest.raises(UserError, match="moment"):
        calibration_report(tmp_path / "x", recipe.model_copy(update={"targets": (target,)}))
