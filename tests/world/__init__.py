"""Real servers and real laptops that suites share."""
