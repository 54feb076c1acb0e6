"""HTTP in, HTTP out: each file one resource; no SQL, no rules."""
