"""Alembic's revisions of each store, and the functions that run them without an ini file."""
