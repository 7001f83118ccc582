"""From a table to its files: text, LaTeX, Word and Excel."""
