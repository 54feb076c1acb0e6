"""The clinical domain that laptop and server share."""
