"""Values of definitions that would change the meaning without a word are refused, or read as they are meant."""

import pytest
from pydantic import ValidationError

from refino_eval.config.base import Label
from refino_eval.config.definitions import AmountInYearCovariate
from support.builders import LABEL


@pytest.mark.parametrize("years", [-1, 0])
def test_an_amount_from_after_the_draw_is_no_covariate(years):
    given = {"label": LABEL, "kind": "amount_in_year", "register": "incomes", "column": "income", "years_before": years}
    with pytest.raises(ValidationError, match="years_before"):
        AmountInYearCovariate.model_validate(given)
    assert AmountInYearCovariate.model_validate({**given, "years_before": 2}).years_before == 2


def test_a_number_is_a_label_as_it_is_written():
    assert Label.model_validate({"nb": 2019, "en": 2019}).nb == "2019"
