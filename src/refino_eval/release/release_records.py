"""What a release says of itself: a record for each file, and a README with what an output checker asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from refino_eval.config import Configuration
from refino_eval.config.base import Language
from refino_eval.config.dependencies import used_outcomes
from refino_eval.config.disclosure_profiles import DisclosureProfile, OwnersRule
from refino_eval.csv_output import csv_text
from refino_eval.disclosure.release_tables import SUPPRESSED, ProtectedExhibit, ProtectedRelease
from refino_eval.exhibits.tidy import write_text
from refino_eval.text import say

RECORDS = "records.csv"
COLUMNS = (
    "file", "sha256", "bytes", "exhibit", "kind", "class", "population", "n_persons_rounded", "degrees_of_freedom", "profile", "rules",
    "status", "suppressed", "numbers", "relations", "exceptions",
)  # fmt: skip
NO_EXCEPTIONS = "none"


def write_records(
    configuration: Configuration,
    release: ProtectedRelease,
    rules: DisclosureProfile,
    *,
    folder: Path,
    version: str,
    left_out: Mapping[str, str],
    earlier: Sequence[str],
) -> None:
    """Write `records.csv` and a README in every language.

    Parameters
    ----------
    configuration
        The evaluation's configuration.
    release
        Its protected numbers.
    rules
        The profile that protects them.
    folder
        The release, whose other files are there.
    version
        Its name.
    left_out
        Exhibits that it does not hold, with reasons.
    earlier
        Releases that it was compared with.
    """
    for language in configuration.project.languages:
        lines = _readme(configuration, release, rules, version, left_out, earlier, language)
        write_text(folder / f"README.{language}.md", "\n".join(lines) + "\n")
    exhibits = {exhibit.name: exhibit for exhibit in release.exhibits}
    stated = "; ".join(f"{name}: {value}" for name, value, _ in rule_values(rules)) if rules.protects else "none"
    rows = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        exhibit = exhibits.get(path.name.split(".")[0]) if path.parent != folder else None
        facts = _facts(exhibit) if exhibit else ["", "", "", "", "", ""]
        status = [exhibit_status(exhibit), *_counts(exhibit)] if exhibit else ["", "", ""]
        relations = _relations(exhibit, release, path) if exhibit else _page_relations(path)
        name = path.relative_to(folder).as_posix()
        digest = hashlib.sha256(content).hexdigest()
        rows.append([name, digest, len(content), *facts, rules.name, stated, *status, relations, NO_EXCEPTIONS])
    write_text(folder / RECORDS, csv_text([COLUMNS, *rows]))


def rule_values(rules: DisclosureProfile) -> Iterator[tuple[str, str, OwnersRule]]:
    """Yield each rule of a profile: its name, its values in words, and itself."""
    for name in type(rules).model_fields:
        rule = getattr(rules, name)
        if isinstance(rule, OwnersRule):
            own = {key: value for key, value in rule if key not in OwnersRule.model_fields}
            yield name, ", ".join(f"{key} {value}" for key, value in own.items()), rule


def exhibit_status(exhibit: ProtectedExhibit) -> str:
    """Return the worst status of an exhibit's numbers: it does not say which of the suppressed ones are small."""
    return {"primary": SUPPRESSED, "secondary": SUPPRESSED}.get(exhibit.status, exhibit.status)


def _counts(exhibit: ProtectedExhibit) -> list[int]:
    return [int((exhibit.frame["status"] == SUPPRESSED).sum()), len(exhibit.frame)]


def _people(exhibit: ProtectedExhibit) -> str:
    people = exhibit.frame["n_persons"].dropna()
    return "" if people.empty else str(int(people.max()))


def _degrees_of_freedom(exhibit: ProtectedExhibit) -> str:
    frame = exhibit.frame
    values = frame.loc[frame["statistic"].isin(["df", "df_residual"]), "value"].dropna()
    return "" if values.empty else f"{values.min():g}"


def _facts(exhibit: ProtectedExhibit) -> list[str]:
    numbers = [_people(exhibit), _degrees_of_freedom(exhibit)]
    return [exhibit.name, exhibit.kind, exhibit.disclosure_class, exhibit.source.sample, *numbers]


