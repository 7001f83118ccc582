"""Numbers of exhibits of kind `value_paths`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.cost_benefit.employment_paths import employment_paths
from refino_eval.cost_benefit.valuation import monthly_wages
from refino_eval.exhibits.kinds.value_paths.model import ValuePathsExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: ValuePathsExhibit, context: Context) -> Iterator[Row]:
    """Yield series by month since the start: chances during the month, shares and the month's value at its end."""
    model = model_of(exhibit, context)
    for programme in exhibit.programmes:
        values, effect = model.values(programme), model.definition.programmes[programme].effect
        paths = {}
        if effect == "hazards":
            found = employment_paths(values, exhibit.months)
            paths = {
                "finding": {"treated": found.finding, "control": found.finding_without},
                "employed": {"treated": found.employed, "control": found.employed_without},
            }
        worth = monthly_wages(values, effect, exhibit.months) * values["labour_cost_factor"]
        paths["value"] = {"difference": worth * (1.0 - values["displacement"])}
        for series in exhibit.series:
            for column, path in paths[series].items():
                for month, value in enumerate(path[:, 0], start=1):
                    yield cell(str(month), f"{series}_{column}", "value", value, panel=programme)
