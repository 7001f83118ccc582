"""Exhibits: tidy numbers, and the tables and figures made of them."""
