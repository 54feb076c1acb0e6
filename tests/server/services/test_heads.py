"""Known heads: where they are read from, whose they are, and what they bind."""

from __future__ import annotations

import random

import msgspec
import pytest

from physioflow_server.database.audit_rows import EpochRow
from physioflow_server.database.record_rows import read_clinic
from physioflow_server.services.audit import FindingKind
from physioflow_server.services.audit_reading import Audit
from physioflow_server.services.cursor import Cursor, cursor_text
from physioflow_server.services.heads import Head, heads_in, judge, sort_heads
from physioflow_server.services.history import GENESIS
from physioflow_server.services.timeline import Timelines, common_seq
from physioflow_server.services.write_path import WritePath
from tests.world.honest_work import HonestWork
from tests.world.small_clinic import DOMAIN, Clinic, new_id, person, put

HASH = bytes(range(32))


def head(epoch: str, seq: int, clinic_id: str | None = None) -> Head:
    return Head(clinic_id=clinic_id, epoch=epoch, seq=seq, chain_hash=HASH)


def line(**changed: object) -> str:
    known: dict[str, object] = {
        "event": "audit.head",
        "level": "info",
        "clinic_id": "c",
        "epoch": "e",
        "seq": 3,
        "chain_hash": HASH.hex(),
    }
    return msgspec.json.encode(known | changed).decode()


def lineage(*forks: int) -> list[EpochRow]:
    return [
        EpochRow(number=number, epoch=f"e{number}", forked_at=forked_at, began_at="")
        for number, forked_at in enumerate(forks, start=1)
    ]


def test_heads_are_read_from_log_lines_and_from_cursors_alone() -> None:
    lines = [
        line(),
        "Mar 01 10:00:00 host physioflow[7]: " + line(seq=4) + "\n",
        cursor_text(Cursor("e", 5, HASH, b"", 0)) + "\n",
        "",
        "server.listening",
        line(event="request", path="audit.head"),
        line(chain_hash="xyz"),
        line(chain_hash="00"),
        line(seq=-1),
        line(seq="3"),
        "audit.head {",
        cursor_text(Cursor("e", 5, b"short", b"", 0)),
    ]
    assert list(heads_in(lines)) == [head("e", 3, "c"), head("e", 4, "c"), head("e", 5)]


def test_a_head_binds_up_to_where_a_later_timeline_forked_off() -> None:
    known = lineage(0, 5, 12, 12)
    judged = judge(
        [
            *(head("e1", 5), head("e1", 6)),
            *(head("e2", 12), head("e2", 13)),
            *(head("e3", 12), head("e3", 13)),
            *(head("e4", 12), head("e4", 99)),
        ],
        known,
    )
    assert sorted(judged.binding) == [5, 12, 99]
    assert [(lost.epoch, lost.seq) for lost in judged.lost] == [("e1", 6), ("e2", 13), ("e3", 13)]


def test_an_earlier_fork_counts_where_a_restore_went_back_behind_it() -> None:
    judged = judge([head("e1", 4), head("e1", 5), head("e2", 4)], lineage(0, 7, 4))
    assert sorted(judged.binding) == [4]
    assert [(lost.epoch, lost.seq) for lost in judged.lost] == [("e1", 5)]


def test_an_unknown_timeline_proves_tampering_only_where_there_was_no_restore() -> None:
    never, once = judge([head("x", 3)], lineage(0)), judge([head("x", 3)], lineage(0, 5))
    assert (len(never.unknown), len(never.lost)) == (1, 0)
    assert (len(once.unknown), len(once.lost)) == (0, 1)


