"""A clinic to try the system with: made-up people, plausible scores."""
