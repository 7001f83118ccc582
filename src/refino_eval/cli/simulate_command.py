"""`refino-eval simulate`: make a synthetic register and compare it with its targets."""

from __future__ import annotations

import time
from pathlib import Path

from refino_eval.cli.output import make_for
from refino_eval.config.load import project_root
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError, nearest


def simulate_register(
    *,
    recipe: str | None,
    out: Path | None,
    people: int | None,
    seed: int | None,
    effects: str | None,
    calibration: bool,
    mess: str | None = None,
    file_format: str | None = None,
) -> None:
    """Write a synthetic delivery and print what was written.

    Parameters
    ----------
    recipe
        Name of a file in `config/synthetic`; None for the one of the default evaluation.
    out
        Folder to write; by default `data/synthetic/<recipe>`.
    people, seed, effects
        Instead of the recipe's values.
    calibration
        Whether to compare the delivery with the recipe's targets afterwards.
    mess
        Faults to plant, separated by commas; ``none``; ``list`` prints them and writes nothing. Default: the recipe's.
    file_format
        csv, parquet, dta or sav for every register; default: the recipe's forms.
    """
    from refino_eval.synthetic import Recipe, calibration_report, generate, write_calibration
    from refino_eval.synthetic.options import chosen_format, chosen_mess, mess_names

    if mess == "list":
        for name, description in mess_names().items():
            print(f"{name:<22}{description}")
        return
    root = project_root()
    recipe = recipe or _default_recipe(root)
    recipes = sorted(path.stem for path in (root / "config" / "synthetic").glob("*.yaml"))
    if recipe not in recipes:
        raise UserError(f"No recipe '{recipe[:80]}' in config/synthetic.{nearest(recipe[:80], recipes)}")
    shown = f"config/synthetic/{recipe}.yaml"
    model = validate(read_yaml(root / shown, shown), Recipe, shown)
    target = out if out is not None else root / "data" / "synthetic" / recipe
    make_for("--out", target, target.parent)
    if target.exists() and not target.is_dir():
        raise UserError(f"--out {target}: this is a file. Name a folder.")
    start = time.perf_counter()
    planted = None if mess is None else chosen_mess(model.mess, mess.split(","))
    kind = chosen_format(file_format)
    manifest = generate(model, target, people=people, seed=seed, effects=effects, mess=planted, format=kind)
    print(f"Synthetic register written to {target} in {time.perf_counter() - start:.1f} s")
    for name, rows in manifest.rows.items():
        print(f"  {name:<48}{rows:>12,} rows")
    if mess is not None:
        print(f"Planted faults: {target / 'planted_mess.csv'}")
    if kind is not None:
        print(
            f"Every register is written as {kind}: `files` and `format` of config/sources must state this before it can be read."
        )
    elif calibration:
        report = calibration_report(target, model)
        write_calibration(report, target / "calibration.csv")
        within = int((report["verdict"] == "within").sum())
        print(f"Calibration: {within} of {len(report)} moments within tolerance (see {target / 'calibration.md'})")


def _default_recipe(root: Path) -> str:
    from refino_eval.config import load_configuration

    study = load_configuration(root).evaluation
    if study.synthetic is None:
        raise UserError(
            f"The default evaluation '{study.name}' uses no synthetic register. Name a recipe of config/synthetic with --recipe."
        )
    return study.synthetic.recipe
