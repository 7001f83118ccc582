"""The audit of published tables: arithmetic and statistics that must hold, with rounding treated exactly."""

from refino_eval.published.audit.audit_document import audit, audit_file
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, rule_text

__all__ = ["CERTAINTIES", "RULES", "Finding", "audit", "audit_file", "rule_text"]
