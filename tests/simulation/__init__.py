"""Laptops and their server in one process and one thread, told by one integer.

The real engine, the real local store and the server's real services over real SQLite
files; a simulated network, a virtual clock, seeded dice and ids.  The same seed tells the
same story, byte for byte.

    chance       which faults a seed has, how likely, and its steps
    driver       SQLite that can end the program, or fail, at each statement and commit
    clinic       the server: services, deaths, backups, restores
    laptop       one person's file and engine on one laptop
    wire         the network between the two
    people       what people do, and what they see while doing it
    deciders     what they decide of conflicts, refused changes and merges
    memory       what they saw, wrote and decided: the oracle's knowledge
    eyes         what stands in the files, read by plain SQL
    laws_*       what must hold after each step, and at the end; what would break each
    happenings   what each kind of step does
    story        one seed, from the first step to rest
    shrink       the shortest story that still breaks the law
    mutants*     faults that are planted, and must be found
"""
