"""The trail of a number: how it is looked up, what it is, how it was made and who checked it."""
