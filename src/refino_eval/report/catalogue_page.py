"""The catalogue: every definition on one page, in words, with windows drawn, codes, examples, and where each is used.

Reviewers read it instead of the YAML. It tells of definitions only, never of people: it may be shown whatever the
class of the data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.catalogue import references
from refino_eval.catalogue.example_results import Key, Proof
from refino_eval.catalogue.sentences import sentence
from refino_eval.codes.codelists import Codelist
from refino_eval.config import checks
from refino_eval.config import definitions as d
from refino_eval.config.base import Label, Language, spoken, text_in
from refino_eval.config.evaluation import Clock, Evaluation
from refino_eval.config.sources import Source
from refino_eval.exhibits.tidy import write_text
from refino_eval.outcomes.describe import window_words
from refino_eval.report.page.report_page import _environment, styles

if TYPE_CHECKING:
    from markupsafe import Markup

WORDS: Mapping[str, Label] = {
    key: Label(nb=nb, en=en)
    for key, nb, en in (
        ("title", "Definisjonskatalog", "Catalogue of definitions"),
        ("contents", "Innhold", "Contents"),
        ("skip", "Hopp til innholdet", "Skip to the content"),
        ("states", "Tilstander", "States"),
        ("outcomes", "Utfall", "Outcomes"),
        ("covariates", "Kjennetegn ved trekking", "Covariates"),
        ("subgroups", "Delgrupper", "Subgroups"),
        ("specifications", "Spesifikasjoner", "Specifications"),
        ("states_text", "Hva som er sant om en person i en måned eller uke.", "What is true of a person in a month or week."),
        ("outcomes_text", "Ett tall per person, regnet fra tilstander over tid siden trekking.", "One number a person, computed from states over time since the draw."),
        ("covariates_text", "Hva som er kjent om en person da han eller hun ble trukket.", "What is known of a person at the draw."),
        ("subgroups_text", "Deler av utvalget.", "Parts of the sample."),
        ("specifications_text", "Hva som står ved siden av trekkegruppen i regresjonen.", "What stands beside the arm in the regression."),
        ("used", "brukt", "used"),
        ("unused", "ikke brukt her", "not used here"),
        ("used_in", "Brukt i", "Used in"),
        ("nowhere", "ingenting som denne evalueringen lager", "nothing that this evaluation makes"),
        ("reads", "Leser", "Reads"),
        ("states_read", "Tilstander", "States"),

        ("decides", "Avgjøres av", "Decided by"),
        ("unit", "Enhet", "Unit"),
        ("range", "Mulige verdier", "Range"),
        ("kind", "Slag", "Kind"),
        ("missing", "Mangler", "Missing"),
        ("missing_any", "når noen av periodene mangler", "when any of the periods is missing"),
        ("missing_all", "når alle periodene mangler", "when all of the periods are missing"),
        ("version", "Versjon", "Version"),
        ("changed", "endret", "changed"),
        ("deprecated", "Utgått", "Deprecated"),
        ("codes", "Koder", "Codes"),
        ("columns", "Registre og kolonner", "Registers and columns"),
        ("examples", "Eksempler", "Worked examples"),
        ("example_right", "stemmer", "comes out as written"),
        ("example_wrong", "stemmer ikke", "does not come out as written"),
        ("example_not_run", "ikke kjørt: registeret er ikke med i evalueringen", "not run: its register is not in this evaluation"),
        ("register", "Register", "Register"),
        ("column", "Kolonne", "Column"),
        ("delivered", "Navn i leveransen", "Delivered as"),
        ("why", "Hvorfor", "Why"),
        ("code", "Kode", "Code"),
        ("label", "Navn", "Label"),
        ("counts", "teller", "counts"),
        ("counts_not", "teller ikke", "does not count"),
        ("spells", "Oppdiktede forløp", "Made-up spells"),
        ("expected", "Ventet", "Expected"),
        ("value_missing", "mangler", "missing"),
        ("result", "Resultat", "Result"),
        ("sample", "utvalget", "the sample"),
        ("primary", "primært", "primary"),
        ("secondary", "sekundært", "secondary"),
        ("exploratory", "utforskende", "exploratory"),
        ("family", "familie", "family"),
        ("month_axis", "måneder siden trekking", "months since the draw"),
        ("week_axis", "uker siden trekking", "weeks since the draw"),
        ("own_table", "Utfallene står ferdige i persontabellen:", "The outcomes stand ready in the person table:"),
        ("english", "Noen beskrivelser og eksempler er skrevet på engelsk.", ""),
        ("proven", "{right} av {run} eksempler stemmer; {rest} ble ikke kjørt.", "{right} of {run} worked examples come out as written; {rest} were not run."),
        ("lead", "Alt som er definert, slik programmet regner det. Det evalueringen bruker, står først i hver del.", "Everything that is defined, as the program computes it. What the evaluation uses stands first in each part."),
        ("back", "Til rapporten", "To the report"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class CatalogueInputs:
    """What the catalogue is made of.

    Attributes
    ----------
    evaluation, definitions
        The study, and everything defined (its own definitions merged in).
    sources
        Registers by name: the evaluation's, and others that definitions speak of.
    codelists
        Code lists by name.
    proofs
        What became of the examples, by kind and name; an entry without a proof is told as not run.
    report
        Whether a report stands beside the page, to link to.
    """

    evaluation: Evaluation
    definitions: d.Definitions
    sources: Mapping[str, Source]
    codelists: Mapping[str, Codelist]
    proofs: Mapping[Key, Proof]
    report: bool = True


@dataclass(frozen=True)
class ShownExample:
    """One worked example as the page shows it; `result` is right, wrong or not_run."""

    why: str
    given: str
    expected: str
    result: str
    fault: str


@dataclass(frozen=True)
class Entry:
    """One definition as the page shows it; `users` are exhibits by name and title (no name: not an exhibit)."""

    kind: str
    name: str
    label: str
    words: str
    description: str
    spoken: str
    used: bool
    users: tuple[tuple[str, str], ...]
    role: str
    facts: tuple[tuple[str, str], ...]
    codes: tuple[references.CodeRow, ...]
    reads: tuple[references.Read, ...]
    examples: tuple[ShownExample, ...]
    picture: str
    window: str

    @property
    def anchor(self) -> str:
        """The entry's place on the page."""
        return f"{self.kind}-{self.name}"


