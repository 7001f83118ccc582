"""The command line: `refino-eval`. Thin: it reads arguments, calls one function, and tells the result."""
