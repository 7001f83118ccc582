"""The forms that a report is written in, from the same contents."""

from __future__ import annotations

from pathlib import Path

from refino_eval.kept_results import KeptParts
from refino_eval.report.page.report_contents import ReportContents
from refino_eval.report.page.report_page import write_report


def write_form(form: str, contents: ReportContents, out_path: Path, kept: KeptParts | None = None) -> Path:
    """Write a report in one form.

    Parameters
    ----------
    form
        ``"html"`` or ``"docx"``; a PDF is printed from the page (`printed_report`).
    contents
        What the report shows.
    out_path
        The file; written at once or not at all.
    kept
        Where the parts of unchanged exhibits may be kept; default: nowhere.

    Returns
    -------
    Path
        `out_path`.
    """
    if form == "docx":
        from refino_eval.report.word.word_report import write_word_report

        return write_word_report(contents, out_path, kept)
    return write_report(contents, out_path, kept)
