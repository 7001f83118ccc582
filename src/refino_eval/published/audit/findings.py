"""A finding of the audit, how sure it is, and the rules that find."""

from __future__ import annotations

from dataclasses import dataclass, field

from refino_eval.config.base import Label
from refino_eval.published.relations import Key

CERTAINTIES: dict[str, Label] = {
    "certain": Label(
        nb="Ingen sanne tall kan gi disse trykte tallene, verken avrundet eller kuttet.",
        en="No true numbers can print so, neither rounded nor cut.",
    ),
    "likely": Label(
        nb="En feil er den enkleste forklaringen, men en sjelden grunn utenfor tabellen kan finnes.",
        en="A mistake is the simplest explanation; a rare reason outside the table could exist.",
    ),
    "possible": Label(
        nb="Påfallende, og verdt å spørre om; dokumentet kan ha en grunn som ikke står i tabellen.",
        en="Striking, and worth asking about; the document may have a reason that is not in the table.",
    ),
}
"""How sure a finding is, surest first."""


@dataclass(frozen=True)
class Rule:
    """One rule of the audit: its name, what must hold, and where it comes from."""

    title: Label
    says: Label
    source: Label


@dataclass(frozen=True)
class Finding:
    """Something in print that cannot be, or hardly can be, right.

    Attributes
    ----------
    document, exhibit, panel, row, column, statistic
        The number at fault; of several, the first.
    rule
        Name of the rule, a key of `RULES`.
    printed
        What was printed; of several numbers all, by semicolons.
    fits
        What would fit: a range, or a suggestion. Empty when nothing particular does.
    certainty
        `certain`, `likely` or `possible`: see `CERTAINTIES`.
    source_line
        Where the document prints it.
    nb, en
        One or two sentences that explain it, in Norwegian and in English.
    cells
        Keys of all numbers that the finding explains: a further rule's complaint about these alone is the same cause.
    also
        Rules whose complaints the finding explains as well.
    """

    document: str
    exhibit: str
    panel: str
    row: str
    column: str
    statistic: str
    rule: str
    printed: str
    fits: str
    certainty: str
    source_line: str
    nb: str
    en: str
    cells: tuple[Key, ...] = field(default=(), repr=False)
    also: tuple[str, ...] = ()


def _rule(title_nb: str, title_en: str, says_nb: str, says_en: str, source: tuple[str, str] | str) -> Rule:
    nb, en = (source, source) if isinstance(source, str) else source
    return Rule(Label(nb=title_nb, en=title_en), Label(nb=says_nb, en=says_en), Label(nb=nb, en=en))


ARITHMETIC = (
    "Regning, deklarert i dokumentets relasjoner eller fortalt av tabellens egen form.",
    "Arithmetic, declared in the document's relations or told by the table's own form.",
)
SISTERS = ("Sammenligning med søstermodeller.", "Comparison with sister models.")

