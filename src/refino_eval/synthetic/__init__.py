"""A synthetic register with a known truth: deliveries that look like real ones, calibrated to published numbers."""

from refino_eval.synthetic.calibration import calibration_report, write_calibration
from refino_eval.synthetic.generator import Manifest, generate
from refino_eval.synthetic.recipe import Effects, Mess, Recipe, load_recipe

__all__ = [
    "Effects",
    "Manifest",
    "Mess",
    "Recipe",
    "calibration_report",
    "generate",
    "load_recipe",
    "write_calibration",
]
