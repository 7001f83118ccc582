"""The page of all studies: which evaluations were run, and comparisons of effects between them."""
