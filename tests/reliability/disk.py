"""A disk that keeps what was synced, and of the rest what chance leaves.

The model of one folder's files, fed with what SQLite asked of the operating system.  A
write is durable once its file was synced after it; a name, once the folder was.  At a cut
each unsynced write survives by sectors: whole, in part, as garbage, or not at all, in any
order across writes and files.  Names survive in their order, as on a journaling file system.

What SQLite relies on is kept: bytes beside those that were written are never touched
("powersafe overwrite", its default), and a sync that returned was true.  Drives that lie
about it are outside the model, as they are outside any program's reach.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SECTOR: Final = 512
GARBAGE: Final = 0.02
"""How likely a surviving sector is to hold noise."""
TORN: Final = 0.05
"""How likely a surviving sector is to be written in its first part only."""


@dataclass(frozen=True, slots=True)
class Created:
    name: str


@dataclass(frozen=True, slots=True)
class Written:
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    name: str


@dataclass(frozen=True, slots=True)
class Deleted:
    name: str


@dataclass(frozen=True, slots=True)
class FolderSynced:
    pass


DiskEvent = Created | Written | Truncated | Synced | Deleted | FolderSynced


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Written | Truncated] = field(default_factory=list[Written | Truncated])

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()


class Disk:
    """One folder, as a power cut would find it.

    Args:
        image: the files that are durable at the start, by name.
    """

    def __init__(self, image: Mapping[str, bytes]) -> None:
        self._durable_names = {name: _File(bytearray(data)) for name, data in image.items()}
        self._names = dict(self._durable_names)
        self._renaming: list[tuple[str, _File | None]] = []

    def take(self, event: DiskEvent) -> None:
        """Do what the operating system was asked to."""
        match event:
            case Created(name):
                self._create(name)
            case Written(name) | Truncated(name):
                self._file(name).pending.append(event)
            case Synced(name):
                self._file(name).sync()
            case Deleted(name):
                del self._names[name]
                self._renaming.append((name, None))
            case FolderSynced():
                self._durable_names = dict(self._names)
                self._renaming.clear()

    def now(self) -> dict[str, bytes]:
        """Return the files as programs see them while the power is on."""
        kept = random.Random(0)
        return {
            name: bytes(_survivor(file, _everything(kept), kept))
            for name, file in self._names.items()
        }

    def _file(self, name: str) -> _File:
        """Return a file; one that nobody was seen to make is as new as any."""
        return self._names[name] if name in self._names else self._create(name)

    def _create(self, name: str) -> _File:
        file = self._names[name] = _File()
        self._renaming.append((name, file))
        return file

    def cut(self, dice: random.Random) -> dict[str, bytes]:
        """Return the files that one power cut would leave; the disk itself goes on."""
        names = dict(self._durable_names)
        for name, file in self._renaming[: dice.randint(0, len(self._renaming))]:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        mood = dice.choice((_nothing, _everything, _some, _most, _the_first))
        return {name: bytes(_survivor(file, mood(dice), dice)) for name, file in names.items()}


@dataclass(frozen=True, slots=True)
class _Mood:
    """How much of the unsynced survives: a share of the sectors of a share of the writes."""

    writes: float
    sectors: float
    spoils: bool


def _nothing(_: random.Random) -> _Mood:
    return _Mood(0.0, 0.0, spoils=False)


def _everything(_: random.Random) -> _Mood:
    return _Mood(1.0, 1.0, spoils=False)


def _some(dice: random.Random) -> _Mood:
    return _Mood(1.0, dice.random(), spoils=True)


def _most(_: random.Random) -> _Mood:
    return _Mood(1.0, 0.98, spoils=True)


def _the_first(dice: random.Random) -> _Mood:
    return _Mood(dice.random(), 1.0, spoils=True)


def _survivor(file: _File, mood: _Mood, dice: random.Random) -> bytearray:
    content = bytearray(file.durable)
    survive = round(len(file.pending) * mood.writes)
    for place, change in enumerate(file.pending):
        if place >= survive:
            break
        if isinstance(change, Truncated):
            if dice.random() < mood.sectors:
                _apply(content, change)
            continue
        _apply_sectors(content, change, mood, dice)
    return content


def _apply_sectors(content: bytearray, write: Written, mood: _Mood, dice: random.Random) -> None:
    start = 0
    while start < len(write.data):
        end = min(start + SECTOR - (write.offset + start) % SECTOR, len(write.data))
        if dice.random() < mood.sectors:
            part = write.data[start:end]
            if mood.spoils and dice.random() < GARBAGE:
                part = dice.randbytes(len(part))
            elif mood.spoils and dice.random() < TORN:
                part = part[: dice.randrange(len(part) + 1)]
            _apply(content, Written(write.name, write.offset + start, part))
        start = end


def _apply(content: bytearray, change: Written | Truncated) -> None:
    if isinstance(change, Truncated):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(change.offset - len(content), 0)))
    content[change.offset : end] = change.data