def build_catalogue(inputs: CatalogueInputs, *, language: Language, html_path: Path, markdown_path: Path) -> None:
    """Write the catalogue in one language.

    Parameters
    ----------
    inputs
        The definitions and what is known of them.
    language
        ``nb`` or ``en``.
    html_path
        The page: self-contained, no script, no network; each file is written at once or not at all.
    markdown_path
        The same as Markdown, for a repository or an appendix.
    """
    parts = {kind: entries(inputs, kind, language) for kind in reversed(references.KINDS[:2])}
    parts |= {kind: entries(inputs, kind, language) for kind in references.KINDS[2:]}
    table = inputs.evaluation.person_table
    own = (
        [
            (name, table.labels[name][language] if name in table.labels else "", column)
            for name, column in table.outcomes.items()
        ]
        if table
        else []
    )
    proven = _proven(inputs, language)
    html = _environment().get_template("catalogue.html.j2").render(
        language=language,
        evaluation=inputs.evaluation,
        title=inputs.evaluation.label[language],
        word=lambda key: word(key, language),
        style=styles(("report.css", "contents.css", "catalogue.css", "print.css")),
        parts=parts,
        own=own,
        proven=proven,
        report=f"report.{language}.html" if inputs.report else "",
        svg=_svg,
    )  # fmt: skip
    write_text(html_path, re.sub(r"\n\s*\n+", "\n", html))
    write_text(markdown_path, _markdown(inputs.evaluation.label[language], parts, own, proven, language))


