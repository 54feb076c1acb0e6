"""What a person may know, before anything is known."""

from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import Counts, SyncStatus, Why


def test_at_start_nothing_is_claimed() -> None:
    status = SyncStatus()
    assert status.connectivity is Connectivity.STARTING
    assert status.counts == Counts()
    assert (status.progress, status.last_synced_at, status.retry_in_s) == (None, None, None)
    assert status.detail == ""


def test_there_is_a_reason_for_each_way_to_wait() -> None:
    assert {why.value for why in Why} == {"queued", "sending", "parent", "conflict", "rejected"}
