"""Models of what programmes cost, what providers are paid for, and what effects are worth."""
