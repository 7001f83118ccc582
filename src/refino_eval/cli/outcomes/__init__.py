"""Outcomes on the command line: reading, adding, trying and comparing definitions."""
