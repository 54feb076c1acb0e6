"""Failures: which ones the environment is to blame for."""

from physioflow_sync.core.errors import (
    FailureKind,
    FieldError,
    InvalidBody,
    RecordMoved,
    StoreFailure,
    StoreFailureKind,
    TransportFailure,
)


def test_an_answer_about_the_request_never_counts_against_the_environment() -> None:
    about_the_request = {
        FailureKind.SIGNED_OUT,
        FailureKind.FORBIDDEN,
        FailureKind.DEVICE_REVOKED,
        FailureKind.TOO_LARGE,
        FailureKind.UPDATE_REQUIRED,
        FailureKind.GONE,
        FailureKind.BAD_REQUEST,
    }
    assert not any(kind.is_environment or kind.is_transient for kind in about_the_request)


def test_a_plain_500_is_not_sent_again_within_the_request() -> None:
    assert not FailureKind.SERVER_ERROR.is_transient


def test_failures_say_what_they_are_in_words() -> None:
    assert str(TransportFailure(FailureKind.PORTAL, "HTML")) == "portal: HTML"
    assert str(TransportFailure(FailureKind.PORTAL)) == "portal"
    assert str(StoreFailure(StoreFailureKind.FULL)) == "full"
    assert str(StoreFailure(StoreFailureKind.FULL, "no room")) == "full: no room"
    errors = [FieldError(field="", reason="is wrong"), FieldError(field="a", reason="is odd")]
    assert str(InvalidBody("tasks", errors)) == "tasks: body: is wrong; a: is odd"
    assert str(RecordMoved("tasks", "t1")) == "tasks t1 has changed meanwhile"


def test_a_gone_answer_says_up_to_where_both_timelines_agree() -> None:
    failure = TransportFailure(FailureKind.GONE, code="epoch_changed", common_seq=7)
    assert (failure.code, failure.common_seq) == ("epoch_changed", 7)
    assert TransportFailure(FailureKind.GONE).common_seq is None
