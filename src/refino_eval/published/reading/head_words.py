"""What the heads of rows and columns say about their numbers, in English and Norwegian."""

from __future__ import annotations

import re
from dataclasses import dataclass

STATISTICS: tuple[tuple[str, str], ...] = (
    ("conf_interval", r"(\d\d ?(%|per ?cent|prosent)[ -]*)?((confidence|credible) )?(interval|konfidensintervall\w*|ci|c\.i\.|ki|k\.i\.)s?|(\d\d ?% ?)(ci|ki|konfidensintervall|confidence interval).*|konfidensintervall.*|confidence interval"),
    ("conf_low", r"((lower|nedre)( (limit|bound|end|grense))?( of .*)?|(ci|conf)\.? low(er)?|ki nedre|(ci )?ll|lcl|\[ ?0?[.,]0\d+|(0?[.,]5|2[.,]5|5) ?%)"),
    ("conf_high", r"((upper|øvre)( (limit|bound|end|grense))?( of .*)?|(ci|conf)\.? (high|upper)|ki øvre|(ci )?ul|ucl|0?[.,]9\d+ ?\]|(95|97[.,]5|99[.,]5) ?%)"),
    ("std_error", r"(robust |cluster(ed)? )?(std\.?|standard|st\.?)[ -]?(err(or)?s?\.?|feil(en)?)( \(.*\))?|s\.? ?e\.?|\(s\.?e\.?\)|standardfeil(en|er)?|robust se|clustered se|stderr"),
    ("sd", r"(std\.?|standard|st\.?)[ -]?(dev(iations?|\.)?|avvik(et)?|dev\.)( .*)?|s\.? ?d\.?|\(s\.?d\.?\)|st\.?av\.?|std\.?avvik|std"),
    ("p_value_fwer", r".*(family-?wise|fwer|holm|bonferroni|romano|westfall|familievis|multiple testing|justert p|adjusted p).*"),
    ("q_value", r"q([ -]?(value|verdi)s?)?|.*\b(fdr|sharpened)\b.*|q-?verdi.*"),
    ("p_value_ri", r"(p\b.*|p-?(value|verdi).*)(randomi[sz]ation|permutation|permutasjon|randomiser).*"),
    ("p_value_wild", r"(p\b.*|p-?(value|verdi).*)(wild|bootstrap).*"),
    ("p_value", r"\(?p\)?|p[ -]?(values?|verdi(er)?|val\.?)|p ?\(?>? ?\|?[tzf]\|?\)?|pr ?\(>? ?\|?[tz]\|?\)|sig\.?|signif(icance|ikans)( level)?|prob\.?|p, .*|p-(value|verdi).*"),
    ("t_stat", r"t|z|\(t\)|[tz][ -]?(stat(istics?)?\.?|ratio|value|verdi(er)?|test)|\|t\||t-(stat|verdi).*"),
    ("f_stat", r"f|f[ -]?(stat(istic)?\.?|test|value|verdi)(.*)|f ?\(.*\)"),
    ("chi2", r"(chi-?(2|square[d]?|kvadrat)|χ ?[2²]|kji-?kvadrat)(.*)"),
    ("df", r"d\.?f\.?|degrees of freedom|frihetsgrader"),
    ("r_squared", r"(adj(usted|\.)? |justert )?r[ -]?(2|²|squared|kvadrat|kvadrert)( \(?(adj|just)\w*\.?\)?)?|forklart varians"),
    ("n_treated", r"(n|observations|number|antall)( of (people|persons|participants|observations))?( personer| deltakere)?,? (in |i |of )?(the )?(treat\w*|intervention|tiltaks?gruppe\w*|behandlings?gruppe\w*)"),
    ("n_control", r"(n|observations|number|antall)( of (people|persons|participants|observations))?( personer| deltakere)?,? (in |i |of )?(the )?(control\w*|kontrollgruppe\w*|comparison)"),
    ("n_clusters", r"(number of |antall |n )?(clusters|klynger|kluster)|g \(clusters\)"),
    ("n", r"\(?n\)?\.?|n ?=.*|no\. ?(of )?(obs\w*\.?|people|persons)|obs\.?|(number of )?(observations|obs|persons|people|individuals|participants|respondents|cases|personer|observasjoner|deltakere|respondenter|individer)( \(n\))?|sample size|antall( (personer|observasjoner|deltakere|individer|brukere|obs\.?|respondenter))?|utvalg(sstørrelse)?|sample|num\.? obs\.?"),
    ("mean_control", r"(the )?(control( group)?|comparison|kontroll(gruppe(n|ns|s)?)?)('?s)?[ -]?(mean|average|snitt|gjennomsnitt)(.*)|(mean|average|gjennomsnitt)( \w+)? ?(of |in |i |, |for )?(the )?(control|kontroll)\w*( .*)?|mean of dep.*"),
    ("mean_treated", r"(treat(ment|ed)( group)?|tiltaksgruppe\w*|behandlingsgruppe\w*) (mean|average|gjennomsnitt)|(mean|average|gjennomsnitt),? ?(of |in |i |for )?(the )?(treat|tiltaks|behandl)\w*"),
    ("mean", r"means?|averages?|avg\.?|gjennomsnitt(et|lig)?|snitt|middelverdi|gj\.?[ -]?sn(itt)?\.?|mean ?\(.*\)|mean ± ?.*"),
    ("estimate", r"(itt|att|ate|late|iv|ols|2sls|net|average|gjennomsnittlig|treatment|program(me)?|impact|tiltaks)?[ -]?(coef(f|ficients?)?\.?|estimat(e|es|er|et)?|effects?|effekt(en|er)?|impacts?|beta|b|β|koeffisient(er)?|koef\.?|point estimate|virkning)([,;:( ].*)?"),
    ("difference", r"diff(s|erences?|eranse(r|n)?|\.)?|forskjell(en|er)?|endring(en)?|change|gap|avvik"),
    ("share", r"%|\(%\)|pct\.?|per ?cent(ages?)?|prosent(andel)?|shares?|andel(en|er)?|proportions?|share of .*|andel .*|i prosent"),
    ("count", r"count|freq(uency|\.)?|frekvens|number|antall .*|number of .*|#"),
    ("median", r"median(en)?"),
)  # fmt: skip
"""Statistics and the heads that name them; the first that fits decides."""

