"""Loading the configuration: YAML files to typed models, all problems in one message.

Order of reading: `config/config.yaml`, then the evaluation that it (or the command line) names, its own definitions and
the shared ones (`entry_files` says where they are), and the sources that the evaluation lists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from refino_eval.config.checking.checks import cross_check
from refino_eval.config.code_groups import with_group_codes
from refino_eval.config.definitions import Definitions
from refino_eval.config.entry_files import Entries, entry_files, joined, listed_files, study_files
from refino_eval.config.evaluation import Evaluation, Project
from refino_eval.config.model_errors import validate
from refino_eval.config.sources import Source
from refino_eval.config.yaml_files import read_yaml
from refino_eval.covariances import Vcov, usual_vcov
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.sql.spark_server import engine_problems, server_address

Model = TypeVar("Model", bound=BaseModel)


NO_PROTECTION = "none"
"""The profile of public and synthetic data, whose numbers are released unchanged."""


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
    def disclosure_profile(self) -> str | None:
        """The disclosure profile of the evaluation's releases; None where confidential data have none."""
        choice = self.evaluation.disclosure.profile or (self.project.disclosure and self.project.disclosure.profile)
        return choice or (NO_PROTECTION if self.evaluation.releasable else None)

    @property
    def results_folder(self) -> Path:
        """Where this evaluation's results go, from the project's root."""
        return Path("results") / self.evaluation.name


def load_configuration(root: Path, *, evaluation: str | None = None) -> Configuration:
    """Read and check the configuration of one evaluation.

    Parameters
    ----------
    root
        The project's root, the folder of `config/`.
    evaluation
        Name of the evaluation; by default the one that `config/config.yaml` names.

    Returns
    -------
    Configuration
        Typed and cross-checked.

    Raises
    ------
    UserError
        With one paragraph for each problem, all at once.
    """
    _require_plain_path(root)
    project = _project(root)
    name = evaluation or project.evaluation
    paths = listed_files(root)
    studies = study_files(paths)
    if name not in studies:
        raise UserError(f"There is no evaluation '{name}' in config/evaluations.{nearest(name, studies)}")
    content, own, shared = _content_and_entries(root, paths, name, studies[name])
    study = _study(studies[name], content, own)
    for file, choice in (("config/config.yaml", project.disclosure), (studies[name], study.disclosure)):
        _require_profile(root, file, choice.profile if choice else None, study)
    if study.name != name:
        raise UserError(f"{studies[name]}: the key 'name' says '{study.name}'; it must be '{name}', like the file.")
    definitions = validate(shared.data, Definitions, shared.file_of)
    problems = list(_defined_twice(study, studies[name], own, shared))
    merged = merged_definitions(study, definitions)

    def file_of(kind: str, entry: str) -> str:
        return own.file_of((kind, entry)) or shared.file_of((kind, entry)) or studies[name]

    sources = _sources(root, study)
    study, merged, unknown_groups = with_group_codes(
        study, merged, sources, root / "config" / "codelists", file_of=file_of
    )
    if not unknown_groups:  # the checks of conditions need the codes of groups
        problems += cross_check(study, merged, sources, file=studies[name], file_of=file_of)
    raise_problems([*problems, *unknown_groups])
    return Configuration(root=root, project=project, evaluation=study, definitions=merged, sources=sources)


def _project(root: Path) -> Project:
    """Read what holds for all evaluations, and require that its engine can be used here."""
    project = _read(root, "config/config.yaml", Project)
    if project.engine == "spark":
        raise_problems(engine_problems(server_address(project.spark_address)))
    return project


def _content_and_entries(root: Path, paths: Sequence[str], name: str, file: str) -> tuple[Any, Entries, Entries]:
    """Read an evaluation's file, the entries of its own files of definitions, and those of the shared ones."""
    files, problems = entry_files(paths, name)
    raise_problems(problems)
    contents = {path: read_yaml(root / path, path) for path in dict.fromkeys([file, *(entry.path for entry in files)])}
    own = joined((entry for entry in files if not entry.is_shared), contents)
    shared = joined((entry for entry in files if entry.is_shared), contents)
    raise_problems([*own.problems, *shared.problems])
    return contents[file], own, shared


def _sources(root: Path, study: Evaluation) -> dict[str, Source]:
    """Read the registers of an evaluation, in the form of its delivery."""
    sources = {name: _source(root, name) for name in study.sources}
    if study.delivery is None:
        return sources
    return {name: study.delivery.applied(source) for name, source in sources.items()}


def _require_plain_path(root: Path) -> None:
    """Refuse braces in the project's path: Snakemake fills them in, as in a format string."""
    if set("{}") & set(str(root.resolve())):
        raise UserError(
            f"The project is in a folder with braces in its name ({root.resolve()}), which the workflow would take for names to "
            "fill in. Move it to a folder without { and }."
        )


