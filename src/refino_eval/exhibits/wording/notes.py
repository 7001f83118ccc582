"""What the program says by itself under an exhibit: sample, specification, windows, inference, kind of data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from refino_eval.config.definitions import ControlTerm, NonresponseWeights, Outcome, Specification
from refino_eval.config.exhibits import Exhibit
from refino_eval.covariances import COVARIANCES, CRV1, Vcov, is_clustered
from refino_eval.exhibits.keys import (
    CLUSTERS,
    CONTROLS,
    FEW_FREEDOM,
    FEW_OF_AN_ARM,
    NONRESPONSE,
    SINGLETONS,
    SMALL_CELLS,
)
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.wording.labels import LabelBook, inside, vcov_label
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for
from refino_eval.outcomes.describe import outcome_sentence
from refino_eval.text import say

EN_DASH = "\N{EN DASH}"


MOST_NAMED = 8
"""Controls that a note names; the file of numbers has them all."""
FEW_CLUSTERS = 30
"""Below this many clusters a note warns: "few" may mean fewer than 20 to fewer than 50 (Cameron and Miller 2015, Journal of
Human Resources 50(2), section VI)."""


TOO_FEW = 0.75
"""Share of the clusters less one below which the effective degrees of freedom show that CRV1 is too small: .71 in strata of eight
clusters, where its 95 % intervals cover .93 (docs/statistical_truth.md)."""
THIN = 5
"""People a cell below which a note says that cells are thin."""


def sample_note(exhibit: Exhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    """State which sample, and how many people where the numbers agree on it; nothing for the flow, which shows them all, or without people."""
    if exhibit.reads_flow or not exhibit.about_people or not exhibit.samples_read:
        return ""
    counts = frame.loc[(frame["statistic"] == "n") & frame["value"].notna() & (frame["row"] != "summary"), "value"]
    style = NumberStyle.of(labels.language)
    samples = "; ".join(labels.sample(sample) for sample in exhibit.samples_read)
    if not counts.empty and exhibit.kind in ("itt", "balance"):
        low, high = counts.min(), counts.max()
        if exhibit.kind == "balance":
            low = high
        text = style.integer(low) if low == high else f"{style.integer(low)}{EN_DASH}{style.integer(high)}"
        samples = f"{samples} (N = {text})"
    return labels.say("notes.sample", samples=samples)


def specification_note(name: str, specification: Specification, labels: LabelBook) -> str:
    """Return the controls of a specification with their encoding, its fixed effects, weights and clusters."""
    sentences = [*_controls_sentences(name, specification, labels), *_fixed_effects_sentences(specification, labels)]
    if weights := weights_of(specification, labels):
        sentences.append(weights)
    if is_clustered(specification.vcov) and labels.clusters:
        listed = [labels.column(name) for name in labels.clusters]
        key = "notes.clusters" if len(listed) == 1 else "notes.two_way_clusters"
        sentences.append(labels.say(key, cluster=listed[0], other=listed[-1]))
    return " ".join(sentences)


def _controls_sentences(name: str, specification: Specification, labels: LabelBook) -> Iterator[str]:
    """Say which controls all outcomes have, which some have, and how they are encoded and multiplied."""
    listed = control_list(specification.controls, labels)
    head = labels.specification(name)
    own = own_control_list(specification, labels)
    if listed or not own:
        yield labels.say("notes.controls" if listed else "notes.no_controls", specification=head, listed=listed)
    if own:
        yield labels.say(
            "notes.further_outcome_controls" if listed else "notes.outcome_controls", specification=head, listed=own
        )
    if any(term.encoding == "quantile_bins" for term in specification.controls):
        yield labels.say("notes.quantile_groups")
    if specification.interact:
        products = ", ".join(inside(labels.covariate(covariate, unit=False)) for covariate in specification.interact)
        yield labels.say("notes.products", listed=products)


def _fixed_effects_sentences(specification: Specification, labels: LabelBook) -> Iterator[str]:
    """Say whether controls are interacted with treatment, and what is absorbed."""
    cells = labels.cells()
    if specification.adjustment == "interacted":
        within = bool(specification.strata and cells)
        yield labels.say("notes.interacted_within_cells" if within else "notes.interacted")
    if specification.absorb:
        listed = ", ".join(labels.column(name) for name in specification.absorb)
        yield labels.say("notes.absorbed_columns", listed=listed)
    elif specification.strata and cells:
        yield labels.say("notes.fixed_effects", cells=cells)


def control_list(terms: Iterable[ControlTerm], labels: LabelBook) -> str:
    """Return controls with their encoding, as a list in one line."""
    return "; ".join(
        labels.say(
            "notes.control_polynomial" if term.degree > 1 else f"notes.control_{term.encoding}",
            covariate=inside(labels.covariate(term.covariate, unit=False)),
            bins=term.bins,
            degree=term.degree,
        )
        for term in terms
    )


def own_control_list(specification: Specification, labels: LabelBook) -> str:
    """Return the controls that only some outcomes have, by outcome; nothing where there are none."""
    parts = [
        labels.say("notes.of_one_outcome", outcome=labels.outcome(outcome), listed=control_list(terms, labels))
        for outcome, terms in specification.outcome_controls.items()
        if terms
    ]
    return "; ".join(parts)


def weights_of(specification: Specification, labels: LabelBook) -> str:
    """Return a text on the weights of a specification, or that it has none in a weighted evaluation; nothing without any."""
    given = specification.given_weights
    weight = labels.covariate(given, unit=False) if given else None if given is False else labels.weights
    if isinstance(specification.weights, NonresponseWeights):
        return _response_weights(specification.weights, weight, labels)
    if given is False:
        return labels.say("notes.without_weights")
    return labels.say("notes.weighted", weight=weight) if weight else ""


def _response_weights(response: NonresponseWeights, weight: str | None, labels: LabelBook) -> str:
    """Say which logit the weights for non-response are from, what becomes of large ones, and that they are taken as known."""
    covariates = [control_list(response.nonresponse, labels)] if response.nonresponse else []
    cells = [labels.say("notes.cells_of", cells=labels.cells())] if response.strata and labels.cells() else []
    key = "notes.response_weights_by_arm" if response.by_arm else "notes.response_weights"
    listed = "; ".join([*covariates, *cells]) or labels.say("notes.no_covariates")
    sentences = [labels.say(key, listed=listed)]
    if response.trim is not None:
        sentences.append(labels.say("notes.response_weights_trimmed", percentile=f"{100 * response.trim:g}"))
    if weight:
        sentences.append(labels.say("notes.response_weights_times", weight=weight))
    return " ".join([*sentences, labels.say("notes.response_weights_known")])


def response_note(frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return the range of the weights for non-response; nothing without them."""
    values = frame[frame["panel"] == NONRESPONSE].set_index("column")["value"]
    if values.empty:
        return ""
    style = NumberStyle.of(labels.language)
    return labels.say(
        "notes.response_weights_range", **{name: style.fixed(values[name], 2) for name in ("least", "most")}
    )


