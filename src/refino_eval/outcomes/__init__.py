"""Definitions of outcomes -> one value a person; worked examples; windows in words."""
