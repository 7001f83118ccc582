"""Analyses: one module for each table or figure that is estimated or described."""
