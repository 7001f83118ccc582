"""The report in a real browser: no errors, live links, no sideways scrolling, and every tool does what it says."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from refino_eval.cli.audit_command import audit_documents
from refino_eval.cli.trace_command import finished_run
from refino_eval.exhibits.tidy import read_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.registers.delivery_receipt import ColumnReceipt, FileReceipt, Receipt, RepairReceipt, YearReceipt
from refino_eval.registers.receipt_problems import Problem
from refino_eval.report.receipt_page import write_receipt_html
from refino_eval.report.trail.lookup import find_number
from refino_eval.report.trail.trails import Trails

pytestmark = pytest.mark.slow

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
EFFECT = "#exhibit-table_8_1 td[data-trail] button"
TESTS = "#exhibit-table_tests table"


@pytest.fixture
def opened(browser, small_run):
    """Open the report, and fail at the end if the page complained of anything."""
    complaints, contexts = [], []

    def open_report(language="en", size=DESKTOP, before=None, path=None, hash_="", **options):
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
        address = (path or release(small_run) / f"report.{language}.html").as_uri()
        page.goto(f"{address}#{hash_}" if hash_ else address)
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


WIDER = "document.documentElement.scrollWidth - window.innerWidth"
WIDTHS = (360, 390, 768, 1400)


def sideways(page):
    """Return the widths at which a page is wider than the window with all that is folded open, and whether it is before."""
    wide = ["folded"] if page.evaluate(WIDER) > 0 else []
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide += [width] if page.evaluate(WIDER) > 0 else []
    return wide


@pytest.mark.parametrize("language", ["nb", "en"])
def test_links_are_valid_and_nothing_scrolls_sideways(opened, small_run, language):
    page = opened(language, PHONE)
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))")
    inside = {link[1:] for link in links if link.startswith("#")}
    assert len(inside) > 20
    assert page.evaluate("(ids) => ids.filter((id) => !document.getElementById(id))", sorted(inside)) == []
    for link in {link for link in links if not link.startswith("#")}:
        assert (release(small_run) / link.split("#")[0]).is_file(), link
    assert page.evaluate("document.documentElement.lang") == language
    drawings = page.locator("#summary .effects svg:visible")
    assert drawings.count() > 2
    for width in WIDTHS[:1] + WIDTHS[-1:]:
        page.set_viewport_size({"width": width, "height": 900})
        assert drawings.evaluate_all(OUTSIDE) == []
    assert sideways(page) == []


OUTSIDE = """(drawings) => drawings.flatMap((svg) => [...svg.querySelectorAll("text")]
  .map((text) => [text.getBoundingClientRect(), text.textContent])
  .filter(([box]) => box.left < svg.getBoundingClientRect().left - 1 || box.right > svg.getBoundingClientRect().right + 1)
  .map(([, text]) => text))"""


# Further rows of the same looks, further entries, and the shapes of figures have the markup of those that stay.
# Shades behind a table would keep axe from judging its contrast.
SHORTER = """() => {
  for (const body of document.querySelectorAll("tbody")) {
    const seen = new Map();
    for (const row of [...body.rows]) {
      const looks = row.className + [...row.cells].map((cell) => cell.className).join();
      seen.set(looks, (seen.get(looks) ?? 0) + 1);
      if (seen.get(looks) > 1) row.remove();
    }
  }
  const few = (host, parts, most) => [...host.querySelectorAll(`:scope > ${parts}`)].slice(most).forEach((part) => part.remove());
  for (const section of document.querySelectorAll("section")) {
    few(section, "article", 2);
    few(section, ".one", 4);
    few(section, "details.compared", 2);
  }
  for (const charts of document.querySelectorAll(".charts")) few(charts, ".panel", 1);
  for (const shape of document.querySelectorAll(".drawing svg > :not(title, desc), .plot svg > *")) shape.remove();
  for (const frame of document.querySelectorAll(".scroll")) frame.style.background = "none";
  for (const folded of document.querySelectorAll("details")) folded.open = true;
}"""


def findings(axe, page, context=None):
    """Return the serious and critical findings of axe, and those about the order of headings."""
    found = axe.run(page, context, {"resultTypes": ["violations"]}).response["violations"]
    return [
        (finding["id"], [node["html"][:200] for node in finding["nodes"][:3]])
        for finding in found
        if finding["impact"] in ("serious", "critical")
        or finding["id"] in ("heading-order", "landmark-unique", "region")
    ]


@pytest.fixture(scope="module")
def pages(small_run, tmp_path_factory):
    """Every kind of page, by language: report, catalogue, studies, audit of published numbers; and a receipt, in English."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for language in ("nb", "en"):
        audit = folder / f"audit.{language}.html"
        audit_documents(["se_klar"], form="html", language=language, out=audit, strict=False, root=small_run)
        of_run = [release(small_run) / f"{name}.{language}.html" for name in ("report", "catalogue")]
        made[language] = [*of_run, small_run / f"results/index.{language}.html", audit]
    day = dt.date(2020, 1, 1)
    receipt = Receipt(
        evaluation="refino", folder="delivery", letter="", registers=1,
        files=(FileReceipt("jobs", "jobs_2020.csv", 1200, 1190, 10, 400, day, day, 3, 2, 9000, "ab" * 32),),
        columns=(ColumnReceipt("jobs", "jobs_2020.csv", "start", "FRA_DATO", 1200, 12),),
        years=(YearReceipt("jobs", "jobs_2020.csv", 2019, 700), YearReceipt("jobs", "jobs_2020.csv", 2020, 490)),
        repairs=(RepairReceipt("jobs", "cut_at", 4, 3),), linkages=(),
        problems=(
            Problem("error", "jobs", "jobs_2020.csv", "FRA_DATO", "missing_start", 10, (3, 8), "10 rows have no start.", "Ask for them."),
            Problem("warning", "jobs", "jobs_2020.csv", "", "duplicates", 3, (4,), "3 rows are repeated.", "Nothing."),
        ),
    )  # fmt: skip
    made["en"].append(write_receipt_html(receipt, folder / "receipt.html", label="Refino"))
    return made


