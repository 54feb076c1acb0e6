"""Answers kept for a while, so that the database is not asked the same thing again.

`ports` says what a cache promises; `assembly` makes one.  A cache never fails a request
and never answers with less than the newest change that was made known to it.
"""
