"""The pure core: no clock, no dice, no I/O."""
