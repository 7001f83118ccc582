"""A synthetic register with a known truth: deliveries that look like real ones, calibrated to printed numbers."""

from refino_eval.synthetic.generate import Manifest, generate
from refino_eval.synthetic.recipe import Effects, Mess, Recipe, load_recipe

__all__ = ["Effects", "Manifest", "Mess", "Recipe", "generate", "load_recipe"]
