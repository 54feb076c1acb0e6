"""The sync centre says why each change waits, and does what a person wants of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.sync_centre import SyncCentreModel, met_words
from physioflow_client.viewmodels.waiting_words import reason_words, waiting_badge
from physioflow_clinical.collections import encode
from physioflow_clinical.episodes import Episode
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus, Verification, Waiting, Why
from tests.world.treatment_room import NOW, TreatmentRoom

PATIENT = Key("patients", "p")
REFUSED = FieldError(field="phone", reason="is not a phone number")
AT = NOW.isoformat()


def listing(room: TreatmentRoom, qtbot: QtBot) -> SyncCentreModel:
    model = SyncCentreModel(room.records, now=room.now)
    with qtbot.waitSignal(model.listed):
        model.list_all()
    return model


def new_patient(room: TreatmentRoom, name: str = "Refused Person") -> Key:
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name=name)))
    return key


def new_episode(room: TreatmentRoom, patient: str) -> Key:
    key = Key("episodes", room.dice.new_id())
    episode = Episode(
        patient=patient, problem="neck pain", region="neck", side=Side.LEFT, opened_on=NOW.date()
    )
    room.edited_here(key, encode(episode))
    return key


def amelias_phone(room: TreatmentRoom, *, here: str, there: str) -> Key:
    """Change Amelia's phone here and her address elsewhere: the rules merge it."""
    key = Key("patients", room.amelia)
    was = room.shown(key)
    room.edited_here(key, msgspec.json.encode({**was, "phone": here}))
    room.edited_elsewhere(key, msgspec.json.encode({**was, "address": there}))
    return key


def test_each_change_is_named_with_its_age_and_why_it_waits(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="n")))
    (row,) = listing(room, qtbot).waiting
    assert (row.title, row.age, row.reason) == (
        "Amelia Novak · NDI",
        "just now",
        "Waits for the connection.",
    )


@pytest.mark.parametrize("connectivity", list(Connectivity))
def test_what_is_queued_has_a_reason_in_every_state_of_the_connection(
    connectivity: Connectivity,
) -> None:
    waiting = Waiting(key=PATIENT, why=Why.QUEUED, since=AT, op_id="o")
    status = SyncStatus(connectivity=connectivity)
    words = reason_words(waiting, status, refused=())
    assert (words == "Next in line.") is connectivity.is_connected
    assert words.endswith(".")


@pytest.mark.parametrize(
    ("waiting", "words", "badge"),
    [
        (
            Waiting(key=PATIENT, why=Why.SENDING, since=AT, op_id="o"),
            "Sent; waiting for the server's answer.",
            "sending",
        ),
        (
            Waiting(key=PATIENT, why=Why.SENDING, since=AT, op_id="parked"),
            "The server failed on it. It stands aside and is tried again later.",
            "stands aside",
        ),
        (
            Waiting(key=PATIENT, why=Why.PARENT, since=AT, parents=(PATIENT,)),
            "Waits until its patient is on the server.",
            "on this laptop only",
        ),
        (
            Waiting(key=PATIENT, why=Why.PARENT, since=AT, parents=(Key("episodes", "e"),)),
            "Waits until its episode is on the server.",
            "on this laptop only",
        ),
        (
            Waiting(key=PATIENT, why=Why.PARENT, since=AT, parents=(Key("patients", "bad"),)),
            "Waits for its patient, whose record needs fixing.",
            "on this laptop only",
        ),
        (
            Waiting(key=PATIENT, why=Why.PARENT, since=AT, parents=(Key("episodes", "bad"),)),
            "Waits for its episode, which needs fixing.",
            "on this laptop only",
        ),
        (
            Waiting(key=PATIENT, why=Why.CONFLICT, since=AT),
            "Two versions: a person decides.",
            "needs your choice",
        ),
        (
            Waiting(key=PATIENT, why=Why.REJECTED, since=AT, code="x", errors=(REFUSED,)),
            "Phone: Is not a phone number.",
            "needs fixing",
        ),
        (
            Waiting(key=PATIENT, why=Why.REJECTED, since=AT, code="forbidden"),
            "You don't have permission to change this.",
            "needs fixing",
        ),
        (
            Waiting(key=PATIENT, why=Why.REJECTED, since=AT, code="not_found"),
            "The server does not have this record any more.",
            "needs fixing",
        ),
        (
            Waiting(key=PATIENT, why=Why.REJECTED, since=AT, code="of a newer server"),
            "The server did not accept it.",
            "needs fixing",
        ),
    ],
)
def test_each_reason_has_its_words_and_its_badge(waiting: Waiting, words: str, badge: str) -> None:
    status = SyncStatus(connectivity=Connectivity.ONLINE, parked=frozenset({"parked"}))
    refused = {Key("patients", "bad"), Key("episodes", "bad")}
    assert reason_words(waiting, status, refused=refused) == words
    assert waiting_badge(waiting, status).text == badge


def test_what_needs_a_person_comes_first(room: TreatmentRoom, qtbot: QtBot) -> None:
    new_patient(room, "Refused Person")
    room.refused([REFUSED])
    patient = new_patient(room, "Waiting Person")
    new_episode(room, patient.id)
    rows = listing(room, qtbot).waiting
    assert [(row.title, row.why) for row in rows] == [
        ("Refused Person · personal details", Why.REJECTED),
        ("Waiting Person · personal details", Why.QUEUED),
        ("Waiting Person · neck pain", Why.PARENT),
    ]