def _require_profile(root: Path, file: str, profile: str | None, study: Evaluation) -> None:
    """Refuse a disclosure profile that does not exist, or that protects nothing of confidential data."""
    folder = root / "config" / "disclosure"
    if profile is not None and not (folder / f"{profile}.yaml").is_file():
        raise UserError(
            f"{file}: disclosure.profile: there is no profile '{profile}' in config/disclosure, so nothing would protect "
            f"a release.{nearest(profile, (path.stem for path in folder.glob('*.yaml')))} Write the profile, or name another."
        )
    if profile == NO_PROTECTION and not study.releasable and (study.disclosure.profile or profile) == profile:
        raise UserError(
            f"{file}: disclosure.profile: '{profile}' protects nothing, and the data of '{study.name}' are confidential. Name the "
            "data owner's profile, or none at all: the evaluation then has no releases."
        )


def evaluation_names(root: Path) -> list[str]:
    """Return the evaluations that can be run."""
    return sorted(study_files(listed_files(root)))


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


def _read(root: Path, file: str, model: type[Model]) -> Model:
    return validate(read_yaml(root / file, file), model, file)


def _study(file: str, written: Any, own: Entries) -> Evaluation:
    """Validate an evaluation with its own definitions, which may come from several files."""
    if not isinstance(written, dict):
        raise UserError(f"{file}: the file must hold a mapping of keys to values.")
    definitions = {kind: entries for kind, entries in own.data.items() if entries}
    unknown = (
        set(written.get("definitions") or {}) - set(own.data) if isinstance(written.get("definitions"), dict) else set()
    )
    data = {key: value for key, value in written.items() if key != "definitions"}
    if definitions or unknown:
        # Unknown kinds stay in, so that the model reports them.
        data["definitions"] = {**{kind: None for kind in unknown}, **definitions}
    return validate(data, Evaluation, lambda key: own.file_of(key[1:]) or file if key[:1] == ("definitions",) else file)


def _source(root: Path, register: str) -> Source:
    file = f"config/sources/{register}.yaml"
    if not (root / file).is_file():
        valid = [other.stem for other in (root / "config" / "sources").glob("*.yaml")]
        raise UserError(f"There is no register '{register}' in config/sources.{nearest(register, valid)}")
    source = _read(root, file, Source)
    if source.register_name != register:
        raise UserError(
            f"{file}: the key 'register' says '{source.register_name}'; it must be '{register}', like the file."
        )
    return source


def _defined_twice(study: Evaluation, file: str, own: Entries, shared: Entries) -> Iterator[str]:
    """Report names that both the study and the shared definitions define."""
    for (kind, name), origin in own.origin.items():
        if (kind, name) in shared.origin:
            yield (
                f"{origin.path}: {kind}.{name} is defined in {shared.origin[kind, name].path} already; one name means one "
                "thing. Give the study's own definition another name."
            )
    for name in study.table.column_covariates if study.table else ():
        if ("covariates", name) in own.origin:
            yield (
                f"{file}: '{name}' is named under {study.entry}.covariates and under definitions.covariates. Leave one of them "
                "out."
            )


def merged_definitions(study: Evaluation, shared: Definitions) -> Definitions:
    """Return the shared definitions with the study's own."""
    parts = {kind: {**getattr(shared, kind), **getattr(study.definitions, kind)} for kind in Definitions.model_fields}
    if study.table is not None:
        # A shared covariate is made from a register, which an analysis file has none of: its own column takes the name.
        parts["covariates"] = {
            **shared.covariates, **study.table.column_covariates, **study.definitions.covariates
        }  # fmt: skip
    if study.clusters:
        vcov = usual_vcov(clusters=len(study.clusters))
        parts["specifications"] = {name: _with_vcov(entry, vcov) for name, entry in parts["specifications"].items()}
        parts["exhibits"] = {
            name: _with_vcov(entry, vcov) if hasattr(entry, "vcov") else entry
            for name, entry in parts["exhibits"].items()
        }
    if study.panel is not None:
        parts["states"] = {**shared.states, **study.panel.column_states, **study.definitions.states}
    return Definitions.model_construct(None, **parts)


def _with_vcov(entry: Model, vcov: Vcov) -> Model:
    """Return a specification, or an exhibit with its own covariance, that takes this one where it names none."""
    if "vcov" in entry.model_fields_set:
        return entry
    return entry.model_copy(update={"vcov": vcov})


@lru_cache(maxsize=1)
def project_root() -> Path:
    """Return the nearest folder, from here upwards, in which `config/config.yaml` stands."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "config" / "config.yaml").is_file():
            return folder
    raise UserError(
        "There is no config/config.yaml here or in any folder above. Run the command inside the project's folder, or make a project: refino-eval init FOLDER"
    )
