"""Any interleaving: no reader gets less than the last change made known before it began.

A look is the reader that begins and ends at once; reads and keeps, commits and
announcements come in any order between looks, as several threads and processes would do.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from physioflow_server.cache.degrading import DegradingStore
from physioflow_server.cache.memory import MemoryStore
from physioflow_server.cache.ports import CacheUnavailable, Filled, Found, Missing, Store, Ticket
from physioflow_sync.core.breaker import OPEN_S
from tests.world.cached_clinic import ANNA, BINH, KEYS, Measures, SetMonotonic, WatchedStore

if TYPE_CHECKING:
    from tests.server.cache.conftest import Place

PATIENTS = st.sampled_from((ANNA, BINH))
MANY = settings(max_examples=100, stateful_step_count=40, deadline=None)


@dataclass(slots=True, kw_only=True)
class Reader:
    """Has found nothing, and reads the database before it keeps what it read."""

    patient: str
    process: int
    ticket: Ticket
    read: Filled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Is not made known yet."""

    patient: str
    seq: int


class Interleaving(RuleBasedStateMachine):
    """Readers and writers of one store, step by step."""

    def __init__(self, place: "Place") -> None:
        super().__init__()
        self.place = place
        self.store: Store = place.new_store()
        self.measures = Measures()
        self.readers: list[Reader] = []
        self.commits: list[Commit] = []
        self.known = dict.fromkeys(KEYS, 0)

    @rule(patient=PATIENTS)
    def look(self, patient: str) -> None:
        match self.store.look(KEYS[patient]):
            case Found(value=value):
                assert int(value) >= self.known[patient]
            case Missing(ticket=ticket):
                self.readers.append(Reader(patient=patient, process=0, ticket=ticket))

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.readers))
        reader.read = self.measures.read(reader.patient)

    @precondition(lambda self: any(reader.read for reader in self.readers))
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from([reader for reader in self.readers if reader.read]))
        assert reader.read is not None
        self.readers.remove(reader)
        self.store.keep(KEYS[reader.patient], reader.read, ticket=reader.ticket)

    @rule(patient=PATIENTS)
    def commit(self, patient: str) -> None:
        self.commits.append(Commit(patient=patient, seq=self.measures.commit(patient)))

    @precondition(lambda self: self.commits)
    @rule(data=st.data())
    def announce(self, data: st.DataObject) -> None:
        commit = data.draw(st.sampled_from(self.commits))
        self.commits.remove(commit)
        self.store.mark([KEYS[commit.patient]], seq=commit.seq)
        self.known[commit.patient] = max(self.known[commit.patient], commit.seq)

    @rule()
    def flush(self) -> None:
        self.store.flush()
        self.known = dict(self.measures.changed_at)

    @rule(seconds=st.sampled_from((1.0, 29.0, 31.0, 61.0)))
    def pass_time(self, seconds: float) -> None:
        self.place.pass_time(seconds)
        for reader in self.readers:
            reader.ticket = self.place.aged(reader.ticket, seconds)


def test_no_look_finds_less_than_was_made_known(place: "Place") -> None:
    class InPlace(Interleaving):
        def __init__(self) -> None:
            super().__init__(place)

    run_state_machine_as_test(InPlace, settings=MANY)


class Outages(RuleBasedStateMachine):
    """Two processes with one store between them, which is away for each at times of its own."""

    PROCESSES = 2

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetMonotonic()
        shared = MemoryStore(monotonic=self.clock)
        self.ways = [WatchedStore(shared) for _ in range(self.PROCESSES)]
        self.stores = [DegradingStore(way, monotonic=self.clock) for way in self.ways]
        self.measures = Measures()
        self.readers: list[Reader] = []
        self.commits: list[Commit] = []
        # What each process must see, and what it made known while the store was away for it.
        self.known = [dict.fromkeys(KEYS, 0) for _ in range(self.PROCESSES)]
        self.missed = [dict.fromkeys(KEYS, 0) for _ in range(self.PROCESSES)]

    @rule(process=st.integers(0, 1), away=st.booleans(), loses=st.booleans())
    def fault(self, process: int, away: bool, loses: bool) -> None:
        self.ways[process].is_away, self.ways[process].loses_answers = away, loses

    @rule(process=st.integers(0, 1))
    def mend(self, process: int) -> None:
        self.fault(process, away=False, loses=False)

    @rule(process=st.integers(0, 1), patient=PATIENTS)
    def look(self, process: int, patient: str) -> None:
        try:
            looked = self.stores[process].look(KEYS[patient])
        except CacheUnavailable:
            return
        self._all_know_what_was_missed_by(process)
        match looked:
            case Found(value=value):
                assert int(value) >= self.known[process][patient]
            case Missing(ticket=ticket):
                self.readers.append(Reader(patient=patient, process=process, ticket=ticket))

    @precondition(lambda self: self.readers)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.readers))
        reader.read = self.measures.read(reader.patient)

    @precondition(lambda self: any(reader.read for reader in self.readers))
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from([reader for reader in self.readers if reader.read]))
        assert reader.read is not None
        self.readers.remove(reader)
        try:
            self.stores[reader.process].keep(
                KEYS[reader.patient], reader.read, ticket=reader.ticket
            )
        except CacheUnavailable:
            return
        self._all_know_what_was_missed_by(reader.process)

    @rule(patient=PATIENTS)
    def commit(self, patient: str) -> None:
        self.commits.append(Commit(patient=patient, seq=self.measures.commit(patient)))

    @precondition(lambda self: self.commits)
    @rule(process=st.integers(0, 1), data=st.data())
    def announce(self, process: int, data: st.DataObject) -> None:
        commit = data.draw(st.sampled_from(self.commits))
        self.commits.remove(commit)
        self.stores[process].mark([KEYS[commit.patient]], seq=commit.seq)
        mine = self.known[process]
        mine[commit.patient] = max(mine[commit.patient], commit.seq)
        # Until it reached the store again, the others may not know.
        missed = self.missed[process]
        missed[commit.patient] = max(missed[commit.patient], commit.seq)

    @rule(seconds=st.sampled_from((1.0, OPEN_S, 61.0)))
    def pass_time(self, seconds: float) -> None:
        self.clock.now_s += seconds

    def _all_know_what_was_missed_by(self, process: int) -> None:
        """Whatever reached the store since has taken the flush that was owed with it."""
        for known in self.known:
            for patient, seq in self.missed[process].items():
                known[patient] = max(known[patient], seq)
        self.missed[process] = dict.fromkeys(KEYS, 0)


@pytest.mark.slow
def test_no_outage_lets_a_process_read_less_than_it_made_known() -> None:
    run_state_machine_as_test(Outages, settings=settings(MANY, max_examples=250))


@pytest.mark.parametrize("machine", [Outages])
def test_the_outages_do_find_answers(machine: type[Outages]) -> None:
    # A law about answers holds of a store that never finds any.
    run = machine()
    run.look(0, ANNA)
    run.readers[0].read = run.measures.read(ANNA)
    run.stores[0].keep(KEYS[ANNA], Filled(value=b"0", seq=0), ticket=run.readers[0].ticket)
    assert run.stores[1].look(KEYS[ANNA]) == Found(value=b"0")
