"""The report in a real browser: no errors, live links, no sideways scrolling, and every tool does what it says."""

import json
import re
import shutil
from pathlib import Path

import pytest

from refino_eval.cli.trace_command import finished_run
from refino_eval.exhibits.tidy import read_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.trail.lookup import find_number
from refino_eval.report.trail.trails import Trails

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
EFFECT = "#exhibit-table_8_1 td[data-trail] button"
TESTS = "#exhibit-table_tests table"


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is on the path")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, small_run):
    """Open the report, and fail at the end if the page complained of anything."""
    complaints, contexts = [], []

    def open_report(language="en", size=DESKTOP, before=None, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith("file:") else None)
        if before:
            page.add_init_script(before)
        page.goto((release(small_run) / f"report.{language}.html").as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert complaints == []


def release(folder):
    return folder / "results/refino/release"


def numbers(folder, exhibit):
    frame = read_tidy(folder / f"results/refino/aggregates/{exhibit}.csv")
    return frame.set_index(["panel", "row", "column", "statistic"])["value"]


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_links_are_valid_and_nothing_scrolls_sideways(opened, small_run, language, size):
    page = opened(language, size)
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))")
    inside = {link[1:] for link in links if link.startswith("#")}
    assert len(inside) > 20
    assert page.evaluate("(ids) => ids.filter((id) => !document.getElementById(id))", sorted(inside)) == []
    for link in {link for link in links if not link.startswith("#")}:
        assert (release(small_run) / link.split("#")[0]).is_file(), link
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.lang") == language
    drawing = page.locator("#summary figure.effects svg")
    assert drawing.get_attribute("role") == "img"
    assert (
        drawing.evaluate(
            """(svg) => [...svg.querySelectorAll("text")].map((text) => [text.getBoundingClientRect(), text.textContent])
        .filter(([box]) => box.left < svg.getBoundingClientRect().left - 1 || box.right > svg.getBoundingClientRect().right + 1)
        .map(([, text]) => text)"""
        )
        == []
    )


def test_the_contents_mark_the_current_chapter_and_are_a_drawer_on_the_phone(opened):
    page = opened()
    page.evaluate(
        "document.documentElement.style.scrollBehavior = 'auto'; document.getElementById('methods').scrollIntoView()"
    )
    page.wait_for_selector("#contents a[href='#methods'][aria-current]")
    phone = opened(size=PHONE)
    button = phone.locator("button.drawer")
    assert not phone.locator("#contents").is_visible()
    button.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert phone.evaluate("document.getElementById('contents').contains(document.activeElement)")
    phone.keyboard.press("Escape")
    assert button.get_attribute("aria-expanded") == "false"
    assert phone.evaluate("document.activeElement.className") == "drawer"


def column_of(page, place):
    return page.evaluate(
        "([selector, place]) => [...document.querySelector(selector).tBodies[0].rows].map((row) => Number(row.cells[place].dataset.value))",
        [TESTS, place],
    )


def test_sorting_sorts_by_the_full_number_from_the_keyboard(opened):
    page = opened()
    head = page.locator(f"{TESTS} thead th").filter(has_text="p-value").first
    place = head.evaluate("(cell) => cell.cellIndex")
    before = column_of(page, place)
    assert before != sorted(before)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column_of(page, place) == sorted(before)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column_of(page, place) == sorted(before, reverse=True)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "none"
    assert column_of(page, place) == before


CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { %s }}});"
KEPT = CLIPBOARD % "window.kept = text;"
REFUSED = (
    CLIPBOARD % "throw new Error('refused');"
    + "document.execCommand = () => { window.kept = document.activeElement.value; return true; };"
)


@pytest.mark.parametrize("before", [KEPT, REFUSED], ids=["clipboard", "refused"])
def test_copying_gives_tabs_and_full_numbers(opened, small_run, before):
    page = opened("nb", before=before)
    page.locator("#exhibit-table_8_1 button.copy").click()
    page.locator("#exhibit-table_8_1 .tools [role=status]:not(:empty)").wait_for(state="attached")
    rows = [line.split("\t") for line in page.evaluate("window.kept").split("\n")]
    assert len({len(row) for row in rows}) == 1
    expected = numbers(small_run, "table_8_1")
    estimates = [
        expected["main", "refino", key, "estimate"]
        for key in ("wage", "any_wage", "weekly_hours", "half_time", "full_time")
    ]
    assert [float(text.replace(",", ".")) for text in rows[1][1:]] == estimates
    assert rows[2][0] == ""  # beneath a heading over two rows


