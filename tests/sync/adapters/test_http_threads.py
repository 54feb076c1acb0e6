"""Several laptops in one process, each on a thread of its own."""

import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import zstandard

from physioflow_sync.core.protocol import PushRequest, PushResponse, ServerInfo
from physioflow_sync.testing.operations import operation
from physioflow_sync.testing.steps import TASK
from physioflow_sync.testing.tasks import task
from tests.world.scripted_network import JSON, Laptop, health

LAPTOPS = 6
PUSHES = 100


def push_often() -> list[httpx.Request]:
    told = ServerInfo(
        server_version="2.1.0",
        protocols=[1, 2],
        minimum_client_version="0.1.0",
        capabilities=["push", "zstd"],
    )
    answer = msgspec.json.encode(PushResponse(results=[], epoch="e", server_time=""))
    laptop = Laptop(
        health,
        httpx.Response(200, headers=JSON, content=msgspec.json.encode(told)),
        *(httpx.Response(200, headers=JSON, content=answer) for _ in range(PUSHES)),
    )
    laptop.transport.probe()
    # Noise takes the compressor long enough for the others to come in between.
    ops = [operation(1, TASK, task(note=os.urandom(20_000).hex()))]
    for _ in range(PUSHES):
        laptop.transport.push(PushRequest(protocol=2, ops=ops))
    return laptop.network.requests[-PUSHES:]


def test_laptops_on_many_threads_send_what_they_mean() -> None:
    with ThreadPoolExecutor(LAPTOPS) as pool:
        sent = [pool.submit(push_often) for _ in range(LAPTOPS)]
        for requests in sent:
            bodies = {zstandard.decompress(request.content) for request in requests.result()}
            assert len(bodies) == 1