def errors_note(vcovs: Iterable[Vcov], language: str) -> str:
    """Return a text on the covariance."""
    names = ", ".join(dict.fromkeys(vcov_label(vcov, language) for vcov in vcovs))
    return say("notes.standard_errors_in_parentheses", language, names=names)


def wild_bootstrap_note(draws: int, labels: LabelBook) -> str:
    """Return a text on the wild cluster bootstrap."""
    return labels.say("notes.wild_bootstrap", draws=NumberStyle.of(labels.language).integer(draws))


def influence_note(what: str, specification: Specification, labels: LabelBook) -> str:
    """Return a text that says that standard errors are from influence functions, and the clusters in which these are summed."""
    if is_clustered(specification.vcov):
        return labels.say("notes.influence_errors_clustered", what=what, cluster=" x ".join(labels.clusters))
    return labels.say("notes.influence_errors", what=what)


def inference_note(vcovs: Iterable[Vcov], levels: Iterable[float], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return a text on the covariance, the level of the intervals and the reference distribution."""
    language = labels.language
    shown = " / ".join(dict.fromkeys(f"{level * 100:g}" for level in levels))
    df = _degrees_of_freedom(frame)
    style = NumberStyle.of(language)
    vcovs = tuple(vcovs)
    text = errors_note(vcovs, language)
    if df.empty:
        # Its numbers do not say which distribution the intervals are from, so the note does not either.
        return f"{text} {say('notes.confidence_intervals', language, shown=shown)}"
    if not all(map(math.isfinite, df)):
        reference = say("notes.normal_distribution", language)
    else:
        # Degrees of freedom that are estimated are no whole numbers, and when few their decimals matter.
        decimals = int(any(value != int(value) for value in df))
        low, high = style.fixed(df.min(), decimals), style.fixed(df.max(), decimals)
        count = low if low == high else f"{low}{EN_DASH}{high}"
        reference = say("notes.t_distribution", language, count=count)
    sentences = [text, say("notes.confidence_intervals_from", language, shown=shown, reference=reference)]
    if set(vcovs) <= set(CRV1):
        sentences.append(few_clusters_note(frame, labels))
    if any(COVARIANCES[vcov].has_satterthwaite for vcov in vcovs):
        sentences.append(say("notes.satterthwaite", language))
        if df.min() < FEW_FREEDOM:
            sentences.append(say("notes.few_degrees_of_freedom", language, df=style.fixed(df.min(), 1)))
    return " ".join(filter(None, sentences))


def few_clusters_note(frame: pd.DataFrame, labels: LabelBook) -> str:
    """Warn of few clusters in numbers with CRV1 alone, whose degrees of freedom are one less; nothing where they are many."""
    clusters = _degrees_of_freedom(frame).min() + 1
    if not clusters < FEW_CLUSTERS:
        return ""
    # Clusters in two dimensions cannot be assigned again, and `check` refuses the test.
    remedies = [labels.say("notes.few_clusters_remedy")] if len(labels.clusters) < 2 else []
    return " ".join(filter(None, (labels.say("notes.few_clusters", clusters=clusters), *remedies)))


def _degrees_of_freedom(frame: pd.DataFrame) -> pd.Series:
    """Return the degrees of freedom of single coefficients."""
    return frame.loc[
        (frame["statistic"] == "df")
        & frame["value"].notna()
        & ~frame["row"].isin(["joint_test", "all_arms"])
        & ~frame["row"].str.startswith(CLUSTERS),
        "value",
    ]


def reliability_notes(frame: pd.DataFrame, labels: LabelBook, vcovs: Sequence[Vcov] = ()) -> list[str]:
    """Return notes on few clusters, tiny cells, cells of one person and thin cells, where they matter for the inference."""
    style = NumberStyle.of(labels.language)
    lines: list[str] = []
    tested = bool(frame.loc[frame["statistic"] == "p_value_ri", "value"].notna().any())
    by_row = {
        str(row): part.groupby("statistic")["value"]
        for row, part in frame.groupby("row", sort=False)
        if "_" in str(row)
    }
    for row, values in by_row.items():
        of = {str(name): (float(part.min()), float(part.max())) for name, part in values}
        lines += _diagnostics_notes(row, of, style, labels, vcovs, tested=tested)
    lines.append(_thin_cells_note(frame, style, labels))
    return [line for line in dict.fromkeys(lines) if line]


def _diagnostics_notes(
    row: str,
    of: Mapping[str, tuple[float, float]],
    style: NumberStyle,
    labels: LabelBook,
    vcovs: Sequence[Vcov],
    *,
    tested: bool,
) -> Iterator[str]:
    """Say what a row of diagnostics shows of clusters, of cells of one person or of small cells."""
    if row.startswith(CLUSTERS):
        if "n_clusters" in of:
            yield _clusters_note(of, style, labels, tested=tested)
        if "n_cells" in of:
            n = of["n_cells"][1]
            key = "notes.nested_fixed_effects" if n else "notes.no_nested_fixed_effects"
            yield labels.say(key, n=style.integer(n))
        if (
            "n_clusters" in of
            and set(vcovs) & set(CRV1)
            and of.get("df", (math.nan,))[0] < TOO_FEW * (of["n_clusters"][0] - 1)
        ):
            yield labels.say("notes.crv1_too_small")
    elif row.startswith(SINGLETONS):
        percent = style.fixed((of["ratio"][1] - 1.0) * 100.0, 0)
        yield labels.say("notes.singletons", n=style.integer(of["count"][1]), percent=percent)
    elif row.startswith(SMALL_CELLS):
        share, ratio = style.percent(of["share"][1], 0), style.fixed(of["ratio"][1], 1)
        yield labels.say("notes.small_cells", share=share, ratio=ratio)


def _thin_cells_note(frame: pd.DataFrame, style: NumberStyle, labels: LabelBook) -> str:
    """Warn of few people a cell; nothing where they are many."""
    wide = frame[frame["row"].isin(labels.treated_arms)]
    people, cells = (wide.loc[wide["statistic"] == name, "value"] for name in ("n", "n_cells"))
    if len(people) and len(cells) and cells.max() > 1 and people.min() < THIN * cells.max():
        n, count = style.integer(people.min()), style.integer(cells.max())
        return labels.say("notes.thin_cells", n=n, cells=count)
    return ""


def _clusters_note(
    of: Mapping[str, tuple[float, float]], style: NumberStyle, labels: LabelBook, *, tested: bool
) -> str:
    counts = {name: style.integer(of[name][0]) for name in ("n_treated", "n_control", "n_clusters")}
    df = of["df"][0] if "df" in of else math.nan
    if min(of["n_treated"][0], of["n_control"][0]) < 2 or not math.isfinite(df):
        return labels.say("notes.one_cluster_of_an_arm", treated=counts["n_treated"], control=counts["n_control"])
    text = labels.say(
        "notes.clusters_by_arm", treated=counts["n_treated"], control=counts["n_control"], df=style.fixed(df, 1)
    )
    few = df < FEW_FREEDOM or min(of["n_treated"][0], of["n_control"][0]) < FEW_OF_AN_ARM
    keys = ("few_effective_clusters", *(("randomisation_test_instead",) if tested else ())) if few else ()
    return " ".join([text, *(labels.say(f"notes.{key}") for key in keys)])


def window_notes(exhibit: IttExhibit, labels: LabelBook) -> tuple[str, ...]:
    """Return notes on the event time that the outcomes read; outcomes with the same window share a note."""
    windows: dict[str, list[str]] = {}
    for name in exhibit.columns.values():
        outcome = labels.definitions.outcomes.get(name)
        if outcome is not None:
            window = _without_code(window_text(outcome, labels.language), labels)
            windows.setdefault(window, []).append(outcome.label[labels.language])
    if len(windows) == 1:
        return (labels.say("notes.window_of_all_outcomes", window=next(iter(windows))),)
    return tuple(f"{'; '.join(names)}: {window}." for window, names in windows.items())


def _without_code(window: str, labels: LabelBook) -> str:
    """Return a window without the expression that it is of, which the definitions show, and with the labels of states."""
    return re.sub(
        r"`(\w+)`",
        lambda code: (
            labels.say("summary.quoted", label=labels.state(code[1]))
            if code[1] in labels.definitions.states
            else code[0]
        ),
        re.sub(r"^`[^`]+`: ", "", window),
    )


def unit_note(exhibit: Exhibit, labels: LabelBook) -> str:
    """Return a text on the units of the outcomes whose heads do not; nothing where the definitions give none.

    The unit that most outcomes have comes last, as that of the others.
    """
    if exhibit.units_in_heads:
        return ""
    single = exhibit.single_outcome
    names = tuple(exhibit.outcome_columns.values()) if single is None else (single,)
    units: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(names):
        entry = labels.definitions.outcomes.get(name)
        if entry is None:
            return ""
        unit = (entry.unit[labels.language], _in_unit(entry, labels.language))
        units.setdefault(unit, []).append(entry.label[labels.language])
    if len(units) < 2:
        shares = any(in_unit == labels.say("notes.in_shares") for _, in_unit in units)
        unit_of_all = labels.say("notes.share") if shares else "".join(unit for unit, _ in units)
        return labels.say("notes.unit_of_all_outcomes", unit=unit_of_all) if unit_of_all else ""
    ordered = sorted(units.items(), key=lambda item: len(item[1]))
    quote = "«{}»".format if labels.language == "nb" else "'{}'".format
    parts = [f"{', '.join(map(quote, outcomes))} {in_unit}" for (_, in_unit), outcomes in ordered[:-1]]
    (_, in_unit), rest = ordered[-1]
    last = f"{quote(rest[0])} {in_unit}" if len(rest) == 1 else labels.say("notes.unit_of_the_others", in_unit=in_unit)
    return labels.say("notes.units", listed="; ".join([*parts, last]))


def _in_unit(outcome: Outcome, language: str) -> str:
    unit = outcome.unit[language]
    if outcome.unit.en == "share":
        return say("notes.in_shares", language)
    return say("notes.in_unit", language, unit=unit)


def window_text(outcome: Outcome, language: str, *, brief: bool = False) -> str:
    """Return a text that says what an outcome reads, for instance ``the sum over months 1–12 (0 is the month of random assignment)``.

    A `brief` one leaves out what the reader of a first page does not need: ``sum of months 1–12``.
    """
    first, last = outcome.periods
    ends = [str(end).replace("-", "\N{MINUS SIGN}") for end in dict.fromkeys((first, last))]
    # A dash between numbers below zero would be one among others.
    span = (
        say("notes.span_below_zero", language, first=ends[0], last=ends[-1])
        if first < 0 < len(ends) - 1
        else EN_DASH.join(ends)
    )
    # The other kinds have a sentence; what is read goes without saying where a label is above it.
    if outcome.kind not in ("value_at", "sum_over", "mean_over", "any_in"):
        return outcome_sentence(outcome, "", "nb" if language == "nb" else "en").strip(" :,.")
    theme = "summary" if brief else "notes"
    return say(f"{theme}.window_{outcome.kind}_{outcome.clock}", language, n=last - first + 1, span=span)


def stars_note(style: NumberStyle, language: str) -> str:
    """Return a text that says what a star means."""
    listed = ", ".join(
        f"{'*' * count} p < {style.fixed(level, max(2, decimals_for(level, 1)))}"
        for count, level in enumerate(style.stars, start=1)
    )
    return say("notes.stars_explained", language, listed=listed)


def clustered_note(frame: pd.DataFrame, statistic: Literal["mean", "share"], labels: LabelBook) -> list[str]:
    """Return a note that intervals of means or shares are clustered, where they were computed with clusters."""
    keys = ["panel", "row", "column"]
    clustered, text = (frame.loc[frame["statistic"] == name, keys] for name in ("df", statistic))
    if not len(clustered.merge(text, on=keys)):
        return []
    return [labels.say("notes.clustered_means" if statistic == "mean" else "notes.clustered_shares")]


def watermark_text(facts: Mapping[str, Any], language: str) -> str:
    """Return the text across every page of confidential results that no disclosure profile protects; else nothing."""
    return (
        say("notes.watermark", language)
        if facts.get("data_class") == "confidential" and not facts.get("profile")
        else ""
    )


def data_class_note(facts: Mapping[str, Any], language: str) -> str:
    """Return what each file must say of its data: synthetic, unprotected, or protected under a profile."""
    texts = [say("notes.synthetic_register", language)] if facts.get("data_class") == "synthetic" else []
    if profile := facts.get("profile"):
        texts.append(say("notes.profile", language, profile=profile))
    return " ".join(filter(None, [*texts, watermark_text(facts, language)]))


def weights_note(exhibit: Exhibit, labels: LabelBook) -> str:
    """Return a text on the weights of a kind without specifications, whose note would say them; or that people are counted without."""
    if not labels.weights or not exhibit.about_people or exhibit.specifications_read or exhibit.exhibits_read:
        return ""
    if exhibit.counts_people:
        return labels.say("notes.counts_unweighted")
    return labels.say("notes.weighted", weight=labels.weights) if exhibit.takes_weights else ""


def comparison_note(exhibit: Exhibit, labels: LabelBook) -> str:
    """Return a text on the comparisons: their labels, and the cells where they differ from the evaluation's."""
    parts = []
    for name in exhibit.comparisons:
        if (entry := labels.definitions.comparisons.get(name)) is not None:
            text = entry.label[labels.language]
            if entry.strata is not None:
                cells = " × ".join(labels.column(column) for column in entry.strata)
                strata = (
                    labels.say("notes.compared_within", cells=cells) if cells else labels.say("notes.compared_at_large")
                )
                text = f"{text} ({strata})"
            parts.append(text)
    return labels.say("notes.comparisons", listed="; ".join(parts), n=len(parts)) if parts else ""


def controls_note(frame: pd.DataFrame, labels: LabelBook, column: Literal["collinear", "filled"]) -> str:
    """Return a note that names the controls that a regression left out as collinear, or whose missing values have an indicator."""
    names = frame.loc[(frame["panel"] == CONTROLS) & (frame["column"] == column), "row"]
    if names.empty:
        return ""
    text = list(dict.fromkeys(control_name(str(name), labels) for name in names))
    listed = "; ".join(text[:MOST_NAMED]) + ("; ..." if len(text) > MOST_NAMED else "")
    return labels.say(f"notes.{column}", listed=listed, n=len(text))


RAISED_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def control_name(name: str, labels: LabelBook) -> str:
    """Return the label of a control's column, `<covariate>`, `<covariate>=<category>` or `<covariate>:<group>`."""
    covariate, separator, group = name.partition("=")
    if not separator:
        covariate, separator, group = name.partition(":")
    if covariate not in labels.definitions.covariates:
        return name
    label = inside(labels.covariate(covariate, unit=False))
    if group.startswith("^"):
        # A power of the covariate.
        return label + group[1:].translate(RAISED_DIGITS)
    return label + (f" ({group})" if separator else "")


def caveat_note(exhibit: Exhibit, labels: LabelBook) -> str:
    """Return what a comparison without randomisation does not show; nothing under counts, and under a randomised design."""
    compares = exhibit.about_people and not exhibit.counts_people and not exhibit.reads_flow
    return labels.say("notes.observational_caveat") if compares and labels.design == "observational" else ""


def exhibit_notes(
    exhibit: Exhibit,
    frame: pd.DataFrame,
    labels: LabelBook,
    facts: Mapping[str, Any],
    own: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return all lines under an exhibit: the sample, what its kind says, the definition's note, the kind of data."""
    extra = [str(line[labels.language]) if hasattr(line, "nb") else str(line) for line in facts.get("notes", ())]
    lines = [
        sample_note(exhibit, frame, labels),
        comparison_note(exhibit, labels),
        unit_note(exhibit, labels),
        weights_note(exhibit, labels),
        *own,
    ]
    lines += [
        response_note(frame, labels),
        controls_note(frame, labels, "filled"),
        controls_note(frame, labels, "collinear"),
        *extra,
        caveat_note(exhibit, labels),
    ]
    if exhibit.note is not None:
        lines.append(exhibit.note[labels.language])
    if exhibit.about_people or facts.get("data_class") == "confidential" or facts.get("profile"):
        lines.append(data_class_note(facts, labels.language))
    return tuple(line for line in lines if line)
