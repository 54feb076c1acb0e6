"""Two laptops and a server, as processes and files: the main job."""

from datetime import UTC, date, datetime

import httpx
import pytest

from physioflow_clinical.collections import encode
from physioflow_clinical.episodes import Episode
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.resolution import Resolution, Resolved
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit
from tests.world.clinic import DICE, Laptop, World, changed, new_patient

pytestmark = pytest.mark.slow


def shown(laptop: Laptop) -> dict[str, tuple[int, str]]:
    """Return version and body text of every patient on a laptop."""
    with laptop.store.reader() as connection:
        rows = connection.exec_driver_sql("SELECT id, _version, _body FROM patients")
        return {patient: (version, body) for patient, version, body in rows}


def open_conflict(laptop: Laptop) -> LocalRecord:
    (record,) = laptop.store.conflicts()
    return record


class AnswerLost(httpx.BaseTransport):
    """Delivers requests, and loses the answers to the first pushes."""

    def __init__(self, times: int) -> None:
        self.wire = httpx.HTTPTransport()
        self.times = times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.wire.handle_request(request)
        if self.times and request.url.path.endswith("/push"):
            self.times -= 1
            response.read()
            response.close()
            raise httpx.ReadError("the answer is lost", request=request)
        return response

    def close(self) -> None:
        self.wire.close()


def test_what_was_saved_offline_reaches_the_other_laptop(clinic: World) -> None:
    room1, room3 = clinic.laptop("room1"), clinic.laptop("room3", username="patel")
    edit = new_patient(legal_name="Ana")
    room1.save(edit)
    assert room1.store.record(edit.key).state is RecordState.UNSENT
    assert room1.sync().connectivity is Connectivity.ONLINE
    room3.sync()
    assert room3.body(edit.key) == room1.body(edit.key)
    assert shown(room1) == shown(room3)


def test_the_server_gives_each_new_patient_a_number(clinic: World) -> None:
    room1 = clinic.laptop("room1")
    edits = [new_patient() for _ in range(3)]
    room1.save(*edits)
    room1.sync()
    with room1.store.reader() as connection:
        numbers = connection.exec_driver_sql("SELECT _number FROM patients ORDER BY _number")
        assert list(numbers.scalars()) == ["PF-00001", "PF-00002", "PF-00003"]


def test_an_answer_that_was_lost_leaves_one_record_and_no_conflict(clinic: World) -> None:
    lossy = AnswerLost(times=2)
    room1, room3 = clinic.laptop("room1", http=lossy), clinic.laptop("room3")
    edit = new_patient()
    room1.save(edit)
    room1.sync()
    assert lossy.times == 0
    assert room1.store.counts() == Counts()
    record = room1.store.record(edit.key)
    assert record.server is not None
    assert record.server.version == 1
    room3.sync()
    assert list(shown(room3)) == [edit.key.id]


def test_disjoint_edits_of_one_patient_merge_without_a_person(clinic: World) -> None:
    room1, room3 = clinic.laptop("room1"), clinic.laptop("room3")
    edit = new_patient(phone="+44 1", email="a@example.org")
    room1.save(edit)
    room1.sync()
    room3.sync()
    room1.save(changed(room1, edit.key, phone="+44 111"))
    room3.save(changed(room3, edit.key, email="b@example.org"))
    for laptop in (room1, room3, room1):
        laptop.sync()
    for laptop in (room1, room3):
        body = laptop.body(edit.key)
        assert body is not None
        assert (body["phone"], body["email"]) == ("+44 111", "b@example.org")
        assert laptop.store.counts() == Counts()


def test_a_409_is_brought_to_a_person_and_never_sent_again(clinic: World) -> None:
    room1, room3 = clinic.laptop("room1"), clinic.laptop("room3", username="patel")
    edit = new_patient(legal_name="Ana Novak")
    room1.save(edit)
    room1.sync()
    room3.sync()
    room1.save(changed(room1, edit.key, legal_name="Anna Novak"))
    room3.save(changed(room3, edit.key, legal_name="Ana Nováková"))
    room3.sync()
    room1.sync()

    conflict = open_conflict(room1).conflict
    assert conflict is not None
    assert (conflict.theirs.author, conflict.theirs.device) == ("Dr Patel", "room3")
    assert conflict.base_body is not None
    before = shown(room3)
    room1.sync()
    room3.sync()
    assert shown(room3) == before
    assert room1.store.counts().conflicts == 1

    outcome = room1.store.resolve(
        Resolution(
            key=edit.key,
            theirs_version=conflict.theirs.version,
            body=conflict.mine,
        ),
        recorded_at=room1.engine.status.last_synced_at or pytest.fail("never synced"),
    )
    assert isinstance(outcome, Resolved)
    room1.sync()
    room3.sync()
    assert shown(room1) == shown(room3)
    body = room3.body(edit.key)
    assert body is not None
    assert body["legal_name"] == "Anna Novak"


def test_a_server_that_was_away_and_came_back_gets_everything(clinic: World) -> None:
    room1 = clinic.laptop("room1")
    room1.sync()
    clinic.server.kill()
    edits = [new_patient() for _ in range(5)]
    room1.save(*edits)
    assert not room1.sync().connectivity.is_connected
    assert room1.store.counts().unsent == len(edits)
    clinic.server.restart()
    assert room1.sync().connectivity is Connectivity.ONLINE
    assert room1.store.counts() == Counts()
    room3 = clinic.laptop("room3")
    room3.sync()
    assert shown(room3) == shown(room1)


def test_what_the_server_refuses_waits_for_a_person_and_the_others_flow(clinic: World) -> None:
    room1, room3 = clinic.laptop("room1"), clinic.laptop("room3")
    patient, episode = new_patient(date_of_birth="2001-05-05"), DICE.new_id()
    room1.save(patient, Edit(key=Key("episodes", episode), body=neck_episode(patient.key.id)))
    room1.sync()
    before_birth = pain_measure(patient.key.id, episode, at=datetime(1999, 1, 1, tzinfo=UTC))
    room1.save(before_birth)
    room1.save(changed(room1, patient.key, phone="+44 99"))
    room1.sync()

    record = room1.store.record(before_birth.key)
    assert record.state is RecordState.REJECTED
    assert [error.field for error in record.entries[0].errors] == ["measured_at"]
    assert room1.store.counts() == Counts(rejected=1)
    room3.sync()
    phone = room3.body(patient.key)
    assert phone is not None
    assert phone["phone"] == "+44 99"

    repaired = pain_measure(patient.key.id, episode, at=datetime(2026, 1, 1, tzinfo=UTC))
    room1.save(Edit(key=before_birth.key, body=repaired.body))
    room1.sync()
    assert room1.store.counts() == Counts()
    room3.sync()
    assert room3.body(before_birth.key) == room1.body(before_birth.key)


def neck_episode(patient: str) -> bytes:
    return encode(
        Episode(
            patient=patient,
            problem="Neck pain",
            region="neck",
            side=Side.RIGHT,
            opened_on=date(2026, 1, 1),
        )
    )


def pain_measure(patient: str, episode: str, *, at: datetime) -> Edit:
    measure = new_measure(
        patient=patient,
        episode=episode,
        instrument=NPRS,
        region="neck",
        side=Side.RIGHT,
        mode=Mode.PAPER,
        phase=Phase.BASELINE,
        measured_at=at,
        responses=(4,),
    )
    assert isinstance(measure, OutcomeMeasure)
    return Edit(key=Key("outcome_measures", DICE.new_id()), body=encode(measure))
