"""Every law of `ports.Transport`, to be run on each implementation.

class TestMyTransport(TransportContract):
    @pytest.fixture
    def transport(self, server: MemoryServer) -> Iterator[Transport]:
        transport = MyTransport(server)
        yield transport
        transport.close()
"""

from __future__ import annotations

from physioflow_sync.testing.laws_of_asking import LawsOfAsking
from physioflow_sync.testing.laws_of_sending import LawsOfSending
from physioflow_sync.testing.laws_of_timelines import LawsOfTimelines


class TransportContract(LawsOfSending, LawsOfTimelines, LawsOfAsking):
    """Needs two fixtures.

    `server`: an empty `MemoryServer` of `tasks.REGISTRY`. `transport`: leads to it, as
    `Who()`, signed in and with a ticket to hand work in.
    """
