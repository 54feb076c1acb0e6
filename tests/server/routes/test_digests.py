"""Digests and buckets, over HTTP, in this process."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp

from physioflow_sync.core.digest import BUCKETS, bucket_of, digests
from physioflow_sync.core.protocol import BUCKET_PATH, DIGEST_PATH, Bucket, Digest
from tests.world.small_clinic import Clinic, new_id, person, put

Client = TestClient[ASGIApp]


@pytest.fixture(autouse=True)
def signed_in(sign_in: Callable[..., dict[str, object]]) -> None:
    sign_in()


def test_what_is_summed_up_can_be_fetched(http: Client, clinic: Clinic) -> None:
    id_ = new_id()
    clinic.push(put(id_, person("Mai")))
    digest = msgspec.json.decode(http.get(DIGEST_PATH).content, type=Digest)
    assert digest.collections == digests([("people", id_, 1)])
    params = {"collection": "people", "bucket": str(bucket_of(id_))}
    bucket = msgspec.json.decode(http.get(BUCKET_PATH, params=params).content, type=Bucket)
    assert [record.id for record in bucket.records] == [id_]
    assert (bucket.cursor, bucket.has_more) == (digest.cursor, False)
    after = http.get(BUCKET_PATH, params=params | {"after": id_})
    assert msgspec.json.decode(after.content, type=Bucket).records == []


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"collection": "people"}, 400),
        ({"bucket": "0"}, 400),
        ({"collection": "people", "bucket": "-1"}, 400),
        ({"collection": "people", "bucket": str(BUCKETS)}, 400),
        ({"collection": "people", "bucket": "0", "after": "x" * 65}, 400),
        ({"collection": "pets", "bucket": "0"}, 404),
    ],
)
def test_a_bucket_that_is_none_is_refused(
    http: Client, params: dict[str, str], status: int
) -> None:
    assert http.get(BUCKET_PATH, params=params).status_code == status


def test_a_stranger_learns_nothing(http: Client) -> None:
    del http.headers["Authorization"]
    params = {"collection": "people", "bucket": "0"}
    for answer in (http.get(DIGEST_PATH), http.get(BUCKET_PATH, params=params)):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
