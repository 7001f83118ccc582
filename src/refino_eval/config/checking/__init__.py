"""Cross-checks of the configuration: what its parts say of one another, and whether the study can give what they need."""
