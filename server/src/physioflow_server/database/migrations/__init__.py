"""Alembic's revisions, shipped inside the package and run at start."""
