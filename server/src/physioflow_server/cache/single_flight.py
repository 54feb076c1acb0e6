"""Many threads miss the same key at once; one of them fills, and the others wait for it.

A flight is one filling.  It is *open* while its answer is being read, and *closed* from
then until the store has said whether the answer may be kept.  Who boarded an open flight
may use an answer that was kept: the store judged it after the boarding, so it is no older
than any change made known before.  Who comes to a closed flight only waits, and looks
again: the change that it must see may have been made known after the judgement.
"""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, field


class Ending(enum.Enum):
    """A flight that brought no answer for others."""

    LOOK_AGAIN = "look_again"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """One filling of one key.

    Attributes:
        result: what its passengers get; meaningful once it landed.
    """

    is_open: bool = True
    result: bytes | Ending = field(default=Ending.FAILED, repr=False)
    landed: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boarding:
    """A thread's place on a flight.

    Attributes:
        leads: it shall fill, close and land the flight; in every case.
        may_use: it boarded while the flight was open.
        landings: how many flights had landed when it boarded.
    """

    flight: Flight
    leads: bool
    may_use: bool
    landings: int


class Flights:
    """The fillings under way in this process, at most one a key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, Flight] = {}
        self._landings = 0

    @property
    def landings(self) -> int:
        """How many flights have landed."""
        with self._lock:
            return self._landings

    def board(self, text: str) -> Boarding:
        """Take a place on the key's flight; lead one where there is none."""
        with self._lock:
            flight = self._under_way.get(text)
            leads = flight is None
            if flight is None:
                flight = self._under_way[text] = Flight()
            return Boarding(
                flight=flight, leads=leads, may_use=flight.is_open, landings=self._landings
            )

    def close(self, flight: Flight) -> None:
        """Let nobody board who could use the answer: it was read, and will be judged now."""
        with self._lock:
            flight.is_open = False

    def land(self, text: str, flight: Flight, result: bytes | Ending) -> None:
        """End the flight."""
        with self._lock:
            flight.is_open = False
            flight.result = result
            del self._under_way[text]
            self._landings += 1
        flight.landed.set()


def ride(boarding: Boarding, *, patience_s: float) -> bytes | Ending:
    """Wait for the flight to land and return what it brought; `FAILED` where it took too long."""
    if not boarding.flight.landed.wait(patience_s):
        return Ending.FAILED
    result = boarding.flight.result
    if isinstance(result, bytes) and not boarding.may_use:
        return Ending.LOOK_AGAIN
    return result
