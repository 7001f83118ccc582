"""Recorded regressions computed again by independent libraries."""
