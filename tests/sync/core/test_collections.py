"""What a domain declares: decoding, errors that name the field, groups, parents."""

from collections.abc import Iterable

import msgspec
import pytest

from physioflow_sync.core.collections import (
    Collection,
    MergeGroup,
    Registry,
    conflicts_of,
    holds_conflicts,
)
from physioflow_sync.core.errors import FieldError, InvalidBody, UnknownCollection


class Contact(msgspec.Struct):
    phone: str


class Task(msgspec.Struct):
    title: str
    done: list[int] = []
    list_id: str | None = None
    contact: Contact | None = None


def no_shouting(task: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(task, Task)
    if task.title.isupper():
        yield FieldError(field="title", reason="is shouting")


LISTS = Collection(name="lists", body_type=Task)
TASKS = Collection(
    name="tasks",
    body_type=Task,
    validate=no_shouting,
    parents={"list_id": "lists"},
    merge_groups=(MergeGroup(name="what", fields=("title", "done")),),
    schema_version=3,
    upcasters={
        1: lambda fields: {**fields, "title": fields["name"]},
        2: lambda fields: {**fields, "done": []},
    },
)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "title"),
        (b'{"title":1}', "title"),
        (b'{"title":"a","done":[1,"x"]}', "done[1]"),
        (b'{"title":"a","contact":{}}', "contact.phone"),
        (b'{"title":"LOUD"}', "title"),
        (b"{", ""),
        (b'{"title":"\xff"}', ""),
        (b"[]", ""),
    ],
)
def test_a_bad_body_is_refused_with_the_name_of_its_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        TASKS.decode(body)
    (error,) = caught.value.errors
    assert error.field == field
    assert error.reason


def test_unknown_fields_pass() -> None:
    assert TASKS.decode(b'{"title":"a","added_in_2031":1}') == Task(title="a")


def test_groups_cover_fields_declared_and_not() -> None:
    names = [group.name for group in TASKS.groups_of(["zzz", "done", "contact"])]
    assert names == ["what", "contact", "zzz"]


def test_an_old_body_is_lifted_step_by_step() -> None:
    assert TASKS.upcast({"name": "a"}, schema=1) == {"name": "a", "title": "a", "done": []}
    assert TASKS.upcast({"title": "a"}, schema=3) == {"title": "a"}


def test_parents_are_read_from_the_fields_that_name_them() -> None:
    assert TASKS.parent_ids({"list_id": "l1"}) == (("lists", "l1"),)
    assert TASKS.parent_ids({"list_id": None}) == ()


def test_a_registry_refuses_double_names_and_children_before_parents() -> None:
    with pytest.raises(ValueError, match="twice"):
        Registry([LISTS, LISTS])
    with pytest.raises(ValueError, match="not declared"):
        Registry([TASKS, LISTS])


def test_a_registry_names_what_it_does_not_know() -> None:
    registry = Registry([LISTS, TASKS])
    assert registry.declared == (LISTS, TASKS)
    assert list(registry) == ["lists", "tasks", "lists.conflicts", "tasks.conflicts"]
    assert len(registry) == 4
    assert "tasks" in registry
    assert "nope" not in registry
    with pytest.raises(UnknownCollection, match="nope"):
        registry["nope"]


def test_each_declared_collection_brings_one_for_its_open_conflicts() -> None:
    told = Registry([LISTS, TASKS])["tasks.conflicts"]
    assert (told.conflicts_of, TASKS.conflicts_of) == ("tasks", None)
    assert conflicts_of("tasks") == told.name
    assert holds_conflicts(told.name)
    assert not holds_conflicts("tasks")
    # Base, mine and theirs, and what stands around them.
    assert told.max_body_bytes > 3 * TASKS.max_body_bytes
    with pytest.raises(InvalidBody):
        told.decode(b"{}")
