"""The texts that the page's scripts show, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from refino_eval.config.base import Label

SCRIPT_WORDS: Mapping[str, Label] = {
    key: Label(nb=nb, en=en)
    for key, nb, en in (
        ("copy", "Kopier tabellen", "Copy table"),
        ("copied", "Kopiert", "Copied"),
        ("copyFailed", "Kopier teksten herfra", "Copy the text from here"),
        ("sort", "Sorter etter", "Sort by"),
        ("close", "Lukk", "Close"),
        ("trail", "Sporet bak tallet", "The trail of the number"),
        ("openTrail", "vis sporet bak tallet", "show the trail of the number"),
        ("contents", "Innhold", "Contents"),
        ("chart", "Diagram. Bruk piltastene for å lese verdiene.", "Chart. Use the arrow keys to read the values."),
        ("interval", "intervall", "interval"),
        ("band", "samtidig bånd", "simultaneous band"),
        ("hint", "Pek på figuren, eller bruk piltastene, for verdier.", "Point at the figure, or use the arrow keys, for values."),
        ("estimate", "Effekt", "Effect"),
        ("controlMean", "Gjennomsnitt i kontrollgruppen", "Control mean"),
        ("people", "Personer", "People"),
        ("holdsZero", "Intervallet rommer null: ingen påviselig effekt.", "The interval holds zero: no detectable effect."),
        ("leavesZero", "Intervallet utelukker null.", "The interval leaves zero out."),
        ("effectPath", "Effekt over tid", "The effect over time"),
        ("armPath", "Gruppenes gjennomsnitt over tid", "The arms' means over time"),
        ("noPath", "Ingen forløpsfigur er laget for dette utfallet.", "No path over time was made for this outcome."),
        ("pathUnder", "Forløpet er estimert med:", "The path was estimated under:"),
        ("pathMonthly", "Forløpet viser tilstanden i hver periode, ikke summen.", "The path shows the state in each period, not the sum."),
        ("standsIn", "Står i", "Stands in"),
        ("shown", "{shown} av {all} tall vises", "{shown} of {all} numbers shown"),
        ("relativeLacks", "Kontrollgruppens gjennomsnitt er null eller mangler; enheten lar seg ikke bruke.", "The control mean is zero or missing; this unit cannot be used."),
    )
}  # fmt: skip
