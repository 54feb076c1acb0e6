"""The shortest story that still breaks the same law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.simulation.chance import Plan, Step
from tests.simulation.seeds import stage
from tests.simulation.story import Told, tell_story

MAX_TRIES: Final = 300


def shrunk(plan: Plan, law: str, *, max_tries: int = MAX_TRIES) -> tuple[Plan, Told]:
    """Return the plan without what the broken law does not need, and its story.

    Steps go first, in halves, quarters and so on; then whole faults.  Each step has dice
    of its own, so that those which are left do what they did.
    """
    with stage() as folder:
        tries = _Tries(folder, law, max_tries)
        told = tries.tell(plan)
        assert told is not None, "it does not break this law"
        plan = _fewer_steps(plan, tries.breaks)
        plan = _fewer_faults(plan, tries.breaks)
        plan = _fewer_steps(plan, tries.breaks)
        return plan, tell_story(plan, folder)


class _Tries:
    def __init__(self, folder: Path, law: str, left: int) -> None:
        self._folder = folder
        self._law = law
        self._left = left

    def tell(self, plan: Plan) -> Told | None:
        told = tell_story(plan, self._folder)
        return told if told.law == self._law else None

    def breaks(self, plan: Plan) -> bool:
        """Tell whether a plan breaks the law; False too where there were too many tries."""
        self._left -= 1
        return self._left >= 0 and self.tell(plan) is not None


def _fewer_steps(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    size = max(len(plan.steps) // 2, 1)
    while size:
        at = 0
        while at < len(plan.steps):
            fewer = _without(plan.steps, at, size)
            if breaks(shorter := replace(plan, steps=fewer)):
                plan = shorter
            else:
                at += size
        size //= 2
    return plan


def _fewer_faults(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    for fault in [name for name, odds in plan.odds.items() if odds]:
        if breaks(calmer := plan.without(fault)):
            plan = calmer
    return plan


def _without(steps: tuple[Step, ...], at: int, size: int) -> tuple[Step, ...]:
    return steps[:at] + steps[at + size :]
