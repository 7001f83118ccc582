"""What a document's source says of its numbers: which of ours they are, what is an input, and what is not computed."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import yaml

from refino_eval.errors import UserError
from refino_eval.published.compare import compare, round_as_printed
from refino_eval.published.intervals import stands_for
from refino_eval.published.links import Links, check_links
from refino_eval.published.score import score_table
from refino_eval.published.source import load_source, source_file
from refino_eval.published.values import KEYS, load_published, parse_printed

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "published"


def _printed(*lines: str) -> pd.DataFrame:
    """Read lines of `exhibit/panel/row/column/statistic = print [~ rounded to]`."""
    rows = []
    for line in lines:
        key, _, rest = line.partition(" = ")
        text, _, step = rest.partition(" ~ ")
        rows.append(dict(zip(KEYS, key.split("/"), strict=True), printed=text, rounded_to=step))
    return pd.DataFrame(rows)


def _ours(**numbers: float) -> pd.DataFrame:
    """Return tidy numbers of exhibit t by `row__column__statistic`."""
    rows = [dict(zip(KEYS, ("t", "", *key.split("__")), strict=True), value=value) for key, value in numbers.items()]
    return pd.DataFrame(rows)


def _verdict(printed: str, source: dict[str, object], **numbers: float) -> dict[str, object]:
    said = Links.model_validate(source)
    return dict(compare(_printed(printed), _ours(**numbers), data_class="synthetic", source=said).iloc[0])


def test_another_unit_and_no_sign() -> None:
    link = {"printed": "text//*/a/value", "of": ["t//*/a/estimate"], "times": "-100000"}
    found = _verdict("text//wage/a/value = 88", {"ours": [link]}, wage__a__estimate=-0.00090, wage__a__std_error=0.0059)
    assert found["obtained"] == pytest.approx(90)
    assert found["obtained_from"] == "-100000 x t//wage/a/estimate"
    assert found["distance_in_se"] == pytest.approx(2 / 590)
    assert found["verdict"] == "within_sampling_error"


def test_a_difference_of_arms_has_their_standard_errors_and_a_sum_of_terms_has_none() -> None:
    link = {"printed": "text//x/a/difference", "of": ["t//x/a/share"], "less": ["t//x/b/share"], "times": "100"}
    shares = {"x__a__share": 0.24, "x__a__n": 400, "x__b__share": 0.16, "x__b__n": 900}
    found = _verdict("text//x/a/difference = 5", {"ours": [link]}, **shares)
    error = 100 * math.hypot(math.sqrt(0.24 * 0.76 / 400), math.sqrt(0.16 * 0.84 / 900))
    assert found["obtained"] == pytest.approx(8)
    assert found["distance_in_se"] == pytest.approx(3 / error)
    link = {"printed": "text//x/a/value", "of": ["t//x/a/estimate", "t//z/a/estimate"]}
    terms = {"x__a__estimate": 0.5, "x__a__std_error": 2.0, "z__a__estimate": 4.0, "z__a__std_error": 2.0}
    found = _verdict("text//x/a/value = 9", {"ours": [link]}, **terms)
    assert found["obtained"] == 4.5
    assert math.isnan(float(found["distance_in_se"]))
    assert found["verdict"] == "differs"
    found = _verdict("text//x/a/value = 8", {"ours": [{**link, "std_error_of": "t//z/a/estimate"}]}, **terms)
    assert found["verdict"] == "within_sampling_error"


def test_the_highest_of_all_there_are() -> None:
    link = {"printed": "text//ever/b/share", "of": ["t//+/b/share"], "take": "highest"}
    months = {"1__b__share": 0.01, "2__b__share": 0.04, "3__b__share": 0.02, "2__a__share": 0.9}
    assert _verdict("text//ever/b/share = 0 %", {"ours": [link]}, **months)["obtained"] == 0.04


def test_missing_part_makes_the_number_missing() -> None:
    link = {"printed": "text//x/a/value", "of": ["t//x/a/estimate", "t//z/a/estimate"]}
    assert _verdict("text//x/a/value = 9", {"ours": [link]}, x__a__estimate=9.0)["verdict"] == "missing"


def test_inputs_are_in_no_score_and_what_is_not_computed_has_its_reason() -> None:
    said = {
        "inputs": ["t//price/*/value"],
        "not_computed": {"contracts": ["t//places/a/count", "t//x/a/mean"]},
        "reasons": {"contracts": {"nb": "Står i kontrakten.", "en": "Stands in the contract."}},
    }
    assert _verdict("t//price/a/value = 10", said, price__a__value=10.0, places__a__estimate=1)["verdict"] == "input"
    found = _verdict("t//places/a/count = 45", said, x__a__mean=3.0)
    assert (found["verdict"], found["reason"]) == ("not_computed", "contracts")
    assert (found["reason_nb"], found["reason_en"]) == ("Står i kontrakten.", "Stands in the contract.")
    # A number that we do have is held to the print, whatever the source says.
    assert _verdict("t//x/a/mean = 3", said, x__a__mean=3.0)["verdict"] == "equal"
    assert _verdict("t//y/a/mean = 3", said, x__a__mean=3.0)["verdict"] == "missing"
    verdicts = pd.DataFrame({"verdict": ["equal", "input", "not_computed", "input"]})
    assert "| `e` | 2 | 1 | 0 | 0 | 1 |" in score_table({"e": verdicts})


@pytest.mark.parametrize(
    ("ours", "verdict"), [(45_500, "equal"), (46_500, "equal"), (46_501, "last_digit"), (47_501, "differs")]
)
def test_what_a_text_rounded_to_is_its_unit(ours: float, verdict: str) -> None:
    found = compare(_printed("t//x/a/value = 46 000 ~ 1000"), _ours(x__a__value=ours))
    assert found["verdict"].tolist() == [verdict]


def test_audit_uses_the_same_rounding() -> None:
    printed = parse_printed("16 500", rounded_to="500")
    range_ = stands_for(printed)
    assert (range_.low, range_.high) == (16_250, 16_750)
    assert stands_for(printed, qualifier="about") == range_
    assert stands_for(printed, statistic="count") == range_
    assert round_as_printed(16_320, printed) == "16500"
    share = stands_for(parse_printed("60 %", rounded_to="5"))
    assert (share.low, share.high) == (Fraction(575, 1000), Fraction(625, 1000))


@pytest.mark.parametrize(
    ("printed", "qualifier", "step", "told"),
    [
        ("46 230", "", "1000", "not a multiple"),
        ("46 000", "", "thousand", "not a positive number"),
        ("46 000", "", "0", "not a positive number"),
        ("46 000", "just_over", "1000", "was not rounded"),
    ],
)
def test_impossible_rounding_is_reported(tmp_path: Path, printed: str, qualifier: str, step: str, told: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        f"{','.join(KEYS)},printed,qualifier,rounded_to,source_line\nt,,x,a,value,{printed},{qualifier},{step},1\n"
    )
    with pytest.raises(UserError, match=told):
        load_published(path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"inputs": ["t//prices/a/value"]}, r"'t//prices/a/value' matches no published number.*t//price/a/value"),
        ({"inputs": ["t//price/*/value", "t//*/a/value"]}, "listed 2 times"),
        ({"not_computed": {"contract": ["t//price/a/value"]}}, "missing from `reasons`"),
        ({"input": []}, "the key 'input'"),
        ({"ours": [{"printed": "t//price/a/value", "of": ["t/main/a/*/mean"]}]}, "has a star that no star of"),
    ],
)
def test_invalid_links_are_reported(tmp_path: Path, said: dict[str, object], told: str) -> None:
    path = tmp_path / "d.source.yaml"
    path.write_text(yaml.safe_dump({"title": "A report", **said}))
    with pytest.raises(UserError) as fault:
        check_links(load_source(path), _printed("t//price/a/value = 10"), path.name)
    assert pd.Series([str(fault.value)]).str.contains(told, flags=16).all(), str(fault.value)


def test_every_shipped_source_matches_published_numbers() -> None:
    paths = sorted(DATA.glob("*.csv"))
    told = [load_source(source_file(path)) for path in paths]
    for path, source in zip(paths, told, strict=True):
        check_links(source, load_published(path), path.name)
    assert sum(len(list(source.patterns)) for source in told) > 30


def test_numbers_read_from_the_document_have_the_verdict_input() -> None:
    # Otherwise a number that agrees because it was read from the print would count as one that we got right.
    published = load_published(DATA / "refino_2023.csv")
    source = load_source(DATA / "refino_2023.source.yaml")
    keys = ["/".join(map(str, row)) for row in published[list(KEYS)].to_numpy()]
    inputs = {key for key in keys if source.is_input(tuple(key.split("/")))}
    costs = (ROOT / "config/evaluations/refino/costs.yaml").read_text(encoding="utf-8")
    exhibits = (ROOT / "config/evaluations/refino/exhibits.yaml").read_text(encoding="utf-8")
    read = {key for key in keys if f"published: {key} " in (costs + exhibits).replace(",", " ").replace("}", " ")}
    again = {key for key in keys if key.startswith("table_8_4//duration/")}
    assert inputs == read | again
