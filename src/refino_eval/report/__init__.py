"""The report: one page for each language, and what a run says of itself."""

from refino_eval.report.html import build_report
from refino_eval.report.inputs import ReportInputs

__all__ = ["ReportInputs", "build_report"]
