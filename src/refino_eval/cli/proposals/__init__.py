"""Propose the configuration of a study from its files: what they show is filled in, what they cannot show is asked for."""