_COMPILED = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in STATISTICS)
ATTACHED = ("std_error", "t_stat", "conf_interval", "conf_low", "conf_high", "p_value", "p_value_fwer", "p_value_ri", "p_value_wild", "q_value", "sd")  # fmt: skip
"""Statistics that a row below, or a column next to, an estimate has of that estimate."""

OF_COLUMN = ("n", "n_treated", "n_control", "n_clusters", "r_squared", "f_stat", "df", "mean_control", "mean_treated", "chi2")  # fmt: skip
"""Statistics that a row of a table has of its columns."""

OF_CAPTION = (
    ("share", re.compile(r"prosent(?!poeng)|per ?cent(?!age point)|\(%\)|^(\w+ [\w.\-]+\W+)?(andel(en|er)?|shares?|proportions?)\b", re.IGNORECASE)),
    ("count", re.compile(r"antall (personer|deltakere|brukere|observasjoner|\w+e)\b|number of (people|persons|participants|\w+s)\b", re.IGNORECASE)),
)  # fmt: skip
"""What a caption says about all numbers of its table."""

_EFFECTS = re.compile(
    r"regres|estimat|effekt|effect|impact|koeffisient|coefficient|sannsynlighet|probability|gjennomsnitt|mean|average|endring|change",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(grand |sub-?)?totals?|sum|all|overall|everyone|everybody|(full|whole|entire|total|pooled) sample|i alt|ialt|alle( \w+)?|totalt|samlet|hele utvalget|til sammen|total( \w+)?|all (people|persons|participants|groups)",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"(mean |raw )?(diff(s|erences?|eranse(r|n)?|\.)?|forskjell(en)?)(\b.*)?|[ab] ?- ?[ab]|\(?[12]\)? ?- ?\(?[12]\)?",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"(change|endring(en)?)(\b.*)?", re.IGNORECASE)
_SIZE = re.compile(r"[(\[,;]?\s*\b[Nn]\s*=\s*(?P<size>\d[\d., \u00a0\u2009\u202f']*\d|\d)\s*[)\]]?")
_UNITS = (
    ("percentage_points", re.compile(r"percentage[ -]points?|prosentpoeng|\bp\.?p\.?\b|%-?points?|%-poeng", re.IGNORECASE)),
    ("percent", re.compile(r"%|\bper ?cent(age)?\b|\bprosent\b|\bpct\b", re.IGNORECASE)),
    ("kroner", re.compile(r"\b(kr|nok|kroner)\b", re.IGNORECASE)),
    ("months", re.compile(r", (months|måneder)|\((months|måneder)\)", re.IGNORECASE)),
    ("hours", re.compile(r", (hours|timer)|\((hours|timer)\)", re.IGNORECASE)),
)  # fmt: skip
_LEVEL = re.compile(r"\d[\d.,]*\s*(%|per ?cent|prosent)", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b(of (the )?(control|mean|average)|av (kontroll|gjennomsnitt)|change|growth|endring|vekst|increase|decrease|relative|relativ|økning|reduksjon|trim)",
    re.IGNORECASE,
)
_IN_PARENTHESES = re.compile(
    r"((?P<sd>standard deviations?|standardavvik\w*|\bSDs?)|standard errors?|standardfeil\w*|\bSEs?)\b[^.;]{0,30}\b(in|i) (parenthes[ei]s|parentes\w*|brackets)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"iqr|interquartile range|range|min ?[-–,;] ?max\.?|q1.*|p25.*|kvartil\w*|spennvidde|variasjonsbredde",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"(model|modell|spec\w*|column|kolonne|reg\w*)?\s*[(\[]?(\d{1,2}|[ivx]{1,4}|[a-h])[)\].]?", re.IGNORECASE
)
_CODED = re.compile(r"[^a-z0-9æøåäöü]+")


@dataclass(frozen=True)
class Head:
    """What a head, or a label, says.

    Attributes
    ----------
    name
        The label without what it says about its statistic and size.
    statistic
        Name of a statistic, `conf_interval`, `difference`, or nothing.
    unit
        `percent`, `percentage_points`, `kroner`, `months`, `hours`, or nothing.
    size
        The number of people it states (`N = 1827`), as written, or nothing.
    relative
        Whether it is a ratio to another number (a change in per cent), not a share of people.
    """

    name: str
    statistic: str = ""
    unit: str = ""
    size: str = ""
    relative: bool = False


def head(text: str) -> Head:
    """Return what a head says.

    Examples
    --------
    >>> head("Standard error").statistic, head("Kontrollgruppe (N = 101)").size, head("Andel, %").unit
    ('std_error', '101', 'percent')
    """
    text = " ".join(text.replace("\u00ad", "").split()).strip(" *†‡")
    match = _SIZE.search(text)
    name = (text[: match.start()] + text[match.end() :]).strip(" ,;:(") if match else text
    about_unit = _LEVEL.sub("", name)
    unit = next((unit for unit, pattern in _UNITS if pattern.search(about_unit)), "")
    statistic = statistic_of(name)
    return Head(
        name or ("" if match else text), statistic, unit, match["size"] if match else "", bool(_RELATIVE.search(name))
    )


def statistic_of(text: str) -> str:
    """Return the statistic that a head names, or nothing."""
    text = text.strip(" :.*").strip()
    bare = re.sub(r"\s*[(\[](?!\d|n\b)[^()\[\]]*[)\]]$", "", text)
    # Programs name columns `std.error`, `p.value`, `conf_low`.
    words = re.sub(r"(?<=[a-z]{3})[._](?=[a-z])|(?<=^p)[._](?=val)", " ", text)
    candidates = dict.fromkeys((text, bare, words, text.partition(",")[0].strip(), text.rpartition(",")[2].strip()))
    for candidate in candidates:
        for name, pattern in _COMPILED:
            if candidate and pattern.fullmatch(candidate):
                return name
    return ""


def in_parentheses(text: str) -> str:
    """Return the statistic that a head says the number in parentheses is: `Mean (SD)`, `n (%)`, `Coef. (SE)`.

    `range` is returned for two numbers that are no confidence interval: `Median (IQR)`.
    """
    match = re.search(r"(?:[(\[]|±\s*|\+/-\s*)([^()\[\]]+)[)\]]?\s*$", _SIZE.sub("", text).strip())
    if match and _RANGE.fullmatch(match[1].strip()):
        return "range"
    return statistic_of(match[1]) if match else ""


def of_caption(caption: str) -> str:
    """Return the statistic that a caption states for all numbers of its table: `share`, `count` or nothing."""
    if _EFFECTS.search(caption):
        return ""
    return next((name for name, pattern in OF_CAPTION if pattern.search(caption)), "")


def of_note(text: str) -> str:
    """Return the statistic that a note says is in parentheses: `sd`, `std_error`, or nothing.

    Examples
    --------
    >>> of_note("Robust standard errors in parentheses."), of_note("Standardavvik i parentes.")
    ('std_error', 'sd')
    """
    match = _IN_PARENTHESES.search(text)
    return "" if match is None else "sd" if match["sd"] else "std_error"


def is_total(text: str) -> bool:
    """Return whether a label names a total, or everybody."""
    return _TOTAL.fullmatch(text.strip(" :.*")) is not None


def is_model_number(text: str) -> bool:
    """Return whether a head is only the number of a model: `(1)`, `Model 2`, `II`."""
    return _MODEL.fullmatch(text.strip()) is not None


def key_part(text: str) -> str:
    """Return a label as a part of a key: lower case, words joined by underscores; totals and differences by their usual names."""
    text = text.strip()
    if is_total(text):
        return "all"
    if _DIFFERENCE.fullmatch(text):
        return "difference"
    if _CHANGE.fullmatch(text):
        return "change"
    return _CODED.sub("_", text.lower()).strip("_")
