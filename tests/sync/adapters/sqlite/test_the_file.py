"""The file itself: closed to others, whole after a crash, refused where it is not safe."""

import os
import sqlite3
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest
import sqlcipher3.dbapi2

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.sqlite.connection import refuse_unsafe_sqlite
from physioflow_sync.adapters.sqlite.statements import fetch, run
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.testing.steps import OTHER_TASK, PROJECT, TASK, save, seal_one
from physioflow_sync.testing.tasks import REGISTRY, project, task
from physioflow_sync.testing.world import SeededDice

CANARY = "Kanarienvogel Đặng"


def plain_connection(path: Path, key: bytes) -> sqlcipher3.dbapi2.Connection:
    connection = sqlcipher3.dbapi2.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return connection


def test_nothing_of_a_record_stands_readable_in_any_file_of_the_folder(
    store: SqliteStore, path: Path
) -> None:
    save(store, PROJECT, project(CANARY))
    save(store, TASK, task(CANARY))
    store.set_value("draft", CANARY.encode())
    names = {file.name for file in path.parent.iterdir()}
    assert {"laptop.db", "laptop.db-wal", "laptop.db-shm"} == names
    for file in path.parent.iterdir():
        content = file.read_bytes()
        for secret in (CANARY, "Kanarienvogel", "title"):
            assert secret.encode() not in content, file.name
    assert path.read_bytes()[:16] != b"SQLite format 3\0"


def test_the_same_folder_without_a_key_would_be_readable(
    open_store: Callable[..., SqliteStore], path: Path
) -> None:
    # Shows that the search above can find something.
    store = open_store(key=None)
    save(store, PROJECT, project(CANARY))
    store.close()
    assert path.read_bytes()[:16] == b"SQLite format 3\0"
    assert CANARY.encode() in path.read_bytes()


def test_the_file_is_its_owners_alone(store: SqliteStore, path: Path) -> None:
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("wrong", [None, bytes(32)])
def test_a_wrong_key_opens_nothing_and_is_not_quoted(
    open_store: Callable[..., SqliteStore], key: bytes, wrong: bytes | None
) -> None:
    open_store().close()
    with pytest.raises(StoreFailure) as caught:
        open_store(key=wrong)
    assert caught.value.kind is StoreFailureKind.WRONG_KEY
    assert bytes(32).hex() not in "".join(traceback.format_exception(caught.value))
    open_store(key=key)


def test_a_sqlite_that_cannot_encrypt_is_never_given_records(path: Path, key: bytes) -> None:
    path.parent.mkdir()
    names = {**vars(sqlite3.dbapi2), "sqlite_version_info": (3, 51, 3)}
    module = cast("ModuleType", SimpleNamespace(**names))
    with pytest.raises(StoreFailure) as caught:
        SqliteStore(path, key=key, registry=REGISTRY, ids=SeededDice().new_id, module=module)
    assert caught.value.kind is StoreFailureKind.UNSAFE_SQLITE


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_a_sqlite_that_can_damage_the_file_is_refused(
    version: tuple[int, int, int], is_safe: bool
) -> None:
    module = cast("ModuleType", SimpleNamespace(sqlite_version_info=version))
    if is_safe:
        refuse_unsafe_sqlite(module)
        return
    with pytest.raises(StoreFailure) as caught:
        refuse_unsafe_sqlite(module)
    assert caught.value.kind is StoreFailureKind.UNSAFE_SQLITE


def test_what_a_newer_build_wrote_is_left_alone(
    open_store: Callable[..., SqliteStore], path: Path, key: bytes
) -> None:
    open_store().close()
    connection = plain_connection(path, key)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StoreFailure) as caught:
        open_store()
    assert caught.value.kind is StoreFailureKind.TOO_NEW


