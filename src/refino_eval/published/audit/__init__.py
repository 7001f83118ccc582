"""The audit of printed tables: arithmetic and statistics that must hold, with the rounding of the print taken exactly."""

from refino_eval.published.audit.audit_document import audit, audit_file
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, Rule

__all__ = ["CERTAINTIES", "RULES", "Finding", "Rule", "audit", "audit_file"]
