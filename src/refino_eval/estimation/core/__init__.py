"""The regression itself: inputs, absorbed cells, kernel, samples, controls, and tests of coefficients."""
