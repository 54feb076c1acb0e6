"""One record and two writers: nothing is lost, whatever happens in whatever order."""

import json
from dataclasses import replace

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Collection, MergePolicy
from physioflow_sync.core.deciding import resolved
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    RecordState,
    Step,
)
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.record_steps import acknowledged, conflicted, edited, pulled
from physioflow_sync.core.resolution import Resolution

KEY = Key("tasks", "t1")


class Task(msgspec.Struct):
    title: str = ""
    note: str = ""


TASKS = Collection(name="tasks", body_type=Task, merge_policy=MergePolicy.DISJOINT)


def body(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def version(number: int, content: bytes | None) -> Version:
    return Version(version=number, seq=number * 10, schema=1, body=content)


def edit(record: LocalRecord, content: bytes | None, op_id: str = "op") -> LocalRecord:
    return edited(
        record, body=content, op_id=op_id, collection=TASKS, recorded_at="2026-11-24"
    ).record


def seal(record: LocalRecord) -> LocalRecord:
    first, *rest = record.entries
    return replace(record, entries=(replace(first, state=EntryState.SEALED), *rest))


CLEAN = LocalRecord(key=KEY, server=version(3, body(title="a", note="n")))


class OneRecordTwoWriters(RuleBasedStateMachine):
    """A laptop, a server and another writer; an oracle that knows each word typed here.

    Law: what the person here typed last is on the screen until a person changed it or
    an automatic merge, noted with all bodies, put it together with the other's words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.record = LocalRecord(key=KEY)
        self.server: list[bytes | None] = []
        self.remembered: dict[str, int] = {}
        self.typed = 0
        self.expected: bytes | None = None
        self.ids = 0

    def _id(self) -> str:
        self.ids += 1
        return f"op{self.ids}"

    def _take(self, step: Step) -> None:
        before = self.record
        self.record = step.record
        merged = [note for note in step.notes if isinstance(note, AutoMerged)]
        if merged:
            assert merged[-1].mine == before.body
            self.expected = merged[-1].result

    @rule(field=st.sampled_from(["title", "note"]))
    def type_something(self, field: str) -> None:
        self.typed += 1
        fields = json.loads(self.record.body or b"{}")
        self.expected = json.dumps({**fields, field: f"m{self.typed}"}).encode()
        self._take(
            edited(
                self.record,
                body=self.expected,
                op_id=self._id(),
                collection=TASKS,
                recorded_at="t",
            )
        )

    @rule(field=st.sampled_from(["title", "note"]))
    def other_writes(self, field: str) -> None:
        fields = json.loads((self.server[-1] if self.server else None) or b"{}")
        self.server.append(json.dumps({**fields, field: f"t{len(self.server)}"}).encode())

    @precondition(lambda self: self.record.entries)
    @rule(lose_answer=st.booleans())
    def push(self, lose_answer: bool) -> None:
        self.record = seal(self.record)
        entry = self.record.entries[0]
        number = self.remembered.get(entry.op_id)
        if number is None and entry.base_version == len(self.server):
            self.server.append(entry.body)
            number = self.remembered[entry.op_id] = len(self.server)
        if lose_answer:
            return
        if number is not None:
            answer = version(number, None)
            self._take(
                acknowledged(self.record, op_id=entry.op_id, version=answer, collection=TASKS)
            )
        else:
            current = version(len(self.server), self.server[-1])
            self._take(
                conflicted(
                    self.record,
                    op_id=entry.op_id,
                    current=current,
                    new_op_id=self._id(),
                    collection=TASKS,
                )
            )

    @precondition(lambda self: self.server)
    @rule()
    def pull(self) -> None:
        clean = self.record.state is RecordState.ON_SERVER
        self._take(
            pulled(
                self.record, version(len(self.server), self.server[-1]), TASKS, new_op_id="pulled"
            )
        )
        if clean:
            self.expected = self.server[-1]

    @precondition(lambda self: self.record.conflict is not None)
    @rule(keep_mine=st.booleans())
    def decide(self, keep_mine: bool) -> None:
        conflict = self.record.conflict
        assert conflict is not None
        self.expected = conflict.mine if keep_mine else conflict.theirs.body
        decision = Resolution(key=KEY, theirs_version=conflict.theirs.version, body=self.expected)
        step = resolved(self.record, decision, op_id=self._id(), recorded_at="t")
        assert step is not None
        self._take(step)

    @invariant()
    def the_words_typed_here_are_still_there(self) -> None:
        if self.record.state is RecordState.ON_SERVER and self.expected is not None:
            assert self.record.server is not None
            held = self.server[: self.record.server.version]
            assert any(json.loads(at or b"{}") == json.loads(self.expected) for at in held)
        elif self.expected is not None:
            assert self.record.body is not None
            assert json.loads(self.record.body) == json.loads(self.expected)

    @invariant()
    def the_queue_has_one_sealed_entry_at_most(self) -> None:
        assert len(self.record.entries) <= 2
        assert all(entry.state is not EntryState.SEALED for entry in self.record.entries[1:])
        assert not (self.record.conflict and self.record.entries)


TestOneRecordTwoWriters = OneRecordTwoWriters.TestCase
TestOneRecordTwoWriters.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
