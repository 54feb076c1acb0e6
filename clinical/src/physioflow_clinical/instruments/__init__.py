"""The measure library: instruments, how they are scored and what a change means."""