@pytest.mark.parametrize(
    ("language", "screens"),
    [("en", [("light", 1400), ("dark", 390)]), ("nb", [("dark", 1400), ("light", 390)])],
    ids=["en", "nb"],
)
def test_pages_are_accessible_on_light_and_dark_screens_of_any_width(opened, pages, language, screens):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for address in pages[language]:
        page = opened(path=address, reduced_motion="reduce")
        if not address.name.startswith("report"):
            assert sideways(page) == [], address.name
        page.evaluate(SHORTER)
        for scheme, width in screens:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 23, 23)"}[scheme]
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
            assert findings(axe, page) == [], (address.name, scheme, width)
        if address.name.startswith("report"):
            page.keyboard.press("/")
            page.keyboard.type({"en": "wage", "nb": "lønn"}[language])
            assert page.locator("#found a").count() > 5
            assert findings(axe, page, "#contents") == []
            page.locator("td[id] button.number").first.evaluate("(button) => button.click()")
            assert findings(axe, page, "#trail") == []
        elif page.locator("[data-find]").count():
            head = page.locator("[data-find] :is(h2, h3, th a)").first.inner_text()
            page.keyboard.press("/")
            page.keyboard.type(head)
            assert page.locator("#found a").first.inner_text().startswith(head), address.name
            assert findings(axe, page, "[role=search]") == []
            page.keyboard.press("Enter")
            assert page.evaluate("document.getElementById(location.hash.slice(1)).dataset.find"), address.name


NUMBER = "table_8_1:refino:any_wage:estimate:main"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without"])
def test_the_address_of_a_number_leads_to_it(opened, small_run, scripts):
    # The first number of a folded table, and one that is always in sight.
    text = (release(small_run) / "report.en.html").read_text(encoding="utf-8")
    folded = re.search(r'<details><summary>(?:(?!</details>).)*?<td[^>]* id="([^"]+)"', text, flags=re.DOTALL)[1]
    for name in (NUMBER, folded):
        page = opened(java_script_enabled=scripts, size=PHONE, hash_=name, reduced_motion="reduce")
        cell = page.locator(f'[id="{name}"]')
        box = cell.bounding_box()
        assert 0 <= box["y"] <= PHONE["height"] - box["height"], name
        assert cell.evaluate("(cell) => getComputedStyle(cell).outlineStyle") == "solid"
        if scripts:
            assert page.evaluate("document.activeElement.closest('td').id") == name


def test_a_link_to_a_number_is_copied_from_its_dialog(opened):
    page = opened(before=KEPT)
    page.locator(f'[id="{NUMBER}"] button').click()
    page.locator("#trail button", has_text="Copy link").click()
    page.locator("#trail .link [role=status]:not(:empty)").wait_for(state="attached")
    assert page.evaluate("window.kept") == page.url == page.url.split("#")[0] + f"#{NUMBER}"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('td').id") == NUMBER
    page.locator("#exhibit-table_8_1 button.here").click()
    page.locator("#exhibit-table_8_1 .link [role=status]:not(:empty)").wait_for(state="attached")
    assert page.evaluate("window.kept").endswith("report.en.html#exhibit-table_8_1")


def test_a_number_and_its_published_one_lead_to_each_other(opened):
    page = opened()
    page.select_option("#filter-verdict", "differs")
    page.locator(f'[id="{NUMBER}"] button').click()
    page.locator("#trail a", has_text="comparison").click()
    row = page.locator(f'[id="published:{NUMBER}"]')
    row.wait_for(state="visible")
    assert "reached" in row.get_attribute("class")
    row.locator("a").click()
    page.wait_for_selector(f'[id="{NUMBER}"].reached')


