"""Every law of `ports.Store`, to be run on each implementation.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = MyStore(registry=tasks.REGISTRY, ids=SeededDice().new_id)
        yield store
        store.close()
"""

from __future__ import annotations

from physioflow_sync.testing.laws_of_deciding import LawsOfDeciding
from physioflow_sync.testing.laws_of_pulling import LawsOfPulling
from physioflow_sync.testing.laws_of_pushing import LawsOfPushing
from physioflow_sync.testing.laws_of_writing import LawsOfWriting


class StoreContract(LawsOfWriting, LawsOfPushing, LawsOfPulling, LawsOfDeciding):
    """Needs a fixture `store`: an empty store of `tasks.REGISTRY`."""