def word(key: str, language: Language) -> str:
    """Return one of the page's fixed texts."""
    return WORDS[key][language]


def entries(inputs: CatalogueInputs, kind: str, language: Language) -> list[Entry]:
    """Return the definitions of one kind, those that the evaluation uses first, each group in the file's order."""
    users = references.users_of(inputs.definitions, inputs.evaluation.exhibits)
    for name in checks.used_covariates(inputs.evaluation, inputs.definitions):
        if ("covariates", name) not in users:
            users["covariates", name] = [word("sample", language)]
    defined = getattr(inputs.definitions, kind)
    shown = [_entry(inputs, kind, name, defined[name], users.get((kind, name), []), language) for name in defined]
    return sorted(shown, key=lambda entry: not entry.used)


def _entry(
    inputs: CatalogueInputs, kind: str, name: str, definition: Any, users: list[str], language: Language
) -> Entry:
    definitions, sources = inputs.definitions, inputs.sources
    is_outcome = isinstance(definition, d.Outcome)
    described = getattr(definition, "description", "")
    titles = {key: exhibit.title[language] for key, exhibit in definitions.exhibits.items()}
    clock = inputs.evaluation.clocks.get(definition.clock) if is_outcome else None
    window = window_words(definition, language) if is_outcome else ""
    return Entry(
        kind=kind,
        name=name,
        label=definition.label[language],
        words=references.sentence_of(definition, definitions, language) if is_outcome else sentence(definition, definitions, sources, language),
        description=text_in(described, language),
        spoken=spoken(described, language),
        used=bool(users),
        users=tuple((user if user in titles else "", titles.get(user, user)) for user in users),
        role=definition.role if is_outcome else "",
        facts=tuple(_facts(definition, definitions, window, language)),
        codes=tuple(references.codes_of(definition, definitions, sources, inputs.codelists, language)),
        reads=tuple(references.reads_of(definition, definitions, sources)),
        examples=tuple(_examples(definition, inputs.proofs.get((kind, name)), language)),
        picture=window_svg(definition.read, clock, definition.clock, window, language) if is_outcome else "",
        window=window,
    )  # fmt: skip


def _facts(definition: Any, definitions: d.Definitions, window: str, language: Language) -> list[tuple[str, str]]:
    """Return what is told in a line each; what an entry lacks is left out."""
    facts: list[tuple[str, str]] = []
    if isinstance(definition, d.Outcome):
        names = references.states_of(definition, definitions)
        labels = [definitions.states[n].label[language] if n in definitions.states else n for n in names]
        rules = "".join(f", {key} {value}" for key, value in references.rule_fields(definition).items())
        facts += [
            ("kind", f"{definition.kind}{rules}"),
            ("reads", window),
            ("states_read", "; ".join(f"{label} ({n})" for n, label in zip(names, labels, strict=True))),
            ("missing", word(f"missing_{definition.missing}", language)),
        ]
        if definition.family:
            facts.append(("family", definition.family))
    decides = references.thresholds_of(definition, definitions)
    facts.append(("decides", "; ".join(decides)))
    unit = getattr(definition, "unit", None)
    facts.append(("unit", unit[language] if unit is not None else ""))
    limits = getattr(definition, "range", None)
    facts.append(("range", f"{_number(limits[0], language)} – {_number(limits[1], language)}" if limits else ""))
    if isinstance(definition, d.Outcome):
        when = f", {word('changed', language)} {definition.changed}" if definition.changed else ""
        facts.append(
            ("version", f"{definition.version}{when}" + (f": {definition.reason}" if definition.reason else ""))
        )
        facts.append(("deprecated", definition.deprecated or ""))
    return [(word(key, language), value) for key, value in facts if value]


