"""Reading the configuration: YAML files to typed models, all faults in one message.

Order of reading: `config/config.yaml`, then the evaluation that it (or the command line) names, the shared
definitions, the definitions that stand in the evaluation itself, and the sources that the evaluation lists.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from refino_eval.config.checks import cross_check
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation, Project
from refino_eval.config.sources import Source
from refino_eval.errors import UserError, nearest, raise_problems

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 2_000_000  # a configuration file beyond this is a mistake, or an attack on the parser
MAX_ALIASES = 100
FORMS = ("SpellState", "DerivedState", "one_language", "both_languages")


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice and a file that multiplies itself through aliases."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise yaml.YAMLError("too many aliases")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(getattr(key_node, "value", key_node))
            if key in seen and key != "<<":
                raise yaml.YAMLError(f"the key '{key}' is given twice (line {key_node.start_mark.line + 1})")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True)
class Configuration:
    """The whole configuration of one evaluation, checked."""

    root: Path
    project: Project
    evaluation: Evaluation
    definitions: Definitions
    sources: dict[str, Source]

    @property
    def data_folder(self) -> Path:
        """The folder of the delivery, from the project's root as it is written in the evaluation."""
        return Path(expand(self.evaluation.data))

    @property
    def results_folder(self) -> Path:
        """Where this evaluation's results go, from the project's root."""
        return Path("results") / self.evaluation.name


def load_configuration(root: Path, *, evaluation: str | None = None) -> Configuration:
    """Read and check the configuration of one evaluation.

    Parameters
    ----------
    root
        The project's root, where `config/` stands.
    evaluation
        Name of the evaluation; by default the one that `config/config.yaml` names.

    Returns
    -------
    Configuration
        Typed and cross-checked.

    Raises
    ------
    UserError
        With one paragraph for each fault found, all at once.
    """
    folder = root / "config"
    project = _read(folder / "config.yaml", Project, root)
    name = evaluation or project.evaluation
    study = _read(_named(folder / "evaluations", name, "evaluation"), Evaluation, root)
    if study.name != name:
        raise UserError(
            f"config/evaluations/{name}.yaml: the key 'name' says '{study.name}'; it must equal the file's name."
        )
    definitions, faults = _definitions(folder / "definitions", study, root)
    sources = {register: _source(folder / "sources", register, root) for register in study.sources}
    configuration = Configuration(
        root=root, project=project, evaluation=study, definitions=definitions, sources=sources
    )
    raise_problems([*faults, *cross_check(study, definitions, sources)])
    return configuration


def evaluation_names(root: Path) -> list[str]:
    """Return the evaluations that can be run."""
    return sorted(path.stem for path in (root / "config" / "evaluations").glob("*.yaml"))


def expand(value: str) -> str:
    """Replace ${NAME:-default} by the environment's value, or by the default where it is not set."""

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            raise UserError(
                f"The environment variable {match['name']} is not set, and '{value}' gives no default for it."
            )
        return found

    return re.sub(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}", replace, value)


