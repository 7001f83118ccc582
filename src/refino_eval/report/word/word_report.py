"""The report as a Word document: chapters as headings, exhibits with captions that Word counts, and references to them.

It shows what the HTML page shows, from the same contents; what only a screen can do (trails of numbers, the explorer, the
comparison number by number) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from refino_eval.exhibits.formats.reproducible_zip import LANGUAGE_TAGS
from refino_eval.exhibits.formats.widths import measure
from refino_eval.exhibits.formats.word_document import (
    NOTE,
    PART,
    append,
    head_pages,
    new_document,
    paragraph,
    saved,
    turn,
)
from refino_eval.exhibits.formats.word_grid import (
    CHARACTER,
    GAP,
    LANDSCAPE,
    PORTRAIT,
    TWIPS,
    Fit,
    fit,
    grid,
)
from refino_eval.exhibits.layout.table import Align, Cell, Part, Row, label
from refino_eval.exhibits.tidy import write_bytes
from refino_eval.kept_results import KeptParts
from refino_eval.report.page.chapters import NUMBERED
from refino_eval.report.page.report_contents import LONGEST_ON_PAPER, ReportContents, ReportExhibit
from refino_eval.report.page.summary_tables import SummaryTable
from refino_eval.report.word.word_fields import (
    Caption,
    bookmark,
    caption_paragraph,
    contents_paragraphs,
    link,
    made_paragraph,
    run,
    with_references,
)
from refino_eval.report.word.word_fields import field as word_field
from refino_eval.text import say
from refino_eval.text.design_wording import worded_for

if TYPE_CHECKING:
    from docx.document import Document

PAGES = (
    (9.0, PORTRAIT, False), (8.0, PORTRAIT, False), (8.0, PORTRAIT, True), (7.0, PORTRAIT, True), (8.0, LANDSCAPE, False),
    (8.0, LANDSCAPE, True), (7.0, LANDSCAPE, True), (6.0, LANDSCAPE, True),
)  # fmt: skip
"""As of `word_grid.PAGES`; inside a report a turned page leaves room empty before and after it, and is the last resort."""

CONTENTS_STYLES = (("toc 1", 0, 4), ("table of figures", 0, 0))
"""Styles of the lists of contents: name, indent in twips, room before a line in points."""

SUMMARY, SUMMARY_LIST = "SummaryText", "SummaryList"
"""Identifiers of the styles of the summary's paragraphs and of its list."""

TALLEST = 5400
"""Height of a figure at most, in twips, unless it is taller than wide."""


@dataclass
class _Writer:
    """A report that is being written.

    Attributes
    ----------
    contents
        What it shows.
    document
        What is written so far.
    kept
        Parts of unchanged exhibits.
    captions
        Of every exhibit, by its name.
    identity
        Number of the last bookmark or picture.
    lying
        Whether the section lies on its side.
    """

    contents: ReportContents
    document: Document
    kept: KeptParts
    captions: dict[str, Caption] = field(default_factory=dict)
    identity: int = 0
    lying: bool = False

    def say(self, key: str, **values: object) -> str:
        """Return a text in the report's language."""
        return say(key, self.contents.language, **values)

    @cached_property
    def published(self) -> dict[str, Caption]:
        """Captions by the number that their exhibits have in a publication."""
        return {caption.published: caption for caption in self.captions.values() if caption.published}

    def next(self) -> int:
        """Return the number of a new bookmark or picture."""
        self.identity += 1
        return self.identity

    def heading(self, text: str, mark: str, level: int = 1, form: str = "") -> None:
        """Write a heading with a bookmark."""
        append(self.document, made_paragraph(f"Heading{level}", bookmark(self.next(), mark, run(text)), form))

    def text(self, text: str, style: str = "Normal", look: str = "") -> None:
        """Write a paragraph, with references to the exhibits that it names."""
        append(self.document, made_paragraph(style, run(text, look) if look else with_references(text, self.published)))

    def turned(self, *, landscape: bool) -> None:
        """Begin a section where the page has to be turned."""
        from docx.enum.section import WD_SECTION

        if landscape != self.lying:
            turn(self.document.add_section(WD_SECTION.NEW_PAGE), landscape=landscape)
            self.lying = landscape


