"""The desktop app for the treatment room."""
