"""Make a release: protect, attack, write everything from protected numbers, look through it, and only then put it in place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from refino_eval.config import Configuration
from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.csv_output import frame_csv
from refino_eval.disclosure.attack import attack
from refino_eval.disclosure.profiles import load_profile
from refino_eval.disclosure.protect import protect_release
from refino_eval.disclosure.release_tables import EarlierRelease, Finding, ProtectedRelease, release_exhibits
from refino_eval.errors import UserError, raise_problems
from refino_eval.exhibits.tidy import COLUMNS, read_tidy, reason_not_made
from refino_eval.release.release_manifest import MANIFEST, verify, write_manifest, write_zip
from refino_eval.release.release_pages import write_pages
from refino_eval.release.release_records import write_records
from refino_eval.release.release_scan import scan
from refino_eval.workflow_job import protect

FOLDER, NUMBERS = "releases", "numbers"
VERSION = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MOST_FINDINGS, MOST_CELLS = 10, 6
"""Successful attacks that are reported, and cells of each."""

PROVENANCE = ("configuration_sha256", "seed", "code", "package_sha256", "lock_sha256", "python", "packages", "engine")
"""What a release states of the run that it was made from; files of the delivery are not among it."""


@dataclass(frozen=True)
class Released:
    """A release that was written.

    Attributes
    ----------
    folder, archive
        Where it is.
    cells
        Where it is recorded, for the secure zone, what was done to each number.
    release
        Its protected numbers.
    left_out
        Exhibits that it does not hold, with reasons.
    earlier
        Labels of the releases that it was compared with.
    """

    folder: Path
    archive: Path
    cells: Path
    release: ProtectedRelease
    left_out: Mapping[str, str]
    earlier: tuple[str, ...]


def make_release(
    configuration: Configuration,
    *,
    profile: str | None = None,
    version: str | None = None,
    earlier: Sequence[Path] = (),
    key: bytes | None = None,
) -> Released:
    """Write the next release of a finished run, in a folder and as a .zip file.

    Parameters
    ----------
    configuration
        The evaluation's configuration; its results are in the current folder.
    profile
        Name of the disclosure profile; by default the configured one.
    version
        Name of the release; by default `v1`, `v2`, and so on.
    earlier
        Releases of the same people elsewhere, in addition to those of this evaluation.
    key
        Signs the manifest.

    Raises
    ------
    UserError
        If there is no profile, an attack succeeds, or a file holds what must not leave. Then nothing is written.
    """
    rules = _profile(configuration, profile)
    results = configuration.results_folder
    folder = results / FOLDER
    name = _version(folder, version)
    frames, left_out = _numbers(configuration)
    before = [*_releases(folder), *(_read_release(path) for path in earlier)]
    evaluation, definitions = configuration.evaluation, configuration.definitions
    exhibits = release_exhibits(frames, definitions.exhibits, evaluation)
    protected = protect_release(exhibits, rules, earlier=before)
    _require_safe(protected, rules, before)
    protected, empty = _with_numbers(protected, evaluation.name)
    left_out |= empty
    draft, work = folder / f".{name}.part", results / "internal" / "disclosure" / name
    for path in (draft, work):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    try:
        _write_numbers(protected, draft / NUMBERS, work)
        left_out |= write_pages(configuration, protected, rules, folder=draft, work=work)
        labels = tuple(release.label for release in before)
        write_records(configuration, protected, rules, folder=draft, version=name, left_out=left_out, earlier=labels)
        write_manifest(draft, _facts(configuration, rules, name, labels), key=key)
        _require_clean(draft, results, rules)
        write_zip(draft, folder / f"{evaluation.name}_{name}.zip", inside=f"{evaluation.name}_{name}")
        draft.rename(folder / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        protect(work.rglob("*"))
    archive = folder / f"{evaluation.name}_{name}.zip"
    return Released(folder / name, archive, work / "cells", protected, left_out, labels)


def _with_numbers(release: ProtectedRelease, evaluation: str) -> tuple[ProtectedRelease, dict[str, str]]:
    """Return a release without the exhibits whose every number is suppressed, and why these are left out."""
    empty = {each.name for each in release.exhibits if each.frame["value"].isna().all()}
    kept = tuple(each for each in release.exhibits if each.name not in empty)
    if not kept:
        raise UserError(
            f"The profile '{release.profile}' suppresses every number of '{evaluation}', so there is nothing to release."
        )
    return replace(release, exhibits=kept), dict.fromkeys(sorted(empty), "Every number in it is suppressed.")


def _require_safe(protected: ProtectedRelease, rules: DisclosureProfile, before: Sequence[EarlierRelease]) -> None:
    """Attack a release, and say which attacks succeed only with what earlier releases show.

    Raises
    ------
    UserError
        If an attack succeeds.
    """
    findings = attack(protected, rules, earlier=before)
    if not findings:
        return
    alone = attack(protected, rules) if before else findings
    cells = {cell for finding in alone for cell in finding.cells}
    labels = ", ".join(release.label for release in before)
    raise_problems(
        list(_unsafe(findings, [finding for finding in findings if not cells >= set(finding.cells)], labels))
    )


def _unsafe(findings: Sequence[Finding], by_earlier: Sequence[Finding], labels: str) -> Iterator[str]:
    """Yield a paragraph for each of the first successful attacks, and how many more there are.

    `by_earlier` are those that reach cells which the release alone would not give away.
    """
    for finding in findings[:MOST_FINDINGS]:
        cells = "; ".join(finding.cells[:MOST_CELLS]) + ("; ..." if len(finding.cells) > MOST_CELLS else "")
        start = f"The release is not safe, and nothing was written. {finding.path}: {finding.reason} Cells: {cells}. "
        if finding in by_earlier:
            yield (
                f"{start}The release alone would be safe: the numbers that left before ({labels}) give these cells away. Leave one of these "
                "exhibits out (disclosure.leave_out), or use the profile of the earlier release."
            )
        else:
            yield f"{start}Leave one of these exhibits out (disclosure.leave_out), or coarsen its groups."
    if len(findings) > MOST_FINDINGS:
        yield f"{len(findings) - MOST_FINDINGS} more attacks succeed."


def _profile(configuration: Configuration, name: str | None) -> DisclosureProfile:
    chosen = name or configuration.disclosure_profile
    study = configuration.evaluation
    if chosen is None:
        raise UserError(
            f"The data of '{study.name}' are confidential, and no disclosure profile is chosen, so nothing would protect the release. "
            "Write `disclosure: {profile: NAME}` in the evaluation or in config/config.yaml, or use --profile. Profiles: config/disclosure."
        )
    rules = load_profile(chosen, root=configuration.root)
    if not rules.protects and not study.releasable:
        raise UserError(
            f"The profile '{chosen}' protects nothing, and the data of '{study.name}' are confidential. Choose the data owner's profile."
        )
    return rules


def _version(folder: Path, version: str | None) -> str:
    there = {path.name for path in folder.glob("*") if path.is_dir()}
    if version is None:
        return f"v{max((int(name[1:]) for name in there if re.fullmatch(r'v[0-9]+', name)), default=0) + 1}"
    if not VERSION.fullmatch(version):
        raise UserError(
            f"--version: '{version}' cannot be the name of a folder everywhere. Use lower case letters, digits, '.', '_' and '-'."
        )
    if version in there:
        raise UserError(
            f"--version: the release '{version}' exists already, and what left the secure zone is not written over. Choose another name."
        )
    return version


def _numbers(configuration: Configuration) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Return the unprotected numbers of the exhibits that leave, and why the others do not."""
    study, results = configuration.evaluation, configuration.results_folder
    left_out = dict(study.disclosure.leave_out)
    frames, missing = {}, []
    for name in study.exhibits:
        path = results / "aggregates" / f"{name}.csv"
        if name in left_out:
            continue
        if not path.is_file():
            missing.append(name)
            continue
        frame = read_tidy(path)
        if reason_not_made(frame) is None:
            frames[name] = frame
        else:
            left_out[name] = "It could not be computed."
    if missing or not frames:
        raise UserError(
            f"{results}/aggregates has no numbers of {', '.join(missing) or 'any exhibit'}, so there is nothing to release. Run first: "
            f"refino-eval run --evaluation {study.name}"
        )
    return frames, left_out


