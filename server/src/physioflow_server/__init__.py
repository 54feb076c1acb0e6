"""The clinic's sync server."""
