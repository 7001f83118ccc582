"""`refino-eval init`: make a project in an empty folder, with an example that runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from refino_eval.cli.output import make_for
from refino_eval.errors import UserError
from refino_eval.workflow.shipped_files import shipped_folder

SKELETON = Path(__file__).parent / "skeleton"
COPIED = ("config/schemas", "config/codelists", "config/disclosure", "workflow/profiles")
"""Parts of what is shipped that belong to the user once they are in a project: editors, codes, data owners and machines differ."""
UNDOTTED = {"gitignore": ".gitignore"}
HARMLESS = (".git", ".gitignore", ".venv", ".idea", ".vscode", ".DS_Store", "LICENSE")
"""What a folder may hold and still count as empty; none of it is overwritten."""


def make_project(folder: Path) -> Iterator[str]:
    """Make a project and yield lines to print.

    Parameters
    ----------
    folder
        A folder that does not exist or is empty.

    Raises
    ------
    UserError
        When the folder holds files, or is inside another project.
    """
    from refino_eval.synthetic.small_trial import write_small_trial

    _require_empty(folder)
    make_for("FOLDER", folder, folder)
    for source in sorted(path for path in SKELETON.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        relative = source.relative_to(SKELETON)
        target = folder / relative.with_name(UNDOTTED.get(relative.name, relative.name))
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for part in COPIED:
        shutil.copytree(shipped_folder() / part, folder / part, copy_function=shutil.copyfile, dirs_exist_ok=True)
    rows = write_small_trial(folder / "data" / "example")
    delivered = ", ".join(f"{name} ({count:,} rows)" for name, count in rows.items())
    yield f"The project is in {folder}. It holds the made-up evaluation 'example' with its delivery: {delivered}."
    yield "Next:"
    shown = os.path.relpath(folder)
    shown = str(folder.resolve()) if shown.startswith("..") else shown
    yield from (f"  {command}" for command in ([f"cd {shown}"] if shown != "." else []))
    yield "  refino-eval check                     # is the configuration valid, and the delivery sound?"
    yield "  refino-eval run                       # from the delivered files to the report, in less than a minute"
    yield "  refino-eval new NAME --from registers FOLDER      # propose an evaluation of your own files"
    yield "README.md in the project says what is where."


def _require_empty(folder: Path) -> None:
    if folder.is_dir() and (found := sorted(path.name for path in folder.iterdir() if path.name not in HARMLESS)):
        raise UserError(
            f"{folder}: the folder is not empty ({', '.join(found[:3])}{', ...' if len(found) > 3 else ''}), and nothing is "
            "overwritten. Name a new or an empty folder."
        )
    for above in folder.resolve().parents:
        if (above / "config" / "config.yaml").is_file():
            raise UserError(
                f"{folder}: this is inside the project {above}. Make projects side by side; a project can hold many evaluations."
            )
