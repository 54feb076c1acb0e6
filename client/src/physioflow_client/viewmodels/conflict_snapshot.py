"""Two versions of one record, as a person is shown them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from physioflow_sync.core.changes import Fields, Key
from physioflow_sync.core.collections import MergeGroup


class Joining(enum.Enum):
    """What "keep both" means for one merge group.

    NONE: it is not offered.
    TEXT: both texts, each with its author.
    LIST: the items of both, each once.
    RECORDS: theirs stays in this record, mine becomes a new one.
    """

    NONE = "none"
    TEXT = "text"
    LIST = "list"
    RECORDS = "records"


class Cells(NamedTuple):
    """The words of one row: what stood before both changes, in mine, and in theirs."""

    before: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSide:
    """One version.

    Attributes:
        fields: None where this side deleted the record; empty where there was none before.
        who, device: display names; "" where they are not known.
        whose: the version in the middle of a sentence ("yours", "theirs", "Dr Patel's").
        title: what it is called above its column, where its author does not tell it apart.
        is_me: whoever reads this wrote it.
        when: the time in words for today's reader ("today 14:05"); "" where not known.
        written: the same with its whole date, for a text that stays.
        is_newer: by the two laptops' clocks, for people only.
    """

    fields: Fields | None
    who: str = ""
    device: str = ""
    whose: str = ""
    title: str = ""
    is_me: bool = False
    when: str = ""
    written: str = ""
    is_newer: bool = False


class FieldPresenter(Protocol):
    """Puts one collection's merge groups into words; a seam, since the engine's domain varies.

    `fields` are a body's fields; those of a group may be missing there.
    """

    def label(self, group: MergeGroup, fields: Fields) -> str:
        """Return the row's name."""
        ...

    def cells(self, group: MergeGroup, *, before: Fields, mine: Fields, theirs: Fields) -> Cells:
        """Return what differs, in words that differ."""
        ...

    def joining(self, group: MergeGroup) -> Joining:
        """Return what "keep both" means here."""
        ...

    def is_editable(self, group: MergeGroup) -> bool:
        """Tell whether a person may type the result: groups of one text field only."""
        ...

    def consequence(self, group: MergeGroup, *, mine: ConflictSide, theirs: ConflictSide) -> str:
        """Return what each choice would mean, or ""; neither side has deleted the record."""
        ...

    def outcome(self, group: MergeGroup, fields: Fields) -> str:
        """Return what a chosen value means ("41: moderate"), or ""."""
        ...

    def two_records_words(self) -> str:
        """Return the words of the choice to keep both as two records."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSnapshot:
    """A conflict at one moment; immutable.

    Attributes:
        id: names the conflict, whatever record it is about.
        is_elsewhere: another laptop met it; *mine* is that laptop's.
        person, record: what the title says ("Dorothy Quinn", "QuickDASH of 23 November").
        subtitle: one line of identity, with the side in capitals.
        short: the record in a word or two, for the queue.
        age: how long ago, in words.
        theirs_version: the server's version that `theirs` shows.
        theirs_body: its body as it is stored, which tells it from another of that number.
    """

    id: str
    key: Key
    person: str
    record: str
    subtitle: str
    short: str
    age: str
    base: ConflictSide
    mine: ConflictSide
    theirs: ConflictSide
    theirs_version: int
    theirs_body: bytes | None = None
    is_elsewhere: bool = False

    @property
    def content(self) -> tuple[object, ...]:
        """What is in conflict, without the words about it."""
        sides = (self.base, self.mine, self.theirs)
        return (self.key, self.theirs_version, *(side.fields for side in sides))

    @property
    def title(self) -> str:
        return f"{self.person} · {self.record}" if self.person else self.record
