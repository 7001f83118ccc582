"""Inference from the random assignment itself: permutations, exact sets, and corrections for many outcomes."""
