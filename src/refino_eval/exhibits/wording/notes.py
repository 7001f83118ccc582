"""What the program says by itself under an exhibit: sample, specification, windows, inference, kind of data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from refino_eval.config.definitions import Outcome, Specification
from refino_eval.config.exhibits import Exhibit
from refino_eval.covariances import Vcov, is_clustered
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.wording.labels import VCOV_LABELS, LabelBook, inside
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for
from refino_eval.outcomes.kinds import outcome_sentence

EN_DASH = "\N{EN DASH}"


FEW_CLUSTERS = 30
"""Below this many clusters a note warns: "few" may mean fewer than 20 to fewer than 50 (Cameron and Miller 2015, Journal of
Human Resources 50(2), section VI)."""


def say(language: str, nb: str, en: str) -> str:
    """Return the sentence of a language."""
    return nb if language == "nb" else en


def sample_note(exhibit: Exhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> str:
    """Say which sample, and how many people where the numbers agree on it; nothing for the flow, which shows them all, or without people."""
    if exhibit.reads_flow or not exhibit.about_people:
        return ""
    counts = frame.loc[(frame["statistic"] == "n") & frame["value"].notna() & (frame["row"] != "summary"), "value"]
    style = NumberStyle.of(language)
    text = say(language, "Utvalg: ", "Sample: ") + "; ".join(
        labels.sample(sample, language) for sample in exhibit.samples_read
    )
    if counts.empty or exhibit.kind not in ("itt", "balance"):
        return text + "."
    low, high = counts.min(), counts.max()
    if exhibit.kind == "balance":
        low = high
    shown = style.integer(low) if low == high else f"{style.integer(low)}{EN_DASH}{style.integer(high)}"
    return f"{text} (N = {shown})."


def specification_note(name: str, specification: Specification, labels: LabelBook, language: str) -> str:
    """Say the controls of a specification, in what form they enter, and the cells."""
    controls = [
        inside(labels.covariate(term.covariate, language, unit=False))
        + {
            "linear": say(language, " (lineært)", " (linear)"),
            "categories": say(language, " (dummyer)", " (dummies)"),
            "quantile_bins": say(language, f" ({term.bins} kvantilgrupper)", f" ({term.bins} quantile groups)"),
            "edges": say(language, " (intervaller)", " (intervals)"),
        }[term.encoding]
        for term in specification.controls
    ]
    listed = "; ".join(controls) if controls else labels.word("none", language)
    head = labels.specification(name, language)
    cells = labels.cells(language)
    text = say(language, f"{head}: kontrollvariabler {listed}.", f"{head}: controls {listed}.")
    if controls == []:
        text = say(language, f"{head}: ingen kontrollvariabler.", f"{head}: no controls.")
    if specification.strata and cells:
        text += say(language, f" Faste effekter for hver celle ({cells}).", f" Fixed effects for each cell ({cells}).")
    if specification.weights is False:
        text += say(language, " Uten vekter.", " Without weights.")
    elif specification.weights or labels.weights:
        weight = (
            labels.covariate(specification.weights, language, unit=False) if specification.weights else labels.weights
        )
        text += say(language, f" Vektet med {weight}.", f" Weighted by {weight}.")
    if is_clustered(specification.vcov) and labels.cluster:
        text += say(language, f" Klynger: {labels.cluster}.", f" Clusters: {labels.cluster}.")
    return text


def errors_note(vcovs: Iterable[Vcov], language: str) -> str:
    """Say the covariance."""
    names = ", ".join(dict.fromkeys(VCOV_LABELS[vcov][language] for vcov in vcovs))
    return say(language, f"Standardfeil i parentes, {names}.", f"Standard errors in parentheses, {names}.")


def inference_note(vcovs: Iterable[Vcov], levels: Iterable[float], frame: pd.DataFrame, language: str) -> str:
    """Say the covariance, the level of the intervals and the reference distribution."""
    shown = " / ".join(dict.fromkeys(f"{level * 100:g}" for level in levels))
    df = frame.loc[
        (frame["statistic"] == "df") & frame["value"].notna() & ~frame["row"].isin(["joint_test", "all_arms"]), "value"
    ]
    style = NumberStyle.of(language)
    vcovs = tuple(vcovs)
    text = errors_note(vcovs, language)
    if df.empty:
        # Its numbers do not say which distribution the intervals are from, so the note does not either.
        return text + say(language, f" {shown} % konfidensintervaller.", f" {shown}% confidence intervals.")
    if not all(map(math.isfinite, df)):
        reference = say(language, "normalfordelingen", "the normal distribution")
    else:
        low, high = style.integer(df.min()), style.integer(df.max())
        count = low if low == high else f"{low}{EN_DASH}{high}"
        reference = say(
            language, f"t-fordelingen med {count} frihetsgrader", f"the t distribution with {count} degrees of freedom"
        )
    text += say(language, f" {shown} % intervaller fra {reference}.", f" {shown}% intervals from {reference}.")
    return text + (few_clusters_note(df, language) if any(map(is_clustered, vcovs)) else "")


def few_clusters_note(df: pd.Series, language: str) -> str:
    """Warn of few clusters, whose number is one more than the degrees of freedom; nothing where they are many."""
    clusters = df.min() + 1
    if not clusters < FEW_CLUSTERS:
        return ""
    return say(
        language,
        f" Bare {clusters:.0f} klynger: med så få blir klyngerobuste standardfeil ofte for små, slik at intervaller kan være for smale og "
        "p-verdier for lave (Cameron og Miller 2015). En randomiseringstest som trekker hele klynger om igjen, har ikke den svakheten.",
        f" Only {clusters:.0f} clusters: with so few, clustered standard errors are often too small, so that intervals may be too narrow "
        "and p-values too low (Cameron and Miller 2015). A randomisation test that draws whole clusters again has no such weakness.",
    )


def window_notes(exhibit: IttExhibit, labels: LabelBook, language: str) -> tuple[str, ...]:
    """Say the event time that the outcomes read; outcomes of one window are said together."""
    windows: dict[str, list[str]] = {}
    for name in exhibit.columns.values():
        outcome = labels.definitions.outcomes.get(name)
        if outcome is not None:
            windows.setdefault(window_text(outcome, language), []).append(outcome.label[language])
    if len(windows) == 1:
        return (say(language, "Alle utfall: ", "All outcomes: ") + next(iter(windows)) + ".",)
    return tuple(f"{'; '.join(names)}: {window}." for window, names in windows.items())


def unit_note(exhibit: Exhibit, labels: LabelBook, language: str) -> str:
    """Say the units of the outcomes whose heads do not; nothing where the definitions give none.

    The unit that most outcomes have is told last, as that of the others.
    """
    if exhibit.units_in_heads:
        return ""
    single = exhibit.single_outcome
    names = tuple(exhibit.outcome_columns.values()) if single is None else (single,)
    units: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        entry = labels.definitions.outcomes.get(name)
        if entry is None:
            return ""
        units.setdefault(_in_unit(entry, language), []).append(entry.label[language])
    if len(units) < 2:
        said = "".join(units).removeprefix(say(language, "som ", "as a ")).removeprefix(say(language, "i ", "in "))
        return say(language, f"Enhet for alle utfall: {said}.", f"Unit of all outcomes: {said}.") if said else ""
    ordered = sorted(units.items(), key=lambda item: len(item[1]))
    quote = "«{}»".format if language == "nb" else "'{}'".format
    parts = [f"{', '.join(map(quote, labels_of))} {said}" for said, labels_of in ordered[:-1]]
    last, rest = ordered[-1]
    others = quote(rest[0]) if len(rest) == 1 else say(language, "de andre", "the others")
    return say(language, "Enheter: ", "Units: ") + "; ".join([*parts, f"{others} {last}"]) + "."


def _in_unit(outcome: Outcome, language: str) -> str:
    unit = outcome.unit[language]
    if outcome.unit.en == "share":
        return say(language, "som andel fra 0 til 1", "as a share from 0 to 1")
    return say(language, f"i {unit}", f"in {unit}")


def window_text(outcome: Outcome, language: str) -> str:
    """Say what an outcome reads, for instance ``the sum over months 1–12 (0 is the month of the draw)``."""
    first, last = outcome.periods
    period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[outcome.clock]
    zero = say(
        language,
        f"0 er trekke{period}en" if outcome.clock == "month" else "0 er trekkeuka",
        f"0 is the {period} of the draw",
    )
    span = f"{first}{EN_DASH}{last}".replace("-", "\N{MINUS SIGN}") if first != last else f"{first}"
    many = "s" if language == "en" and first != last else ""
    what = {
        "value_at": say(language, f"verdien i {period} {span}", f"the value in {period} {span}"),
        "sum_over": say(language, f"summen over {period} {span}", f"the sum over {period}{many} {span}"),
        "mean_over": say(language, f"gjennomsnittet over {period} {span}", f"the mean over {period}{many} {span}"),
        "any_in": say(language, f"om det skjedde i {period} {span}", f"whether it happened in {period}{many} {span}"),
    }.get(outcome.kind)
    # The other kinds have a sentence of their own; what is read goes without saying where a label stands above it.
    if what is None:
        return outcome_sentence(outcome, "", "nb" if language == "nb" else "en").strip(" :,.")
    return f"{what} ({zero})"


def stars_note(style: NumberStyle, language: str) -> str:
    """Say what a star means."""
    listed = ", ".join(
        f"{'*' * count} p < {style.fixed(level, max(2, decimals_for(level, 1)))}"
        for count, level in enumerate(style.stars, start=1)
    )
    return listed + say(
        language,
        ", hver test for seg (ikke justert for flere tester).",
        ", each test by itself (not adjusted for many).",
    )


def data_class_note(facts: Mapping[str, Any], language: str) -> str:
    """Say that the register is synthetic, when it is."""
    if facts.get("data_class") != "synthetic":
        return ""
    return say(
        language,
        "Syntetisk register: ingen tall her er funn om virkelige personer.",
        "Synthetic register: no number here is a finding about real people.",
    )


def exhibit_notes(
    exhibit: Exhibit,
    frame: pd.DataFrame,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    own: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return all lines under an exhibit: the sample, what its kind says, the definition's note, the kind of data."""
    extra = [str(line[language]) if hasattr(line, "nb") else str(line) for line in facts.get("notes", ())]
    lines = [sample_note(exhibit, frame, labels, language), unit_note(exhibit, labels, language), *own, *extra]
    if exhibit.note is not None:
        lines.append(exhibit.note[language])
    if exhibit.about_people:
        lines.append(data_class_note(facts, language))
    return tuple(line for line in lines if line)
