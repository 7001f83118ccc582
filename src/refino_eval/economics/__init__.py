"""Costs of programmes, break-even effects, and payments to providers under payment rules."""
