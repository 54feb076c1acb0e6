"""What each person saw, wrote and decided, as they saw it on their own screen.

This is all that the oracle knows of how things should be.  A *seat* is one person at one
laptop.  A token is *let go* by a seat where its person saw it and wanted something without
it: from then on, whoever carries that wish out may remove it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import NamedTuple

from tests.simulation.bodies import Name, fields_of, plain, tokens, whole


class SeatId(NamedTuple):
    who: str
    laptop: str

    def __str__(self) -> str:
        return f"{self.who} at {self.laptop}"


class Wish(NamedTuple):
    """Somebody wants this token to be in this record."""

    seat: SeatId
    name: Name


class Memory:
    """The oracle's knowledge.

    Attributes:
        wishes: by token; every edit that somebody was told was saved.
        unsent: by seat, the tokens that no server file has had yet.
        let_go: by seat, what its person has seen and replaced.
        let_go_by_anyone: all of those together.
        deletions: who wants which record deleted; True once it was, as they know.
        brought_back: by record, who wanted it although they saw that it was deleted.
        wholes: by record, what one person wrote together; see `bodies.whole`.
        saved: by seat and record, when which body was saved: later ones have greater numbers.
        forgotten: tokens of which a laptop has dropped its knowledge for good reason.
    """

    def __init__(self) -> None:
        self._made = itertools.count(1)
        self._saves = itertools.count(1)
        self.wishes: dict[str, Wish] = {}
        self.unsent: defaultdict[SeatId, set[str]] = defaultdict(set)
        self.let_go: defaultdict[SeatId, set[str]] = defaultdict(set)
        self.let_go_by_anyone: set[str] = set()
        self.deletions: dict[tuple[SeatId, Name], bool] = {}
        self.brought_back: defaultdict[Name, set[SeatId]] = defaultdict(set)
        self.wholes: defaultdict[Name, set[object]] = defaultdict(set)
        self.saved: dict[tuple[SeatId, Name, bytes | None], int] = {}
        self.forgotten: set[str] = set()
        self.names: list[Name] = []
        self._refused: set[tuple[SeatId, Name]] = set()

    def new_token(self) -> str:
        return f"tok-{next(self._made)}"

    def knows(self, name: Name) -> None:
        """Somebody has made a record."""
        if name not in self.names:
            self.names.append(name)

    def replaced(
        self,
        seat: SeatId,
        name: Name,
        *,
        stands: bytes | None,
        seen: tuple[bytes | None, ...] = (),
        result: bytes | None,
        is_gone: bool = False,
    ) -> None:
        """Somebody wanted `result` in place of what stands, and was told it is so.

        Args:
            seen: what else they were shown.
            is_gone: the server's version was shown to them, and is deleted.
        """
        seen = (stands, *seen)
        before = set().union(*map(tokens, seen))
        after = tokens(result)
        self.lets_go(seat, before - after)
        for token in after - before:
            if token not in self.wishes:
                self.wishes[token] = Wish(seat, name)
                self.unsent[seat].add(token)
        self.saved[seat, name, plain(result)] = next(self._saves)
        self.deletions.pop((seat, name), None)
        if result is None:
            if stands is not None and not is_gone and (seat, name) not in self._refused:
                self.deletions[seat, name] = False
            return
        if (together := whole(name, result)) is not None:
            self.wholes[name].add(together)

    def lets_go(self, seat: SeatId, gone: set[str]) -> None:
        """Somebody saw these tokens and wanted a record without them."""
        self.let_go[seat] |= gone
        self.let_go_by_anyone |= gone

    def brings_back(self, seat: SeatId, name: Name) -> None:
        """Somebody saw that a record was deleted, and wanted it nevertheless."""
        self.brought_back[name].add(seat)

    def deletion_forgotten(self, name: Name) -> None:
        """Nobody can know any more that a record was deleted."""
        for seat, deleted in list(self.deletions):
            if deleted == name:
                del self.deletions[seat, deleted]

    def is_back(self, name: Name) -> None:
        """A record that was deleted is there again: what deletions came to is undone."""
        for seat, deleted in list(self.deletions):
            if deleted == name and self.deletions[seat, deleted]:
                del self.deletions[seat, deleted]

    def keeps(self, seat: SeatId, name: Name) -> None:
        """Somebody saw that this seat wanted a record deleted, and decided otherwise."""
        self.deletions.pop((seat, name), None)

    def creation_refused(self, seat: SeatId, name: Name) -> None:
        """The server refused a creation: there is nothing that a deletion could be of.

        A network that delivers the creation once more may bring it about all the same.
        """
        self._refused.add((seat, name))
        self.deletions.pop((seat, name), None)

    def gives_up(
        self, seat: SeatId, name: Name, *, seen: bytes | None, stands: bytes | None
    ) -> None:
        """Somebody threw a refused change away, and saw what stands instead."""
        self.lets_go(seat, tokens(seen) - tokens(stands))
        self.deletions.pop((seat, name), None)

    def goes_back(self, seat: SeatId, name: Name) -> None:
        """This seat's person undid a merge: what it sends now may say again what it once did."""
        for saved in [each for each in self.saved if each[:2] == (seat, name)]:
            del self.saved[saved]

    def was_at(self, seat: SeatId, name: Name, body: bytes | None) -> int | None:
        """Return when this seat's person saved exactly this body, or None if never."""
        return self.saved.get((seat, name, plain(body)))


def newest(body: bytes | None) -> int:
    """Return the number of the newest token in a body; 0 where there is none."""
    return max((int(token.rsplit("-", 1)[1]) for token in tokens(body)), default=0)


def field(body: bytes | None, name: str) -> object:
    return fields_of(body).get(name)
