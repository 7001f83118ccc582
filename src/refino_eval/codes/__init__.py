"""Code lists of the registers, price indices and calendars: reference data that the program only reads."""
