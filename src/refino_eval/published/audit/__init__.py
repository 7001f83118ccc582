"""The audit of printed tables: arithmetic and statistics that must hold, with the rounding of the print taken exactly."""

from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, Rule
from refino_eval.published.audit.run import audit, audit_file

__all__ = ["CERTAINTIES", "RULES", "Finding", "Rule", "audit", "audit_file"]
