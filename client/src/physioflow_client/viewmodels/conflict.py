"""One conflict while a person decides it: choices, undo, validation, and the resolution."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Signal

from physioflow_client.viewmodels.conflict_rows import (
    Choice,
    Row,
    rebased,
    result_fields,
    rows_of,
)
from physioflow_client.viewmodels.conflict_snapshot import (
    ConflictSnapshot,
    FieldPresenter,
    Joining,
)
from physioflow_client.viewmodels.field_words import NOTHING
from physioflow_sync.core.changes import body_of
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.errors import FieldError, InvalidBody
from physioflow_sync.core.resolution import Resolution

translate = QCoreApplication.translate

MAX_UNDO: Final = 100


class ConflictModel(QObject):
    """What the conflict window shows of one record.

    Signals:
        changed: a choice was made or taken back; the rows are the same ones.
        rebuilt: the record moved meanwhile; there are other rows.
    """

    changed = Signal()
    rebuilt = Signal()

    def __init__(
        self,
        snapshot: ConflictSnapshot,
        collection: Collection,
        presenter: FieldPresenter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._snapshot = snapshot
        self._collection = collection
        self._presenter = presenter
        self._rows = rows_of(snapshot, collection, presenter)
        self._past: deque[tuple[Row, ...]] = deque(maxlen=MAX_UNDO)

    @property
    def snapshot(self) -> ConflictSnapshot:
        return self._snapshot

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    @property
    def choices_left(self) -> int:
        """How many rows wait for a choice."""
        return sum(row.choice is Choice.UNDECIDED for row in self._rows)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def deletes(self) -> bool:
        """True where the record is to be deleted: then the other rows don't matter."""
        return self.result() is None

    def choose(self, index: int, choice: Choice) -> None:
        """Take a choice for one row; one that is not offered there is ignored."""
        row = self._rows[index]
        if row.may_be(choice) and row.choice is not choice:
            self._put(index, replace(row, choice=choice))

    def edit(self, index: int, text: str) -> None:
        """Take a typed result for one row."""
        row = self._rows[index]
        assert row.is_editable, row.label
        if row.choice is Choice.EDITED:
            # Typing on is one step: undo takes the whole text back, not a letter.
            self._rows = _with(self._rows, index, replace(row, text=text))
            self.changed.emit()
        else:
            self._put(index, replace(row, choice=Choice.EDITED, text=text))

    def choose_theirs_everywhere(self) -> None:
        """Take the other person's whole version (the guide's "reload"); can be undone."""
        rows = tuple(
            replace(row, choice=Choice.THEIRS) if row.may_be(Choice.THEIRS) else row
            for row in self._rows
        )
        if rows != self._rows:
            self._past.append(self._rows)
            self._rows = rows
            self.changed.emit()

    def undo(self) -> None:
        """Take the last choice back."""
        if self._past:
            self._rows = self._past.pop()
            self.changed.emit()

    def rebase(self, snapshot: ConflictSnapshot) -> bool:
        """Take the record as it is now: keep the choices, mark what is new.

        Returns False where nothing but the words about it (its age) has changed.
        """
        was, self._snapshot = self._snapshot, snapshot
        if was.content == snapshot.content:
            return False
        fresh = rows_of(snapshot, self._collection, self._presenter)
        self._rows = rebased(self._rows, fresh, was=was, now=snapshot)
        self._past.clear()
        self.rebuilt.emit()
        return True

    def result(self) -> dict[str, object] | None:
        """Return the record as chosen so far, or None where it is to be deleted."""
        return result_fields(self._rows, self._snapshot)

    def problems(self) -> tuple[FieldError, ...]:
        """Return which rules of the collection the result breaks."""
        result = self.result()
        if result is None:
            return ()
        try:
            self._collection.decode(body_of(result))
        except InvalidBody as error:
            return error.errors
        return ()

    @property
    def can_save(self) -> bool:
        """True once every choice is made and the result breaks no rule."""
        return self.choices_left == 0 and not self.problems()

    def resolution(self) -> Resolution:
        """Return the decision; `can_save` must be true."""
        assert self.can_save, "an unfinished decision"
        result, mine = self.result(), self._snapshot.mine.fields
        create: tuple[tuple[str, bytes], ...] = ()
        if self._keeps_two_records:
            assert mine is not None, "a deleted version cannot become a record"
            create = ((self._collection.name, body_of(mine)),)
        return Resolution(
            key=self._snapshot.key,
            theirs_version=self._snapshot.theirs_version,
            theirs_body=self._snapshot.theirs_body,
            body=None if result is None else body_of(result),
            also_create=create,
        )

    def consequence(self, row: Row) -> str:
        """Return what the choice of a row means, in words; "" where nothing needs saying."""
        mine, theirs = self._snapshot.mine, self._snapshot.theirs
        if row.is_deletion or mine.fields is None or theirs.fields is None:
            return ""
        words = self._presenter.consequence(row.group, mine=mine, theirs=theirs)
        outcome = self._presenter.outcome(row.group, self.result() or {})
        if not words or row.choice is Choice.UNDECIDED or not outcome:
            return words
        if row.choice is Choice.BOTH:
            return words
        return translate("Conflict", "Result {outcome}.").format(outcome=outcome) + f" {words}"

    def result_words(self, row: Row) -> str:
        """Return a row's result as its cells would say it."""
        if row.is_informative and self.deletes:
            return NOTHING
        match row.choice:
            case Choice.UNDECIDED:
                return ""
            case Choice.MINE:
                return row.cells.mine
            case Choice.THEIRS:
                return row.cells.theirs
            case Choice.EDITED:
                return row.text
            case Choice.BOTH if row.joining is Joining.RECORDS:
                return translate(
                    "Conflict", "{theirs} stays here; {mine} becomes a record of its own"
                ).format(theirs=_first_line(row.cells.theirs), mine=_first_line(row.cells.mine))
            case Choice.BOTH:
                value = (self.result() or {}).get(row.group.fields[0])
                if isinstance(value, str):
                    return value
                fields = self.result() or {}
                return self._presenter.cells(
                    row.group, before=fields, mine=fields, theirs=fields
                ).mine

    def summary(self, row: Row) -> str:
        """Return a row as a screen reader says it ("Score: yours 34, theirs 42, not chosen")."""
        one, other = self._snapshot.mine.whose, self._snapshot.theirs.whose
        taken = translate("Conflict", "{whose} chosen")
        chosen = {
            Choice.UNDECIDED: translate("Conflict", "not chosen"),
            Choice.MINE: taken.format(whose=one),
            Choice.THEIRS: taken.format(whose=other),
            Choice.BOTH: translate("Conflict", "both kept"),
            Choice.EDITED: translate("Conflict", "edited"),
        }[row.choice]
        return translate("Conflict", "{label}: {one} {mine}, {other} {theirs}, {chosen}").format(
            label=row.label,
            one=one,
            other=other,
            mine=row.cells.mine.replace("\n", ", "),
            theirs=row.cells.theirs.replace("\n", ", "),
            chosen=chosen,
        )

    def two_records_words(self) -> str:
        """Return the words of the choice to keep both as two records."""
        return self._presenter.two_records_words()

    def effect_words(self) -> str:
        """Return what saving does ("Save: notes joined, 1 theirs")."""
        if self.deletes:
            return translate("Conflict", "Save: delete the record")
        if any(row.is_deletion for row in self._rows):
            return translate("Conflict", "Save: keep the record")
        parts: list[str] = []
        if self._keeps_two_records:
            parts.append(translate("Conflict", "two records"))
        parts += [
            translate("Conflict", "{what} joined").format(what=row.label.lower())
            for row in self._rows
            if row.choice is Choice.BOTH and row.joining is not Joining.RECORDS
        ]
        for choice, words in (
            (Choice.MINE, self._snapshot.mine.whose),
            (Choice.THEIRS, self._snapshot.theirs.whose),
            (Choice.EDITED, translate("Conflict", "edited")),
        ):
            count = sum(row.choice is choice for row in self._rows)
            if count:
                parts.append(f"{count} {words}")
        if not parts:
            return translate("Conflict", "Save")
        return translate("Conflict", "Save: {effect}").format(effect=", ".join(parts))

    @property
    def _keeps_two_records(self) -> bool:
        return any(
            row.choice is Choice.BOTH and row.joining is Joining.RECORDS for row in self._rows
        )

    def _put(self, index: int, row: Row) -> None:
        self._past.append(self._rows)
        self._rows = _with(self._rows, index, row)
        self.changed.emit()


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _with(rows: tuple[Row, ...], index: int, row: Row) -> tuple[Row, ...]:
    return (*rows[:index], row, *rows[index + 1 :])
