"""The report's fixed texts in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from refino_eval.config.base import Label


def _words(nb: str, en: str) -> Label:
    return Label(nb=nb, en=en)


WORDS: Mapping[str, Label] = {
    "contents": _words("Innhold", "Contents"),
    "skip": _words("Hopp til innholdet", "Skip to the content"),
    "kicker": _words("Effektevaluering", "Impact evaluation"),
    "synthetic": _words("Syntetiske data", "Synthetic data"),
    "synthetic_text": _words(
        "Registeret bak denne rapporten er laget av et program. Ingen tall her er funn om virkelige personer, tiltak eller leverandører.",
        "The register behind this report was made by a program. No number here is a finding about real people, programmes or providers.",
    ),
    "confidential": _words("Fortrolige data", "Confidential data"),
    "confidential_text": _words(
        "Tallene bygger på personopplysninger. Del ikke rapporten før den har gått gjennom avsløringskontroll.",
        "The numbers rest on personal data. Do not share this report before it has passed disclosure control.",
    ),
    "summary": _words("Sammendrag", "Summary"),
    "flow": _words("Utvalget", "The sample"),
    "flow_text": _words(
        "Hver linje sier hvem som gikk ut, og hvorfor. Summen av linjene er alle som ble levert.",
        "Each line says who was taken out, and why. Together the lines account for everybody delivered.",
    ),
    "exhibits": _words("Resultater", "Results"),
    "comparison": _words("Sammenligning med det publiserte", "Comparison with the published numbers"),
    "comparison_text": _words(
        "Hvert trykt tall er satt ved siden av vårt. Avstanden er målt i standardfeil for forskjellen mellom to uavhengige utvalg av samme størrelse.",
        "Each printed number stands beside ours. The distance is in standard errors of the difference between two independent samples of the same size.",
    ),
    "comparison_synthetic": _words(
        "Registeret er syntetisk, så vi venter likhet innenfor utvalgsfeil, ikke like tall.",
        "The register is synthetic, so agreement within sampling error is what to expect, not equal numbers.",
    ),
    "published_beside": _words("Trykte tall ved siden av våre", "Printed numbers beside ours"),
    "quality": _words("Datakvalitet", "Data quality"),
    "quality_text": _words(
        "Leverte rader, rader som ble brukt, og rader som ble avvist med en grunn.",
        "Rows delivered, rows used, and rows rejected with a reason.",
    ),
    "rules": _words("Grunner til avvisning", "Reasons for rejection"),
    "definitions": _words("Definisjoner", "Definitions"),
    "definitions_text": _words(
        "Utfallene som er brukt, slik programmet regner dem.", "The outcomes used, as the program computes them."
    ),
    "plan": _words("Avvik fra den registrerte planen", "Departures from the registered plan"),
    "plan_text": _words(
        "Primære utfall som ikke lenger er som i den registrerte planen. Tallene i rapporten følger definisjonen slik den er nå.",
        "Primary outcomes that are no longer as in the registered plan. The numbers of this report follow the definition as it is now.",
    ),
    "plan_change": _words("Endring", "Change"),
    "plan_then": _words("Fingeravtrykk da", "Hash then"),
    "plan_now": _words("Fingeravtrykk nå", "Hash now"),
    "plan_fields": _words("Hva som er endret", "What differs"),
    "plan_definition": _words("Definisjonen er endret", "The definition has changed"),
    "plan_role": _words("Ikke lenger primært", "No longer primary"),
    "plan_removed": _words("Finnes ikke lenger", "No longer defined"),
    "plan_added": _words("Primært, men ikke registrert", "Primary, and not registered"),
    "plan_edited": _words("Planens fil er redigert", "The plan's file was edited"),
    "catalogue": _words(
        "Katalogen forteller alle definisjoner: koder, registre, eksempler og bruk.",
        "The catalogue tells every definition: codes, registers, worked examples and use.",
    ),
    "provenance": _words("Hvordan tallene ble til", "How the numbers were made"),
    "provenance_text": _words(
        "Samme leveranse, samme oppsett og samme programvare gir de samme tallene.",
        "The same delivery, configuration and software give the same numbers.",
    ),
    "step": _words("Trinn", "Step"),
    "reason": _words("Grunn", "Reason"),
    "persons": _words("Personer", "People"),
    "people": _words("Personer", "People"),
    "register": _words("Register", "Register"),
    "delivered": _words("Levert", "Delivered"),
    "clean": _words("Brukt", "Used"),
    "rejected": _words("Avvist", "Rejected"),
    "rule": _words("Regel", "Rule"),
    "rows": _words("Rader", "Rows"),
    "population": _words("Populasjonen", "The population"),
    "remaining": _words("igjen", "remaining"),
    "rule_duplicate_row": _words("Samme rad levert flere ganger", "The same row delivered more than once"),
    "rule_missing_start": _words("Startdato mangler", "No start date"),
    "rule_missing_value": _words("Påkrevd verdi mangler", "A required value is missing"),
    "rule_missing_stop": _words("Sluttdato mangler", "No end date"),
    "rule_unknown_code": _words("Kode som ikke er på kodelisten", "A code that is not on the code list"),
    "rule_unreadable": _words("Verdi som ikke lar seg lese", "A value that cannot be read"),
    "rule_outside_coverage": _words(
        "Utenfor perioden registeret dekker", "Outside the period that the register covers"
    ),
    "rule_repeated_person": _words("Samme person to ganger", "The same person twice"),
    "rule_stop_before_start": _words("Slutter før den begynner", "Ends before it begins"),
    "rule_superseded": _words("Erstattet av en senere levering", "Replaced by a later delivery"),
    "rule_value_in": _words("Holdt utenfor etter verdi", "Left out by its value"),
    "rule_value_range": _words("Verdi utenfor lovlig område", "A value outside its range"),
    "exhibit": _words("Tabell eller figur", "Exhibit"),
    "number": _words("Tall", "Number"),
    "printed": _words("Trykt", "Printed"),
    "obtained": _words("Vårt", "Ours"),
    "verdict": _words("Vurdering", "Verdict"),
    "distance": _words("Avstand (SE)", "Distance (SE)"),
    "cells": _words("Tall i alt", "Numbers in all"),
    "equal": _words("lik", "equal"),
    "last_digit": _words("ett siffer fra", "last digit"),
    "within_sampling_error": _words("innenfor utvalgsfeil", "within sampling error"),
    "differs": _words("avviker", "differs"),
    "missing": _words("ikke laget", "not made"),
    "outcome": _words("Utfall", "Outcome"),
    "reads": _words("Leser", "Reads"),
    "meaning": _words("Betydning", "Meaning"),
    "none_made": _words("Ingen", "None"),
    "yes": _words("ja", "yes"),
    "no": _words("nei", "no"),
    "unknown": _words("ukjent", "unknown"),
    "evaluation": _words("Evaluering", "Evaluation"),
    "configuration_sha256": _words("Oppsett (SHA-256)", "Configuration (SHA-256)"),
    "lock_sha256": _words("Låste pakker (SHA-256)", "Locked packages (SHA-256)"),
    "seed": _words("Frø for tilfeldige trinn", "Seed of random steps"),
    "code": _words("Kode", "Code"),
    "commit": _words("versjon", "commit"),
    "modified": _words("endret siden", "modified since"),
    "packages": _words("Pakker", "Packages"),
    "delivery": _words("Leveransen", "The delivery"),
    "file": _words("Fil", "File"),
    "bytes": _words("Byte", "Bytes"),
    "sha256": _words("SHA-256", "SHA-256"),
}


def word(key: str, language: str) -> str:
    """Return a fixed text, or the key itself as words."""
    return WORDS[key][language] if key in WORDS else key.replace("_", " ")
