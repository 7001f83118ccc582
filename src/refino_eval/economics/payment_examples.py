"""Worked examples of payment rules: spells in the file of the rules, and what is paid for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from refino_eval.config.money.payments import ExampleBenefit, PaymentExample, PaymentRules
from refino_eval.economics.milestones import assess
from refino_eval.economics.spells import Enrolment, Graded, Job, Participant, Spell, add_months
from refino_eval.errors import raise_problems

OBSERVED_MONTHS = 120
SMALLEST_SHARE = 1e-6
"""Shares of a bid that differ by less are equal."""


def check_payment_examples(payments: Mapping[str, PaymentRules]) -> int:
    """Run the worked examples of payment rules.

    Parameters
    ----------
    payments
        Rules by name.

    Returns
    -------
    int
        Number of examples, all of which gave what they expect.

    Raises
    ------
    UserError
        With every example that does not.
    """
    problems = [
        f"payments '{name}', example {number} ({example.why}): {problem}. Correct the rules, or the example."
        for name, rules in payments.items()
        for number, example in enumerate(rules.examples, start=1)
        for problem in _differences(rules, example)
    ]
    raise_problems(problems)
    return sum(len(rules.examples) for rules in payments.values())


def _differences(rules: PaymentRules, example: PaymentExample) -> list[str]:
    last = example.observed_to
    observed_to = add_months(example.start, OBSERVED_MONTHS) if last is None else last + dt.timedelta(days=1)
    events = {event.milestone: event for event in assess(_participant(example), rules, observed_to=observed_to)}
    differences = [
        f"'{milestone}' is {events[milestone].status}"
        + (f" ({events[milestone].reason})" if events[milestone].reason else "")
        + f", and {status} was expected"
        for milestone, status in example.expect.items()
        if events[milestone].status != status
    ]
    paid = sum(event.share for event in events.values() if event.status == "paid")
    if example.pays is not None and abs(paid - example.pays) > SMALLEST_SHARE:
        differences.append(f"{paid:.4g} of the bid is paid, and {example.pays:.4g} was expected")
    return differences


def _participant(example: PaymentExample) -> Participant:
    return Participant(
        referral=example.referral or example.start,
        programme=Spell(example.start, example.stop),
        jobs=tuple(
            Job(job.start, job.stop, job.contract, job.percent, job.employer, job.wage_subsidy) for job in example.jobs
        ),
        sickness=_graded(example.sickness),
        allowance=_graded(example.allowance),
        disability=_graded(example.disability),
        education=tuple(Enrolment(spell.start, spell.stop, spell.level) for spell in example.education),
    )


def _graded(spells: Sequence[ExampleBenefit]) -> tuple[Graded, ...]:
    return tuple(Graded(spell.start, spell.stop, spell.grade) for spell in spells)
