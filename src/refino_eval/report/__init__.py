"""The report: one page for each language, and what a run says of itself."""

from refino_eval.report.page.report_page import build_report
from refino_eval.report.report_inputs import ReportInputs

__all__ = ["ReportInputs", "build_report"]
