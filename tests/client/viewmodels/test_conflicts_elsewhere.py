"""A conflict that another laptop met is shown with its people, and decided here."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.queries.sync_centre import Elsewhere
from physioflow_client.viewmodels.conflict import ConflictModel
from physioflow_client.viewmodels.conflict_of_record import Author, elsewhere_snapshot
from physioflow_client.viewmodels.conflict_rows import Choice
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_client.viewmodels.conflicts import OpenConflicts
from physioflow_client.viewmodels.presenting import CLINICAL
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.core.travelling import ConflictElsewhere
from tests.world.treatment_room import NOW, TreatmentRoom

KEY = Key("patients", "p")
ME = Author("Dr Lee", "Room 1")


def body(**fields: object) -> bytes:
    return msgspec.json.encode({"legal_name": "Dorothy Quinn", "phone": "1", "notes": ""} | fields)


def snapshot(
    *,
    met_by: tuple[str, str],
    written_by: tuple[str, str],
    mine: bytes | None,
    theirs: bytes | None,
) -> ConflictSnapshot:
    conflict = ConflictElsewhere(
        id="c",
        version=1,
        key=KEY,
        base_body=body(),
        mine=mine,
        theirs=None,
        mine_at="2026-11-24T15:12:00+00:00",
        schema=1,
        author=met_by[0],
        device=met_by[1],
    )
    server = Version(
        version=2,
        seq=2,
        schema=1,
        body=theirs,
        author=written_by[0],
        device=written_by[1],
        recorded_at="2026-11-24T15:20:00+00:00",
    )
    return elsewhere_snapshot(
        Elsewhere(conflict=conflict, record=LocalRecord(key=KEY, server=server)),
        REGISTRY["patients"],
        person=None,
        me=ME,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("met_by", "written_by", "called"),
    [
        (("Dr Patel", "Room 3"), ("Mai", "Front Desk"), ("Dr Patel's", "Mai's")),
        (("Dr Patel", "Room 3"), ("Dr Lee", "Room 1"), ("Dr Patel's", "yours")),
        (("Dr Lee", "Room 2"), ("Dr Patel", "Room 3"), ("yours", "Dr Patel's")),
        (("Dr Patel", "Room 3"), ("Dr Patel", "Home"), ("the laptop's", "the server's")),
        (("", ""), ("Dr Patel", "Home"), ("the laptop's", "Dr Patel's")),
    ],
)
def test_each_version_is_called_by_whoever_wrote_it(
    met_by: tuple[str, str], written_by: tuple[str, str], called: tuple[str, str]
) -> None:
    shown = snapshot(
        met_by=met_by, written_by=written_by, mine=body(phone="2"), theirs=body(phone="3")
    )
    assert (shown.mine.whose, shown.theirs.whose) == called
    assert [shown.mine.is_me, shown.theirs.is_me] == [who == "yours" for who in called]
    model = ConflictModel(shown, REGISTRY["patients"], CLINICAL)
    (row,) = model.rows
    one, other = called
    assert model.summary(row) == f"Phone: {one} 2, {other} 3, not chosen"
    model.choose(0, Choice.MINE)
    assert model.effect_words() == f"Save: 1 {one}"


def test_where_it_was_met_is_said_below_the_title() -> None:
    shown = snapshot(
        met_by=("Dr Patel", "Room 3"),
        written_by=("Mai", ""),
        mine=body(phone="2"),
        theirs=body(phone="3"),
    )
    assert shown.subtitle.endswith("Met on the laptop “Room 3”, where it is open as well.")
    assert (shown.person, shown.is_elsewhere, shown.theirs_version) == ("Dorothy Quinn", True, 2)


def test_where_both_have_come_to_delete_it_there_is_nothing_to_choose() -> None:
    shown = snapshot(met_by=("Dr Patel", "Room 3"), written_by=("Mai", ""), mine=None, theirs=None)
    model = ConflictModel(shown, REGISTRY["patients"], CLINICAL)
    assert model.rows == ()
    assert model.can_save
    assert model.resolution().body is None


def two_versions(room: TreatmentRoom, qtbot: QtBot) -> tuple[OpenConflicts, Key, str]:
    """Let Room 3 meet a conflict over Amelia's phone, and look at it here."""
    key = Key("patients", room.amelia)
    was = room.shown(key)
    mine = msgspec.json.encode({**was, "phone": "07700 900123"})
    conflict = room.met_elsewhere(key, base=msgspec.json.encode(was), mine=mine)
    room.edited_elsewhere(key, msgspec.json.encode({**was, "phone": "07700 900456"}))
    found = OpenConflicts(room.records, now=room.now)
    with qtbot.waitSignal(found.read):
        found.load()
    return found, key, conflict


def decision(found: OpenConflicts, choice: Choice) -> Resolution:
    (shown,) = found.snapshots
    model = ConflictModel(shown, REGISTRY[shown.key.collection], CLINICAL)
    model.choose(0, choice)
    return model.resolution()


def test_a_decision_is_an_edit_here_and_the_end_of_the_conflict(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    found, key, conflict = two_versions(room, qtbot)
    assert [each.id for each in found.snapshots] == [conflict]
    assert found.find(conflict) == found.find(key.id) == conflict
    assert found.find("somebody else") is None
    with qtbot.waitSignal(found.stored) as stored:
        found.resolve(conflict, decision(found, Choice.MINE))
    assert stored.args == [True], "it was the last of its kind"
    qtbot.waitUntil(lambda: found.snapshots == ())
    assert room.shown(key)["phone"] == "07700 900123"
    assert room.store.record(key).entries[-1].base_version == 2
    assert room.store.counts().elsewhere == 0


def test_a_record_that_moved_meanwhile_is_listed_again_and_nothing_is_stored(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    found, key, conflict = two_versions(room, qtbot)
    stored: list[bool] = []
    found.stored.connect(stored.append)
    decided = decision(found, Choice.MINE)
    newer = {**room.shown(key), "phone": "07700 900789"}
    room.edited_elsewhere(key, msgspec.json.encode(newer), version=3)
    found.resolve(conflict, decided)
    qtbot.waitUntil(lambda: [each.theirs_version for each in found.snapshots] == [3])
    assert stored == []
    assert room.shown(key)["phone"] == "07700 900789"


def test_what_this_laptop_has_to_say_comes_first(room: TreatmentRoom, qtbot: QtBot) -> None:
    found, key, _ = two_versions(room, qtbot)
    room.edited_here(key, msgspec.json.encode({**room.shown(key), "notes": "n"}))
    qtbot.waitUntil(lambda: found.snapshots == ())


def test_what_goes_elsewhere_goes_here(room: TreatmentRoom, qtbot: QtBot) -> None:
    found, _, _ = two_versions(room, qtbot)
    counts = replace(room.records.status.counts, elsewhere=0)
    with qtbot.waitSignal(found.read):
        room.records.take_status(replace(room.records.status, counts=counts))
