"""Disclosure control: protect the numbers of a release, and attack them before they are written."""
