"""Readers of delivered files: find them, check their headers, and stream their rows, whatever the file format."""
