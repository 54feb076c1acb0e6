"""What a seed decides: which faults there are, how likely, and the story's steps.

Swarm testing: each seed switches each fault on or off for itself, so that a fault that
hides another is missing from half of the stories.  Each step carries dice of its own:
a story from which steps were taken out goes on as before in those that are left.

Source: A. Groce et al., "Swarm Testing", ISSTA 2012.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

ON_THE_WAY: Final = (
    "request_lost",
    "request_late",
    "answer_lost",
    "answer_cut",
    "delivered_twice",
    "stale_answer",
    "portal",
    "error_500",
    "error_500_after",
    "gateway_502_504",
    "busy_503",
    "throttled_429",
    "too_large_413",
    "signed_out_401",
    "forbidden_403",
)
"""What may happen to one request; at most one of them does."""
IN_A_PROGRAM: Final = (
    "laptop_dies",
    "server_dies",
    "disk_full",
    "database_locked",
    "server_refuses",
    "typing_meanwhile",
)
TO_THE_WORLD: Final = {
    # What happens once or twice in a story where it is on: (weight among the steps, most).
    "clock_jumps": (2.0, 3),
    "user_switched": (3.0, 6),
    "role_changed": (1.5, 3),
    "backup_restored": (1.5, 2),
    "restored_silently": (1.0, 1),
    "tombstones_buried": (3.0, 4),
    "schema_upgraded": (2.0, 4),
    "protocol_skewed": (2.0, 4),
    "laptop_revoked": (0.4, 1),
    "record_drifted": (4.0, 3),
    "operation_poisoned": (1.5, 1),
    "network_down": (2.0, 4),
}
FAULTS: Final = (*ON_THE_WAY, *IN_A_PROGRAM, *TO_THE_WORLD)

_RARE: Final = frozenset({"laptop_revoked", "operation_poisoned"})
"""They end, or lengthen, a story."""
_LAPTOPS: Final = (2, 2, 2, 3, 3, 4)
_STEPS: Final = (30, 90)
_LIKELY: Final = (0.02, 0.05, 0.12)
"""Of one request to meet one kind of trouble, where the seed has that trouble."""
_PEOPLE: Final = {"works": 30.0, "decides": 12.0, "bursts": 2.0}
_MACHINES: Final = {"effect": 40.0, "cycle": 14.0, "idles": 1.5}
_SPREAD: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    Attributes:
        seed: of the dice that decide the rest.
        place: which laptop, if it happens to one.
    """

    kind: str
    place: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole seed, before anything has happened.

    Attributes:
        odds: fault → how likely; 0 where this seed has none of it.
        people: how many people each laptop has.
        page, batch: records a page, operations a push: few, so that there are many.
        records: most records that people make.
    """

    seed: int
    odds: dict[str, float]
    people: tuple[int, ...]
    page: int
    batch: int
    records: int
    steps: tuple[Step, ...]

    def without(self, fault: str) -> Plan:
        """Return the same story without one fault."""
        steps = tuple(step for step in self.steps if step.kind != fault)
        return replace(self, odds={**self.odds, fault: 0.0}, steps=steps)


def plan_of(seed: int) -> Plan:
    """Return what a seed decides."""
    chance = random.Random(seed * _SPREAD)
    odds = {fault: _odds(chance, fault) for fault in FAULTS}
    if odds["backup_restored"] or odds["restored_silently"]:
        odds["record_drifted"] = 0.0  # Nobody can offer again what a fault has erased.
    if odds["restored_silently"]:
        odds["protocol_skewed"] = 0.0  # The first protocol has no witness of such a restore.
    laptops = chance.choice(_LAPTOPS)
    switched = bool(odds["user_switched"])
    people = tuple(2 if switched and chance.random() < 0.6 else 1 for _ in range(laptops))
    length = chance.randint(*_STEPS)
    return Plan(
        seed=seed,
        odds=odds,
        people=people,
        page=chance.choice((1, 2, 3, 5)),
        batch=chance.choice((1, 2, 3, 3, 5)),
        records=chance.choice((2, 3, 4, 6)),
        steps=tuple(_steps(chance, odds, laptops, length)),
    )


def _odds(chance: random.Random, fault: str) -> float:
    is_on = chance.random() < (0.4 if fault in TO_THE_WORLD else 0.5)
    if fault in TO_THE_WORLD:
        is_on = is_on and not (fault in _RARE and chance.random() < 0.6)
        return 1.0 if is_on else 0.0
    likely = chance.choice(_LIKELY)
    if fault in ("laptop_dies", "typing_meanwhile"):
        likely *= 2
    return likely if is_on else 0.0


def _steps(
    chance: random.Random, odds: dict[str, float], laptops: int, length: int
) -> Iterator[Step]:
    weights = {**_PEOPLE, **_MACHINES}
    weights.update({fault: w for fault, (w, _) in TO_THE_WORLD.items() if odds[fault]})
    left = {fault: most for fault, (_, most) in TO_THE_WORLD.items()}
    if odds["backup_restored"] or odds["restored_silently"]:
        weights["backup_made"] = 3.0
    kinds, how = list(weights), list(weights.values())
    for _ in range(length):
        (kind,) = chance.choices(kinds, how)
        if kind in left:
            left[kind] -= 1
            if left[kind] < 0:
                kind = "effect"
        yield Step(kind, chance.randrange(laptops), chance.getrandbits(48))
