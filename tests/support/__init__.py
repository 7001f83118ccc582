"""What tests share: builders of small definitions, a toy trial, a toy project and a finished run."""
