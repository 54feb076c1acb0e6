"""The real server as a process, for tests, benchmarks and the demo."""

from physioflow_server.testing.server_process import (
    NewClinic,
    NewUser,
    ServerDidNotStart,
    ServerProcess,
    create_clinic,
    create_user,
)

__all__ = [
    "NewClinic",
    "NewUser",
    "ServerDidNotStart",
    "ServerProcess",
    "create_clinic",
    "create_user",
]
