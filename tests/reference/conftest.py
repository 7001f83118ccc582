"""Where the reference material lies: outside the project, never copied into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of public trials and stored reference values; tests skip where it is absent."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("REFINO_EVAL_SHARED", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"reference data not found in {folder}; name the folder in REFINO_EVAL_SHARED")
    return folder
