"""The chapter on methods: what was done in this run, said from its configuration and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from refino_eval.config.base import text_in
from refino_eval.covariances import is_clustered
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.wording.labels import VCOV_LABELS, LabelBook
from refino_eval.exhibits.wording.notes import say
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.report.page.summary_tables import Grid
from refino_eval.report.page.words import word
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.formulas import written


@dataclass(frozen=True)
class Methods:
    """Paragraphs, and the specifications that were run."""

    paragraphs: tuple[str, ...]
    specifications: Grid | None


def methods_of(inputs: ReportInputs, labels: LabelBook, language: str) -> Methods:
    """Return what is to be said of the methods of a run."""
    return Methods(
        tuple(text for text in (_estimand(labels, language), _cells(labels, language), _time(inputs, language), _inference(inputs, labels, language),
                                *_others(inputs, labels, language)) if text),
        _specifications(inputs, labels, language),
    )  # fmt: skip


def _estimand(labels: LabelBook, language: str) -> str:
    treated = say(language, " eller ", " or ").join(labels.arm(arm, language) for arm in labels.treated_arms)
    arms = treated, labels.arm(labels.control, language)
    return say(
        language,
        f"Effektene sammenligner alle som ble trukket til {arms[0]}, med alle som ble trukket til {arms[1]}, uansett hvem som deltok "
        "(intention to treat). De er estimert med lineær regresjon av utfallet på trekkegruppen.",
        f"Effects compare everybody drawn to {arms[0]} with everybody drawn to {arms[1]}, whoever took part (intention to treat). They "
        "are estimated by linear regression of the outcome on the arm.",
    )


def _cells(labels: LabelBook, language: str) -> str:
    cells = labels.cells(language)
    if not cells:
        return say(language, "Trekningen var ikke delt i celler.", "The draw was not divided into cells.")
    return say(
        language,
        f"Trekningen var tilfeldig innenfor celler ({cells}), og hver celle har en fast effekt. Celler med bare én gruppe blir stående i N, "
        "men bidrar ikke til estimatet; andre celler veier etter hvor mye de forteller, n·p·(1−p).",
        f"The draw was random within cells ({cells}), and each cell has a fixed effect. Cells with one arm only stay in N and do not "
        "contribute to the estimate; other cells weigh by what they tell, n·p·(1−p).",
    )


def _time(inputs: ReportInputs, language: str) -> str:
    if not inputs.evaluation.clocks:
        return ""
    style = NumberStyle.of(language)
    spans = [
        (
            say(language, "måned", "month") if unit == "month" else say(language, "uke", "week"),
            style.integer(clock.first),
            style.integer(clock.last),
        )
        for unit, clock in inputs.evaluation.clocks.items()
    ]
    told = "; ".join(say(language, f"{unit} {a} til {b}", f"{unit} {a} to {b}") for unit, a, b in spans)
    return say(
        language,
        f"Tiden regnes fra trekkingen, som er 0: {told}. En periode som registeret ikke dekker helt, mangler; den er aldri null.",
        f"Time is counted from the draw, which is 0: {told}. A period that the register does not wholly cover is missing, never zero.",
    )


def _inference(inputs: ReportInputs, labels: LabelBook, language: str) -> str:
    names = _used(inputs)
    known = [entry for name in names if (entry := labels.specification_of(name)) is not None]
    if not known:
        return ""
    vcovs = ", ".join(dict.fromkeys(VCOV_LABELS[entry.vcov][language] for entry in known))
    own = (
        ""
        if any(is_clustered(entry.vcov) for entry in known)
        else say(
            language,
            " De er ikke klynget på cellene, siden den enkelte ble trukket.",
            " They are not clustered on the cells, since individuals were drawn.",
        )
    )
    return say(
        language,
        f"Standardfeil: {vcovs}.{own} p-verdier og intervaller bygger på t-fordelingen.",
        f"Standard errors: {vcovs}.{own} p-values and intervals rest on the t distribution.",
    )


def _others(inputs: ReportInputs, labels: LabelBook, language: str) -> list[str]:
    """Say what further analyses were run, one paragraph a kind that is there."""
    style = NumberStyle.of(language)
    told: list[str] = []
    chosen = [inputs.definitions.exhibits[name] for name in inputs.evaluation.exhibits]
    tests = [exhibit for exhibit in chosen if isinstance(exhibit, TestsExhibit)]
    if tests:
        draws = style.integer(tests[0].draws)
        told.append(
            say(
                language,
                f"Randomiseringstestene gjentar trekningen {draws} ganger innenfor cellene. De familievise p-verdiene tar hensyn til at flere "
                "utfall prøves samtidig.",
                f"Randomisation tests repeat the draw {draws} times within cells. Family-wise p-values allow for several outcomes being tested at once.",
            )
        )
    late = [exhibit for exhibit in chosen if isinstance(exhibit, LateExhibit)]
    if late:
        arm = labels.arm(labels.treated, language)
        told.append(
            say(
                language,
                f"Effekten av å delta er effekten av trekningen delt på trekningens effekt på deltakelse i {arm}. Den gjelder dem som deltok "
                "fordi de ble trukket dit, og forutsetter at trekningen virker gjennom deltakelsen alene.",
                f"The effect of taking part is the draw's effect divided by its effect on taking part in {arm}. It holds for those who took "
                "part because they were drawn to it, and assumes that the draw works through taking part alone.",
            )
        )
    return told


def _used(inputs: ReportInputs) -> list[str]:
    chosen = (inputs.definitions.exhibits[name] for name in inputs.evaluation.exhibits)
    return list(dict.fromkeys(name for exhibit in chosen for name in exhibit.specifications_read))


def _specifications(inputs: ReportInputs, labels: LabelBook, language: str) -> Grid | None:
    rows = tuple(
        (
            f"{entry.label[language]} ({name})",
            written(entry, labels),
            text_in(entry.description, language),
            VCOV_LABELS[entry.vcov][language],
        )
        for name in _used(inputs)
        if (entry := labels.specification_of(name)) is not None
    )
    head = tuple(word(key, language) for key in ("specification", "formula", "meaning", "vcov"))
    return Grid(head, rows, ("left",) * 4, caption=word("specifications", language)) if rows else None
