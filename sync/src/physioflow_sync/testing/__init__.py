"""A kit for whoever builds a store, a transport or an app on this engine.

    store_contract      `StoreContract`: every law of `ports.Store`, as a pytest class
    transport_contract  `TransportContract`: likewise of `ports.Transport`
    memory_store        a store without a file: the core and nothing else
    memory_server       a clinic's server in memory, with the protocol's semantics
    faults              a transport that loses requests and answers, by script or by dice
    world               `FakeClock`, `SeededDice`: time and chance that a test decides
    tasks               a small domain of projects, tasks and letters

The contract suites are pytest classes: subclass one, give it its fixtures, and every
law runs on your adapter.  They are not to be overridden.
"""
