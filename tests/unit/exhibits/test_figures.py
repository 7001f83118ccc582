"""Figures: the same bytes again, readable by a screen reader, and alone in their ids."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from refino_eval.config.colours import colour_problems
from refino_eval.exhibits.layout.drawing import (
    accessible_svg,
    arms_of,
    number_axis,
    scale_text,
    series_of,
    shared_limits,
)
from refino_eval.exhibits.layout.style import ARMS, CONTROL, TREATED, house_style
from refino_eval.exhibits.render import drawing_of, figure_notes, render
from refino_eval.exhibits.tidy import read_tidy, validate
from refino_eval.text import say
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
NAMES = [name for name, exhibit in EXHIBITS.items() if exhibit.form == "figure"]


def _draw(name: str, folder: Path, language: str = "nb", facts: dict[str, str] = toy.FACTS) -> list[Path]:
    return render(
        name,
        EXHIBITS[name],
        FRAMES[name],
        labels=BOOK,
        language=language,
        tables_dir=folder,
        figures_dir=folder,
        facts=facts,
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return {name: _draw(name, tmp_path_factory.mktemp(name)) for name in NAMES}


def _drawing(name: str, language: str = "en", facts: dict[str, str] = toy.FACTS):
    with house_style(name):
        return drawing_of(name, EXHIBITS[name], FRAMES[name], labels=BOOK, language=language, facts=facts)


@pytest.mark.parametrize("name", NAMES)
def test_same_bytes_whatever_a_user_has_set(name: str, drawn: dict[str, list[Path]], tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "pink", "svg.hashsalt": "other"}):
        again = _draw(name, tmp_path)
        assert mpl.rcParams["font.size"] == 20  # and his settings are his again afterwards
    assert [path.suffix for path in again] == [".svg", ".png", ".pdf", ".csv"]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in drawn[name]]


def test_pdf_has_its_text_and_no_date(drawn: dict[str, list[Path]]) -> None:
    for name, paths in drawn.items():
        content = paths[2].read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/Subject" in content
        assert b"CreationDate" not in content
        assert b"/Type3" not in content  # typefaces that editors refuse
        assert paths[3].name == f"{name}.csv"
        assert read_tidy(paths[3]).equals(validate(FRAMES[name]))


@pytest.mark.parametrize("name", NAMES)
def test_svg_says_what_it_shows(name: str, drawn: dict[str, list[Path]]) -> None:
    text = drawn[name][0].read_text(encoding="utf-8")
    root = ET.fromstring(text)
    title, desc = root.find("{*}title"), root.find("{*}desc")
    assert root.get("role") == "img"
    assert title is not None
    assert desc is not None
    assert title.text == EXHIBITS[name].title.nb
    assert len(desc.text or "") > 80
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(str(i).startswith(f"{name}-nb-") for i in ids)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    assert {a or b for a, b in used} <= set(ids)
    assert "<metadata" not in text
    assert "<!--" not in text


def test_png_is_of_a_useful_size(drawn: dict[str, list[Path]]) -> None:
    for paths in drawn.values():
        head = paths[1].read_bytes()[:24]
        width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        assert 1000 < width < 1500
        assert 600 < height < 1500


def test_arms_differ_in_more_than_colour() -> None:
    assert TREATED.linestyle != CONTROL.linestyle
    assert TREATED.marker != CONTROL.marker
    grey = [
        0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (mpl.colors.to_rgb(s.color) for s in (TREATED, CONTROL))
    ]
    assert abs(grey[0] - grey[1]) > 0.1  # told apart on a black and white print


def test_an_arm_has_its_colour_in_every_figure_and_in_any_role() -> None:
    colours = {"refino": "#00504d", "oppfolging": "#a83279"}
    book = replace(BOOK, colours=colours)
    assert {arm: series.color for arm, series in arms_of(book)} == colours
    with house_style("paths"):
        drawing = drawing_of(
            "figure_8_1", EXHIBITS["figure_8_1"], FRAMES["figure_8_1"], labels=book, language="en", facts={}
        )
    drawn = {line.get_color() for ax in drawing.figure.axes for line in ax.lines if len(line.get_xdata()) > 2}
    assert drawn == set(colours.values())
    several = replace(BOOK, colours={"a": None, "refino": None, "oppfolging": None}, several=("a", "refino"))
    assert series_of(several, "refino") == series_of(several.comparing("refino", None), "refino") == ARMS[1]
    assert arms_of(several.comparing("a", "refino"))[-1] == ("refino", ARMS[1])  # also as what another is held against


def test_all_looks_of_arms_can_be_told_apart_by_any_reader() -> None:
    looks = (*ARMS, CONTROL)
    assert list(colour_problems({series.marker: series.color for series in looks})) == []
    assert len({series.marker for series in looks}) == len({str(series.linestyle) for series in looks}) == len(looks)


@pytest.mark.parametrize(
    ("lowest", "same"),
    [(4.0, True), (2.0, False)],  # a third of the highest is the limit
)
def test_panels_of_one_unit_share_a_scale_unless_one_would_lie_on_the_floor(lowest: float, same: bool) -> None:
    units = {"a": "per cent", "b": "per cent", "c": "hours"}
    limits = shared_limits({"a": (0.0, 9.0), "b": (0.0, lowest), "c": (0.0, 50.0)}, units)
    assert limits == {"a": (0.0, 9.0), "b": (0.0, 9.0 if same else lowest), "c": (0.0, 50.0)}
    said = scale_text("b", limits, units, BOOK)
    assert said == ("per cent" if same else say("labels.separate_scale", "en", unit="per cent"))


def test_paths_have_a_panel_a_state_with_bands_and_both_names() -> None:
    drawing = _drawing("figure_8_1")
    axes = drawing.figure.axes
    assert [ax.get_title(loc="left") for ax in axes] == [
        "a. Any wage",
        "b. Weekly hours",
        "c. At least half time",
        "d. Full time",
    ]
    for place, ax in enumerate(axes):
        assert len(ax.collections) == 2  # a band for each arm
        texts = {text.get_text(): text for text in ax.texts}
        low, high = ax.get_ylim()
        if place % 2:  # the last panel of a line has the names for all of it
            gap = abs(texts["Refino"].get_position()[1] - texts["Oppfølging"].get_position()[1])
            assert gap >= 0.08 * (high - low)  # names do not lie on each other although the lines do
        else:
            assert "Refino" not in texts
        assert low == 0
        assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)  # the draw
    shares = [ax.get_ylim() for ax in axes if ax.texts[0].get_text() == "per cent"]
    assert len(shares) == 3
    assert len(set(shares)) == 1  # panels of one unit can be held against each other
    assert "month 0: 30.0%" in drawing.alt


def test_cumulated_shares_are_numbers_of_months() -> None:
    units = [ax.texts[0].get_text() for ax in _drawing("figure_8_2").figure.axes]
    assert units == ["months, summed from month 0", "hours, summed from month 0", *["months, summed from month 0"] * 2]


def test_effects_show_zero_and_tell_before_from_after() -> None:
    drawing = _drawing("figure_effects")
    for ax in drawing.figure.axes:
        low, high = ax.get_ylim()
        assert low == pytest.approx(-high)
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        before, after = dots
        assert max(before.get_xdata()) == -1
        assert min(after.get_xdata()) == 0
        assert before.get_markerfacecolor() == "white"
        assert any("F = 0.93, p = 0.560" in text.get_text() for text in ax.texts)
    assert "excludes zero at 0 of 25 times" in drawing.alt


def test_many_times_are_drawn_as_lines() -> None:
    frame = FRAMES["figure_effects"]
    frame = frame[frame["panel"] == "any_wage"].copy()
    late = frame.copy()
    late["row"] = [str(int(row) + 49) if row.lstrip("-").isdigit() else f"{row}_2" for row in late["row"]]
    both = pd.concat([frame, late], ignore_index=True)
    exhibit = EXHIBITS["figure_effects"].model_copy(update={"states": ("any_wage",), "clock": "week"})
    with house_style("x"):
        drawing = drawing_of("x", exhibit, both, labels=BOOK, language="en", facts={})
    ax = drawing.figure.axes[0]
    assert not [line for line in ax.lines if line.get_marker() == "o"]
    assert [tick for tick in ax.get_xticks() if tick % 13] == []  # quarters of a year, as weeks go
    drawing.figure.canvas.draw()
    legend = drawing.figure.legends[0].get_window_extent()
    assert legend.x1 <= drawing.figure.bbox.x1


def test_draws_counts_and_share() -> None:
    drawing = _drawing("figure_2_1")
    top, bottom = drawing.figure.axes
    frame = FRAMES["figure_2_1"]
    expected = frame[(frame["column"] == "refino") & (frame["statistic"] == "count")]["value"].tolist()
    assert list(top.lines[0].get_ydata()) == expected
    assert bottom.get_ylim() == (0, 100)
    assert bottom.get_title(loc="left") == say("labels.share_treated", "en", arm="Refino") + ", per cent"


def test_numbers_on_axes_are_written_in_the_language() -> None:
    def ticks(language: str) -> list[str]:
        axes = Figure().subplots()
        axes.set_ylim(0, 0.5)
        number_axis(axes.yaxis, language)
        return [label.get_text() for label in axes.get_yticklabels()]

    assert "0,3" in ticks("nb")
    assert "0.3" in ticks("en")


@pytest.mark.parametrize("name", NAMES)
def test_a_synthetic_picture_says_so_by_itself(name: str) -> None:
    assert _drawing(name).figure._supxlabel.get_text().startswith("Synthetic register")
    assert _drawing(name, facts={}).figure._supxlabel is None


def test_notes_of_figures() -> None:
    notes = figure_notes(EXHIBITS["figure_effects"], FRAMES["figure_effects"], labels=BOOK, language="en", facts={})
    assert notes[0] == "Sample: The analysed sample."
    assert say("effects.lines_and_band_explained", "en") in notes


def test_title_with_markup_is_escaped() -> None:
    svg = accessible_svg('<svg width="1"><g id="a"/><use href="#a"/></svg>', stem="x.nb", title="<b>\\1", alt="a & b")
    root = ET.fromstring(svg)
    assert root.find("title").text == "<b>\\1"
    assert root.find("use").get("href") == "#x-nb-a"


def test_a_letter_outside_the_reduced_typeface_comes_from_the_whole_one():
    with house_style("x"):
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, "Å ≥ Ж")
        file = io.BytesIO()
        figure.savefig(file, format="svg")
    glyphs = re.findall(r'<path id="(DejaVuSans\w*)-', file.getvalue().decode())
    assert sorted(set(glyphs)) == ["DejaVuSans", "DejaVuSansLatin"]
    assert glyphs.count("DejaVuSans") == 1
