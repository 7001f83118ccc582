"""Numbers published in source documents, their comparison with ours, and the audit of published tables."""
