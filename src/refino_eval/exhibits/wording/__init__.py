"""Labels, notes and number formats of tables and figures."""
