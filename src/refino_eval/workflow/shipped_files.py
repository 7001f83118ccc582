"""Find the files that every project shares: the workflow, the schemas and the code lists.

In an installed package they are in its folder `shipped`, where the build puts them; in a checkout they are at its top.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder() -> Path:
    """Return the folder that holds `Snakefile`, `workflow/`, `config/schemas/`, `config/codelists/` and example evaluations."""
    inside = PACKAGE / "shipped"
    return inside if inside.is_dir() else PACKAGE.parents[1]


def shipped_snakefile() -> str:
    """Return the path of the workflow, for the `include` of a project's Snakefile."""
    return str(shipped_folder() / "Snakefile")
