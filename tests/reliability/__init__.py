"""Faults with real files, real processes and real sockets; see docs/RELIABILITY.md."""
