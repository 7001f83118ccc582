"""Numbers of exhibits of kind `tornado`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.tornado.model import TornadoExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: TornadoExhibit, context: Context) -> Iterator[Row]:
    """Yield net value as assumed, and at both ends of each uncertain input; the input that matters most comes first."""
    model = model_of(exhibit, context)
    for programme in exhibit.programmes:
        yield cell("as_assumed", "net_value", "value", model.worth(programme).total()[0], panel=programme)
        bars = sorted(model.tornado(programme, exhibit.level), key=lambda bar: -abs(bar[2] - bar[1]))
        for name, low, high in bars:
            yield cell(name, "at_low_end", "value", low, panel=programme)
            yield cell(name, "at_high_end", "value", high, panel=programme)
