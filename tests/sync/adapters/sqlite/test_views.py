"""What the screens read: a view a collection, indexes that are used, a search."""

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import text

from physioflow_sync.adapters.sqlite import SqliteStore, search_query
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.protocol import Applied
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    accept,
    on_server,
    open_conflict,
    pull,
    save,
    seal_one,
    wire,
)
from physioflow_sync.testing.tasks import LETTERS, PROJECTS, TASKS, letter, project, task


def rows(store: SqliteStore, query: str, **values: object) -> list[dict[str, object]]:
    with store.reader() as connection:
        return [dict(row) for row in connection.execute(text(query), values).mappings()]


def plan(store: SqliteStore, query: str) -> str:
    return "\n".join(str(row["detail"]) for row in rows(store, f"EXPLAIN QUERY PLAN {query}"))


def found(store: SqliteStore, typed: str) -> list[object]:
    query = """
        SELECT p.id FROM record_search AS s JOIN projects AS p ON p._rowid = s.rowid
        WHERE s.text MATCH :words ORDER BY p.id
    """
    return [row["id"] for row in rows(store, query, words=search_query(typed))]


def test_a_view_shows_every_field_and_the_envelope(store: SqliteStore) -> None:
    save(store, PROJECT, project("home"))
    number = {"record_number": "P-001"}
    operation = seal_one(store)
    store.settle(
        [Applied(op_id=operation.op_id, version=1, seq=7, assigned=number)], recorded_at=NOW
    )
    save(store, TASK, task("a", done=True, start=3, project=PROJECT.id, unknown=[1]))
    (shown,) = rows(store, "SELECT * FROM tasks")
    body = task("a", done=True, start=3, project=PROJECT.id, unknown=[1]).decode()
    assert shown | {"_rowid": 0} == {
        "id": TASK.id,
        "_rowid": 0,
        "_version": 0,
        "_seq": 0,
        "_state": "unsent",
        "_author": "",
        "_device": "",
        "_recorded_at": NOW.isoformat(),
        "_number": None,
        "_body": body,
        "title": "a",
        "note": None,
        "done": 1,
        "start": 3,
        "end": None,
        "project": PROJECT.id,
    }
    (shown,) = rows(store, "SELECT _version, _seq, _state, _number, name FROM projects")
    assert list(shown.values()) == [1, 7, "on_server", "P-001", "home"]


def test_a_view_shows_who_wrote_what_is_shown(store: SqliteStore) -> None:
    on_server(store, TASK, task("theirs"))
    envelope = "SELECT _author, _device, _recorded_at, _state FROM tasks"
    assert list(rows(store, envelope)[0].values()) == [
        "Bao",
        "Room 3",
        "2026-11-24T08:00:00+00:00",
        "on_server",
    ]
    save(store, TASK, task("mine"))
    assert list(rows(store, envelope)[0].values()) == ["", "", NOW.isoformat(), "unsent"]


def test_a_view_shows_mine_while_a_conflict_is_open(store: SqliteStore) -> None:
    open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
    assert rows(store, "SELECT text, _state, _version FROM letters") == [
        {"text": "mine", "_state": "conflict", "_version": 2}
    ]


def test_a_view_leaves_out_what_is_deleted(store: SqliteStore) -> None:
    on_server(store, TASK, task())
    on_server(store, OTHER_TASK, task())
    save(store, TASK, None)
    pull(store, wire(OTHER_TASK, None, version=2))
    assert rows(store, "SELECT * FROM tasks") == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT title FROM tasks WHERE project = 'x'", "field:tasks.project"),
        ("SELECT title FROM tasks WHERE done = 1", "field:tasks.done"),
        ("SELECT * FROM projects ORDER BY name LIMIT 50", "field:projects.name"),
        ("SELECT * FROM projects WHERE name >= 'a' AND name < 'b'", "field:projects.name"),
        (
            "SELECT title FROM projects JOIN tasks ON project = projects.id WHERE name = 'x'",
            "field:tasks.project",
        ),
    ],
)
def test_a_declared_field_is_looked_up_through_the_view(
    store: SqliteStore, query: str, index: str
) -> None:
    projects = [Key("projects", f"01930000-0000-7000-8000-{n:012}") for n in range(40)]
    tasks = [Key("tasks", f"01930000-0000-7000-9000-{n:012}") for n in range(400)]
    pull(store, *(wire(key, project(key.id[-2:]), version=1) for key in projects), has_more=True)
    # The end of the first sync: that is when indexes are made.
    pull(
        store,
        *(
            wire(key, task(done=n % 3 == 0, project=projects[n % 40].id), version=1)
            for n, key in enumerate(tasks)
        ),
    )
    assert f"INDEX {index}" in plan(store, query)
    assert "TEMP B-TREE" not in plan(store, query)


def test_a_record_is_looked_up_by_its_id(store: SqliteStore) -> None:
    assert "(id=? AND collection=?)" in plan(store, "SELECT * FROM tasks WHERE id = 'x'")


def test_indexes_wait_for_the_end_of_the_first_sync_and_then_stay(store: SqliteStore) -> None:
    present = "SELECT count(*) AS n FROM sqlite_master WHERE type = 'index' AND name LIKE 'field:%'"
    pull(store, wire(TASK, task(), version=1), has_more=True)
    assert rows(store, present) == [{"n": 0}]
    pull(store, wire(OTHER_TASK, task(), version=1))
    assert rows(store, present) == [{"n": 3}]
    assert len(rows(store, "SELECT * FROM tasks WHERE done IS NULL")) == 2


