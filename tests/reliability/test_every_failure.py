"""Whatever operation fails, and in whatever way: the next sync comes to the same end."""

import pytest

from tests.reliability.every_failure import FAILURES, run
from tests.reliability.report import Counter
from tests.reliability.sync_path import SyncPath
from tests.reliability.sync_paths import SYNC_PATHS

pytestmark = pytest.mark.slow

# The others take the same ways out of a transaction, and are left to the long run: a full
# disk and an I/O error roll back by themselves, and files fail below the statements.
SHORT = [
    failure
    for failure in FAILURES
    if failure.name in {"locked", "death before", "death after a commit"}
]


@pytest.mark.parametrize("path", SYNC_PATHS, ids=lambda path: path.name)
def test_after_any_failure_the_next_sync_comes_to_the_same_end(path: SyncPath) -> None:
    count = run([path], SHORT, Counter("every failure", replay=""))
    print(count.facts())
    assert count.done > 2 * len(SHORT)
    assert count.stories == []
