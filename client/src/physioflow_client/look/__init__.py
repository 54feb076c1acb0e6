"""Tokens, type, icons and the one style sheet: everything that gives the app its look."""
