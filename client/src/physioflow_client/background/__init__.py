"""The border between the GUI thread and everything that takes time."""
