"""Value of programmes: effects on work over time, their worth, who gains and pays, and how certain that is."""
