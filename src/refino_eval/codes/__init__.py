"""Codes of the registers, price indices and calendars: what everything else reads and nothing changes."""