def _linked(exhibit: ProtectedExhibit, release: ProtectedRelease) -> list[str]:
    """Return the other exhibits that are about the same sample, or that measure the same outcome."""
    own = set(exhibit.source.measures.values())
    return [
        other.name
        for other in release.exhibits
        if other.name != exhibit.name
        and (other.source.sample == exhibit.source.sample or own & set(other.source.measures.values()))
    ]


def _relations(exhibit: ProtectedExhibit, release: ProtectedRelease, path: Path) -> str:
    made = "" if path.parent.name == "numbers" else f"made from numbers/{exhibit.name}.csv; "
    linked = _linked(exhibit, release)
    everything = len(linked) == len(release.exhibits) - 1
    return made + ("same people as " + ("all other exhibits" if everything else ", ".join(linked)) if linked else "")


def _page_relations(path: Path) -> str:
    whole = path.name.startswith(("report.", "tables."))
    return "made from numbers/" if whole else ""


def _readme(
    configuration: Configuration,
    release: ProtectedRelease,
    rules: DisclosureProfile,
    version: str,
    left_out: Mapping[str, str],
    earlier: Sequence[str],
    language: Language,
) -> Iterator[str]:
    study = configuration.evaluation

    def text(name: str, **values: object) -> str:
        return say(f"release.{name}", language, **values)

    people = [int(number) for number in map(_people, release.exhibits) if number]
    lost = release.utility
    yield f"# {text('title', label=study.label[language], version=version)}"
    yield f"\n{text('for_checkers')}\n"
    yield f"- {text('data_class')}: {say(f'release.class_{study.data_class}', language)}"
    yield f"- {text('profile')}: {rules.name} ({rules.label[language]})"
    yield f"- {text('people')}: {max(people, default=0)}"
    yield f"- {text('arms')}: {', '.join(arm.label[language] for arm in study.arms.everyone)}"
    hidden = lost.primary + lost.secondary
    yield f"- {text('lost')}: {text('lost_numbers', hidden=hidden, cells=lost.cells, rows=lost.whole_rows)}"
    yield f"- {text('earlier')}: {', '.join(earlier) or text('no_earlier')}"
    yield f"\n## {text('rules')}\n"
    if rules.protects:
        yield from (text("rule_head"), "|---|---|---|---|---|")
        for name, value, rule in rule_values(rules):
            confirmed = text("confirmed_yes") if rule.confirmed else text("confirmed_no")
            yield _row(name, value, rule.source, rule.date, confirmed)
        yield f"\n{text('protected')}"
    else:
        yield text("no_rules")
    yield from _exhibits(configuration, release, language)
    yield from _variables(configuration, language)
    yield f"\n## {text('left_out')}\n"
    yield from [f"- {name}: {reason}" for name, reason in left_out.items()] or [text("nothing_left_out")]
    yield f"\n## {text('files')}\n"
    for name in ("file_numbers", "file_pages", "file_definitions"):
        yield f"- {say(f'release.{name}', language)}"
    yield f"\n{text('verify')}"


def _exhibits(configuration: Configuration, release: ProtectedRelease, language: Language) -> Iterator[str]:
    """Yield the table of what is released, with the people behind each exhibit."""
    yield f"\n## {say('release.exhibits', language)}\n"
    yield from (say("release.exhibit_head", language), "|---|---|---|---|---|---|---|")
    samples = configuration.evaluation.samples
    for exhibit in release.exhibits:
        title = configuration.definitions.exhibits[exhibit.name].title[language]
        sample = samples[exhibit.source.sample].label[language] if exhibit.source.sample in samples else ""
        facts = (_people(exhibit), _degrees_of_freedom(exhibit), exhibit_status(exhibit))
        yield _row(exhibit.name, title, exhibit.disclosure_class, sample, *facts)
    yield f"\n{say('release.same_people', language)}"


def _variables(configuration: Configuration, language: Language) -> Iterator[str]:
    """Yield what the outcomes are."""
    yield f"\n## {say('release.variables', language)}\n"
    definitions = configuration.definitions
    for name in used_outcomes(configuration.evaluation, definitions):
        outcome = definitions.outcomes.get(name)
        if outcome is not None:
            description = outcome.description
            described = description if isinstance(description, str) else description[language]
            yield f"- `{name}`: {outcome.label[language]}. {' '.join(described.split())}".rstrip()


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
