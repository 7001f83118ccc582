"""Cases that a payment engine must decide, or say that it cannot: tiny tables of spells, and what is expected of each.

The cases of REFIN are the ten that its report of 2014 raises; those of Refino follow the specification of requirements.
Days are half-open. Everybody starts on 1 March 2019 (surcharge cases aside) and is referred a month before.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.model_errors import validate
from refino_eval.config.money.payments import PaymentRules
from refino_eval.config.yaml_files import read_yaml
from refino_eval.economics.milestones import assess
from refino_eval.economics.payment_examples import check_payment_examples
from refino_eval.economics.spells import Enrolment, Graded, Job, Participant, Spell
from refino_eval.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
START, OBSERVED_TO = dt.date(2019, 3, 1), dt.date(2023, 1, 1)


def day(text):
    return dt.date.fromisoformat(text) if text else None


def job(start, stop, contract="permanent", percent=100.0, employer="a", subsidised=False):
    return Job(day(start), day(stop), contract, percent, employer, subsidised)


def person(*jobs, start=START, stop="2020-06-01", **benefits):
    referral = start - dt.timedelta(days=28)
    spells = {
        name: tuple(Graded(day(first), day(last), grade) for first, last, grade in rows)
        for name, rows in benefits.items()
    }
    return Participant(referral, Spell(start, day(stop)), tuple(jobs), **spells)


@pytest.fixture(scope="module")
def rules():
    shown = "config/evaluations/refino/payments.yaml"
    return validate({"payments": read_yaml(ROOT / shown, shown)}, Definitions, shown).payments


def statuses(events):
    """Return milestone -> (status, reason, day)."""
    return {event.milestone: (event.status, event.reason, str(event.day or "")) for event in events}


NOT = ("not_reached", "", "")

REFIN = {
    "1 straight into a job: mapping is paid whatever follows": (
        person(job("2019-03-11", None), stop="2019-03-11"),
        {
            "mapping": ("paid", "mapping_whatever_follows", "2019-03-11"),
            "hiring": ("paid", "permanent", "2019-03-11"),
            "follow_up": ("paid", "still_permanent", "2019-09-11"),
        },
    ),
    "2 a better job after two months: open whether the second counts": (
        person(job("2019-05-01", "2019-07-01"), job("2019-07-01", None, employer="b")),
        {"hiring": ("paid", "permanent", "2019-05-01"), "follow_up": ("undecided", "changed_job", "2019-11-01")},
    ),
    "3 the job is lost, another comes later: open whether it is a new start": (
        person(job("2019-05-01", "2019-07-01"), job("2019-12-01", None, employer="b")),
        {"hiring": ("paid", "permanent", "2019-05-01"), "follow_up": ("undecided", "new_start", "2020-06-01")},
    ),
    "3b the job is lost and nothing comes": (
        person(job("2019-05-01", "2019-07-01")),
        {"hiring": ("paid", "permanent", "2019-05-01"), "follow_up": NOT},
    ),
    "4 a substitute job of seven months: hiring, never the last part": (
        person(job("2019-05-01", "2019-12-01", "temporary")),
        {"hiring": ("paid", "temporary", "2019-05-01"), "follow_up": NOT},
    ),
    "5 a substitute job of a year": (
        person(job("2019-05-01", "2020-05-01", "temporary")),
        {"hiring": ("paid", "temporary", "2019-05-01"), "follow_up": NOT},
    ),
    "6 short engagements in a row, over six months in all, release nothing": (
        person(job("2019-05-01", "2019-08-01", "temporary"), job("2019-08-01", "2019-12-15", "temporary")),
        {"hiring": NOT, "follow_up": NOT},
    ),
    "7 permanent, full time in practice, no hours in the contract: not paid": (
        person(job("2019-05-01", None, percent=None)),
        {"hiring": NOT, "follow_up": NOT},
    ),
    "8 temporary and off benefit: the last part is not released": (
        person(job("2019-05-01", None, "temporary"), allowance=[("2018-01-01", "2019-05-01", 100)]),
        {"hiring": ("paid", "temporary", "2019-05-01"), "follow_up": NOT},
    ),
    "9 already in a part-time job: holding it is no hiring": (
        person(job("2018-05-01", None, percent=45)),
        {"hiring": NOT, "follow_up": NOT},
    ),
    "9b the part-time job becomes a larger one with the same employer: open": (
        person(job("2018-05-01", "2019-06-01", percent=45), job("2019-06-01", None, percent=80)),
        {"hiring": ("undecided", "same_employer", "2019-06-01"), "follow_up": ("undecided", "same_employer", "2019-12-01")},
    ),
    "10 the temporary job ends and the participant comes back": (
        person(job("2019-04-01", "2019-10-15", "temporary"), job("2020-01-01", None, employer="b")),
        {"hiring": ("paid", "temporary", "2019-04-01"), "follow_up": ("undecided", "new_start", "2020-07-01")},
    ),
    "hired in the ninth month: only in an extension that somebody approved": (
        person(job("2019-12-01", None)),
        {"hiring": ("undecided", "extended_permanent", "2019-12-01"), "follow_up": ("undecided", "extended_permanent", "2020-06-01")},
    ),
    "hired after the longest hiring phase": (person(job("2020-02-02", None)), {"hiring": NOT, "follow_up": NOT}),
    "a temporary job that still runs, years after the hiring phase": (
        person(job("2022-10-01", None, "temporary")), {"hiring": NOT, "follow_up": NOT},
    ),
    "wage subsidy counts, temporary and short as it is": (
        person(job("2019-05-01", "2019-08-01", "temporary", subsidised=True)),
        {"hiring": ("paid", "wage_subsidy", "2019-05-01"), "follow_up": NOT},
    ),
    "disability pension reduced by the position": (
        person(job("2019-05-01", None, percent=40), disability=[("2010-01-01", "2019-06-01", 100), ("2019-06-01", None, 60)]),
        {"hiring": ("paid", "permanent_disability", "2019-06-01"), "follow_up": ("paid", "still_permanent", "2019-12-01")},
    ),
}  # fmt: skip

REFINO = {
    "permanent at half time, kept": (
        person(job("2019-06-01", None, percent=50)),
        {"mapping": ("paid", "mapping_done", "2019-05-01"), "hiring": ("paid", "permanent", "2019-06-01"), "retention": ("paid", "permanent_six", "2019-12-01")},
    ),
    "just below half time": (person(job("2019-06-01", None, percent=49.9)), {"hiring": NOT, "retention": NOT}),
    "two jobs of 30 per cent: one must carry the half": (
        person(job("2019-06-01", None, percent=30), job("2019-06-01", None, percent=30, employer="b")),
        {"hiring": NOT, "retention": NOT},
    ),
    "one of two jobs carries it": (
        person(job("2019-06-01", None, percent=30), job("2019-07-01", None, percent=50, employer="b")),
        {"hiring": ("paid", "permanent", "2019-07-01")},
    ),
    "left after five weeks: the mapping may be done": (
        person(stop="2019-04-05"),
        {"mapping": ("undecided", "left_during_mapping", "2019-04-05"), "hiring": NOT, "retention": NOT},
    ),
    "temporary for six months to the day is not over six months": (
        person(job("2019-06-01", "2019-12-01", "temporary")), {"hiring": NOT, "retention": NOT},
    ),
    "a day more is": (
        person(job("2019-06-01", "2019-12-02", "temporary")), {"hiring": ("paid", "temporary", "2019-06-01"), "retention": NOT},
    ),
    "contracts in a row: hired with the one that carries them over six months": (
        person(job("2019-06-01", "2019-09-01", "temporary"), job("2019-09-01", "2020-01-15", "temporary", employer="b")),
        {"hiring": ("paid", "temporary", "2019-09-01"), "retention": NOT},
    ),
    "contracts in a row for over nine months": (
        person(job("2019-06-01", "2019-09-01", "temporary"), job("2019-09-01", "2020-03-02", "temporary", employer="b")),
        {"retention": ("paid", "temporary_nine", "2020-03-01")},
    ),
    "a weekend between them: the rules do not say": (
        person(job("2019-06-01", "2019-08-31", "temporary"), job("2019-09-02", "2020-01-15", "temporary", employer="b")),
        {"hiring": ("undecided", "gap_of_days", "2019-09-02"), "retention": NOT},
    ),
    "a week between them breaks the row": (
        person(job("2019-06-01", "2019-09-01", "temporary"), job("2019-09-08", "2020-01-15", "temporary", employer="b")),
        {"hiring": NOT, "retention": NOT},
    ),
    "a permanent job that is lost is a hiring, no retention": (
        person(job("2019-06-01", "2019-09-01")), {"hiring": ("paid", "permanent", "2019-06-01"), "retention": NOT},
    ),
    "a better permanent job after two months, held for less than six: open": (
        person(job("2019-06-01", "2019-08-01"), job("2019-08-01", "2020-01-15", employer="b")),
        {"retention": ("undecided", "changed_job", "2019-12-01")},
    ),
    "the same, and the second one lasts: no time limit, so paid": (
        person(job("2019-06-01", "2019-08-01"), job("2019-08-01", None, employer="b")),
        {"retention": ("paid", "permanent_six", "2020-02-01")},
    ),
    "a larger position with the same employer is the same job": (
        person(job("2019-06-01", "2019-08-01", percent=50), job("2019-08-01", "2020-01-15", percent=80)),
        {"retention": ("paid", "permanent_six", "2019-12-01")},
    ),
    "lost, and years later another: no time limit either": (
        person(job("2019-06-01", "2019-08-01"), job("2021-11-01", None, employer="b")),
        {"hiring": ("paid", "permanent", "2019-06-01"), "retention": ("paid", "permanent_six", "2022-05-01")},
    ),
    "temporary, then permanent, ten months in all: open": (
        person(job("2019-06-01", "2019-12-15", "temporary"), job("2019-12-15", "2020-04-01")),
        {"hiring": ("paid", "temporary", "2019-06-01"), "retention": ("undecided", "both_contracts", "2020-03-01")},
    ),
    "no percentage in the register": (
        person(job("2019-06-01", None, percent=None)),
        {"hiring": ("undecided", "position_not_stated", "2019-06-01"), "retention": ("undecided", "position_not_stated_six", "2019-12-01")},
    ),
    "the job was held at the start": (person(job("2018-06-01", None)), {"hiring": NOT, "retention": NOT}),
    "disability benefit reduced by the position": (
        person(job("2019-06-01", None, percent=40), disability=[("2010-01-01", "2019-07-01", 100), ("2019-07-01", None, 60)]),
        {"hiring": ("paid", "permanent_disability", "2019-07-01"), "retention": ("paid", "permanent_six_disability", "2019-12-01")},
    ),
    "reduced by less": (
        person(job("2019-06-01", None, percent=40), disability=[("2010-01-01", "2019-07-01", 100), ("2019-07-01", None, 80)]),
        {"hiring": ("undecided", "disability_partly_reduced", "2019-07-01")},
    ),
    "not reduced at all": (
        person(job("2019-06-01", None, percent=40), disability=[("2010-01-01", None, 100)]), {"hiring": NOT},
    ),
    "on sick leave from a job, back in it for good": (
        person(job("2015-01-01", None), sickness=[("2019-01-01", "2019-06-01", 100)]),
        {"hiring": ("paid", "recovered", "2019-06-01"), "retention": ("paid", "recovered_six", "2019-12-01")},
    ),
    "80 per cent back: a plan is asked for that no register has": (
        person(job("2015-01-01", None), sickness=[("2019-01-01", "2019-06-01", 100), ("2019-06-01", None, 20)]),
        {"hiring": ("undecided", "recovery_plan", "2019-06-01"), "retention": NOT},
    ),
    "back for four months, then ill again": (
        person(job("2015-01-01", None), sickness=[("2019-01-01", "2019-06-01", 100), ("2019-10-01", None, 100)]),
        {"hiring": ("paid", "recovered", "2019-06-01"), "retention": NOT},
    ),
    "on the allowance with a job at referral: what the allowance is for is not known": (
        person(job("2015-01-01", None), allowance=[("2018-01-01", "2019-06-01", 100)]),
        {"hiring": ("undecided", "off_allowance", "2019-06-01"), "retention": ("undecided", "off_allowance_six", "2019-12-01")},
    ),
    "the temporary job still runs when the registers end": (
        person(job("2022-10-01", None, "temporary")), {"hiring": ("running", "temporary", ""), "retention": ("running", "temporary", "")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFIN)
def test_refin(rules, case):
    who, expected = REFIN[case]
    found = statuses(assess(who, rules["refin_2014"], observed_to=OBSERVED_TO))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", REFINO)
def test_refino(rules, case):
    who, expected = REFINO[case]
    found = statuses(assess(who, rules["refino"], observed_to=OBSERVED_TO))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("hired", "share"), [("2021-03-21", 0.4), ("2021-03-22", 0.6), ("2021-10-01", 0.6), ("2021-10-02", 0.4)]
)
def test_surcharge_from_its_first_to_its_last_day(rules, hired, share):
    who = person(job(hired, None), start=dt.date(2020, 9, 1), stop=None)
    events = {event.milestone: event for event in assess(who, rules["refino"], observed_to=OBSERVED_TO)}
    assert events["mapping"].share == pytest.approx(0.2)
    assert events["hiring"].share == pytest.approx(share)


def test_all_milestones_pay_the_bid(rules):
    for each in rules.values():
        events = assess(person(job("2019-06-01", None)), each, observed_to=OBSERVED_TO)
        assert sum(event.share for event in events) == pytest.approx(1.0)


def test_rules_that_do_not_add_up_are_refused(rules):
    data = rules["refino"].model_dump(mode="json", exclude_unset=True)
    data["milestones"][0]["share"] = 0.3
    with pytest.raises(ValueError, match=r"add up to 1\.1"):
        PaymentRules.model_validate(data)
    data["milestones"][0] |= {"share": 0.2, "requires": "hiring"}
    with pytest.raises(ValueError, match="which is not before it"):
        PaymentRules.model_validate(data)


# Pay by the size of the position ---------------------------------------------------------------------------------------

RULES = {
    "label": {"nb": "Prøve", "en": "Trial"},
    "source": "made up",
    "milestones": [
        {
            "name": "hiring", "label": {"nb": "Ansettelse", "en": "Hiring"}, "share": 1,
            "any_of": [
                {"kind": "job", "name": "job", "label": {"nb": "Jobb", "en": "Job"}, "contract": ["permanent"], "met": "hired",
                 "pay": {"minimum": 20, "full_at": 80}},
                {"kind": "education", "name": "school", "label": {"nb": "Skole", "en": "School"}, "levels": [4], "longer_than_months": 3},
            ],
        }
    ],
}  # fmt: skip


def graded(**pay):
    milestone = RULES["milestones"][0]
    criterion = {**milestone["any_of"][0], "pay": {**milestone["any_of"][0]["pay"], **pay}}
    return {**RULES, "milestones": [{**milestone, "any_of": [criterion, milestone["any_of"][1]]}]}


def share_of(participant, written=RULES):
    (event,) = assess(participant, PaymentRules.model_validate(written), observed_to=OBSERVED_TO)
    return event.share if event.status == "paid" else 0.0


@pytest.mark.parametrize(
    ("percent", "share"), [(19.9, 0), (20, 0), (35, 0.25), (50, 0.5), (79.4, 0.99), (80, 1), (100, 1)]
)
def test_pay_rises_on_a_line_from_the_minimum_to_the_limit_of_full_pay(percent, share):
    assert share_of(person(job("2019-05-01", None, percent=percent))) == pytest.approx(share)


def test_pay_rises_in_steps_where_steps_are_given():
    steps = graded(steps=[(20, 0.3), (50, 0.7)])
    shares = [share_of(person(job("2019-05-01", None, percent=p)), steps) for p in (19, 20, 49, 50, 79, 80)]
    assert shares == pytest.approx([0, 0.3, 0.3, 0.7, 0.7, 1])


def test_one_threshold_is_the_graded_rule_whose_limits_meet():
    at_fifty = graded(minimum=50, full_at=50)
    for percent in (10, 49.9, 50, 100):
        assert share_of(person(job("2019-05-01", None, percent=percent)), at_fifty) == float(percent >= 50)


def test_of_several_jobs_the_best_paid_counts_and_never_their_sum():
    jobs = (job("2019-05-01", None, percent=30), job("2019-09-01", None, percent=50, employer="b"))
    assert share_of(person(*jobs)) == pytest.approx(0.5)


def test_an_increase_counts_from_the_position_of_the_month_before():
    increase = graded(by="position_increase", months_before=1, minimum=0, full_at=50)
    held = job("2018-01-01", "2019-06-01", percent=40)
    assert share_of(person(held, job("2019-05-01", None, percent=65, employer="b")), increase) == pytest.approx(0.5)
    assert share_of(person(held, job("2019-05-01", None, percent=40, employer="b")), increase) == 0
    assert share_of(person(job("2019-05-01", None, percent=25)), increase) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("start", "stop", "level", "share"),
    [("2019-08-01", "2019-11-02", 4, 1), ("2019-08-01", "2019-11-01", 4, 0), ("2019-08-01", None, 2, 0), ("2019-02-01", None, 4, 0)],
)  # fmt: skip
def test_education_that_begins_after_the_start_and_lasts_is_paid(start, stop, level, share):
    pupil = replace(person(), education=(Enrolment(day(start), day(stop), level),))
    assert share_of(pupil) == share


def test_education_and_a_job_at_once_are_paid_once():
    pupil = replace(person(job("2019-05-01", None, percent=50)), education=(Enrolment(day("2019-08-01"), None, 4),))
    assert share_of(pupil) == 1


def test_small_positions_with_one_employer_are_undecided_and_with_two_are_not_reached(rules):
    together = person(job("2019-05-01", None, percent=30), job("2019-05-15", None, percent=30))
    events = statuses(assess(together, rules["refino"], observed_to=OBSERVED_TO))
    assert events["hiring"] == ("undecided", "small_positions_together", "2019-05-15")
    assert events["retention"] == ("undecided", "small_positions_six", "2019-11-15")
    apart = person(job("2019-05-01", None, percent=30), job("2019-05-15", None, percent=30, employer="b"))
    assert statuses(assess(apart, rules["refino"], observed_to=OBSERVED_TO))["hiring"] == NOT


def test_hired_again_after_a_break_is_undecided_and_without_a_break_the_same_job(rules):
    again = person(job("2019-05-01", "2019-07-01"), job("2019-10-01", None))
    events = statuses(assess(again, rules["refin_2014"], observed_to=OBSERVED_TO))
    assert events["follow_up"] == ("undecided", "rehired", "2019-11-01")
    renewed = person(job("2019-05-01", "2019-07-01"), job("2019-07-01", None))
    events = statuses(assess(renewed, rules["refin_2014"], observed_to=OBSERVED_TO))
    assert events["follow_up"] == ("paid", "still_permanent", "2019-11-01")


@pytest.mark.parametrize(
    ("pay", "message"),
    [
        ({"minimum": 90}, "above `full_at`"),
        ({"by": "position_increase"}, "months_before"),
        ({"steps": [(50, 0.7), (20, 0.3)]}, "must rise"),
        ({"steps": [(10, 0.3)]}, "between"),
    ],
)
def test_a_rule_of_pay_that_makes_no_sense_is_refused(pay, message):
    with pytest.raises(ValueError, match=message):
        PaymentRules.model_validate(graded(**pay))


def test_examples_that_differ_from_the_rules_are_reported_with_what_was_paid():
    example = {"why": "half", "start": START, "jobs": [{"start": "2019-05-01", "percent": 50}], "pays": 0.5}
    right = PaymentRules.model_validate({**RULES, "examples": [example]})
    assert check_payment_examples({"trial": right}) == 1
    wrong = {**example, "pays": 0.6, "expect": {"hiring": "not_reached"}}
    with pytest.raises(UserError, match=r"example 1 \(half\).*paid \(job\), and not_reached") as caught:
        check_payment_examples({"trial": PaymentRules.model_validate({**RULES, "examples": [wrong]})})
    assert "0.5 of the bid is paid, and 0.6 was expected" in str(caught.value)
