"""The bulk statements do what the core does: the file's store against the one without."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from physioflow_sync.adapters.sqlite import SqliteStore, search_query
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import conflicts_of, holds_conflicts
from physioflow_sync.core.digest import bucket_of
from physioflow_sync.core.protocol import (
    ChangesPage,
    Operation,
    WireRecord,
)
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.steps import NOTHING_PARKED, NOW, decide_elsewhere, wire
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice
from tests.world.generated_work import (
    KEYS,
    LETTERS,
    PROJECTS,
    TASKS,
    WORDS,
    answer,
    body_of,
    conflict_body,
    content,
    edits,
    keys,
    named,
    nameless,
    page_of,
    settle_all_of,
    wire_records,
    words,
)


class TwoStores(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.file = SqliteStore(
            self.folder / "laptop.db", key=None, registry=REGISTRY, ids=SeededDice(1).new_id
        )
        self.memory = MemoryStore(registry=REGISTRY, ids=SeededDice(2).new_id)
        self.stores: tuple[Store, ...] = (self.file, self.memory)
        self.sent: list[tuple[Operation, Operation]] = []
        self.is_resyncing = False
        self.scope: list[str] | None = None

    def teardown(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
            shutil.rmtree(self.folder)

    @rule(batch=st.lists(edits(), min_size=1, max_size=3))
    def save(self, batch: list[Edit]) -> None:
        self.file.save(batch, recorded_at=NOW)
        self.memory.save(batch, recorded_at=NOW)

    @rule(limit=st.integers(1, 4), max_bytes=st.sampled_from([1, 100, 10_000]))
    def seal(self, limit: int, max_bytes: int) -> None:
        batches = [
            store.seal_batch(limit=limit, max_bytes=max_bytes, parked=NOTHING_PARKED)
            for store in (self.file, self.memory)
        ]
        assert list(map(content, batches[0])) == list(map(content, batches[1]))
        self.sent = list(zip(*batches, strict=True))

    @rule(
        kinds=st.lists(
            st.sampled_from(["applied"] * 4 + ["duplicate", "conflict", "rejected", "blocked"]),
            min_size=4,
            max_size=4,
        ),
        ahead=st.integers(0, 2),
        number=st.sampled_from([None, {"record_number": "P-002"}]),
        current=wire_records(),
        later=st.booleans(),
    )
    def settle(
        self,
        kinds: list[str],
        ahead: int,
        number: dict[str, str] | None,
        current: WireRecord,
        later: bool,
    ) -> None:
        if later and self.sent and not holds_conflicts(self.sent[0][0].collection):
            first = self.sent[0][0]
            edit = Edit(
                key=Key(first.collection, first.record_id),
                body=body_of(Key(first.collection, first.record_id), "bao", "bao"),
            )
            self.save([edit])
        outcomes = []
        for side, store in enumerate(self.stores):
            results = [
                answer(kind, pair[side], ahead, number, current)
                for kind, pair in zip(kinds, self.sent, strict=False)
            ]
            outcomes.append(store.settle(results, recorded_at=NOW))
        assert replace(outcomes[0], changed=()) == replace(outcomes[1], changed=())
        assert named(outcomes[0].changed) == named(outcomes[1].changed)

    def sees(self, collection: str) -> bool:
        """Tell whether a server would tell this user of a collection."""
        return self.scope is None or collection in self.scope

    @rule(
        records=st.lists(wire_records(), max_size=5, unique_by=lambda r: (r.collection, r.id)),
        cursor=st.integers(0, 99),
        has_more=st.booleans(),
        scope=st.sampled_from([None, None, ["tasks", "tasks.conflicts"], [*REGISTRY]]),
    )
    def pull(
        self, records: list[WireRecord], cursor: int, has_more: bool, scope: list[str] | None
    ) -> None:
        self.scope = self.scope if scope is None else scope
        page = ChangesPage(
            changes=[record for record in records if self.sees(record.collection)],
            next_cursor=f"c:{cursor}",
            has_more=has_more,
            epoch="e",
            server_time="2026-11-24",
            scope=scope,
        )
        outcomes = self.file.apply_page(page), self.memory.apply_page(page)
        self.is_resyncing &= has_more
        assert replace(outcomes[0], changed=()) == replace(outcomes[1], changed=())
        assert named(outcomes[0].changed) == named(outcomes[1].changed)

    @rule(
        reason=st.sampled_from(ResyncReason),
        common_seq=st.sampled_from([None, 0, 30, 99]),
        epoch=st.sampled_from([None, "e", "another"]),
    )
    def begin_resync(self, reason: ResyncReason, common_seq: int | None, epoch: str | None) -> None:
        self.is_resyncing, self.scope = True, None
        for store in self.stores:
            store.begin_resync(reason, common_seq=common_seq, epoch=epoch)

    @rule(told=st.booleans())
    def somebody_decides_what_was_met_here(self, told: bool) -> None:
        for store in self.stores:
            for record in store.conflicts()[:1]:
                assert record.conflict is not None
                key = Key(conflicts_of(record.key.collection), record.conflict.id)
                if told:
                    settle_all_of(store, key)
                tombstone = wire(key, None, version=9)
                store.apply_page(page_of(tombstone))

    @rule(key=st.sampled_from([*TASKS, *LETTERS]), word=words, version=st.integers(1, 3))
    def another_laptop_meets_a_conflict(self, key: Key, word: str, version: int) -> None:
        mine, theirs = body_of(key, word, word), body_of(key, "ane", word)
        body = conflict_body(key, mine=mine, theirs=theirs)
        told = wire(Key(conflicts_of(key.collection), f"x-{key.id}"), body, version=version)
        for store in self.stores:
            store.apply_page(page_of(told))

    @rule(word=words)
    def decide_elsewhere(self, word: str) -> None:
        seen = [store.conflicts_elsewhere()[:1] for store in self.stores]
        assert seen[0] == seen[1]
        for conflict in seen[0]:
            body = body_of(conflict.key, word, word)
            outcomes = [decide_elsewhere(store, conflict, body) for store in self.stores]
            assert outcomes[0] == outcomes[1]

    @rule(key=keys)
    def rearm(self, key: Key) -> None:
        for store in self.stores:
            store.rearm(key)

    @rule(which=st.integers(0, 2))
    def undo(self, which: int) -> None:
        made = [store.merges(limit=3) for store in self.stores]
        in_file, in_memory = ([replace(merge, id=0) for merge in each] for each in made)
        assert in_file == in_memory
        if which < len(made[0]):
            outcomes = [
                store.undo_merge(made[side][which].id, recorded_at=NOW)
                for side, store in enumerate(self.stores)
            ]
            assert outcomes[0] == outcomes[1]

    @precondition(lambda self: not self.is_resyncing)  # The engine compares at a feed's end.
    @rule(collection=st.sampled_from(["tasks", "letters"]), records=st.lists(wire_records()))
    def repair(self, collection: str, records: list[WireRecord]) -> None:
        if not self.sees(collection):
            return
        own = {r.id: r for r in records if r.collection == collection and bytes(r.body)}
        for bucket in {bucket_of(key.id) for key in KEYS}:
            there = [record for record in own.values() if bucket_of(record.id) == bucket]
            outcomes = [store.repair(collection, bucket, there) for store in self.stores]
            assert named(outcomes[0].changed) == named(outcomes[1].changed)

    @rule(everything=st.booleans())
    def hand_in(self, everything: bool) -> None:
        batches = []
        for store in self.stores:
            if everything:
                store.begin_hand_in()
            batch = store.hand_in_batch(limit=9, max_bytes=1_000)
            store.handed_in([operation.op_id for operation in batch])
            batches.append(sorted(map(str, map(content, batch))))
        assert batches[0] == batches[1]

    @rule(word=words, stale=st.booleans(), beside=st.booleans())
    def resolve(self, word: str, stale: bool, beside: bool) -> None:
        for record in self.memory.conflicts()[:1]:
            assert record.conflict is not None
            resolution = Resolution(
                key=record.key,
                theirs_version=record.conflict.theirs.version - stale,
                body=body_of(record.key, word, word),
            )
            outcomes = [
                store.resolve(resolution, recorded_at=NOW) for store in (self.file, self.memory)
            ]
            assert outcomes[0] == outcomes[1]
            assert isinstance(outcomes[0], MovedMeanwhile) == stale

    @rule(key=keys)
    def discard(self, key: Key) -> None:
        assert set(self.file.dependants(key)) == set(self.memory.dependants(key))
        assert set(self.file.discard(key)) == set(self.memory.discard(key))

    @invariant()
    def they_hold_the_same(self) -> None:
        for key in KEYS:
            assert nameless(self.file.record(key)) == nameless(self.memory.record(key))
        assert self.file.counts() == self.memory.counts()
        digests = [store.digest() for store in self.stores]
        for collection in ("projects", "tasks", "letters"):
            assert digests[0].get(collection) == digests[1].get(collection)
        waiting = [
            {replace(each, op_id="") for each in store.waiting(limit=99)} for store in self.stores
        ]
        assert waiting[0] == waiting[1]
        assert self.file.has_sendable(parked=NOTHING_PARKED) == self.memory.has_sendable(
            parked=NOTHING_PARKED
        )
        assert [r.key for r in self.file.conflicts()] == [r.key for r in self.memory.conflicts()]
        assert (self.file.position().cursor, self.file.position().epoch) == (
            self.memory.position().cursor,
            self.memory.position().epoch,
        )

    @invariant()
    def the_screens_show_it(self) -> None:
        with self.file.reader() as reader:
            shown = {
                Key(name, row["id"]): (row["_body"], row["_state"])
                for name in REGISTRY
                if not holds_conflicts(name)
                for row in reader.exec_driver_sql(
                    f'SELECT id, _body, _state FROM "{name}"'
                ).mappings()
            }
            found = {
                word: set(
                    reader.exec_driver_sql(
                        "SELECT p.id FROM record_search AS s JOIN projects AS p"
                        " ON p._rowid = s.rowid WHERE s.text MATCH ?",
                        (search_query(word),),
                    ).scalars()
                )
                for word in WORDS
            }
            indexed = reader.exec_driver_sql(
                "SELECT count(*) FROM record_search WHERE text MATCH 'ane OR bao OR duc'"
            ).scalar_one()
            history = reader.exec_driver_sql("SELECT count(*) FROM merge_history").scalar_one()
        records = {key: self.memory.record(key) for key in KEYS}
        assert shown == {
            key: (record.body.decode(), record.state.value)
            for key, record in records.items()
            if record.body is not None
        }
        for word, ids in found.items():
            assert ids == {
                key.id for key in PROJECTS if word.encode() in (records[key].body or b"")
            }
        assert indexed == sum(records[key].body is not None for key in PROJECTS)
        assert history == len(self.memory.history)


EXAMPLES = 40

TwoStores.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
TestTwoStores = TwoStores.TestCase
