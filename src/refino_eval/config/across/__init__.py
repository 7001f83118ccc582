"""Settings about several evaluations at once."""
