"""A small domain: projects with tasks, and letters that only a person may merge."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from physioflow_sync.core.collections import Collection, MergeGroup, MergePolicy, Registry
from physioflow_sync.core.errors import FieldError


class Project(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    note: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`start` and `end` mean something only together."""

    title: str
    note: str = ""
    done: bool = False
    start: int | None = None
    end: int | None = None
    project: str | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    text: str
    task: str | None = None


def _task_errors(task: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(task, Task)
    if not task.title.strip():
        yield FieldError(field="title", reason="is empty")


PROJECTS = Collection(
    name="projects",
    body_type=Project,
    merge_policy=MergePolicy.DISJOINT,
    indexes=("name",),
    search_fields=("name", "note"),
    may_delete=False,
    number_format="P-{:03d}",
)
TASKS = Collection(
    name="tasks",
    body_type=Task,
    validate=_task_errors,
    merge_policy=MergePolicy.DISJOINT,
    merge_groups=(MergeGroup(name="span", fields=("start", "end")),),
    parents={"project": "projects"},
    indexes=("project", "done"),
)
LETTERS = Collection(name="letters", body_type=Letter, parents={"task": "tasks"})

REGISTRY = Registry((PROJECTS, TASKS, LETTERS))


def encoded(body: msgspec.Struct) -> bytes:
    """Return a body as the JSON that is stored and sent."""
    return msgspec.json.encode(body)


def task(title: str = "buy milk", **fields: object) -> bytes:
    """Return a task's body."""
    return msgspec.json.encode({"title": title, **fields})


def project(name: str = "home", **fields: object) -> bytes:
    """Return a project's body."""
    return msgspec.json.encode({"name": name, **fields})


def letter(text: str = "dear all", **fields: object) -> bytes:
    """Return a letter's body."""
    return msgspec.json.encode({"text": text, **fields})


class LaterTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as a newer build knows it."""

    title: str
    urgent: bool
    note: str = ""
    done: bool = False
    start: int | None = None
    end: int | None = None
    project: str | None = None


def _lifted(fields: dict[str, object]) -> dict[str, object]:
    return {**fields, "urgent": False}


LATER_TASKS = Collection(
    name="tasks",
    body_type=LaterTask,
    merge_policy=MergePolicy.DISJOINT,
    merge_groups=TASKS.merge_groups,
    parents=TASKS.parents,
    schema_version=2,
    upcasters={1: _lifted},
    indexes=TASKS.indexes,
)
LATER_REGISTRY = Registry((PROJECTS, LATER_TASKS, LETTERS))
"""The same domain in a newer build."""


def later_task(title: str, **fields: object) -> bytes:
    """Return the body that a task becomes in a newer build."""
    return task(title, **fields, urgent=False)
