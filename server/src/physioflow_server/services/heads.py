"""Heads of a history that somebody outside the database knows.  Pure.

A chain proves that nothing between its ends was changed.  It cannot prove that its end is
the end: whoever cuts the tail off, or computes every later link anew, leaves a chain that
holds.  A head that a laptop's cursor or a log line kept gives both away.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from physioflow_server.database.audit_rows import EpochRow
from physioflow_server.services.cursor import parse_cursor

HEAD_EVENT: Final = "audit.head"
"""The log line that keeps a head."""
HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the history's end was once: the chain's hash at a seq of a timeline.

    Attributes:
        clinic_id: None where it is not told, as in a laptop's cursor.
    """

    clinic_id: str | None
    epoch: str
    seq: int
    chain_hash: bytes


class HeadObserver(Protocol):
    def note(self, head: Head) -> None:
        """Take note of a clinic's head, after its commit; from any thread, never waits."""
        ...


class _Unobserved:
    def note(self, head: Head) -> None:
        """Nobody keeps it."""


UNOBSERVED: Final = _Unobserved()


class _LoggedHead(msgspec.Struct, frozen=True, kw_only=True):
    event: str
    clinic_id: str
    epoch: str
    seq: int
    chain_hash: str


_LOGGED: Final = msgspec.json.Decoder(_LoggedHead)


def heads_in(lines: Iterable[str]) -> Iterator[Head]:
    """Yield the heads that lines hold: log lines and laptops' cursors; others are passed over.

    A log line may follow what a collector of logs put before it.
    """
    for line in lines:
        head = _logged_head(line) if HEAD_EVENT in line else _cursor_head(line.strip())
        if head is not None and len(head.chain_hash) == HASH_BYTES and head.seq >= 0:
            yield head


def _logged_head(line: str) -> Head | None:
    try:
        logged = _LOGGED.decode(line[max(0, line.find("{")) :].strip())
        chain_hash = bytes.fromhex(logged.chain_hash)
    except ValueError:  # msgspec's errors are of this type, too
        return None
    if logged.event != HEAD_EVENT:
        return None
    return Head(
        clinic_id=logged.clinic_id,
        epoch=logged.epoch,
        seq=logged.seq,
        chain_hash=chain_hash,
    )


def _cursor_head(text: str) -> Head | None:
    cursor = parse_cursor(text)
    if cursor is None:
        return None
    return Head(clinic_id=None, epoch=cursor.epoch, seq=cursor.seq, chain_hash=cursor.chain_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the heads of one clinic say of its history.

    Attributes:
        binding: by seq, the chain's hashes that the history must have there, and how many
            heads say so.
        lost: heads of what a restore gave up: the history need not have them.
        unknown: heads of a timeline that the clinic cannot have been on.
    """

    binding: dict[int, Counter[bytes]]
    lost: tuple[Head, ...]
    unknown: tuple[Head, ...]


def judge(heads: Iterable[Head], lineage: Sequence[EpochRow]) -> Judged:
    """Tell which heads the history must have.

    What a timeline had up to where a later one forked off is the later one's past as well;
    what came after the fork was lost with the restore.  A timeline that began after the
    restored backup was made is lost with its name; so an unknown one proves nothing once
    there was a restore, and before the first there can be none.
    """
    common = _common_seqs(lineage)
    binding: defaultdict[int, Counter[bytes]] = defaultdict(Counter)
    lost: list[Head] = []
    unknown: list[Head] = []
    for head in heads:
        if head.epoch not in common:
            (lost if len(lineage) > 1 else unknown).append(head)
            continue
        until = common[head.epoch]
        if until is not None and head.seq > until:
            lost.append(head)
        else:
            binding[head.seq][head.chain_hash] += 1
    return Judged(binding=dict(binding), lost=tuple(lost), unknown=tuple(unknown))


def _common_seqs(lineage: Sequence[EpochRow]) -> dict[object, int | None]:
    """Return by epoch up to which seq it is the present one's past; None for the present one.

    The rule of `timeline.common_seq`.
    """
    found: dict[object, int | None] = {}
    until: int | None = None
    for row in reversed(lineage):
        found[row.epoch] = until
        if isinstance(row.forked_at, int):
            until = row.forked_at if until is None else min(until, row.forked_at)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Heads by the clinic that they speak of; `strays` speak of none that is known."""

    by_clinic: dict[str, list[Head]]
    strays: tuple[Head, ...]


def sort_heads(
    heads: Iterable[Head],
    epochs_by_clinic: Mapping[str, Collection[str]],
    *,
    chosen: str | None = None,
) -> Sorted:
    """Give each head to the clinic whose it is.

    A cursor names no clinic: its timeline does.  Where no clinic here was on it, the cursor
    is the chosen clinic's, or that of the only one there is.

    Args:
        epochs_by_clinic: of every clinic of the database.
        chosen: the only clinic that is looked at; other clinics' heads are left out.
    """
    whose = {epoch: id_ for id_, known in epochs_by_clinic.items() for epoch in known}
    only = chosen or (next(iter(epochs_by_clinic)) if len(epochs_by_clinic) == 1 else None)
    by_clinic: dict[str, list[Head]] = {id_: [] for id_ in epochs_by_clinic}
    strays: list[Head] = []
    for head in heads:
        clinic_id = head.clinic_id or whose.get(head.epoch) or only
        if clinic_id in by_clinic:
            by_clinic[clinic_id].append(head)
        elif chosen is None:
            strays.append(head)
    return Sorted(by_clinic=by_clinic, strays=tuple(strays))
