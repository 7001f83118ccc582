"""`refino-eval release`, `verify-release` and `replication-package`: what leaves, and whether it is still what left."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from refino_eval.checksums import require_as_written
from refino_eval.cli.running.failed_run import refuse_after_failure
from refino_eval.config import load_configuration
from refino_eval.config.load import project_root
from refino_eval.errors import UserError
from refino_eval.release.release_manifest import read_key, verify


def release_evaluation(
    evaluation: str | None, *, profile: str | None, version: str | None, earlier: Sequence[Path], key: Path | None
) -> Iterator[str]:
    """Make a release of a finished run, and yield lines about it.

    Parameters
    ----------
    evaluation
        The evaluation; None for the one that `config/config.yaml` names.
    profile, version, earlier
        As of `make_release`.
    key
        File with the key that signs the manifest.
    """
    from refino_eval.release.make_release import make_release

    secret = read_key(key) if key is not None else None
    # Paths that the user gives are relative to the folder where the command was typed.
    before = [Path(os.path.abspath(path)) for path in earlier]
    root = project_root()
    configuration = load_configuration(root, evaluation=evaluation)
    os.chdir(root)
    refuse_after_failure(configuration)
    require_as_written(configuration.results_folder, "aggregates", "run/provenance.json")
    made = make_release(configuration, profile=profile, version=version, earlier=before, key=secret)
    lost = made.release.utility
    yield f"Release: {made.folder}   Archive: {made.archive}"
    yield (
        f"Profile {made.release.profile}: {lost.primary + lost.secondary} of {lost.cells} numbers are suppressed. "
        f"Compared with {', '.join(made.earlier) or 'no earlier release'}. No attack succeeded."
    )
    yield from (f"Left out: {name}. {reason}" for name, reason in made.left_out.items())
    yield f"What was done to each number (for the secure zone alone): {made.cells}"
    if secret is None:
        yield "The manifest is not signed: --key FILE signs it."


def package_evaluation(evaluation: str | None, *, run: bool, wheelhouse: Path | None) -> Iterator[str]:
    """Make the replication package of a finished run, and yield lines about it.

    Parameters
    ----------
    evaluation
        The evaluation; None for the one that `config/config.yaml` names.
    run, wheelhouse
        As of `make_package`.
    """
    from refino_eval.release.replication_package import make_package
    from refino_eval.workflow.shipped_files import shipped_folder

    wheels = Path(os.path.abspath(wheelhouse)) if wheelhouse is not None else None
    root = project_root()
    configuration = load_configuration(root, evaluation=evaluation)
    os.chdir(root)
    refuse_after_failure(configuration)
    require_as_written(configuration.results_folder, "aggregates", "run/provenance.json")
    program = root if (root / "workflow" / "rules").is_dir() else shipped_folder()
    made = make_package(configuration, program=program, run=run, wheelhouse=wheels)
    yield f"Archive A (code and open data): {made.archive}"
    yield f"Archive B (inputs that may not leave, with checksums): {made.inputs}"
    yield f"README: {made.readme}"
    yield made.trial.in_words if made.trial is not None else "Archive A was not run."


def verify_release(place: Path, *, key: Path | None) -> Iterator[str]:
    """Compare a release with its manifest, and yield what was confirmed.

    Raises
    ------
    UserError
        With what changed, or if the key does not confirm the signature.
    """
    found = verify(place, key=read_key(key) if key is not None else None)
    if found.changes:
        raise UserError(*(f"{place}: {change} after the release was made." for change in found.changes))
    if found.authentic is False:
        raise UserError(
            f"{place}: the key does not confirm the manifest: it was not written with this key, or it was changed afterwards. "
            "Ask for the release again, or check that this is the key of whoever released it."
        )
    facts = found.manifest
    yield (
        f"{len(facts['files'])} files are as listed: {facts.get('evaluation')} {facts.get('version')}, "
        f"disclosure profile {facts.get('profile')}."
    )
    if found.authentic:
        yield "The key confirms the manifest: nobody without the key wrote or changed it."
        return
    signed = "The manifest is signed; --key FILE checks by whom." if found.signed else "The manifest is not signed."
    yield (
        f"{signed} Without a key this shows that the files match their manifest, not who wrote it. Compare the manifest's checksum with "
        f"the sender's: {found.sha256}"
    )
