"""Finds and masks what identifies a person on scanned pages. Pixels only: no database, no web."""
