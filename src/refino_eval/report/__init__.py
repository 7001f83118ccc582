"""The report: one page for each language, and what a run says of itself."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refino_eval.report.page.report_page import build_report
    from refino_eval.report.report_inputs import ReportInputs

__all__ = ["ReportInputs", "build_report"]


def __getattr__(name: str) -> Any:
    """Import what is exported when it is used: planning a run needs the chapters' names and no page."""
    if name == "ReportInputs":
        from refino_eval.report.report_inputs import ReportInputs

        return ReportInputs
    if name == "build_report":
        from refino_eval.report.page.report_page import build_report

        return build_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
