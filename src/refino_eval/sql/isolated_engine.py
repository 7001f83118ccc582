"""Open a DuckDB engine that can reach nothing but named files and folders, within a limit of memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.sql.quoting import text_literal

if TYPE_CHECKING:
    import duckdb


@contextlib.contextmanager
def isolated_engine(
    folders: Sequence[Path],
    *,
    files: Sequence[Path] = (),
    threads: int = 2,
    memory_limit: str = "1200MB",
    on_disk: bool = False,
    settable: Sequence[str] = (),
    without_optimizers: Sequence[str] = (),
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine whose configuration is locked.

    Parameters
    ----------
    folders
        Folders that it may read and write; what does not fit into memory is spilled to the first.
    files
        Files that it may read as well.
    threads, memory_limit
        Limits of the engine.
    on_disk
        Whether tables are kept in a file in the first folder, and not in memory.
    settable
        Settings that may still be changed.
    without_optimizers
        Steps of the optimiser that are left out.
    """
    import duckdb

    settings: dict[str, str | bool | int] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "temp_directory": str(folders[0] / "spill"),
    }
    con = duckdb.connect(str(folders[0] / "rows.duckdb") if on_disk else ":memory:", config=settings)
    try:
        con.execute(f"SET allowed_directories = [{', '.join(text_literal(f'{folder}/') for folder in folders)}]")
        con.execute(f"SET allowed_paths = [{', '.join(text_literal(str(file)) for file in files)}]")
        con.execute("SET autoinstall_known_extensions = false")
        con.execute("SET autoload_known_extensions = false")
        con.execute("SET enable_external_access = false")
        if on_disk:
            # The file exists for a minute: compressing it would take longer than writing it.
            con.execute("SET force_compression = 'uncompressed'")
        # Rows carry their numbers and every output is sorted: keeping the order of insertion would only cost memory.
        con.execute("SET preserve_insertion_order = false")
        con.execute(f"SET disabled_optimizers = {text_literal(','.join(without_optimizers))}")
        con.execute(f"SET allowed_configs = [{', '.join(text_literal(name) for name in settable)}]")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()