def write_word_report(contents: ReportContents, out_path: Path, kept: KeptParts | None = None) -> Path:
    """Write a report as a Word document in one language.

    Parameters
    ----------
    contents
        What it shows; its figures are files of the run, as PNG and as SVG.
    out_path
        The document; written at once or not at all.
    kept
        Where the grids of unchanged exhibits may be kept.

    Returns
    -------
    Path
        `out_path`.
    """
    with worded_for(contents.inputs.evaluation.design):
        write_bytes(out_path, _written(contents, kept or KeptParts()))
    return out_path


def _written(contents: ReportContents, kept: KeptParts) -> bytes:
    document = new_document(contents.title, contents.language)
    turn(document.sections[0], landscape=False)
    writer = _Writer(contents, document, kept, _captions(contents))
    _styles(document)
    _margins(writer)
    paragraph(document, contents.title, "Title")
    _banner(writer)
    for place, chapter in enumerate(name for name in contents.order if name != "explorer"):
        if place == 1:
            _contents(writer)
        # The heading of a chapter that begins with a wide table is on its page.
        first = contents.chapters.get(chapter, ())[:1] if chapter not in OWN else ()
        writer.turned(landscape=any(_on_paper(writer, exhibit)["landscape"] for exhibit in first))
        if chapter == next(iter(contents.depths.get("appendix", ())), ""):
            appendix = run(writer.say("report.depth_appendix"))
            append(document, made_paragraph("Title", appendix, "<w:pageBreakBefore/>"))
        writer.heading(writer.say(f"report.chapter_{chapter}"), f"_Toc_{chapter}")
        _chapter(writer, chapter)
        for exhibit in contents.chapters.get(chapter, ()):
            _exhibit(writer, exhibit)
        _see_also(writer, chapter)
    return saved(document)


def _captions(contents: ReportContents) -> dict[str, Caption]:
    counted = {"table": 0, "figure": 0}
    captions = {}
    for exhibit in contents.exhibits:
        form = exhibit.definition.form
        counted[form] += 1
        word = say(f"report.caption_{form}", contents.language)
        match = NUMBERED.match(exhibit.title)
        title = exhibit.title[match.end() + 2 :] if match else exhibit.title
        published = match.group() if match else ""
        captions[exhibit.name] = Caption(word, counted[form], title, published, f"_Ref_{form}_{counted[form]}")
    return captions


def _styles(document: Document) -> None:
    """Add the styles of Word's lists of contents, which its template lacks, and of paragraphs in the text."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
    from docx.shared import Pt, Twips

    for name, indent, before in CONTENTS_STYLES:
        style: Any = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
        style.base_style, style.font.size = document.styles["Normal"], Pt(9)
        form = style.paragraph_format
        form.left_indent, form.space_before, form.space_after, form.line_spacing = Twips(indent), Pt(before), Pt(1), 1.0
        form.tab_stops.add_tab_stop(Twips(PORTRAIT), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    normal: Any = document.styles["Normal"]
    normal.font.size = Pt(10)
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(6), 1.12
    document.styles["TOC Heading"].base_style = document.styles["Heading 2"]
    # The list style of the template has the spacing of its base.
    document.styles["List Bullet"].paragraph_format.space_after = Pt(2)
    for name, base, after in (("Summary Text", "Normal", 3), ("Summary List", "List Bullet", 1)):
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = document.styles[base], Pt(9.5)
        style.paragraph_format.space_after, style.paragraph_format.line_spacing = Pt(after), 1.04


def _margins(writer: _Writer) -> None:
    """Write the evaluation's name, the class of the data and the number of the page on every page."""
    contents, document = writer.contents, writer.document
    head_pages(document, " · ".join(filter(None, (contents.title, contents.watermark or contents.mark))))
    foot = document.sections[0].footer.paragraphs[0]
    from docx.oxml import parse_xml

    pages = word_field("PAGE", "1") + run(" / ") + word_field("NUMPAGES", "1")
    made = made_paragraph("TableNote", pages, '<w:jc w:val="right"/>')
    foot._p.getparent().replace(foot._p, parse_xml(made))


def _banner(writer: _Writer) -> None:
    inputs = writer.contents.inputs
    kind = (
        "synthetic"
        if inputs.evaluation.data_class == "synthetic"
        else "confidential"
        if writer.contents.watermark
        else ""
    )
    if kind:
        text = run(f"{writer.say(f'report.{kind}')}. ", "<w:b/>") + run(writer.say(f"report.{kind}_warning"))
        sides = "".join(
            f'<w:{side} w:val="single" w:sz="8" w:space="4" w:color="8A3500"/>'
            for side in ("top", "left", "bottom", "right")
        )
        append(writer.document, made_paragraph("Normal", text, f"<w:pBdr>{sides}</w:pBdr>"))
    if inputs.profile:
        writer.text(writer.say("notes.profile", profile=inputs.profile))


