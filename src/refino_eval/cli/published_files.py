"""Published values that an evaluation names: whether their files are there, and whether they can be read."""

from __future__ import annotations

from pathlib import Path

from refino_eval.config import Configuration
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.workflow.result_files import ResultFiles

FOLDER = "data/published"


def require_published(configuration: Configuration, *, read: bool = False) -> None:
    """Refuse names of published values that have no file, for the comparison, an exhibit, costs or a model.

    Parameters
    ----------
    configuration
        The evaluation's configuration.
    read
        Whether to check the rows of the files as well, which loads pandas.

    Raises
    ------
    UserError
        With all problems of all files at once.
    """
    root, problems = configuration.root, []
    for file in ResultFiles(configuration).all_published():
        path = root / file
        if not path.is_file():
            hint = nearest(path.stem, sorted(other.stem for other in (root / FOLDER).glob("*.csv")))
            problems.append(
                f"The evaluation '{configuration.evaluation.name}' names the published values '{path.stem}', and there is no "
                f"{file}.{hint} Add the file, or remove the name (`published`)."
            )
        elif read:
            problems += _problems_of(path)
    raise_problems(problems)


def _problems_of(path: Path) -> list[str]:
    from refino_eval.published.values import load_published

    try:
        load_published(path)
    except UserError as error:
        return list(error.problems)
    return []
