"""Heads are logged often enough to be of use, and seldom enough to cost nothing."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from physioflow_server.services.heads import Head, heads_in
from physioflow_server.telemetry.head_log import SECONDS_A_LINE, SEQS_A_LINE, HeadLog


@dataclass(slots=True)
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def head(seq: int, *, clinic: str = "a", epoch: str = "e") -> Head:
    return Head(clinic_id=clinic, epoch=epoch, seq=seq, chain_hash=seq.to_bytes(32))


def logged(log: io.StringIO) -> list[Head]:
    return list(heads_in(log.getvalue().splitlines()))


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def heads(log: io.StringIO, seconds: Seconds) -> HeadLog:
    return HeadLog(monotonic=seconds)


def test_what_is_logged_is_read_again_as_it_was(heads: HeadLog, log: io.StringIO) -> None:
    heads.begin([head(7), head(8, clinic="b")])
    assert logged(log) == [head(7), head(8, clinic="b")]


def test_a_head_is_logged_every_so_many_versions(heads: HeadLog, log: io.StringIO) -> None:
    heads.begin([head(7)])
    for seq in range(8, 8 + 3 * SEQS_A_LINE):
        heads.note(head(seq))
    assert [known.seq for known in logged(log)] == [7 + n * SEQS_A_LINE for n in range(4)]


def test_a_head_is_logged_after_a_time(heads: HeadLog, log: io.StringIO, seconds: Seconds) -> None:
    heads.begin([head(7)])
    seconds.now = SECONDS_A_LINE - 1
    heads.note(head(8))
    assert len(logged(log)) == 1
    seconds.now = SECONDS_A_LINE
    heads.note(head(9))
    assert logged(log) == [head(7), head(9)]


def test_the_last_heads_are_logged_at_the_end(heads: HeadLog, log: io.StringIO) -> None:
    heads.begin([head(7), head(1, clinic="b")])
    heads.note(head(9))
    heads.note(head(8))
    heads.end()
    assert logged(log) == [head(7), head(1, clinic="b"), head(9)]


def test_a_new_clinic_and_a_new_timeline_are_logged_at_once(
    heads: HeadLog, log: io.StringIO
) -> None:
    heads.note(head(1))
    heads.note(head(1, epoch="f"))
    heads.note(head(2, epoch="f"))
    assert logged(log) == [head(1), head(1, epoch="f")]
