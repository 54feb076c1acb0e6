"""Passwords, tokens, roles: pure, or nearly so; no SQL."""