def test_the_writer_is_durable_and_the_readers_cannot_write(store: SqliteStore) -> None:
    with store._writes.one() as writer:
        for name, value in [
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("temp_store", 2),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("cache_size", -65_536),
            ("busy_timeout", 5_000),
        ]:
            found = fetch(writer, f"PRAGMA {name}")
            assert found == [(value,)], name
        # An encrypted file knows no such setting.
        assert fetch(writer, "PRAGMA mmap_size") in ([], [(0,)])
    with store.reader() as reader:
        assert reader.exec_driver_sql("PRAGMA query_only").scalar_one() == 1


def test_a_full_disk_is_said_in_a_word_and_nothing_is_half_written(store: SqliteStore) -> None:
    save(store, TASK, task("before"))
    with store._writes.one() as writer:
        ((pages,),) = fetch(writer, "PRAGMA page_count")
        run(writer, f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreFailure) as caught:
        save(store, OTHER_TASK, task("x" * 100_000))
    assert caught.value.kind is StoreFailureKind.FULL
    assert store.record(TASK).body == task("before")
    assert not store.record(OTHER_TASK).exists
    with store._writes.one() as writer:
        run(writer, "PRAGMA max_page_count = 1000000")
    save(store, OTHER_TASK, task("x" * 100_000))
    assert store.counts().unsent == 2


def test_a_file_that_another_program_holds_is_locked(
    store: SqliteStore, path: Path, key: bytes
) -> None:
    with store._writes.one() as writer:
        run(writer, "PRAGMA busy_timeout = 1")
    other = plain_connection(path, key)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailure) as caught:
        save(store, TASK, task())
    assert caught.value.kind is StoreFailureKind.LOCKED
    other.execute("ROLLBACK")
    other.close()
    save(store, TASK, task())
    assert store.record(TASK).exists


def test_a_failure_quotes_no_record(store: SqliteStore) -> None:
    with store._writes.one() as writer:
        ((pages,),) = fetch(writer, "PRAGMA page_count")
        run(writer, f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFailure) as caught:
        save(store, TASK, task(CANARY, note="x" * 100_000))
    assert "Kanarienvogel" not in "".join(traceback.format_exception(caught.value))


def test_flipped_bytes_are_found_where_they_are_read(
    open_store: Callable[..., SqliteStore], path: Path
) -> None:
    store = open_store()
    save(store, TASK, task("x" * 200_000))
    store.close()
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 2, len(content), 512):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StoreFailure) as caught:
        open_store().record(TASK)
    assert caught.value.kind is StoreFailureKind.DAMAGED


def test_everything_outlives_the_program(open_store: Callable[..., SqliteStore]) -> None:
    store = open_store()
    save(store, TASK, task())
    operation = seal_one(store)
    store.set_value("token", b"secret")
    before = store.record(TASK)
    store.close()
    again = open_store()
    assert again.record(TASK) == before
    assert again.record(TASK).state is RecordState.SENDING
    assert seal_one(again) == operation
    assert again.value("token") == b"secret"
    again.set_value("token", None)
    assert again.value("token") is None


@pytest.mark.slow
def test_what_was_saved_before_a_kill_is_there_after_it(
    open_store: Callable[..., SqliteStore], path: Path, key: bytes
) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from physioflow_sync.adapters.sqlite import SqliteStore, deciding
        from physioflow_sync.ports import Edit
        from physioflow_sync.testing.steps import OTHER_TASK, TASK, save
        from physioflow_sync.testing.tasks import REGISTRY, task
        from physioflow_sync.testing.world import SeededDice

        store = SqliteStore(
            Path(sys.argv[1]), key=bytes.fromhex(os.environ["TEST_KEY"]),
            registry=REGISTRY, ids=SeededDice(1).new_id,
        )
        save(store, TASK, task("kept"))
        with store._writes.one() as connection:
            half = Edit(key=OTHER_TASK, body=task("half"))
            deciding.save(store._work, connection, [half], at="2026-11-24")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "TEST_KEY": key.hex()},
        check=False,
        timeout=60,
    )
    assert ended.returncode == -9
    store = open_store()
    assert store.record(TASK).body == task("kept")
    assert not store.record(OTHER_TASK).exists
    with store.reader() as reader:
        assert reader.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert seal_one(store).record_id == TASK.id