def _examples(definition: Any, proof: Proof | None, language: Language) -> list[ShownExample]:
    shown = []
    for number, example in enumerate(getattr(definition, "examples", ())):
        fault = proof.faults[number] if proof is not None else ""
        result = "not_run" if proof is None or not proof.run else "wrong" if fault else "right"
        expected = word("value_missing", language) if example.expect is None else _number(example.expect, language)
        at = f" (t\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{_minus(str(example.at))})" if example.at is not None else ""
        shown.append(ShownExample(example.why, references.example_text(example), expected + at, result, fault))
    return shown


def _proven(inputs: CatalogueInputs, language: Language) -> str:
    run = [proof for proof in inputs.proofs.values() if proof.run]
    total = sum(len(proof.faults) for proof in run)
    rest = sum(len(proof.faults) for proof in inputs.proofs.values() if not proof.run)
    right = total - sum(proof.wrong for proof in run)
    return word("proven", language).format(right=right, run=total, rest=rest)


def window_svg(times: tuple[int, ...], clock: Clock | None, unit: str, told: str, language: Language) -> str:
    """Draw which periods are read on the axis of event time.

    Parameters
    ----------
    times
        Event times read.
    clock
        The evaluation's clock, which is the axis; without one the axis holds what is read and the draw.
    unit
        ``month`` or ``week``.
    told
        The window in words: the picture's text alternative.
    language
        ``nb`` or ``en``.

    Returns
    -------
    str
        An SVG element; its colours come from the page's style sheet.
    """
    first, last = min(0, *times), max(0, *times)
    if clock is not None:
        first, last = min(first, clock.first), max(last, clock.last)
    width, left, top = 640.0, 14.0, 22.0
    step = (width - 2 * left) / (last - first + 1)

    def x(time: float) -> str:
        return f"{left + (time - first) * step:.1f}"

    shapes = [f'<line class="axis" x1="{left:g}" y1="{top + 16:g}" x2="{width - left:g}" y2="{top + 16:g}"/>']
    for begin, end in references.runs_of(times):
        wide = (end - begin + 1) * step
        shapes.append(
            f'<rect class="read" x="{x(begin)}" y="{top:g}" width="{max(wide, 3):.1f}" height="16" rx="1.5"/>'
        )
        text = f"{begin}" if begin == end else f"{begin}–{end}"
        shapes.append(f'<text class="span" x="{x((begin + end + 1) / 2)}" y="{top - 6:g}">{_minus(text)}</text>')
    every = next(
        gap
        for gap in (6, 12, 24, 26, 52, 104, 208, 520, 10_000)
        if ((last - first) / gap <= 10 and (unit == "month") == (gap % 6 == 0 and gap <= 24)) or gap == 10_000
    )
    for time in sorted({0, *(t for t in range(first - first % every, last + 1, every) if t >= first)}):
        middle = x(time + 0.5)
        kind = "draw" if time == 0 else "tick"
        shapes.append(
            f'<line class="{kind}" x1="{middle}" y1="{top + (-2 if time == 0 else 16):g}" x2="{middle}" y2="{top + 21:g}"/>'
        )
        shapes.append(f'<text x="{middle}" y="{top + 34:g}">{_minus(str(time))}</text>')
    name = word(f"{unit}_axis", language)
    return (
        f'<svg class="window" viewBox="0 0 {width:g} 74" role="img" aria-label="{_escaped(told)}">{"".join(shapes)}'
        f'<text class="name" x="{width / 2:g}" y="70">{name}</text></svg>'
    )


def _number(value: float, language: Language) -> str:
    text = _minus(f"{value:g}")
    return text.replace(".", ",") if language == "nb" else text


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def _svg(entry: Entry) -> Markup:
    from markupsafe import Markup

    return Markup(entry.picture)


