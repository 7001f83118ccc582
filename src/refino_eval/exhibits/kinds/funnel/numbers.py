"""Numbers of exhibits of kind `funnel`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from refino_eval import estimation as est
from refino_eval.economics.programme_costs import amount
from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.kinds.funnel.model import FunnelExhibit, Stage
from refino_eval.exhibits.numbers.cost_comparison import published_of
from refino_eval.exhibits.numbers.study import Context, Row, cell

ALL = "all"


def numbers(exhibit: FunnelExhibit, context: Context) -> Iterator[Row]:
    """Yield counts by stage and area, and shares of an earlier stage.

    Raises
    ------
    UserError
        When an input is not among the published values, is no whole number, or a stage has more than the one before it.
    """
    published = published_of(context.files)
    counts: dict[str, dict[str, int]] = {}
    for name, stage in exhibit.stages.items():
        counts[name] = _counts(name, stage, exhibit, counts, published)
        for area, count in counts[name].items():
            yield cell(name, area, "count", count, count)
        if stage.of is not None:
            for area, count in counts[name].items():
                whole = counts[stage.of][area]
                if count > whole:
                    raise UserError(
                        f"funnel: '{name}' has {count:,} in '{area}', and '{stage.of}', of which it is a share, has {whole:,}. Correct "
                        "the counts, or take another stage for `of`."
                    )
                yield cell(name, area, "share", count / whole if whole else float("nan"), whole)
                if stage.interval:
                    low, high = est.share_interval(count, whole, level=exhibit.level)
                    yield cell(name, area, "conf_low", low, whole)
                    yield cell(name, area, "conf_high", high, whole)


def _counts(
    name: str,
    stage: Stage,
    exhibit: FunnelExhibit,
    before: Mapping[str, Mapping[str, int]],
    published: Mapping[str, float],
) -> dict[str, int]:
    if stage.left_of is not None:
        whole, part = (before[other] for other in stage.left_of)
        left = {area: whole[area] - part[area] for area in whole}
        if any(count < 0 for count in left.values()):
            raise UserError(
                f"funnel: '{name}' would be negative: '{stage.left_of[1]}' is larger than '{stage.left_of[0]}'."
            )
        return left
    assert stage.counts is not None
    counts = {}
    for area in exhibit.areas:
        entry = stage.counts[area]
        if entry.published is not None and entry.published not in published:
            raise UserError(
                f"funnel: '{entry.published}' is not among the published values of the evaluation.{nearest(entry.published, published)}"
            )
        value = amount(entry, published)
        if value < 0 or value != round(value):
            raise UserError(f"funnel: '{name}' in '{area}' is {value:g}; a count is a whole number from 0.")
        counts[area] = round(value)
    return counts | ({ALL: sum(counts.values())} if exhibit.sum else {})
