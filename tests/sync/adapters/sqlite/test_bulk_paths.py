"""The bulk statements do what the core does: the file's store against the one without."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from physioflow_sync.adapters.sqlite import SqliteStore, search_query
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ChangesPage,
    ConflictFound,
    Duplicate,
    Operation,
    Rejected,
    Result,
    WireRecord,
)
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.steps import NOTHING_PARKED, NOW, wire
from physioflow_sync.testing.tasks import REGISTRY, letter, project, task
from physioflow_sync.testing.world import SeededDice

PROJECTS = [Key("projects", f"p{n}") for n in range(2)]
TASKS = [Key("tasks", f"t{n}") for n in range(3)]
LETTERS = [Key("letters", f"l{n}") for n in range(2)]
KEYS = [*PROJECTS, *TASKS, *LETTERS]
WORDS = ["ane", "bao", "duc"]

words = st.sampled_from(WORDS)
keys = st.sampled_from(KEYS)
versions = st.integers(min_value=1, max_value=6)


def body_of(key: Key, word: str, note: str) -> bytes:
    if key.collection == "projects":
        return project(word, note=note)
    if key.collection == "tasks":
        return task(word, note=note, project=PROJECTS[len(note) % 2].id)
    return letter(word, task=TASKS[len(note) % 3].id)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    key = draw(keys)
    deletes = key.collection != "projects" and draw(st.integers(0, 4)) == 0
    body = None if deletes else body_of(key, draw(words), draw(words))
    return Edit(key=key, body=body)


@st.composite
def wire_records(draw: st.DrawFn) -> WireRecord:
    key = draw(keys)
    body = None if draw(st.integers(0, 5)) == 0 else body_of(key, draw(words), draw(words))
    number = draw(st.sampled_from([None, {"record_number": "P-001"}]))
    record = wire(key, body, version=draw(versions), seq=draw(st.integers(1, 99)))
    return WireRecord(
        **{name: getattr(record, name) for name in record.__struct_fields__ if name != "assigned"},
        assigned=number,
    )


def nameless(record: LocalRecord) -> LocalRecord:
    """Without the op_ids, which the two stores draw at different moments."""
    return replace(record, entries=tuple(replace(entry, op_id="") for entry in record.entries))


def content(operation: Operation) -> tuple[object, ...]:
    return (
        operation.collection,
        operation.record_id,
        operation.base_version,
        bytes(operation.body),
    )


class TwoStores(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.file = SqliteStore(
            self.folder / "laptop.db", key=None, registry=REGISTRY, ids=SeededDice(1).new_id
        )
        self.memory = MemoryStore(registry=REGISTRY, ids=SeededDice(2).new_id)
        self.sent: list[tuple[Operation, Operation]] = []

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
        if later and self.sent:
            first = self.sent[0][0]
            edit = Edit(
                key=Key(first.collection, first.record_id),
                body=body_of(Key(first.collection, first.record_id), "bao", "bao"),
            )
            self.save([edit])
        outcomes = []
        stores: tuple[Store, ...] = (self.file, self.memory)
        for side, store in enumerate(stores):
            results = [
                answer(kind, pair[side], ahead, number, current)
                for kind, pair in zip(kinds, self.sent, strict=False)
            ]
            outcomes.append(store.settle(results, recorded_at=NOW))
        assert replace(outcomes[0], changed=()) == replace(outcomes[1], changed=())
        assert set(outcomes[0].changed) == set(outcomes[1].changed)

    @rule(
        records=st.lists(wire_records(), max_size=5, unique_by=lambda r: (r.collection, r.id)),
        cursor=st.integers(0, 99),
        has_more=st.booleans(),
    )
    def pull(self, records: list[WireRecord], cursor: int, has_more: bool) -> None:
        page = ChangesPage(
            changes=records,
            next_cursor=f"c:{cursor}",
            has_more=has_more,
            epoch="e",
            server_time="2026-11-24",
        )
        assert self.file.apply_page(page) == self.memory.apply_page(page)

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
        self.file.discard(key)
        self.memory.discard(key)

    @invariant()
    def they_hold_the_same(self) -> None:
        for key in KEYS:
            assert nameless(self.file.record(key)) == nameless(self.memory.record(key))
        assert self.file.counts() == self.memory.counts()
        assert self.file.has_sendable(parked=NOTHING_PARKED) == self.memory.has_sendable(
            parked=NOTHING_PARKED
        )
        assert [r.key for r in self.file.conflicts()] == [r.key for r in self.memory.conflicts()]
        assert (self.file.cursor(), self.file.epoch()) == (
            self.memory.cursor(),
            self.memory.epoch(),
        )

    @invariant()
    def the_screens_show_it(self) -> None:
        with self.file.reader() as reader:
            shown = {
                Key(name, row["id"]): (row["_body"], row["_state"])
                for name in REGISTRY
                for row in reader.exec_driver_sql(
                    f"SELECT id, _body, _state FROM {name}"
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


def answer(
    kind: str,
    operation: Operation,
    ahead: int,
    number: dict[str, str] | None,
    current: WireRecord,
) -> Result:
    version = operation.base_version + 1 + ahead
    match kind:
        case "applied":
            return Applied(op_id=operation.op_id, version=version, seq=version, assigned=number)
        case "duplicate":
            return Duplicate(op_id=operation.op_id, version=version, seq=version)
        case "conflict":
            key = Key(operation.collection, operation.record_id)
            moved = wire(key, body_of(key, "ane", "duc"), version=current.version)
            return ConflictFound(op_id=operation.op_id, current=moved, versions_since_base=1)
        case "rejected":
            errors = [FieldError(field="title", reason="is dull")]
            return Rejected(op_id=operation.op_id, code="validation_failed", errors=errors)
        case _:
            return Blocked(op_id=operation.op_id, by="x")


EXAMPLES = 60

TwoStores.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
TestTwoStores = TwoStores.TestCase
