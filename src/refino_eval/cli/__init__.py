"""The command line: `refino-eval`. Each command reads arguments, calls one function and prints the result."""
