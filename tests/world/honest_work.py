"""What people do in a clinic in a month, by dice: everything that leaves a trace in the history."""

from __future__ import annotations

import random
from collections.abc import Callable

from sqlalchemy import update

from physioflow_server.database.tables import history
from physioflow_server.services.heads import Head, heads_in
from physioflow_server.services.timeline import Timelines
from physioflow_server.services.tombstones import Tombstones
from physioflow_sync.core.protocol import Applied, Operation
from tests.world.small_clinic import Clinic, delete, new_id, person, put

NAMES = ("Mai", "Nguyễn Thị Lan", 'O"Hara', "Ωmega \\ Zoë", "陳大文", "x" * 300)


class HonestWork:
    """Works through the real write path; keeps the head that each push was answered with."""

    def __init__(self, clinic: Clinic, dice: random.Random) -> None:
        self.clinic = clinic
        self.heads: list[Head] = []
        self._dice = dice
        self._people: dict[str, int] = {}
        self._visits: dict[str, int] = {}
        self._deleted: dict[str, int] = {}
        self._users = [clinic.user, clinic.another_user()]

    def books(self) -> tuple[dict[str, int], ...]:
        """Return what is known of the clinic's records: it belongs to a backup of them."""
        return (dict(self._people), dict(self._visits), dict(self._deleted))

    def go_on(self, clinic: Clinic, books: tuple[dict[str, int], ...]) -> None:
        """Work on where a backup was restored."""
        self.clinic = clinic
        self._people, self._visits, self._deleted = books

    def work(self, steps: int, *, epochs: bool = True) -> None:
        """Do so many things; the last one is a write."""
        for _ in range(steps):
            self._dice.choices(
                (self._push, self._bury, self._erase, self._begin_epoch),
                (90, 4, 4, 2 if epochs else 0),
            )[0]()
        self._push()

    def _push(self) -> None:
        batch = self._batch()
        outcome = self.clinic.write_path.push(
            [operation for operation, _ in batch],
            epoch=None,
            identity=self._dice.choice(self._users),
        )
        self.clinic.clock.advance(seconds=self._dice.randrange(1_000))
        for (_, keep), result in zip(batch, outcome.results, strict=True):
            assert isinstance(result, Applied), result
            keep(result.version)
        self.heads += heads_in([outcome.witness])

    def _batch(self) -> list[tuple[Operation, Callable[[int], object]]]:
        made: dict[str, tuple[Operation, Callable[[int], object]]] = {}
        for _ in range(self._dice.randint(1, 4)):
            operation, keep = self._dice.choice(
                (self._person, self._again, self._visit, self._visit_again, self._undo)
            )()
            made.setdefault(operation.record_id, (operation, keep))
        return list(made.values())

    def _person(self) -> tuple[Operation, Callable[[int], object]]:
        id_, name = new_id(), self._dice.choice(NAMES)
        old = self._dice.random() < 0.2
        body = {"full_name": name, "born": 1980} if old else person(name)
        return put(id_, body, schema=1 if old else 2), self._keep(self._people, id_)

    def _again(self) -> tuple[Operation, Callable[[int], object]]:
        if not self._people:
            return self._person()
        id_ = self._dice.choice(list(self._people))
        body = person(self._dice.choice(NAMES))
        return put(id_, body, base=self._people[id_]), self._keep(self._people, id_)

    def _visit(self) -> tuple[Operation, Callable[[int], object]]:
        if not self._people:
            return self._person()
        id_ = new_id()
        return self._put_visit(id_, base=0)

    def _visit_again(self) -> tuple[Operation, Callable[[int], object]]:
        if not self._visits:
            return self._visit()
        id_ = self._dice.choice(list(self._visits))
        if self._dice.random() < 0.5:
            return self._put_visit(id_, base=self._visits[id_])
        return delete(id_, base=self._visits[id_]), self._keep(self._deleted, id_)

    def _undo(self) -> tuple[Operation, Callable[[int], object]]:
        """Write a deleted visit anew, collected or not; or delete it once more."""
        if not self._deleted:
            return self._visit()
        id_ = self._dice.choice(list(self._deleted))
        if self._dice.random() < 0.5:
            return self._put_visit(id_, base=self._deleted[id_])
        return delete(id_, base=self._deleted[id_]), self._keep(self._deleted, id_)

    def _put_visit(self, id_: str, *, base: int) -> tuple[Operation, Callable[[int], object]]:
        parent, year = self._dice.choice(list(self._people)), self._dice.randint(2000, 2040)
        body = {"person": parent, "year": year}
        return put(id_, body, base=base, collection="visits"), self._keep(self._visits, id_)

    def _keep(self, where: dict[str, int], id_: str) -> Callable[[int], object]:
        def keep(version: int) -> None:
            for known in (self._visits, self._deleted):
                known.pop(id_, None)
            where[id_] = version

        return keep

    def _bury(self) -> None:
        below = self._dice.randint(1, self._seq() + 2)
        Tombstones(database=self.clinic.database).bury(self.clinic.id, below=below)

    def _erase(self) -> None:
        """Erase a body by law."""
        with self.clinic.owner.writing() as connection:
            connection.execute(
                update(history)
                .where(
                    history.c.clinic_id == self.clinic.id,
                    history.c.seq == self._dice.randint(1, self._seq() + 1),
                )
                .values(body=None)
            )

    def _begin_epoch(self) -> None:
        Timelines(database=self.clinic.database, clock=self.clinic.clock).begin_epoch(
            self.clinic.id
        )

    def _seq(self) -> int:
        return self.clinic.feed.newest_seq(self.clinic.id)
