"""Every law of `ports.Store`, to be run on each implementation.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = MyStore(registry=tasks.REGISTRY, ids=SeededDice().new_id)
        yield store
        store.close()
"""

from __future__ import annotations

from physioflow_sync.testing.laws_of_comparing import LawsOfComparing
from physioflow_sync.testing.laws_of_deciding import LawsOfDeciding
from physioflow_sync.testing.laws_of_deciding_elsewhere import LawsOfDecidingElsewhere
from physioflow_sync.testing.laws_of_handing_in import LawsOfHandingIn
from physioflow_sync.testing.laws_of_mending import LawsOfMending
from physioflow_sync.testing.laws_of_pulling import LawsOfPulling
from physioflow_sync.testing.laws_of_pushing import LawsOfPushing
from physioflow_sync.testing.laws_of_reopening import LawsOfReopening
from physioflow_sync.testing.laws_of_restoring import LawsOfRestoring
from physioflow_sync.testing.laws_of_resyncing import LawsOfResyncing
from physioflow_sync.testing.laws_of_travelling import LawsOfTravelling
from physioflow_sync.testing.laws_of_writing import LawsOfWriting


class StoreContract(
    LawsOfWriting,
    LawsOfPushing,
    LawsOfPulling,
    LawsOfDeciding,
    LawsOfResyncing,
    LawsOfRestoring,
    LawsOfTravelling,
    LawsOfDecidingElsewhere,
    LawsOfMending,
    LawsOfComparing,
    LawsOfHandingIn,
    LawsOfReopening,
):
    """Needs a fixture `store`: an empty store of `tasks.REGISTRY`.

    A store that outlives its program also gives `reopen`; see `LawsOfReopening`.
    """
