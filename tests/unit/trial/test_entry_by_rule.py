"""Entry by rule: months in a row, none in the months before, which entry counts, and what the flow says of the others."""

import datetime as dt

import pandas as pd
import pytest

from refino_eval.config.evaluation import Arms, Population, Sample
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.trial import link_population

ARMS = Arms.model_validate(
    {
        "treated": {"name": "extended", "label": {"nb": "U", "en": "U"}},
        "control": {"name": "ordinary", "label": {"nb": "O", "en": "O"}},
    }
)
SOURCE = Source.model_validate(
    {
        "register": "programmes", "label": {"nb": "p", "en": "p"}, "owner": "x", "temporality": "spell", "files": ["p.csv"],
        "coverage": {"first": "2016-01-01", "last": "2019-09-30"}, "rules": [],
        "columns": {name: {"from": name, "type": kind, "why": "of a test alone"} for name, kind in
                    (("person_id", "id"), ("programme", "code"), ("office", "code"), ("start", "date"), ("stop", "date"))},
    }
)  # fmt: skip
ENTRY = {
    "arms": {"extended": [{"column": "programme", "in": ["U"]}], "ordinary": [{"column": "programme", "in": ["O"]}]},
    "months_in_a_row": 2,
    "none_before": {"months": 6, "where": [{"column": "programme", "in": ["U", "O", "OLD"]}]},
    "first": "2017-01",
    "last": "2019-08",
}
# Histories: spells with the first and the last day, and the entry expected (arm and month) or the reason in the flow.
HISTORIES = {
    "one_month_only": ([("U", "2018-03-01", "2018-03-31")], "too_few_months"),
    "one_day_in_each_of_two_months": ([("U", "2018-03-31", "2018-04-01")], ("extended", "2018-03")),
    "two_months_with_a_gap": ([("U", "2018-03-01", "2018-03-20"), ("U", "2018-05-01", "2018-05-20")], "too_few_months"),
    "two_spells_in_neighbouring_months": ([("O", "2018-03-01", "2018-03-05"), ("O", "2018-04-25", "2018-04-30")], ("ordinary", "2018-03")),
    "absent_five_months": ([("OLD", "2017-01-01", "2017-09-30"), ("O", "2018-03-01", "2018-05-31")], "earlier_participation"),
    "absent_six_months": ([("OLD", "2017-01-01", "2017-08-31"), ("O", "2018-03-01", "2018-05-31")], ("ordinary", "2018-03")),
    "other_programme_before": ([("X", "2018-02-01", "2018-02-28"), ("O", "2018-03-01", "2018-05-31")], ("ordinary", "2018-03")),
    "both_in_one_month": ([("O", "2018-03-01", "2018-05-31"), ("U", "2018-03-20", "2018-06-30")], "two_arms_at_once"),
    "changes_in_the_second_month": ([("O", "2018-03-01", "2018-03-31"), ("U", "2018-04-01", "2018-06-30")], "too_few_months"),
    "changes_in_the_third_month": ([("O", "2018-03-01", "2018-04-30"), ("U", "2018-05-01", "2018-06-30")], ("ordinary", "2018-03")),
    "last_month_of_the_data": ([("U", "2019-09-01", None)], "outside_period"),
    "open_spell": ([("U", "2019-08-15", None)], ("extended", "2019-08")),
    "enters_again": ([("U", "2017-02-01", "2017-04-30"), ("O", "2018-03-01", "2018-05-31")], ("extended", "2017-02")),
    "before_the_period": ([("U", "2016-12-31", "2017-05-31")], "outside_period"),
    "long_spell_hides_a_short_one": ([("OLD", "2016-03-01", "2018-01-31"), ("OLD", "2016-05-01", "2016-06-30"), ("O", "2018-03-01", "2018-05-31")], "earlier_participation"),
}  # fmt: skip


def spells(histories):
    rows = [
        (person, code, f"k{number}", dt.date.fromisoformat(first), None if last is None else dt.date.fromisoformat(last) + dt.timedelta(days=1))
        for person, (listed, _) in histories.items()
        for number, (code, first, last) in enumerate(listed)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["person_id", "programme", "office", "start", "stop"])
    return frame.assign(source_file="p.csv", source_row=range(len(frame)))


def cohort(folder, frame, **changed):
    frame.to_parquet(folder / "programmes.parquet")
    population = Population.model_validate(
        {"register": "programmes", "keep": ["office"], "entry": {**ENTRY, **changed}}
    )
    samples = {
        "all": Sample.model_validate({"label": {"nb": "a", "en": "a"}}),
        "early": Sample.model_validate(
            {"label": {"nb": "e", "en": "e"}, "steps": [{"reason": "late", "label": {"nb": "l", "en": "l"}, "draw_to": "2018-03-01"}]}
        ),
    }  # fmt: skip
    return link_population(
        population=population, samples=samples, arms=ARMS, strata=(), covariates={}, sources={"programmes": SOURCE},
        clean={"programmes": folder / "programmes.parquet"}, indices={},
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return cohort(tmp_path_factory.mktemp("entry"), spells(HISTORIES))


@pytest.mark.parametrize("person", HISTORIES)
def test_entry_of_each_history(made, person):
    expected = HISTORIES[person][1]
    entries = made.frame.set_index("person_id")
    if isinstance(expected, str):
        assert person not in entries.index
        return
    row = entries.loc[person]
    assert (row["arm"], row["draw_month"]) == expected
    assert row["draw_date"] == pd.Timestamp(f"{expected[1]}-01")
    assert row["treated"] == (expected[0] == "extended")
    listed = HISTORIES[person][0]
    opening = next(number for number, spell in enumerate(listed) if spell[1].startswith(expected[1]))
    assert row["office"] == f"k{opening}"


def test_flow_counts_every_stretch_once(made):
    lines = {(line.step, line.reason): line.persons for line in made.flow}
    stretches = lines["delivered", ""]
    reasons = {reason: count for (step, reason), count in lines.items() if step == "population"}
    assert stretches == len(made.frame) + sum(reasons.values())
    # both_in_one_month has two stretches; a second month in another arm has had the first within six months.
    assert reasons == {
        "outside_period": 2, "too_few_months": 4, "earlier_participation": 4, "two_arms_at_once": 2, "repeated_entry": 1,
    }  # fmt: skip


def test_sample_ends_at_a_configured_start(made):
    early = made.frame.loc[made.frame["sample_early"], "draw_month"]
    assert early.max() == "2018-03"
    assert made.frame["draw_month"].max() == "2019-08"
    assert any(line.reason == "late" and line.persons == 1 for line in made.flow)


def test_spell_of_two_arms_is_refused(tmp_path):
    both = {arm: [{"column": "programme", "in": ["U", "O"]}] for arm in ("extended", "ordinary")}
    with pytest.raises(UserError, match="meet the conditions of two arms"):
        cohort(tmp_path, spells(HISTORIES), arms=both)


def test_order_of_rows_does_not_matter(tmp_path, made):
    shuffled = spells(HISTORIES).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(cohort(tmp_path, shuffled).frame, made.frame)
