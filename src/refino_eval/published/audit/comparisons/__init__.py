"""Rules that compare numbers with like ones: of other models, other rows and columns, or other tables of a document."""
