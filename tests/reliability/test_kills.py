"""`kill -9` at random moments, of real programs: nothing acknowledged is lost."""

import sys
from pathlib import Path

import pytest

from tests.reliability import kills, server_kills
from tests.reliability.report import Counter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is neither fork nor SIGKILL"),
]

CLIENT_KILLS = 15
SERVER_KILLS = 4


@pytest.mark.parametrize("chunk", range(2))
def test_a_killed_laptop_keeps_every_acknowledged_save_and_sends_it_once(
    chunk: int, tmp_path: Path
) -> None:
    count = Counter("kills of the client", replay="")
    kills.run(kills=CLIENT_KILLS, seed=1 + chunk, folder=tmp_path, count=count)
    print(count.facts())
    assert count.done == CLIENT_KILLS
    assert count.acknowledged
    assert count.stories == []


def test_a_killed_server_keeps_every_acknowledged_version_and_takes_none_twice(
    tmp_path: Path,
) -> None:
    count = Counter("kills of the server", replay="")
    server_kills.run(kills=SERVER_KILLS, seed=1, folder=tmp_path, count=count)
    print(count.facts())
    assert count.done == SERVER_KILLS
    assert count.acknowledged
    assert count.stories == []
