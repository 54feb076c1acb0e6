"""Each store keeps every law of the port."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.collections import Registry
from physioflow_sync.ports import Store
from physioflow_sync.testing.laws_of_reopening import Reopen
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.store_contract import StoreContract
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice


class File:
    """One laptop's file, opened by one program after the other."""

    def __init__(self, path: Path, key: bytes | None) -> None:
        self.path = path
        self.key = key
        self.dice = SeededDice()
        self.store = self.open(REGISTRY)

    def open(self, registry: Registry) -> SqliteStore:
        return SqliteStore(self.path, key=self.key, registry=registry, ids=self.dice.new_id)

    def reopen(self, store: Store, registry: Registry = REGISTRY) -> Store:
        store.close()
        self.store = self.open(registry)
        return self.store


@pytest.fixture
def key() -> bytes | None:
    return None


@pytest.fixture
def file(tmp_path: Path, key: bytes | None) -> Iterator[File]:
    file = File(tmp_path / "laptop.db", key)
    yield file
    file.store.close()


class TestPlainStore(StoreContract):
    @pytest.fixture
    def store(self, file: File) -> Store:
        return file.store

    @pytest.fixture
    def reopen(self, file: File) -> Reopen:
        return file.reopen


class TestEncryptedStore(StoreContract):
    @pytest.fixture
    def key(self) -> bytes:
        return os.urandom(32)

    @pytest.fixture
    def store(self, file: File) -> Store:
        return file.store

    @pytest.fixture
    def reopen(self, file: File) -> Reopen:
        return file.reopen


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore(registry=REGISTRY, ids=SeededDice().new_id)

    @pytest.fixture
    def reopen(self) -> Reopen:
        def reopen(store: Store, registry: Registry = REGISTRY) -> Store:
            assert isinstance(store, MemoryStore)
            return store.reopened(registry)

        return reopen
