"""Deliveries into clean spells: every delivered row ends among the clean or among the rejects, with the reason."""