def test_search_finds_exhibits_definitions_and_numbers_and_opens_what_is_folded(opened):
    page = opened("en", PHONE)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("any wa")
    results = page.locator("#found a").all_inner_texts()
    assert results[0].splitlines() == ["Any wage", "Definition: Outcomes"]
    assert any("Table 8.1" in text for text in results)
    count = int(page.locator("[role=search] [role=status]").inner_text().removesuffix(" results"))
    assert len(results) == min(count, 40)  # so many are listed, and the rest is counted
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('#definitions th.reached, #definitions th.reached *')")
    page.locator("#contents").wait_for(state="hidden")
    page.keyboard.press("/")
    page.keyboard.type("table 8.1")
    page.locator("#found a", has_text="Published numbers").first.click()
    assert page.locator("#compared-table_8_1").get_attribute("open") is not None
    page.keyboard.press("/")
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('td').id") == NUMBER
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    assert page.locator("[role=search] [role=status]").inner_text() == "No results"
    page.keyboard.press("Escape")
    assert page.locator("#search").input_value() == ""
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('td').id") == NUMBER


@pytest.mark.parametrize("language", ["nb", "en"])
def test_trail_and_catalogue_lead_to_each_other(small_run, language):
    report, catalogue = (
        (release(small_run) / f"{name}.{language}.html").read_text(encoding="utf-8") for name in ("report", "catalogue")
    )
    ids = {
        name: set(re.findall(r' id="([^"]+)"', text)) for name, text in (("report", report), ("catalogue", catalogue))
    }
    used = set(re.findall(rf'href="report\.{language}\.html#([^"]+)"', catalogue))
    assert "exhibit-table_8_1" in used
    assert used <= ids["report"]
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', report, flags=re.DOTALL)[1])
    texts = data["trails"]["texts"]
    linked = {texts[line[2]] for _, lines in data["trails"]["sections"] for line in lines if len(line) > 2}
    assert data["catalogue"] == f"catalogue.{language}.html"
    assert {"outcomes-any_wage_month_12", "states-any_wage", "specifications-main"} <= linked <= ids["catalogue"]


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
    head = page.locator(f"{TESTS} thead th").filter(has_text="t test").first
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
    assert float(re.search(r"Refino ([\d.]+)", readout)[1]) == pytest.approx(100 * share, abs=0.06)
    page.keyboard.press("ArrowRight")
    assert panel.locator(".readout").inner_text().startswith("month −23")
    assert page.evaluate("location.hash") == "#figure_8_1:any_wage:-23"
    # The address leads to the point again, and so does the number's name on the command line.
    for address in ("figure_8_1:any_wage:-23", "figure_8_1:-23:refino:mean:any_wage"):
        again = opened(hash_=address)
        assert again.locator("#exhibit-figure_8_1 .readout").first.inner_text().startswith("month −23"), address
        assert again.evaluate("document.activeElement.className") == "plot"
    again.keyboard.press("/")
    again.keyboard.type("figure_8_1:12:refino:mean:any_wage")
    again.keyboard.press("Enter")
    assert again.locator("#exhibit-figure_8_1 .readout").first.inner_text().startswith("month 12")


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


def test_it_prints_whole_figures_and_all_but_the_comparison_unfolded(opened):
    page = opened("nb")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert 8 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60
    page.emulate_media(media="print")
    assert page.locator("#exhibit-figure_8_1 .drawing svg").bounding_box()["width"] > 300
    for hidden in ("#contents", "button.copy", "#explorer", "button.drawer", "#exhibit-figure_8_1 .charts"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert not page.locator("#compared-table_8_1 table").is_visible()
    assert page.locator(".explained p").first.is_visible()
    assert page.locator("nav.printed a[href='#exhibit-table_8_1']").is_visible()
    # An inline heading would be left behind at the foot of a page.
    assert page.evaluate("getComputedStyle(document.querySelector('#exhibit-table_8_1-head')).display") == "block"
    page.set_viewport_size({"width": 680, "height": 1000})  # 180 mm, which the margins leave
    upright = "section.one:not(.lies) table, table.grid, table.forest"
    ends = f"[...document.querySelectorAll('{upright}')].map(each => each.getBoundingClientRect().right)"
    assert max(page.evaluate(ends)) <= 682
    summary = page.locator("#summary").bounding_box()
    assert summary["y"] + summary["height"] < 995  # 264 mm: the summary is one sheet


def test_nothing_of_a_person_is_embedded(small_run):
    text = (release(small_run) / "report.en.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', text, flags=re.DOTALL)[1])
    assert set(data) == {"language", "marks", "words", "trails", "charts", "explorer", "catalogue"}
    assert "person_id" not in json.dumps(data["explorer"]) + json.dumps(data["charts"])
    assert Path(release(small_run) / "report.en.html").stat().st_size < 4_000_000
