"""Cases that a payment engine must decide, or say that it cannot: tiny tables of spells, and what is expected of each.

The cases of REFIN are the ten that its report of 2014 raises; those of Refino follow the specification of requirements.
Days are half-open. Everybody starts on 1 March 2019 (surcharge cases aside) and is referred a month before.
"""

import datetime as dt
from pathlib import Path

import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.model_errors import validate
from refino_eval.config.payments import PaymentRules
from refino_eval.config.yaml_files import read_yaml
from refino_eval.economics.milestones import assess
from refino_eval.economics.spells import Graded, Job, Participant, Spell

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


def told(events):
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
    found = told(assess(who, rules["refin_2014"], observed_to=OBSERVED_TO))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", REFINO)
def test_refino(rules, case):
    who, expected = REFINO[case]
    found = told(assess(who, rules["refino"], observed_to=OBSERVED_TO))
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
