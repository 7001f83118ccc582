"""Read disclosure profiles."""

from __future__ import annotations

from pathlib import Path

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError, nearest

FOLDER = Path("config/disclosure")


def load_profile(name: str, *, root: Path = Path()) -> DisclosureProfile:
    """Read and check a disclosure profile.

    Parameters
    ----------
    name
        Name of a file in `config/disclosure`, without `.yaml`.
    root
        Folder of the project.

    Raises
    ------
    UserError
        When there is no such profile, or a rule is invalid.
    """
    file = root / FOLDER / f"{name}.yaml"
    if not name or file.parent != root / FOLDER or not file.is_file():
        others = (path.stem for path in (root / FOLDER).glob("*.yaml"))
        raise UserError(
            f"There is no disclosure profile '{name}' in {FOLDER.as_posix()}, so nothing would protect a release."
            f"{nearest(name, others)} Choose a profile, or write one."
        )
    shown = (FOLDER / file.name).as_posix()
    data = read_yaml(file, shown)
    return validate({**data, "name": name} if isinstance(data, dict) else data, DisclosureProfile, shown)
