"""What the banner says of all that can be seen."""

from physioflow_sync.core.connectivity import AFTER, Connectivity
from physioflow_sync.core.errors import FailureKind, StoreFailureKind


def test_there_is_an_answer_to_everything_that_can_be_seen() -> None:
    words = {"answered", "cycle_done", "handed_in"}
    assert set(AFTER) == {*FailureKind, *StoreFailureKind, *words}


def test_every_banner_but_the_first_can_come_up() -> None:
    assert set(AFTER.values()) == set(Connectivity) - {Connectivity.STARTING}


def test_only_an_answer_is_a_connection() -> None:
    connected = {state for state in Connectivity if state.is_connected}
    assert connected == {Connectivity.ONLINE, Connectivity.SYNCING}
    assert not any(AFTER[kind].is_connected for kind in StoreFailureKind)
    assert not any(AFTER[kind].is_connected for kind in FailureKind if kind.is_environment)


def test_a_full_disk_and_a_broken_file_are_told_apart() -> None:
    assert AFTER[StoreFailureKind.FULL] is Connectivity.DISK_FULL
    others = {AFTER[kind] for kind in StoreFailureKind if kind is not StoreFailureKind.FULL}
    assert others == {Connectivity.FILE_PROBLEM}
