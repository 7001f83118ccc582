"""Definitions in words: what they say, what they read, and whether their worked examples come out right."""