def _contents(writer: _Writer) -> None:
    """Write the contents, and the lists of tables and figures, on pages of their own behind the summary."""
    contents, document = writer.contents, writer.document
    headings = [
        ("toc1", f"_Toc_{chapter}", writer.say(f"report.chapter_{chapter}"))
        for chapter in contents.order
        if chapter != "explorer"
    ]
    append(document, made_paragraph("TOCHeading", run(writer.say("report.contents")), "<w:pageBreakBefore/>"))
    for made in contents_paragraphs('TOC \\o "1-1" \\h \\z', headings):
        append(document, made)
    for form in ("table", "figure"):
        held = [writer.captions[each.name] for each in contents.exhibits if each.definition.form == form]
        if held:
            writer.text(writer.say(f"report.list_of_{form}s"), "TOCHeading")
            lines = [("tableoffigures", caption.mark, f"{caption.name}. {caption.title}") for caption in held]
            for made in contents_paragraphs(f'TOC \\h \\z \\c "{held[0].word}"', lines):
                append(document, made)
    append(document, made_paragraph("Normal", '<w:r><w:br w:type="page"/></w:r>'))


def _chapter(writer: _Writer, chapter: str) -> None:
    """Write what a chapter shows before its exhibits."""
    if chapter not in ("summary", "methods", "comparison"):
        append(writer.document, made_paragraph("Normal", run(writer.say(f"report.lead_{chapter}")), "<w:keepNext/>"))
    if chapter in OWN:
        OWN[chapter](writer)


def _see_also(writer: _Writer, chapter: str) -> None:
    """Write what the appendix has of a chapter's subject, each a link to its caption."""
    held = [writer.captions[exhibit.name] for exhibit in writer.contents.see_also.get(chapter, ())]
    if held:
        links = [link(caption.mark, run(f"{caption.name}. {caption.title}")) for caption in held]
        inside = run(f"{writer.say('report.in_appendix')} ") + run("; ").join(links)
        append(writer.document, made_paragraph("TableNote", inside, '<w:spacing w:before="80"/>'))


def _bullets(writer: _Writer, texts: Iterable[str]) -> None:
    for text in texts:
        writer.text(text, "ListBullet")


def _summary(writer: _Writer) -> None:
    """Write the summary, set so closely that it is one page."""
    summary = writer.contents.summary
    close = '<w:spacing w:before="120" w:after="40"/>'
    if summary.lead:
        writer.text(" ".join(summary.lead), SUMMARY)
    if summary.forest is not None:
        _small(writer, summary.forest.as_table)
        writer.text(summary.intervals, "TableNote")
    if summary.findings:
        writer.heading(writer.say("summary.findings"), "_Toc_summary_findings", 2, close)
        for text in summary.findings:
            writer.text(text, SUMMARY_LIST)
    for name in ("validity", "costs", "limits"):
        if texts := getattr(summary, name):
            writer.heading(writer.say(f"summary.{name}"), f"_Toc_summary_{name}", 2, close)
            writer.text(" ".join(texts), SUMMARY)


def _checks(writer: _Writer) -> None:
    writer.text(writer.say("summary.checks_order"))
    _bullets(writer, writer.contents.checks)


def _flow(writer: _Writer) -> None:
    if not writer.contents.flow_is_drawn:
        _small(writer, writer.contents.flow)


def _methods(writer: _Writer) -> None:
    contents = writer.contents
    for text in contents.methods.paragraphs:
        writer.text(text)
    _small(writer, contents.methods.specifications)
    if contents.explained:
        writer.heading(writer.say("methods.explanations"), "_Toc_explanations", 2)
    for entry in contents.explained:
        writer.heading(entry.title, f"_Toc_explained_{entry.name}"[:40], 3)
        writer.text(entry.text)
        writer.text(f"{writer.say('methods.formula')}: {entry.formula}")
        writer.text(f"{writer.say('methods.source')}: {entry.source}", "TableNote")