def test_a_changed_domain_gets_new_views_and_indexes_on_the_old_records(
    open_store: Callable[..., SqliteStore],
) -> None:
    store = open_store()
    others = [Key("projects", f"01930000-0000-7000-9000-{n:012}") for n in range(40)]
    pull(
        store,
        wire(PROJECT, project("home", note="Đà Nẵng"), version=1),
        *(wire(key, project("other"), version=1) for key in others),
    )
    store.close()

    class NewProject(msgspec.Struct):
        name: str
        note: str = ""
        colour: str = "red"

    changed = Collection(
        name="projects", body_type=NewProject, indexes=("note",), search_fields=("note",)
    )
    store = open_store(registry=Registry((changed, TASKS, LETTERS)))
    assert rows(store, "SELECT note, colour FROM projects WHERE note IS NOT NULL") == [
        {"note": "Đà Nẵng", "colour": None}
    ]
    assert "field:projects.note" in plan(store, "SELECT * FROM projects WHERE note = 'x'")
    assert found(store, "da nang") == [PROJECT.id]
    assert found(store, "home") == []
    store.close()
    store = open_store(registry=Registry((PROJECTS, TASKS, LETTERS)))
    assert found(store, "home") == [PROJECT.id]


@pytest.mark.parametrize(
    "typed", ["nguyen", "NGUYỄN", "duc", "đức", "Nguyễn Đức", "ngu du", "  d ", "ha noi duc", "(hà"]
)
def test_a_search_finds_beginnings_of_words_whatever_the_accents(
    store: SqliteStore, typed: str
) -> None:
    save(store, PROJECT, project("Nguyễn Đức", note="Hà Nội"))
    save(store, Key("projects", OTHER_TASK.id), project("Smith"))
    assert found(store, typed) == [PROJECT.id]


@pytest.mark.parametrize("typed", ["guyen", "nguyen smith", "x"])
def test_a_search_finds_nothing_else(store: SqliteStore, typed: str) -> None:
    save(store, PROJECT, project("Nguyễn Đức"))
    assert found(store, typed) == []


@pytest.mark.parametrize("typed", ["", "  ", '"', "*", "-", "' --", "()"])
def test_nothing_typed_is_no_query(typed: str) -> None:
    assert search_query(typed) == ""


@pytest.mark.parametrize("typed", ['a" OR "b', "a AND b", "NEAR(a b)", "text:a", "a*b", "a-b"])
def test_what_a_person_types_is_never_search_syntax(store: SqliteStore, typed: str) -> None:
    save(store, PROJECT, project("something else"))
    assert found(store, typed) == []


def test_the_search_follows_every_change_of_what_is_shown(store: SqliteStore) -> None:
    save(store, PROJECT, project("first"))
    save(store, PROJECT, project("second"))
    assert (found(store, "first"), found(store, "second")) == ([], [PROJECT.id])
    accept(store, seal_one(store))
    assert found(store, "second") == [PROJECT.id]
    pull(store, wire(PROJECT, project("third"), version=2))
    assert (found(store, "second"), found(store, "third")) == ([], [PROJECT.id])
    pull(store, wire(PROJECT, None, version=3))
    assert found(store, "third") == []
    pull(store, wire(PROJECT, project("fourth"), version=4))
    assert found(store, "fourth") == [PROJECT.id]


def test_a_created_and_deleted_record_leaves_the_search(store: SqliteStore) -> None:
    person = Collection(name="projects", body_type=PROJECTS.body_type, search_fields=("name",))
    store._registry = Registry((person, TASKS, LETTERS))
    save(store, PROJECT, project("gone"))
    save(store, PROJECT, None)
    save(store, Key("projects", OTHER_TASK.id), project("other"))
    assert found(store, "gone") == []
    assert found(store, "other") == [OTHER_TASK.id]


def test_what_waits_is_counted_without_reading_what_does_not(store: SqliteStore) -> None:
    for query in (
        "SELECT state, count(*) FROM records WHERE state <> 'on_server' GROUP BY state",
        "SELECT 1 FROM records WHERE state <> 'on_server' LIMIT 1",
    ):
        assert plan(store, query) == "SCAN records USING COVERING INDEX records_waiting"


def test_no_statement_of_a_sync_reads_all_records(store: SqliteStore) -> None:
    from physioflow_sync.adapters.sqlite import bulk, local_records, queue

    constants = {
        f"{module.__name__}.{name}": value
        for module in (bulk, local_records, queue)
        for name, value in vars(module).items()
        if isinstance(value, str) and name.startswith("_") and name.isupper()
    }
    assert len(constants) > 20
    for name, statement in constants.items():
        with store.reader() as connection:
            parameters = (None,) * statement.count("?")
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for step in steps.mappings():
                detail = step["detail"]
                is_scan = detail.startswith(("SCAN records", "SCAN r ", "SCAN server_versions"))
                is_partial = "records_waiting" in detail or "records_travelling" in detail
                assert not is_scan or is_partial, (name, detail)


def test_a_field_named_like_a_word_of_sql_is_a_field(
    open_store: Callable[..., SqliteStore],
) -> None:
    class Odd(msgspec.Struct, rename={"order": "order", "quoted": "it's"}):
        order: int = 0
        quoted: str = ""

    odd = Collection(name="group", body_type=Odd, indexes=("order", "it's"))
    store = open_store(registry=Registry((odd,)))
    save(store, Key("group", LETTER.id), b'{"order": 3, "it\'s": "x"}')
    pull(store)
    assert rows(store, 'SELECT "order", "it\'s" FROM "group"') == [{"order": 3, "it's": "x"}]
