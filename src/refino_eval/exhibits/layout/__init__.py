"""From tidy numbers to tables and drawings: what the kinds of exhibits share."""
