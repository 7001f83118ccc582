"""JSON schemas of the YAML files, generated from the models, for editors that complete and check keys.

`python -m refino_eval.config.schemas` (`make schemas`) writes them anew; a test keeps the committed ones in step. A model that several files
use is described once: in `common.json`, or in the schema of the kind of definitions that it belongs to.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from refino_eval.config.across.forests import Forests
from refino_eval.config.base import Name
from refino_eval.config.definitions import Definitions, Example
from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.config.evaluation import Evaluation, Project
from refino_eval.config.exhibit_base import GroupedExhibit, OutcomesExhibit, PlainExhibit, StatesExhibit
from refino_eval.config.sources import Source
from refino_eval.config.windows import TEXT, WINDOWS

FOLDER = Path("config/schemas")
COMMON = "common"
MANY = 3
"""Number of files that use a model before it moves to `common.json`."""

Schema = dict[str, Any]


def schemas() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each schema."""
    adapters: dict[str, TypeAdapter[Any]] = {
        "source": TypeAdapter(Source),
        **{kind: TypeAdapter(field.annotation or object) for kind, field in Definitions.model_fields.items()},
        "examples": TypeAdapter(dict[Name, tuple[Example, ...]]),
        "evaluation": TypeAdapter(Evaluation),
        "config": TypeAdapter(Project),
        "disclosure_profile": TypeAdapter(DisclosureProfile),
        "forests": TypeAdapter(Forests),
    }
    whole = {name: adapter.json_schema(by_alias=True) for name, adapter in adapters.items()}
    _with_windows(whole["outcomes"])
    _with_bases(whole["exhibits"])
    for kind in Definitions.model_fields:
        whole["evaluation"]["$defs"]["Definitions"]["properties"][kind] = {"$ref": f"{kind}.json"}
    used = Counter(model for schema in whole.values() for model in schema.get("$defs", {}))
    # The first file that has a model keeps it; the others refer to that file.
    homes: dict[str, str] = {}
    shared: Schema = {"$defs": {}}
    for name, schema in whole.items():
        for model, described in schema.get("$defs", {}).items():
            homes.setdefault(model, COMMON if used[model] >= MANY else name)
            if homes[model] == COMMON:
                shared["$defs"][model] = described
    for name, schema in {COMMON: shared, **whole}.items():
        models = {model: text for model, text in schema.pop("$defs", {}).items() if homes[model] == name}
        yield f"{name}.json", _text(_referring({**schema, **({"$defs": models} if models else {})}, name, homes))


def _with_windows(outcomes: Schema) -> None:
    """Let an entry of the outcomes define one outcome for each of several windows."""
    keys = {key: {"$ref": f"#/$defs/Outcome/properties/{key}"} for key in outcomes["$defs"]["Outcome"]["properties"]}
    window = {
        **keys,
        TEXT: {"$ref": "#/$defs/Label", "description": "Takes the place of {window} in label and description."},
    }
    outcomes["$defs"]["OutcomeOverWindows"] = {
        "additionalProperties": False,
        "description": "Outcomes that differ in their window: what a window says replaces what the entry says.",
        "properties": {
            **keys,
            WINDOWS: {
                "additionalProperties": {"additionalProperties": False, "properties": window, "type": "object"},
                "description": "Outcome -> its window, and what else is its own.",
                "minProperties": 1,
                "type": "object",
            },
        },
        "required": [WINDOWS],
        "type": "object",
    }
    form = {
        "if": {"required": [WINDOWS]},
        "then": {"$ref": "#/$defs/OutcomeOverWindows"},
        "else": {"$ref": "#/$defs/Outcome"},
    }
    for key in ("additionalProperties", "patternProperties"):
        if key in outcomes:
            outcomes[key] = form if key == "additionalProperties" else dict.fromkeys(outcomes[key], form)


def _with_bases(exhibits: Schema) -> None:
    """Describe the keys that kinds of exhibits have in common once."""
    described: dict[str, tuple[str, Any]] = {}
    for base in (PlainExhibit, OutcomesExhibit, StatesExhibit, GroupedExhibit):
        schema = TypeAdapter(base).json_schema(by_alias=True)
        described |= {key: (base.__name__, text) for key, text in schema["properties"].items() if key not in described}
        exhibits["$defs"][base.__name__] = {key: text for key, text in schema.items() if key != "$defs"}
    for model, schema in exhibits["$defs"].items():
        for key, text in schema.get("properties", {}).items():
            base, shared = described.get(key, (model, None))
            if base != model and text == shared:
                schema["properties"][key] = {"$ref": f"#/$defs/{base}/properties/{key}"}


def _referring(node: Any, name: str, homes: dict[str, str]) -> Any:
    """Turn references to models into references to the files that describe them."""
    if isinstance(node, dict):
        return {key: _referring(value, name, homes) for key, value in node.items()}
    if isinstance(node, list):
        return [_referring(value, name, homes) for value in node]
    if isinstance(node, str) and node.startswith("#/$defs/"):
        home = homes.get(node.removeprefix("#/$defs/").split("/")[0], name)
        return node if home == name else f"{home}.json{node}"
    return node


def write(folder: Path = FOLDER) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas():
        (folder / name).write_text(text, encoding="utf-8")


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    write()