def test_the_rule_is_the_one_that_laptops_are_told(clinic: Clinic) -> None:
    dice = random.Random(5)
    work = HonestWork(clinic, dice)
    timelines = Timelines(database=clinic.database, clock=clinic.clock)
    with clinic.owner.reading() as connection:
        names = [read_clinic(connection, clinic.id).epoch]
    for _ in range(5):
        work.work(dice.randint(0, 3), epochs=False)
        names.append(timelines.begin_epoch(clinic.id))
    work.work(3, epochs=False)
    with clinic.owner.reading() as connection:
        present = read_clinic(connection, clinic.id)
        rows = Audit(database=clinic.database)
        for name in names:
            common = common_seq(connection, present, name)
            if name == names[-1]:
                assert common is None
                continue
            assert common is not None
            for seq, is_binding in ((common, True), (common + 1, False)):
                report = rows.verify(clinic.id, heads=[head(name, seq, clinic.id)])
                assert (report.lost_heads == ()) == is_binding
                assert (FindingKind.HEAD_REWRITTEN in report.counts) == is_binding


def test_the_head_before_any_version_is_the_same_for_all(clinic: Clinic) -> None:
    (first,) = Audit(database=clinic.database).heads()
    assert (first.seq, first.chain_hash) == (0, GENESIS)
    clinic.push(put(new_id(), person("Mai")))
    audit = Audit(database=clinic.database)
    assert audit.verify(clinic.id, heads=[first]).confirmed_heads == 1
    forged = head(first.epoch, 0)
    assert audit.verify(clinic.id, heads=[forged]).counts == {FindingKind.HEAD_REWRITTEN: 1}


def test_two_heads_of_one_place_cannot_both_be_right(clinic: Clinic) -> None:
    clinic.push(put(new_id(), person("Mai")))
    audit = Audit(database=clinic.database)
    (known,) = audit.heads()
    report = audit.verify(clinic.id, heads=[known, head(known.epoch, 1)])
    assert (report.confirmed_heads, report.counts) == (1, {FindingKind.HEAD_REWRITTEN: 1})


def test_a_renamed_timeline_does_not_hide_what_was_cut_off(clinic: Clinic) -> None:
    clinic.push(put(new_id(), person("Mai")))
    report = Audit(database=clinic.database).verify(clinic.id, heads=[head("another", 9)])
    assert report.counts == {FindingKind.EPOCH_UNKNOWN: 1}


@pytest.mark.parametrize(
    ("chosen", "ours", "theirs", "strays"),
    [(None, 2, 2, 2), ("ours", 3, 2, 0)],
)
def test_a_head_goes_to_the_clinic_that_it_speaks_of(
    chosen: str | None, ours: int, theirs: int, strays: int
) -> None:
    heads = [
        *(head("e1", 1, "ours"), head("e1", 2)),
        *(head("e2", 1, "theirs"), head("e2", 2)),
        *(head("e9", 1, "removed"), head("e9", 2)),
    ]
    found = sort_heads(heads, {"ours": ["e1"], "theirs": ["e2"]}, chosen=chosen)
    assert {id_: len(some) for id_, some in found.by_clinic.items()} == {
        "ours": ours,
        "theirs": theirs,
    }
    assert len(found.strays) == strays


def test_a_cursor_of_nobodys_timeline_is_the_only_clinics() -> None:
    found = sort_heads([head("e9", 1)], {"ours": ["e1"]})
    assert (len(found.by_clinic["ours"]), found.strays) == (1, ())


def test_after_the_commit_the_head_is_told_to_who_keeps_it(clinic: Clinic) -> None:
    told: list[Head] = []

    class Keeper:
        def note(self, head: Head) -> None:
            assert Audit(database=clinic.database).heads() == [head], "it is committed"
            told.append(head)

    path = WritePath(database=clinic.database, domain=DOMAIN, clock=clinic.clock, heads=Keeper())
    id_ = new_id()
    for operations in ([put(id_, person("Mai")), put(new_id(), person("Lan"))], [], [put(id_, {})]):
        path.push(operations, epoch=None, identity=clinic.user)
    assert [(known.clinic_id, known.seq) for known in told] == [(clinic.id, 2)]
