"""Names, values, conditions and connections of SQL: how definitions become queries, and where queries are run."""
