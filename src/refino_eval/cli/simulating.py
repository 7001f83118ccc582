"""`refino-eval simulate`: make a synthetic register and say how near it comes to its targets."""

from __future__ import annotations

import time
from pathlib import Path

from refino_eval.config.load import project_root, read_yaml, validate
from refino_eval.errors import UserFault, nearest


def simulate_register(
    *, recipe: str, out: Path | None, people: int | None, seed: int | None, effects: str | None, calibration: bool
) -> None:
    """Write a synthetic delivery and print what was written.

    Parameters
    ----------
    recipe
        Name of a file in `config/synthetic`.
    out
        Folder to write; by default `data/synthetic/<recipe>`.
    people, seed, effects
        Instead of the recipe's own.
    calibration
        Whether to compare the delivery with the recipe's targets afterwards.
    """
    from refino_eval.synthetic import Recipe, calibration_report, generate, write_calibration

    root = project_root()
    folder = root / "config" / "synthetic"
    path = folder / f"{recipe}.yaml"
    if not path.is_file():
        raise UserFault(
            f"There is no recipe '{recipe}' in config/synthetic.{nearest(recipe, [p.stem for p in folder.glob('*.yaml')])}"
        )
    shown = path.relative_to(root).as_posix()
    model = validate(read_yaml(path, shown), Recipe, shown)
    target = out if out is not None else root / "data" / "synthetic" / recipe
    began = time.perf_counter()
    manifest = generate(model, target, people=people, seed=seed, effects=effects)
    print(f"Synthetic register written to {target} in {time.perf_counter() - began:.1f} s")
    for name, rows in manifest.rows.items():
        print(f"  {name:<48}{rows:>12,} rows")
    if calibration:
        report = calibration_report(target, model)
        write_calibration(report, target / "calibration.csv")
        within = int((report["verdict"] == "within").sum())
        print(f"Calibration: {within} of {len(report)} moments within tolerance (see {target / 'calibration.md'})")
