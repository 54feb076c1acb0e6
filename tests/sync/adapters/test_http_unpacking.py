"""Compressed answers: unpacked as they were, and never beyond the bound."""

import gzip
import resource
import sys

import httpx
import pytest
import zstandard

from physioflow_sync.adapters.http_exchange import MAX_ANSWER_BYTES
from physioflow_sync.adapters.http_unpacking import unpacked
from physioflow_sync.core.errors import FailureKind, TransportFailure
from tests.world.scripted_network import JSON, Laptop

MIB = 1024 * 1024
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def zstd_bomb(mebibytes: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join([packer.compress(bytes(MIB)) for _ in range(mebibytes)]) + packer.flush()


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (b"words", ""),
        (b"words", "identity"),
        (gzip.compress(b"words"), "gzip"),
        (zstandard.compress(b"words"), "zstd"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(b"words"), " ZSTD"),
    ],
)
def test_an_answer_is_what_was_packed(packed: bytes, encoding: str) -> None:
    assert unpacked(packed, encoding, max_bytes=5) == b"words"


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [(gzip.compress(bytes(9)), "gzip"), (zstandard.compress(bytes(9)), "zstd")],
)
def test_of_a_larger_answer_one_byte_too_many_is_enough(packed: bytes, encoding: str) -> None:
    assert len(unpacked(packed, encoding, max_bytes=5)) == 6


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br"])
def test_what_cannot_be_unpacked_is_the_servers_fault(encoding: str) -> None:
    with pytest.raises(TransportFailure) as failed:
        unpacked(b"no such thing", encoding, max_bytes=5)
    assert failed.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.slow
def test_a_small_answer_cannot_fill_the_memory() -> None:
    bomb = zstd_bomb(1_500)
    assert len(bomb) < MIB
    headers = {**JSON, "content-encoding": "zstd"}
    laptop = Laptop(httpx.Response(200, headers=headers, stream=httpx.ByteStream(bomb)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert laptop.failure().kind is FailureKind.SERVER_ERROR
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * RSS_UNIT < 4 * MAX_ANSWER_BYTES
