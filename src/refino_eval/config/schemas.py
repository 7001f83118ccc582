"""JSON schemas of the YAML files, generated from the models, for editors that complete and check keys.

`python -m refino_eval.config.schemas` writes them anew; a test keeps the committed ones in step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation, Project
from refino_eval.config.sources import Source

FOLDER = Path("config/schemas")


def schemas() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each schema."""
    models: dict[str, type[BaseModel]] = {"config": Project, "evaluation": Evaluation, "source": Source}
    for name, model in models.items():
        yield f"{name}.json", _text(model.model_json_schema(by_alias=True))
    for kind, field in Definitions.model_fields.items():
        entries: TypeAdapter[object] = TypeAdapter(field.annotation or object)
        yield f"{kind}.json", _text(entries.json_schema(by_alias=True))


def write(folder: Path = FOLDER) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas():
        (folder / name).write_text(text, encoding="utf-8")


def _text(schema: dict[str, object]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    write()
