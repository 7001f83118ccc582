"""Read data frames that R has saved (.rds, .rda, .RData), through pyreadr, an optional dependency."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from refino_eval.errors import UserError
from refino_eval.registers.readers.archives import UnreadableFile
from refino_eval.registers.readers.value_kinds import kind_of

R_FILES = (".rds", ".rda", ".rdata")


def read_r_file(path: Path, *, name: str | None, where: str) -> tuple[pa.Table, dict[str, str]]:
    """Read one data frame.

    Parameters
    ----------
    name
        The data frame's name, where a file has several.
    where
        The key of the evaluation that names the file, for messages.

    Returns
    -------
    tuple
        The rows, and the kind of each column that is not text.

    Raises
    ------
    UserError
        When pyreadr is not installed, or the data frame is not clear.
    UnreadableFile
        When the file is damaged or holds no data frame.
    """
    try:
        import pyreadr
    except ImportError:
        raise UserError(
            f"{where}: reading files of R needs the package pyreadr, which is not installed. Install it "
            "(`pip install 'refino-eval[r]'`), or save the data frame as .parquet or .csv."
        ) from None
    try:
        frames = pyreadr.read_r(str(path))
    except (pyreadr.PyreadrError, pyreadr.LibrdataError) as error:
        # The reader's words can quote the file, so only its first clause is shown.
        raise UnreadableFile(f"it is no data frame saved by R ({str(error).split(':')[0].lower()}).") from None
    if name is None and len(frames) != 1:
        raise UserError(
            f"{where}: '{path.name}' holds {len(frames)} data frames ({', '.join(map(str, list(frames)[:8]))}). Name one (`object`)."
        )
    if name is not None and name not in frames:
        names = [str(other) for other in frames if other is not None]
        known = f"holds {', '.join(names[:8])}" if names else "has no names of data frames; leave `object` out"
        raise UserError(f"{where}: '{path.name}' has no data frame '{name}'; it {known}.")
    frame = frames[name] if name is not None else next(iter(frames.values()))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    kinds = {field.name: kind for field in table.schema if (kind := kind_of(field.type)) != "text"}
    return table, kinds
