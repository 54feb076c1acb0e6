"""Each store keeps every law of the port."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.ports import Store
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.store_contract import StoreContract
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice


class TestEncryptedStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        path = tmp_path / "laptop.db"
        ids = SeededDice().new_id
        store = SqliteStore(path, key=os.urandom(32), registry=REGISTRY, ids=ids)
        yield store
        store.close()


class TestPlainStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        ids = SeededDice().new_id
        store = SqliteStore(tmp_path / "laptop.db", key=None, registry=REGISTRY, ids=ids)
        yield store
        store.close()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore(registry=REGISTRY, ids=SeededDice().new_id)