def read_yaml(path: Path, shown: str) -> Any:
    """Read one YAML file; a missing or broken one is a fault told under the name `shown`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{shown}: the file is larger than {MAX_BYTES // 1_000_000} MB; a configuration file is not."
            )
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_StrictLoader)  # a subclass of SafeLoader
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no such file. Write it, or mend the name that points to it.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: the file is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except RecursionError:
        raise UserError(f"{shown}: the file is nested too deeply to be a configuration file.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{shown}: not valid YAML{where}: {problem}.") from None


def validate(data: Any, model: type[Model], shown: str) -> Model:
    """Turn plain data into a model; every fault becomes a paragraph that names file, key and rule."""
    if not isinstance(data, dict):
        raise UserError(f"{shown}: a mapping of keys to values is expected here.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(*[_paragraph(fault, model, shown) for fault in error.errors()]) from None


def _paragraph(fault: Any, model: type[BaseModel], shown: str) -> str:
    # Which form of a state it is goes without saying: the user never wrote it.
    place = ".".join(str(part) for part in fault["loc"] if part not in FORMS) or "(top level)"
    if fault["type"] == "extra_forbidden":
        hint = nearest(str(fault["loc"][-1]), _keys_at(model, fault["loc"][:-1]))
        return f"{shown}: the key '{place}' is not known.{hint}"
    if fault["type"] == "missing":
        return f"{shown}: the key '{place}' is missing. Add it."
    given = fault.get("input")
    value = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{shown}: {place}: {message}{value}."


def _keys_at(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """Return the keys that are valid at a place inside a model, as the user writes them."""
    candidates: list[Any] = [model]
    for part in place:
        found: list[Any] = []
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                fields = {(field.alias or name): field.annotation for name, field in candidate.model_fields.items()}
                if part in fields:
                    found += _models_in(fields[str(part)])
                elif str(part) in (candidate.__name__, _tag(candidate)):
                    found.append(candidate)
        candidates = found or candidates
    keys: set[str] = set()
    for candidate in candidates:
        keys |= {field.alias or name for name, field in candidate.model_fields.items()}
    return sorted(keys)


def _tag(model: type[BaseModel]) -> str:
    """Return the discriminator's value that stands for a model of a union, when there is one."""
    for name in ("kind", "rule"):
        field = model.model_fields.get(name)
        values: tuple[Any, ...] = getattr(field.annotation, "__args__", ()) if field is not None else ()
        if len(values) == 1:
            return str(values[0])
    return ""


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _read(path: Path, model: type[Model], root: Path) -> Model:
    shown = path.relative_to(root).as_posix()
    return validate(read_yaml(path, shown), model, shown)


def _named(folder: Path, name: str, what: str) -> Path:
    path = folder / f"{name}.yaml"
    if not path.is_file():
        valid = [other.stem for other in folder.glob("*.yaml")]
        raise UserError(f"There is no {what} '{name}' in config/{folder.name}.{nearest(name, valid)}")
    return path


def _source(folder: Path, register: str, root: Path) -> Source:
    path = _named(folder, register, "register")
    source = _read(path, Source, root)
    if source.register_name != register:
        raise UserError(
            f"config/sources/{register}.yaml: the key 'register' says '{source.register_name}'; it must equal the file's name."
        )
    return source


def _definitions(folder: Path, study: Evaluation, root: Path) -> tuple[Definitions, list[str]]:
    """Read the shared definitions and add those that stand in the evaluation itself."""
    parts: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for kind in Definitions.model_fields:
        path = folder / f"{kind}.yaml"
        shown = path.relative_to(root).as_posix()
        entries = (read_yaml(path, shown) if path.is_file() else None) or {}
        shared = dict(getattr(validate({kind: entries}, Definitions, shown), kind))
        own = getattr(study.definitions, kind)
        faults += [
            f"config/evaluations/{study.name}.yaml: definitions.{kind}.{name} is defined in {shown} already; "
            "one name means one thing. Give the study's own definition another name."
            for name in own
            if name in shared
        ]
        # A shared covariate is made from a register, which a person table has none of: its own column takes the name.
        named = study.person_table.column_covariates if kind == "covariates" and study.person_table else {}
        faults += [
            f"config/evaluations/{study.name}.yaml: '{name}' is named under person_table.covariates and under "
            "definitions.covariates. Leave one of them out."
            for name in named
            if name in own
        ]
        parts[kind] = {**shared, **named, **own}
    return Definitions.model_construct(None, **parts), faults


@lru_cache(maxsize=1)
def project_root() -> Path:
    """Return the nearest folder, from here upwards, in which `config/config.yaml` stands."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "config" / "config.yaml").is_file():
            return folder
    raise UserError(
        "There is no config/config.yaml here or in any folder above. Run the command inside the project's folder."
    )
