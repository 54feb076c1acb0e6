"""Taking an automatic merge back: only what it brought in, and only if that still stands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key, same_body
from physioflow_sync.core.merge import Conflict, Merged, merge
from physioflow_sync.core.undo import MergeMade, body_without
from physioflow_sync.testing.tasks import TASKS, task

KEY = Key("tasks", "t1")


def made(*, base: bytes, mine: bytes, theirs: bytes, result: bytes | None) -> MergeMade:
    return MergeMade(
        id=1, key=KEY, base=base, mine=mine, theirs=theirs, result=result, happened_at="t"
    )


MERGE = made(
    base=task("base", note="base"),
    mine=task("mine", note="base"),
    theirs=task("base", note="theirs"),
    result=task("mine", note="theirs"),
)


def test_without_a_merge_the_record_says_what_the_server_said() -> None:
    left = body_without(TASKS, MERGE, MERGE.result)
    assert left == Merged(body=MERGE.theirs, taken={})


def test_what_was_changed_since_stays() -> None:
    left = body_without(TASKS, MERGE, task("mine", note="later"))
    assert isinstance(left, Merged)
    assert same_body(left.body, task("base", note="later"))


def test_what_was_changed_again_is_a_conflict() -> None:
    assert isinstance(body_without(TASKS, MERGE, task("later", note="theirs")), Conflict)
    assert isinstance(body_without(TASKS, MERGE, None), Conflict)


TITLES = st.sampled_from(["a", "b", "c"])
BODIES = st.builds(task, TITLES, note=TITLES)


@settings(max_examples=60)
@given(base=BODIES, mine=BODIES, theirs=BODIES)
def test_any_merge_can_be_taken_back_at_once(base: bytes, mine: bytes, theirs: bytes) -> None:
    merged = merge(TASKS, base=base, mine=mine, theirs=theirs)
    if isinstance(merged, Merged):
        left = body_without(
            TASKS, made(base=base, mine=mine, theirs=theirs, result=merged.body), merged.body
        )
        assert isinstance(left, Merged)
        assert same_body(left.body, theirs)