def _markdown(
    title: str,
    parts: Mapping[str, list[Entry]],
    own: list[tuple[str, str, str]],
    proven: str,
    language: Language,
) -> str:
    """Write the page as Markdown: the same facts, the window in words."""
    lines = [f"# {word('title', language)}: {title}", "", word("lead", language), "", proven]
    for kind, shown in parts.items():
        if not shown and not (kind == "outcomes" and own):
            continue
        lines += ["", f"## {word(kind, language)}", "", word(f"{kind}_text", language)]
        if kind == "outcomes" and own:
            lines += ["", word("own_table", language), ""]
            lines += [f"- `{name}` {label} (`{column}`)" for name, label, column in own]
        for entry in shown:
            lines += _markdown_entry(entry, language)
    return "\n".join(lines) + "\n"


def _markdown_entry(entry: Entry, language: Language) -> list[str]:
    marks = [word(entry.role, language)] if entry.role else []
    marks += [] if entry.used else [word("unused", language)]
    lines = ["", f"### {_md(entry.label)} (`{entry.name}`)", ""]
    lines += [f"*{', '.join(marks)}*", ""] if marks else []
    lines += [_md(entry.words), ""] if entry.words else []
    lines += [_md(entry.description), ""] if entry.description else []
    lines += [f"- {label}: {_md(value)}" for label, value in entry.facts]
    lines.append(
        f"- {word('used_in', language)}: {_md('; '.join(title for _, title in entry.users)) or word('nowhere', language)}"
    )
    if entry.codes:
        lines += _md_table(
            [word(key, language) for key in ("column", "code", "label")] + [""],
            [[c.column, c.code, c.label, word("counts" if c.taken else "counts_not", language)] for c in entry.codes],
        )
    if entry.reads:
        lines += _md_table(
            [word(key, language) for key in ("register", "column", "delivered", "why")],
            [[r.register, r.column, r.delivered, r.why] for r in entry.reads],
        )
    if entry.examples:
        lines += _md_table(
            [word(key, language) for key in ("why", "spells", "expected", "result")],
            [[e.why, e.given, e.expected, word(f"example_{e.result}", language)] for e in entry.examples],
        )
    return lines


def _md_table(head: list[str], rows: list[list[str]]) -> list[str]:
    body = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in [head, *rows]]
    return ["", body[0], "|" + " --- |" * len(head), *body[1:]]


def _md(text: str) -> str:
    """Escape what Markdown would take for its own."""
    return re.sub(r"([\\|*_<`\[\]])", r"\\\1", text).replace("\n", " ")


def write_catalogue(
    configuration: Mapping[str, Any],
    *,
    other_sources: Mapping[str, Any],
    codelists: Path,
    language: Language,
    html_path: Path,
    markdown_path: Path,
) -> int:
    """Prove the definitions by their examples and write the catalogue.

    Parameters
    ----------
    configuration
        Everything that was configured, as plain data.
    other_sources
        Registers that definitions speak of and the evaluation does not read, as plain data.
    codelists
        Folder of code lists and price indices.
    language, html_path, markdown_path
        See `build_catalogue`.

    Returns
    -------
    int
        Number of definitions told.
    """
    from refino_eval.catalogue.example_results import prove
    from refino_eval.codes.codelists import load_codelists

    study = Evaluation.model_validate(configuration["evaluation"])
    definitions = d.Definitions.model_validate(configuration["definitions"])
    own = {name: Source.model_validate(source) for name, source in configuration["sources"].items()}
    sources = own | {name: Source.model_validate(source) for name, source in other_sources.items()}
    lists = {c.codelist for source in sources.values() for c in source.columns.values() if c.codelist is not None}
    keys = [(kind, name) for kind in ("states", "outcomes") for name in getattr(definitions, kind)]
    inputs = CatalogueInputs(
        evaluation=study,
        definitions=definitions,
        sources=sources,
        codelists=load_codelists(lists, codelists),
        proofs=prove(keys, definitions, own, codelists=codelists, clock="month" if "month" in study.clocks else "week"),
        report=study.releasable,
    )
    build_catalogue(inputs, language=language, html_path=html_path, markdown_path=markdown_path)
    return sum(len(getattr(definitions, kind)) for kind in references.KINDS)