def _comparison(writer: _Writer) -> None:
    comparison = writer.contents.comparison
    assert comparison is not None
    synthetic = writer.contents.inputs.evaluation.data_class == "synthetic"
    leads = [writer.say("comparison.lead"), *([writer.say("comparison.lead_synthetic")] if synthetic else [])]
    writer.text(" ".join(leads))
    writer.text(comparison.lead, look="<w:b/>")
    _small(writer, comparison.counts)
    writer.text(writer.say("comparison.on_screen"), "TableNote")


def _definitions(writer: _Writer) -> None:
    for table in writer.contents.definitions:
        _small(writer, table)
    if writer.contents.plan is not None:
        writer.text(writer.say("report.plan_lead"))
        _small(writer, writer.contents.plan)


def _provenance(writer: _Writer) -> None:
    contents = writer.contents
    if contents.verified:
        writer.text(contents.verified)
    if contents.quality is not None:
        writer.heading(writer.say("report.quality"), "_Toc_quality", 2)
        writer.text(writer.say("report.quality_lead"))
        _small(writer, contents.quality)
        if contents.linkage is not None:
            writer.text(writer.say("report.linkage_lead"))
            _small(writer, contents.linkage)
        _small(writer, contents.rules)
    # The lists of files with their checksums are on the page, and in run/provenance.json.
    for table in contents.provenance:
        if not table.caption:
            _small(writer, table)


def _exhibit(writer: _Writer, exhibit: ReportExhibit) -> None:
    """Write one exhibit: caption, grids or picture, notes, and the verdicts on its published numbers."""
    paper = _on_paper(writer, exhibit)
    writer.turned(landscape=paper["landscape"])
    append(writer.document, caption_paragraph(writer.captions[exhibit.name], writer.next()))
    if exhibit.definition.form == "figure":
        _figure(writer, exhibit, noted=bool(paper["notes"]))
    for caption, xml in paper["grids"]:
        if caption:
            paragraph(writer.document, caption, PART).paragraph_format.keep_with_next = True
        append(writer.document, xml)
        # Word joins tables that touch; the gap also keeps the notes off the rule.
        paragraph(writer.document, "", NOTE).paragraph_format.keep_with_next = bool(paper["notes"])
    for note in paper["notes"]:
        writer.text(note, "TableNote")
    if exhibit.verdicts:
        to_comparison = word_field("REF _Toc_comparison \\h", writer.say("report.chapter_comparison"))
        append(writer.document, made_paragraph("TableNote", to_comparison + run(f": {exhibit.verdicts}.")))


def _on_paper(writer: _Writer, exhibit: ReportExhibit) -> dict[str, Any]:
    """Return what paper holds of an exhibit, as plain data: grids with their captions, none for a figure, and notes."""
    return cast(
        dict[str, Any],
        writer.kept.of(lambda: exhibit.made_from, lambda: _set(exhibit, writer.captions[exhibit.name].title)),
    )


def _set(exhibit: ReportExhibit, title: str) -> dict[str, Any]:
    """Set the grids of an exhibit, without those of hundreds of rows, which the notes then name."""
    table, language = exhibit.table, exhibit.labels.language
    if table is None:
        return {"landscape": False, "grids": [], "notes": exhibit.notes}
    long = [part for part in table.parts if len(part.body) > LONGEST_ON_PAPER]
    missing = [say("report.not_on_paper", language, part=part.caption or title, n=len(part.body)) for part in long]
    parts = tuple(part for part in table.parts if part not in long)
    chosen = fit(replace(table, parts=parts), PAGES)
    grids = [
        (part.caption, "".join(grid(part, own, part.caption or exhibit.title, LANGUAGE_TAGS[language])))
        for part, own in zip(parts, chosen, strict=True)
    ]
    return {
        "landscape": any(each.landscape for each in chosen),
        "grids": grids,
        "notes": (*missing, *table.notes),
    }


def _figure(writer: _Writer, exhibit: ReportExhibit, *, noted: bool) -> None:
    """Write a figure as a picture with the alternative text of its drawing."""
    import io

    from docx.shared import Twips

    contents = writer.contents
    svg = contents.inputs.figure(exhibit.name, contents.language)
    picture = (contents.inputs.release_dir / "figures" / f"{exhibit.name}.{contents.language}.png").read_bytes()
    across, down = _size(svg)
    tallest = TALLEST if down < across else 2 * TALLEST
    width = min(PORTRAIT, round(tallest * across / down))
    made: Any = paragraph(writer.document, "", "Normal")
    shape = made.add_run().add_picture(io.BytesIO(picture), width=Twips(width))
    described = shape._inline.docPr
    described.set("id", str(writer.next()))
    described.set("name", exhibit.name)
    described.set("descr", _described(svg) or exhibit.title)
    made.paragraph_format.keep_with_next = noted


