"""Every table of an HTML page, also of a whole page saved from a browser."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree, html

from refino_eval.errors import UserError
from refino_eval.published.reading.grids import CAPTION, Grid, GridCell, Grids, squared

_UNSEEN = ("script", "style", "template", "button", "svg", "noscript", "input", "select")
_BREAKS = ("br", "p", "div", "li", "tr")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "figcaption", "div", "strong", "summary")
MOST_SPANNED = 1000


def html_grids(data: bytes, name: str) -> Grids:
    """Return the tables of a page, with `colspan` and `rowspan` filled.

    Parameters
    ----------
    data
        The page.
    name
        Its name, for messages.
    """
    try:
        parser = html.HTMLParser(encoding="utf-8") if _is_utf8(data) else html.HTMLParser()
        root = html.document_fromstring(data, parser=parser)
    except (etree.ParserError, ValueError):
        raise UserError(
            f"{name}: this is not an HTML page. Save the page from the browser as a complete page."
        ) from None
    language = str(root.get("lang", ""))[:2].lower()
    result = Grids(notation="nb" if language in ("nb", "nn", "no") else "en" if language == "en" else "")
    for number, table in enumerate(root.iter("table"), start=1):
        # A table around other tables only places them on the page.
        if next(iter(table.iterdescendants("table")), None) is not None or _hidden(table):
            continue
        rows, heads = _rows(table)
        if rows:
            result.grids.append(Grid(squared(rows), f"table {number}", _caption(table), heads))
    return result


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _hidden(element: html.HtmlElement) -> bool:
    return any(each.get("hidden") is not None for each in (element, *element.iterancestors()))


def _rows(table: html.HtmlElement) -> tuple[list[list[GridCell]], int | None]:
    """Return the rows, and how many of them `thead` or cells that are all `th` mark as headings."""
    rows: list[list[GridCell]] = []
    spanned: dict[tuple[int, int], GridCell] = {}
    heads, marked = 0, False
    for number, row in enumerate(table.iter("tr")):
        cells: list[GridCell] = []
        for cell in row.iterchildren("td", "th"):
            while (number, len(cells)) in spanned:
                cells.append(spanned[number, len(cells)])
            text = _text(cell)
            head = cell.tag == "th" and cell.get("scope") not in ("row", "rowgroup")
            classes = str(cell.get("class", ""))
            first = GridCell(
                text.strip(),
                f"row {number + 1}",
                head,
                indent=1 if "indent" in classes or (text[:1] in "\u2003\u00a0" and text) else 0,
            )
            again = GridCell(first.text, first.place, head, origin=False)
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for down in range(1, high):
                for across in range(wide):
                    spanned[number + down, len(cells) + across] = again
            cells += [first, *([again] * (wide - 1))]
        while (number, len(cells)) in spanned:
            cells.append(spanned[number, len(cells)])
        parent = row.getparent()
        if parent is not None and parent.tag == "thead":
            heads, marked = number + 1, True
        rows.append(cells)
    return rows, heads if marked else None


def _span(cell: html.HtmlElement, name: str) -> int:
    text = str(cell.get(name, "1"))
    return min(max(int(text), 1), MOST_SPANNED) if text.isdigit() else 1


def _text(element: html.HtmlElement) -> str:
    """Return the text that a reader sees: without scripts, hidden parts, and footnote marks set high that are not stars."""
    return "".join(_parts(element))


def _parts(element: html.HtmlElement) -> Iterator[str]:
    if element.text:
        yield element.text
    for child in element.iterchildren():
        if isinstance(child.tag, str) and not _left_out(child):
            if child.tag in _BREAKS:
                yield "\n"
            yield from _parts(child)
        if child.tail:
            yield child.tail


def _left_out(element: html.HtmlElement) -> bool:
    if element.tag in _UNSEEN or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if element.tag == "sup":
        text = element.text_content().strip()
        return bool(text) and not set(text) <= {"*", "∗", " "} and text not in ("2", "²")
    return "sr-only" in str(element.get("class", "")) or "visually-hidden" in str(element.get("class", ""))


def _caption(table: html.HtmlElement) -> str:
    """Return the caption: of the figure around the table, of the table, or the nearest text before it that names a table."""
    figure = next(table.iterancestors("figure"), None)
    captions = [*(figure.iter("figcaption") if figure is not None else ()), *table.iterchildren("caption")]
    texts = [text for each in captions if (text := " ".join(_text(each).split()))]
    if texts:
        return ". ".join(dict.fromkeys(texts)) if CAPTION.match(texts[0]) else texts[0]
    for steps, before in enumerate(table.iterancestors()):
        previous = table if steps == 0 else before
        for sibling in [] if steps > 2 else list(previous.itersiblings(preceding=True))[:3]:
            if sibling.tag in _HEADINGS and sibling.tag != "table":
                text = " ".join(_text(sibling).split())
                if text and (CAPTION.match(text) or sibling.tag in _HEADINGS[:6]):
                    return text[:300]
    return ""
