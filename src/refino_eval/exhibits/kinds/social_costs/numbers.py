"""Numbers of exhibits of kind `social_costs`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.economics.break_even import break_even_effect
from refino_eval.economics.programme_costs import outcome_values
from refino_eval.exhibits.kinds.social_costs.model import SocialCostsExhibit
from refino_eval.exhibits.numbers.cost_comparison import MILLION, cost_table_of, published_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: SocialCostsExhibit, context: Context) -> Iterator[Row]:
    """Yield the treated programme's saving step by step (paid, without VAT, with tax cost), and the effect that outweighs it."""
    files, study = context.files, context.study
    tables = {basis: cost_table_of(exhibit.costs, basis, files, study) for basis in exhibit.bases}
    arms = (study.treated, study.control)
    for row, step in (
        ("monthly_price", "monthly_price"),
        ("cost", "paid"),
        ("without_vat", "without_vat"),
        ("saving", "social"),
    ):
        for basis, table in tables.items():
            yield cell(row, basis, "value", -table.difference(step, *arms))
    first = next(iter(tables.values()))
    yield cell("vat", "", "value", 100.0 * first.vat_rate)
    yield cell("tax_cost", "", "value", 100.0 * first.tax_cost)
    saving = -cost_table_of(exhibit.costs, exhibit.break_even_basis, files, study).difference("social", *arms)
    values = outcome_values(study.costs[exhibit.costs], published_of(files))
    for value in exhibit.values:
        yield cell("gain", value, "value", values[value] / MILLION)
        yield cell("saving", value, "value", round(saving, -3))
        yield cell("break_even", value, "value", 100.0 * break_even_effect(saving, values[value]))