def _size(svg: str) -> tuple[float, float]:
    match = re.search(r'viewBox="\S+ \S+ ([\d.]+) ([\d.]+)"', svg)
    return (float(match[1]), float(match[2])) if match else (4.0, 3.0)


def _described(svg: str) -> str:
    match = re.search(r"<desc[^>]*>(.*?)</desc>", svg, flags=re.DOTALL)
    return unescape(match[1]).strip() if match else ""


OWN = {
    "summary": _summary, "flow": _flow, "checks": _checks, "methods": _methods, "comparison": _comparison, "definitions": _definitions,
    "provenance": _provenance,
}  # fmt: skip
"""What chapters show before their exhibits, by chapter."""


def _small(writer: _Writer, table: SummaryTable | None) -> None:
    """Write one of the report's own small tables; nothing where there is none."""
    if table is None or not table.rows:
        return
    tag = LANGUAGE_TAGS[writer.contents.language]
    if table.caption:
        paragraph(writer.document, table.caption, PART).paragraph_format.keep_with_next = True
    part = _as_part(table)
    append(writer.document, "".join(grid(part, _text_fit(part), table.caption or "", tag)))
    paragraph(writer.document, "", NOTE)


def _as_part(table: SummaryTable) -> Part:
    sides: list[Align] = ["right" if side == "right" else "left" for side in table.sides]
    head = tuple(label(text, align=side) for text, side in zip(table.head, sides, strict=True))
    classes = table.classes or ("",) * len(table.rows)
    body = tuple(_as_row(row, sides, kind) for row, kind in zip(table.rows, classes, strict=True))
    return Part((Row(head),) if any(table.head) else (), body)


def _as_row(row: Sequence[str], sides: Sequence[Align], kind: str) -> Row:
    first = label(f"    {row[0]}" if kind == "out" else row[0])
    return Row((first, *(Cell(text, align=side) for text, side in zip(row[1:], sides[1:], strict=True))))


def _text_fit(part: Part) -> Fit:
    """Share an upright page among columns of text: each has room for its longest word, and more as its entries are longer."""
    columns = [[row.cells[place].text for row in part.body] for place in range(part.width)]
    # Headings are bold, hence wider.
    heads = [[round(1.2 * _longest_word(row.cells[k].text)) for row in part.header] for k in range(part.width)]
    # A number and its unit stay on one line, where there are few columns.
    whole = [k > 0 and part.width <= 6 and part.sides[k] == "right" for k in range(part.width)]
    words = [
        max(*map(measure if together else _longest_word, column), *head, 1)
        for column, head, together in zip(columns, heads, whole, strict=True)
    ]
    entries = [max(*map(measure, column), *head, 1) for column, head in zip(columns, heads, strict=True)]
    for size in (8.0, 7.0, 6.0):
        least = [_twips(count, size) for count in words]
        if sum(least) <= PORTRAIT:
            break
    widths = _shared_room(least, [_twips(count, size) for count in entries])
    return Fit(size, tuple(widths), landscape=False, broken=True, tails=(0.0,) * part.width)


def _twips(characters: float, size: float) -> int:
    """Return the width of a column of so many characters, in twips."""
    return round(1.08 * characters * CHARACTER * size * TWIPS) + GAP


def _shared_room(least: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """Share what the least widths leave of the page in proportion to what is wanted beyond them; too wide ones are narrowed."""
    lacking = [max(0, want - need) for want, need in zip(wanted, least, strict=True)]
    shared = min(1.0, (PORTRAIT - sum(least)) / sum(lacking)) if sum(lacking) else 0.0
    widths = [need + int(shared * more) for need, more in zip(least, lacking, strict=True)]
    # Letters of headings are wider than the digits that they are measured in.
    widths[0] += max(0, min(PORTRAIT - sum(widths), widths[0] // 8))
    if sum(widths) > PORTRAIT:
        widths = [int(width * PORTRAIT / sum(widths)) for width in widths]
    return widths


def _longest_word(text: str) -> int:
    return max(map(measure, text.split()), default=0)