def test_the_explorer_switches_without_reloading(opened, small_run):
    page = opened()
    page.evaluate("window.stays = true")
    expected = numbers(small_run, "table_ii")

    def shown():
        return page.locator('#explorer-result [data-fact="estimate"]').inner_text().replace("−", "-")

    page.select_option("#explorer-outcome", "any_wage_month_12")
    page.select_option("#explorer-unit", "points")
    points = float(shown().split()[0])
    assert points == pytest.approx(100 * expected["main", "refino", "any_wage", "estimate"], abs=0.051)
    page.select_option("#explorer-unit", "share")
    assert float(shown().split()[0]) == pytest.approx(points / 100, abs=0.00051)
    page.select_option("#explorer-specification", "none")
    assert float(shown().split()[0]) == pytest.approx(expected["none", "refino", "any_wage", "estimate"], abs=0.00051)
    page.select_option("#explorer-unit", "relative")
    percent = expected["none", "refino", "any_wage", "percent_of_control"]
    assert float(shown().split("%")[0]) == pytest.approx(percent, abs=0.51)  # two digits of the standard error
    page.select_option("#explorer-outcome", "wage_month_12")
    page.select_option("#explorer-unit", "undivided")
    assert shown().endswith("NOK (2023)")
    assert float(shown().split()[0].replace(",", "")) == pytest.approx(
        1e5 * expected["none", "refino", "wage", "estimate"], rel=0.02, abs=60
    )
    assert page.evaluate("window.stays")


def test_a_figure_shows_its_values_by_the_arrow_keys(opened, small_run):
    page = opened()
    panel = page.locator("#exhibit-figure_8_1 .panel").first
    panel.locator(".plot").focus()
    page.keyboard.press("Home")
    share = numbers(small_run, "figure_8_1")["any_wage", "-24", "refino", "mean"]
    readout = panel.locator(".readout").inner_text()
    assert readout.startswith("month −24: Refino ")
    assert float(re.search(r"Refino ([\d.]+)", readout)[1]) == pytest.approx(share, abs=0.0006)
    page.keyboard.press("ArrowRight")
    assert panel.locator(".readout").inner_text().startswith("month −23")


def test_the_trail_opens_and_closes_by_keyboard_and_is_that_of_the_command_line(opened, small_run):
    page = opened()
    first = page.locator(EFFECT).first
    assert page.locator(f"{EFFECT}[tabindex='0']").count() == 1
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog#trail")
    assert dialog.is_visible()
    command = dialog.locator(".address").inner_text()
    inputs = finished_run(small_run, "refino")
    trails = Trails(inputs, LabelBook.of(inputs.evaluation, inputs.definitions), "en")
    trail = trails.follow(*find_number(trails, command.removeprefix("refino-eval trace ")))
    assert trail.key == ("main", "refino", "any_wage", "estimate")
    shown = page.evaluate(
        "[...document.querySelectorAll('#trail section')].map((s) => [s.querySelector('h3').textContent,"
        " [...s.querySelectorAll('dt')].map((d) => [d.textContent, d.nextSibling.textContent])])"
    )
    assert shown == [[part.title, [[fact.label, fact.text] for fact in part.facts]] for part in trail.sections]
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.className") == "number"
    assert page.evaluate("document.activeElement.closest('td').cellIndex") == 2


def test_the_comparison_is_filtered_and_a_link_opens_what_is_folded(opened, small_run):
    page = opened()
    comparison = (small_run / "results/refino/run/comparison.csv").read_text().splitlines()[1:]
    assert page.locator("details.compared tbody tr").count() == len(comparison)
    page.select_option("#filter-verdict", "differs")
    differs = sum(",differs," in line for line in comparison)
    assert page.locator("details.compared tbody tr:visible").count() == differs
    assert page.locator("#filter-count").inner_text().startswith(f"{differs} of ")
    page.select_option("#filter-verdict", "")
    page.locator('#exhibit-table_8_1 a[href="#compared-table_8_1"]').click()
    page.wait_for_selector("#compared-table_8_1[open]")


def test_without_scripts_the_page_is_complete(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#exhibit-figure_8_1 svg").first.is_visible()
    assert page.locator("#exhibit-table_8_1 table").is_visible()
    assert not page.locator("#explorer").is_visible()
    assert not page.locator(".filters").is_visible()
    page.locator("#compared-table_8_1 > summary").click()
    assert page.locator("#compared-table_8_1 table").is_visible()


def test_it_prints_whole_figures_and_leaves_folded_what_is_folded(opened):
    page = opened("nb")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert 8 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60
    page.emulate_media(media="print")
    assert page.locator("#exhibit-figure_8_1 .drawing svg").bounding_box()["width"] > 300
    for hidden in ("#contents", "button.copy", "#explorer", "button.drawer", "#exhibit-figure_8_1 .charts"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert not page.locator("#compared-table_8_1 table").is_visible()


def test_nothing_of_a_person_is_embedded(small_run):
    text = (release(small_run) / "report.en.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', text, flags=re.DOTALL)[1])
    assert set(data) == {"language", "marks", "words", "trails", "charts", "explorer", "catalogue"}
    assert "person_id" not in json.dumps(data["explorer"]) + json.dumps(data["charts"])
    assert Path(release(small_run) / "report.en.html").stat().st_size < 4_000_000
