"""From people to tidy numbers: what the kinds of exhibits share."""
