import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.collections import Registry
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice

OpenStore = Callable[..., SqliteStore]


@pytest.fixture
def key() -> bytes:
    return os.urandom(32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "laptop.db"


@pytest.fixture
def open_store(path: Path, key: bytes) -> Iterator[OpenStore]:
    """Opens the same file again and again, as a program that is started again."""
    path.parent.mkdir()
    dice = SeededDice()
    stores: list[SqliteStore] = []

    def open_it(*, key: bytes | None = key, registry: Registry = REGISTRY) -> SqliteStore:
        store = SqliteStore(path, key=key, registry=registry, ids=dice.new_id)
        stores.append(store)
        return store

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> SqliteStore:
    return open_store()
