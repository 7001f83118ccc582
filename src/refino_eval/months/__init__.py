"""Clean spells -> person x event time: what every person's state was in every month or week around the draw."""
