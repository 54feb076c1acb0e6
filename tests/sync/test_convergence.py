"""Three laptops, the real write path and feed, and everything that goes wrong between them.

What people did is remembered here by tokens: each edit of a field writes one that nobody
ever wrote before.  Nothing here knows how the engine works.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution, Resolved
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit
from physioflow_sync.testing.tasks import REGISTRY
from tests.world.rough_clinic import Laptop, Past, Server, server_bodies

pytestmark = pytest.mark.slow

STEPS = 500
MAX_RECORDS = 5
MAX_ROUNDS = 60

FIELDS = {"projects": ("name", "note"), "tasks": ("title", "note"), "letters": ("text",)}
PARENT = {"tasks": ("project", "projects"), "letters": ("task", "tasks")}

Fields = dict[str, object]


def fields_of(body: bytes | None) -> Fields:
    return {} if body is None else msgspec.json.decode(body, type=dict[str, object])


def tokens(body: bytes | None) -> set[str]:
    return {text for text in map(str, fields_of(body).values()) if text.startswith("tok-")}


class People:
    """What each person wrote, replaced and decided, as they saw it on their own laptop."""

    def __init__(self) -> None:
        self._made = itertools.count()
        self.wrote: dict[tuple[str, Key, str], str] = {}
        self.deleted: set[tuple[str, Key]] = set()
        self.let_go: defaultdict[str, set[str]] = defaultdict(set)
        self.brought_back: set[tuple[Key, int]] = set()

    def new_token(self) -> str:
        return f"tok-{next(self._made)}"

    def replaced(self, who: str, key: Key, *, seen: bytes | None, result: bytes | None) -> None:
        """Somebody who saw `seen` wanted `result` in its place."""
        self.let_go[who] |= tokens(seen) - tokens(result)
        for name in FIELDS[key.collection]:
            if fields_of(result).get(name) != fields_of(seen).get(name):
                self.wrote.pop((who, key, name), None)
        self.deleted.discard((who, key))
        if result is None:
            self.deleted.add((who, key))


class Story:
    """One seed's run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.people = People()
        self.server = Server(folder)
        self.laptops = [
            Laptop(folder, name, self.server, chance=self.chance, meanwhile=self._meanwhile)
            for name in ("anna", "bao", "chi")
        ]
        self.made: list[Key] = []
        self.open: dict[tuple[str, Key], LocalRecord] = {}

    def close(self) -> None:
        for laptop in self.laptops:
            laptop.store.close()
        self.server.close()

    def run(self) -> None:
        for _ in range(STEPS):
            laptop = self.chance.choice(self.laptops)
            what = self.chance.random()
            if what < 0.3:
                self.work(laptop)
            elif what < 0.36:
                self.decide(laptop)
            elif what < 0.38:
                laptop.crash()
            else:
                laptop.step()
            self.check(laptop)

    def settle_down(self) -> None:
        """The network heals and everybody decides what waits for them."""
        for laptop in self.laptops:
            laptop.heal()
        for _ in range(MAX_ROUNDS):
            for laptop in self.laptops:
                laptop.sync()
                self.check(laptop)
                while self.decide(laptop):
                    self.check(laptop)
            here = server_bodies(self.server, self.laptops[0].identity)
            if all(
                laptop.store.counts() == Counts() and laptop.bodies() == here
                for laptop in self.laptops
            ):
                return
        pytest.fail("they never came to hold the same")

    # What people do.

    def work(self, laptop: Laptop) -> None:
        """Make, change or delete a record that this laptop shows."""
        shown = [key for key in self.made if laptop.store.record(key).body is not None]
        if not shown or (len(self.made) < MAX_RECORDS and self.chance.random() < 0.3):
            key = Key(self.chance.choice(list(FIELDS)), laptop.dice.new_id())
            self.made.append(key)
            self._save(laptop, key, self._changed(laptop, key, None))
            return
        key = self.chance.choice(shown)
        record = laptop.store.record(key)
        if REGISTRY[key.collection].may_delete and self.chance.random() < 0.12:
            self._save(laptop, key, None)
        elif self.chance.random() < 0.12 and record.server is not None and record.server.body:
            self._save(laptop, key, record.server.body)
        else:
            self._save(laptop, key, self._changed(laptop, key, record.body))

    def decide(self, laptop: Laptop) -> bool:
        """Decide a conflict, or repair or give up a rejected change; False where none waits."""
        for key in self.made:
            record = laptop.store.record(key)
            if record.state is RecordState.CONFLICT:
                self._resolve(laptop, record)
                return True
            if record.state is RecordState.REJECTED:
                self._mend(laptop, record)
                return True
        return False

    def _changed(self, laptop: Laptop, key: Key, body: bytes | None) -> bytes:
        fields = fields_of(body)
        required, *_ = names = FIELDS[key.collection]
        for name in {required} if body is None else {self.chance.choice(names)}:
            fields[name] = self.people.new_token()
        if key.collection in PARENT and (body is None or self.chance.random() < 0.2):
            link, collection = PARENT[key.collection]
            there = [k.id for k in self.made if k.collection == collection and k != key]
            ids = [i for i in there if laptop.store.record(Key(collection, i)).body is not None]
            if self.chance.random() < 0.08:
                ids = [laptop.dice.new_id()]  # Only the server knows that nothing is there.
            if ids:
                fields[link] = self.chance.choice(ids)
        return msgspec.json.encode(fields)

    def _save(self, laptop: Laptop, key: Key, body: bytes | None) -> None:
        seen = laptop.store.record(key).body
        laptop.store.save([Edit(key=key, body=body)], recorded_at=laptop.clock.now())
        self.people.replaced(laptop.name, key, seen=seen, result=body)
        for name in FIELDS[key.collection]:
            value = fields_of(body).get(name)
            if value is not None and value != fields_of(seen).get(name):
                self.people.wrote[laptop.name, key, name] = str(value)

    def _resolve(self, laptop: Laptop, record: LocalRecord) -> None:
        conflict, key = record.conflict, record.key
        assert conflict is not None
        mixed = {**fields_of(conflict.theirs.body), **fields_of(conflict.mine)}
        choices = [conflict.mine, conflict.theirs.body, msgspec.json.encode(mixed)]
        body = self.chance.choice(choices)
        is_stale = self.chance.random() < 0.1
        outcome = laptop.store.resolve(
            Resolution(key=key, theirs_version=conflict.theirs.version - is_stale, body=body),
            recorded_at=laptop.clock.now(),
        )
        if is_stale:
            assert outcome == MovedMeanwhile()
            return
        assert outcome == Resolved()
        for seen in (conflict.base_body, conflict.theirs.body, conflict.mine):
            self.people.replaced(laptop.name, key, seen=seen, result=body)
        if body is not None and conflict.theirs.body is None:
            self.people.brought_back.add((key, conflict.theirs.version))
        self.open.pop((laptop.name, key), None)

    def _mend(self, laptop: Laptop, record: LocalRecord) -> None:
        key, seen = record.key, record.body
        if seen is None or self.chance.random() < 0.4:
            laptop.store.discard(key)
            stands = laptop.store.record(key).body
            self.people.replaced(laptop.name, key, seen=seen, result=stands)
            self.people.deleted.discard((laptop.name, key))
            return
        fields = fields_of(seen)
        fields.pop(PARENT.get(key.collection, ("", ""))[0], None)
        fields[FIELDS[key.collection][0]] = self.people.new_token()
        self._save(laptop, key, msgspec.json.encode(fields))

    def _meanwhile(self, laptop: Laptop) -> None:
        if self.chance.random() < 0.1 * (laptop.wire.odds > 0):
            self.work(laptop)

    # What must hold, after every step.

    def check(self, laptop: Laptop) -> None:
        """Check the laptop at which something has happened, and the server."""
        past = self.server.past()
        records = {key: laptop.store.record(key) for key in self.made}
        self._check_edits(laptop, records, past)
        self._check_deletes(laptop, records, past)
        self._check_conflicts(laptop, records, past)
        self._check_past(past)

    def _check_edits(
        self, laptop: Laptop, records: dict[Key, LocalRecord], past: list[Past]
    ) -> None:
        """Law 1: what was acknowledged is on the server, or waits here, or was let go."""
        on_server = {token for version in past for token in tokens(version.body)}
        for (who, key, name), token in self.people.wrote.items():
            if who == laptop.name and token not in on_server:
                assert token in kept_here(records[key]), f"{who} lost {token} of {key}.{name}"

    def _check_deletes(
        self, laptop: Laptop, records: dict[Key, LocalRecord], past: list[Past]
    ) -> None:
        """Law 1 for deletes; what the server never had needs none."""
        tombstones = {version.key for version in past if version.body is None}
        ever_there = {version.key for version in past}
        for who, key in self.people.deleted:
            record = records[key]
            if who != laptop.name or key in tombstones or key not in ever_there:
                continue
            waits = any(entry.body is None for entry in record.entries)
            in_conflict = record.conflict is not None and record.conflict.mine is None
            assert waits or in_conflict, f"{who}'s delete of {key} was lost"

    def _check_conflicts(
        self, laptop: Laptop, records: dict[Key, LocalRecord], past: list[Past]
    ) -> None:
        """Laws 3 and 4: never with oneself, and open until a person decides or both agree."""
        for key, record in records.items():
            before = self.open.pop((laptop.name, key), None)
            if record.conflict is not None:
                own = [v.version for v in past if (v.key, v.device) == (key, laptop.name)]
                assert max(own, default=0) <= record.conflict.base_version, "conflicts with itself"
                assert record.entries == ()
                self.open[laptop.name, key] = record
            elif before is not None:
                assert before.conflict is not None
                assert (
                    tokens(before.conflict.mine)
                    <= tokens(record.body) | self.people.let_go[laptop.name]
                ), "a conflict went away by itself"

    def _check_past(self, past: list[Past]) -> None:
        """Laws 2 and 8: nothing is replaced but by somebody who had seen it."""
        before: dict[Key, Past] = {}
        for now in past:
            then = before.get(now.key)
            before[now.key] = now
            assert now.version == (then.version + 1 if then else 1)
            if then is None:
                continue
            gone = tokens(then.body) - tokens(now.body)
            assert gone <= self.people.let_go[now.device], f"{now} overwrote {gone}"
            if then.body is None and now.body is not None:
                assert (now.key, then.version) in self.people.brought_back, f"{now} came back"


def kept_here(record: LocalRecord) -> set[str]:
    bodies = [entry.body for entry in record.entries]
    if record.conflict is not None:
        bodies.append(record.conflict.mine)
    return {token for body in bodies for token in tokens(body)}


@pytest.fixture
def stories() -> Iterator[list[Story]]:
    told: list[Story] = []
    yield told
    for story in told:
        story.close()


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_lost_or_overwritten_and_all_come_to_hold_the_same(
    tmp_path: Path, stories: list[Story], seed: int
) -> None:
    story = Story(tmp_path, seed)
    stories.append(story)
    story.run()
    story.settle_down()
