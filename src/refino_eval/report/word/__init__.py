"""The report as a Word document that its readers edit."""