RULES: dict[str, Rule] = {
    "swap": _rule(
        "Byttet plass", "Change of places",
        "To tall som hvert for seg ikke passer, passer når de bytter plass.",
        "Two numbers that both do not fit, fit when they change places.",
        ("Standardfeilen for ett utfall varierer lite mellom spesifikasjoner.", "The standard error of one outcome varies little between specifications."),
    ),
    "displaced": _rule(
        "Tall ved siden av plassen", "Number beside its place",
        "To tall som ikke passer, har én årsak når det ene er det andres tall i naboraden eller nabokolonnen.",
        "Two numbers that do not fit have one cause when one is the other's number in the next row or column.", ARITHMETIC,
    ),
    "grouping": _rule(
        "Tusengrupper", "Groups of thousands", "Tusentall står i grupper på tre sifre.",
        "Thousands stand in groups of three digits.", "ISO 80000-1, 7.3.1.",
    ),
    "sign": _rule(
        "Fortegn", "Sign", "Et klart estimat har samme fortegn som i søstermodellene.",
        "A clear estimate has the sign that it has in sister models.", SISTERS,
    ),
    "magnitude": _rule(
        "Størrelsesorden", "Order of magnitude",
        "Et tall avviker fra søstermodellene med en faktor på ti eller hundre.",
        "A number differs from its sister models by a factor of ten or a hundred.", SISTERS,
    ),
    "impossible": _rule(
        "Umulig verdi", "Impossible value",
        "Andeler og p-verdier ligger mellom 0 og 1, standardfeil og standardavvik er ikke negative, R² ligger mellom 0 og 1, "
        "antall er hele tall, og deklarerte grenser holder.",
        "Shares and p-values lie between 0 and 1, standard errors and deviations are not negative, R² lies between 0 and "
        "1, counts are whole, and declared bounds hold.",
        ("Statistikkenes definisjoner.", "Definitions of the statistics."),
    ),
    "sums": _rule(
        "Summer", "Sums", "Deler summerer seg til helheten, andeler til 100.", "Parts add up to the whole, shares to 100.",
        ARITHMETIC,
    ),
    "differences": _rule(
        "Differanser", "Differences", "En differanse er det ene tallet minus det andre.",
        "A difference is the one number less the other.", ARITHMETIC,
    ),
    "products": _rule(
        "Produkter og omregninger", "Products and conversions",
        "Produkter, forholdstall og omregninger mellom enheter følger av tallene de bygger på.",
        "Products, ratios and conversions of units follow from the numbers that they rest on.", ARITHMETIC,
    ),
    "means": _rule(
        "Veide gjennomsnitt", "Weighted means",
        "Gjennomsnittet for alle er gruppenes gjennomsnitt veid med størrelsene; standardavviket følger av gruppenes.",
        "The mean of all is the groups' mean weighted by their sizes; the standard deviation follows from the groups'.",
        ("Oppdeling av gjennomsnitt og varians etter grupper.", "Decomposition of a mean and a variance by groups."),
    ),
    "repeats": _rule(
        "Samme tall to steder", "One number, two places",
        "Et tall som står to steder, er det samme tallet.", "A number that stands in two places is one number.", ARITHMETIC,
    ),
    "order": _rule(
        "Rekkefølge", "Order",
        "En del er ikke større enn helheten, et gjennomsnitt ligger mellom gruppenes, og det kumulative faller ikke.",
        "A part is no greater than the whole, a mean lies between the groups', and what is cumulative does not fall.",
        ARITHMETIC,
    ),
    "t_stat": _rule(
        "t-verdi", "t-value", "t er estimatet delt på standardfeilen, med estimatets fortegn.",
        "t is the estimate divided by its standard error, with the estimate's sign.",
        ("Definisjonen; automatisert av Nuijten mfl. 2016 (statcheck).", "The definition; automated by Nuijten et al. 2016 (statcheck)."),
    ),
    "p_value": _rule(
        "p-verdi", "p-value", "p-verdien følger av t-verdien.", "The p-value follows from t.",
        "Nuijten, Hartgerink, van Assen, Epskamp & Wicherts 2016, Behavior Research Methods 48 (statcheck).",
    ),
    "interval": _rule(
        "Konfidensintervall", "Confidence interval",
        "Intervallet ligger symmetrisk om estimatet, og halve bredden er en vanlig kritisk verdi ganger standardfeilen.",
        "The interval lies evenly about the estimate, and half its width is a usual critical value times the standard error.",
        ("Normal- og t-intervaller på 90, 95 og 99 prosent.", "Normal and t intervals at 90, 95 and 99 per cent."),
    ),
    "stars": _rule(
        "Stjerner", "Stars", "Antall stjerner følger av t- eller p-verdien og nivåene dokumentet bruker.",
        "The number of stars follows from t or p and the levels that the document uses.",
        ("Nuijten mfl. 2016 (statcheck), brukt på stjerner.", "Nuijten et al. 2016 (statcheck), applied to stars."),
    ),
    "stars_missing": _rule(
        "Tabell uten stjerner", "Table without stars",
        "En tabell uten stjerner har estimater som dokumentets egne nivåer ville gitt stjerner.",
        "A table without any star has estimates that the document's own levels would have starred.",
        ("Dokumentet mot seg selv.", "The document against itself."),
    ),
    "stars_size": _rule(
        "Stjerner mot størrelse", "Stars against size",
        "Stjernene setter grenser for standardfeilen; søstermodeller på samme utvalg skal ha omtrent den samme.",
        "Stars bound the standard error; sister models on the same sample should have about the same one.",
        ("|t| ved stjernenes nivåer, snudd: SE = |estimat| / t.", "|t| at the stars' levels, turned round: SE = |estimate| / t."),
    ),
    "share_counts": _rule(
        "Andeler av antall (GRIM)", "Shares of counts (GRIM)",
        "En andel av n personer er et helt antall delt på n.", "A share of n people is a whole number divided by n.",
        "Brown & Heathers 2017, Social Psychological and Personality Science 8 (GRIM).",
    ),
    "binary_sd": _rule(
        "Standardavvik for ja/nei", "Deviation of yes/no",
        "Standardavviket til en ja/nei-variabel er sqrt(p(1 - p)).",
        "The standard deviation of a yes/no variable is sqrt(p(1 - p)).",
        ("Bernoulli-varians; det binære tilfellet av GRIMMER (Anaya 2016; Allard 2018).", "Bernoulli variance; the binary case of GRIMMER (Anaya 2016; Allard 2018)."),
    ),
    "two_shares": _rule(
        "p-verdi for to andeler", "p-value of two shares",
        "p-verdien for forskjellen mellom to andeler følger omtrent av andelene og gruppenes størrelse.",
        "The p-value of a difference between two shares follows roughly from the shares and the groups' sizes.",
        ("Test av to andeler.", "Two-sample test of proportions."),
    ),
    "nested": _rule(
        "R² i nøstede modeller", "R² of nested models",
        "R² faller ikke når en modell på samme utvalg får flere forklaringsvariabler.",
        "R² does not fall when a model on the same sample gains regressors.", ("Minste kvadraters algebra.", "Algebra of least squares."),
    ),
    "copied": _rule(
        "Kopiert tall", "Copied number", "Tall som er like der naboene viser at de burde skille seg.",
        "Numbers that are equal where their neighbours show that they should differ.",
        ("Sjansen for like tall, ut fra forskjellene der de er ulike.", "The chance of equal prints, from the differences where they do differ."),
    ),
    "sample": _rule(
        "Utvalgets størrelse", "Size of the sample", "Antall personer er det samme i tabeller om samme utvalg.",
        "The number of people is the same in tables of the same sample.", ("Deltakerflyt, CONSORT 2010 punkt 13.", "Flow of participants, CONSORT 2010 item 13."),
    ),
}  # fmt: skip
"""The rules, in the order in which they explain: a number explained by an earlier one is not complained about again."""