def _releases(folder: Path) -> list[EarlierRelease]:
    """Return the earlier releases of the evaluation, oldest first as their names sort."""
    return [_read_release(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}")) if path.parent.name[0] != "."]


def _read_release(folder: Path) -> EarlierRelease:
    """Read what an earlier release shows, after making sure that it is what left."""
    verified = verify(folder)
    if verified.changes:
        raise UserError(
            f"The earlier release {folder} is not as it was released ({'; '.join(verified.changes[:5])}), so the new one cannot be "
            "compared with what is known outside. Restore it from its .zip file."
        )
    label = f"{verified.manifest.get('evaluation')} {verified.manifest.get('version')}"
    return EarlierRelease(label, {path.stem: _read_numbers(path) for path in sorted((folder / NUMBERS).glob("*.csv"))})


def _read_numbers(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="profile")
    values = pd.to_numeric(frame["value"]).astype("float64")
    return frame.assign(value=values, n_persons=pd.to_numeric(frame["n_persons"]).astype("Int64"))


def _write_numbers(release: ProtectedRelease, folder: Path, work: Path) -> None:
    """Write protected numbers, each file with its profile; and for the secure zone what happened to each cell."""
    from refino_eval.exhibits.tidy import write_bytes, write_tidy

    for exhibit in release.exhibits:
        (csv, _) = write_tidy(exhibit.frame, work / "aggregates" / f"{exhibit.name}.csv")
        head, *lines = csv.read_text(encoding="utf-8").splitlines()
        text = "\n".join([f"{head},profile", *(f"{line},{release.profile}" for line in lines)])
        write_bytes(folder / f"{exhibit.name}.csv", f"{text}\n".encode())
        before = exhibit.source.frame[list(COLUMNS)].reset_index(drop=True)
        shown = exhibit.frame["value"].to_numpy()
        table = before.assign(protected_value=shown, **{str(c): exhibit.cells[c].to_numpy() for c in exhibit.cells})
        write_bytes(work / "cells" / f"{exhibit.name}.csv", frame_csv(table).encode())


def _facts(
    configuration: Configuration, rules: DisclosureProfile, version: str, earlier: Sequence[str]
) -> dict[str, Any]:
    path = configuration.results_folder / "run" / "provenance.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        "evaluation": configuration.evaluation.name,
        "version": version,
        "profile": rules.name,
        "data_class": configuration.evaluation.data_class,
        "compared_with": list(earlier),
        "provenance": {name: record[name] for name in PROVENANCE if name in record},
    }


def _require_clean(folder: Path, results: Path, rules: DisclosureProfile) -> None:
    """Raise a user error for each file that holds what must not leave."""
    threshold = rules.frequency.threshold if rules.protects else 1
    raise_problems(
        [
            f"The release is not clean, and nothing was written. {problem}. Correct the label, note or exhibit that it comes from."
            for problem in scan(folder, ids=_ids(results), threshold=threshold)
        ]
    )


def _ids(results: Path) -> Collection[str]:
    """Return the ids of everybody in the evaluation; none where the results have no rows of people any more."""
    import pyarrow.parquet as pq

    path = results / "person_level" / "cohort.parquet"
    with suppress(OSError, KeyError):
        return set(map(str, pq.read_table(path, columns=["person_id"])["person_id"].to_pylist()))
    return ()
