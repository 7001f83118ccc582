"""The report as one HTML page: its chapters, sentences, small tables and interactive parts."""
