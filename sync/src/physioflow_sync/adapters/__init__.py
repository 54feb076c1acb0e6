"""The ports' real ends: SQLite, HTTP, the system's clock and dice."""