def test_what_goes_with_a_refused_creation_is_named_before_it_goes(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    patient = new_patient(room)
    room.refused([REFUSED])
    episode = new_episode(room, patient.id)
    model = listing(room, qtbot)
    with qtbot.waitSignal(model.discard_named) as named:
        model.ask_discard(patient)
    words = (
        "This record will be lost: it was never on the server."
        " With it go: Refused Person · neck pain. Press again to agree."
    )
    assert named.args == [patient, words]
    assert room.store.record(episode).exists, "nothing has happened yet"
    model.discard(patient)
    qtbot.waitUntil(lambda: model.waiting == ())
    assert not room.store.record(patient).exists
    assert not room.store.record(episode).exists


def test_a_refused_edit_leaves_the_servers_version(room: TreatmentRoom, qtbot: QtBot) -> None:
    key = Key("patients", room.amelia)
    was = room.shown(key)
    room.edited_here(key, msgspec.json.encode({**was, "phone": "07700 900555"}))
    room.refused([REFUSED])
    model = listing(room, qtbot)
    with qtbot.waitSignal(model.discard_named) as named:
        model.ask_discard(key)
    words = "Your change will be lost; the server's version stays. Press again to agree."
    assert named.args == [key, words]
    model.discard(key)
    qtbot.waitUntil(lambda: model.waiting == ())
    assert room.shown(key) == was


def test_a_refused_change_can_be_sent_again_as_it_is(room: TreatmentRoom, qtbot: QtBot) -> None:
    key = new_patient(room)
    room.refused([REFUSED])
    model = listing(room, qtbot)
    room.woken.clear()
    model.try_again(key)
    qtbot.waitUntil(lambda: [row.why for row in model.waiting] == [Why.QUEUED])
    assert room.woken == [Wake.EDIT]
    assert room.store.counts().rejected == 0


def test_a_merge_says_what_came_from_where_and_can_be_taken_back(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key = amelias_phone(room, here="07700 900123", there="2 Elm Road")
    model = listing(room, qtbot)
    (row,) = model.merges
    assert row.title == "Amelia Novak · personal details"
    assert row.words == ("From here: Phone “07700 900123”.\nFrom the server: Address “2 Elm Road”.")
    assert row.can_undo
    model.undo(row.made)
    qtbot.waitUntil(lambda: model.merges[0].made.undone)
    assert not model.merges[0].can_undo
    assert room.shown(key)["phone"] != "07700 900123"
    assert room.shown(key)["address"] == "2 Elm Road"


def test_a_merge_that_was_changed_again_says_why_it_stays(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key = amelias_phone(room, here="07700 900123", there="2 Elm Road")
    room.edited_here(key, msgspec.json.encode({**room.shown(key), "phone": "07700 900999"}))
    model = listing(room, qtbot)
    model.undo(model.merges[0].made)
    qtbot.waitUntil(lambda: bool(model.merges[0].note))
    assert model.merges[0].note == "It can't be taken back: the record was changed again since."
    assert not model.merges[0].can_undo
    assert room.shown(key)["phone"] == "07700 900999"


def test_what_another_laptop_met_is_listed_with_who_and_where(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = listing(room, qtbot)
    key = Key("patients", room.amelia)
    body = room.store.record(key).body
    conflict = room.met_elsewhere(key, base=body, mine=body)
    qtbot.waitUntil(lambda: len(model.elsewhere) == 1)
    (row,) = model.elsewhere
    assert (row.id, row.title, row.age) == (
        conflict,
        "Amelia Novak · personal details",
        "30 min ago",
    )
    assert row.met == "Met by Dr Patel on the laptop “Room 3”."
    assert row.is_free
    room.edited_here(key, msgspec.json.encode({**room.shown(key), "phone": "07700 900555"}))
    qtbot.waitUntil(lambda: not model.elsewhere[0].is_free)


def test_who_met_a_conflict_is_said_as_far_as_it_is_known() -> None:
    assert met_words("Dr Patel", "") == "Met by Dr Patel."
    assert met_words("", "") == "Met on another laptop."


def test_verifying_wakes_the_engine_and_says_what_came_of_it(room: TreatmentRoom) -> None:
    model = SyncCentreModel(room.records, now=room.now)
    status = replace(room.records.status, connectivity=Connectivity.ONLINE)
    room.records.take_status(status)
    assert (model.verified, model.is_verifying) == ("", False)
    model.verify()
    assert room.woken == [Wake.VERIFY]
    assert (model.verified, model.is_verifying) == ("Comparing everything with the server…", True)
    room.records.take_status(replace(status, connectivity=Connectivity.UNREACHABLE))
    assert model.verified == (
        "Not compared yet: the server isn't answering. It is done as soon as it can be."
    )
    assert not model.is_verifying, "the person may ask again"
    room.records.take_status(replace(status, connectivity=Connectivity.SYNCING))
    assert model.is_verifying
    done = Verification(at=NOW, complete=True, mended=0)
    room.records.take_status(replace(status, verified=done))
    assert model.verified == "Compared with the server today 15:42: nothing differs."
    assert not model.is_verifying


@pytest.mark.parametrize(
    ("mended", "complete", "words"),
    [
        (1, True, "Compared with the server today 09:00: 1 record differed and was mended."),
        (3, True, "Compared with the server today 09:00: 3 records differed and were mended."),
        (
            0,
            False,
            "Compared today 09:00, but the server changed meanwhile: it is done once more.",
        ),
    ],
)
def test_a_comparison_says_what_it_found(
    room: TreatmentRoom, mended: int, complete: bool, words: str
) -> None:
    model = SyncCentreModel(room.records, now=room.now)
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    verified = Verification(at=at, complete=complete, mended=mended)
    room.records.take_status(replace(room.records.status, verified=verified))
    assert model.verified == words
