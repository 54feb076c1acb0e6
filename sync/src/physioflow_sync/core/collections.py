"""What a domain declares about each kind of record, once, for both sides.

The engine knows collections, fields and merge groups; it does not know what a
patient is.  A domain builds a `Registry` of `Collection`s and hands it to the
engine on a laptop and to the write path on the server.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import msgspec

from physioflow_sync.core.changes import Fields, body_of, fields_of
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.errors import FieldError, InvalidBody, UnknownCollection
from physioflow_sync.core.protocol import MAX_BODY_BYTES


class MergePolicy(enum.Enum):
    """What may happen without a person when both sides changed one record.

    ASK: any change on both sides is a person's to decide.
    DISJOINT: a merge group changed on one side only is taken from that side.
    APPEND_ONLY: records are never changed after creation; a change on both sides asks.
    TRAVELLING: the engine's own records of open conflicts, about which nobody is asked. A
        put stands over a delete: whoever closed the conflict had not seen what it says now.
    """

    ASK = "ask_always"
    DISJOINT = "merge_disjoint"
    APPEND_ONLY = "append_only"
    TRAVELLING = "travelling"


class GroupRule(enum.Enum):
    """How one merge group of a DISJOINT collection behaves.

    DISJOINT: changed on one side → that side; on both, differently → a conflict.
    ASK: changed on either side while the other side changed anything → a conflict.
    UNION: a list of which both sides may add items; a removal, while the other side
        changed anything, → a conflict.
    """

    DISJOINT = "disjoint"
    ASK = "ask"
    UNION = "union"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeGroup:
    """Fields that mean something only together: they are taken from one side, whole."""

    name: str
    fields: tuple[str, ...]
    rule: GroupRule = GroupRule.DISJOINT


Upcaster = Callable[[dict[str, object]], dict[str, object]]
Validator = Callable[[msgspec.Struct], Iterable[FieldError]]


def _no_errors(_: msgspec.Struct) -> Iterable[FieldError]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One kind of record.

    Attributes:
        name: lower-case plural, the name on the wire (`outcome_measures`).
        body_type: the msgspec struct a body decodes into. It must not forbid unknown
            fields: those are carried through untouched.
        validate: rules beyond the types; yields one `FieldError` a broken rule.
        merge_policy, merge_groups: see `MergePolicy`; a field in no group is a group of
            its own with the rule DISJOINT.
        parents: body field → name of the collection that its id points into. A parent
            reaches the server before its children.
        schema_version: version of `body_type`; bodies of older versions are upcast.
        upcasters: schema version n → function from fields of n to fields of n + 1.
        indexes: body fields by which a store must find records quickly.
        search_fields: body fields that the full-text search covers.
        may_delete: False where records are only ever marked inactive.
        number_format: `str.format` pattern of the number that the server assigns at
            creation (`"PF-{:05d}"`), or None.
        max_body_bytes: bound of one body.
        conflicts_of: name of the collection whose open conflicts these records are; None
            for every collection that a domain declares.
    """

    name: str
    body_type: type[msgspec.Struct]
    validate: Validator = _no_errors
    merge_policy: MergePolicy = MergePolicy.ASK
    merge_groups: tuple[MergeGroup, ...] = ()
    parents: Mapping[str, str] = field(default_factory=dict[str, str])
    schema_version: int = 1
    upcasters: Mapping[int, Upcaster] = field(default_factory=dict[int, Upcaster])
    indexes: tuple[str, ...] = ()
    search_fields: tuple[str, ...] = ()
    may_delete: bool = True
    number_format: str | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    conflicts_of: str | None = None

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[msgspec.Struct]:
        return msgspec.json.Decoder(self.body_type)

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """The body's declared fields, in declaration order."""
        return tuple(info.encode_name for info in msgspec.structs.fields(self.body_type))

    def decode(self, body: bytes | msgspec.Raw) -> msgspec.Struct:
        """Return the body as its struct, every rule checked.

        Raises:
            InvalidBody: with one `FieldError` a broken rule, naming the field.
        """
        try:
            decoded = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise InvalidBody(self.name, [_field_error(str(error))]) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidBody(
                self.name, [FieldError(field="", reason="is not valid JSON")]
            ) from error
        errors = tuple(self.validate(decoded))
        if errors:
            raise InvalidBody(self.name, errors)
        return decoded

    def upcast(self, fields: dict[str, object], *, schema: int) -> dict[str, object]:
        """Return fields of an older schema version as fields of the present one."""
        for version in range(schema, self.schema_version):
            fields = self.upcasters[version](fields)
        return fields

    def upcast_body(self, body: bytes | None, *, schema: int) -> bytes | None:
        """Return a body of an older schema version as one of the present version.

        A body of a newer version than this build knows is carried as it is.
        """
        if body is None or schema >= self.schema_version:
            return body
        return body_of(self.upcast(fields_of(body) or {}, schema=schema))

    def groups_of(self, names: Iterable[str]) -> tuple[MergeGroup, ...]:
        """Return the merge groups that cover these fields, declared groups first."""
        wanted = set(names)
        declared = tuple(group for group in self.merge_groups if wanted & set(group.fields))
        covered = {name for group in declared for name in group.fields}
        order = {name: place for place, name in enumerate(self.field_names)}
        rest = sorted(wanted - covered, key=lambda name: (order.get(name, len(order)), name))
        return declared + tuple(MergeGroup(name=name, fields=(name,)) for name in rest)

    def parent_ids(self, fields: Fields) -> tuple[tuple[str, str], ...]:
        """Return (collection, id) of each parent that these fields name."""
        return tuple(
            (parent, value)
            for name, parent in self.parents.items()
            if isinstance(value := fields.get(name), str)
        )


_CONFLICTS: Final = ".conflicts"


def conflicts_of(name: str) -> str:
    """Return the name of the collection that holds a collection's open conflicts."""
    return name + _CONFLICTS


def holds_conflicts(name: str) -> bool:
    """Tell whether a collection is one of open conflicts, kept by the engine itself."""
    return name.endswith(_CONFLICTS)


def _conflicts_collection(collection: Collection) -> Collection:
    """Return where the open conflicts of a collection travel.

    A collection of its own for each, so that nobody's feed holds a conflict over records
    that their role does not see.
    """
    return Collection(
        name=conflicts_of(collection.name),
        body_type=ConflictBody,
        merge_policy=MergePolicy.TRAVELLING,
        max_body_bytes=4 * collection.max_body_bytes,
        conflicts_of=collection.name,
    )


class Registry(Mapping[str, Collection]):
    """The collections of one domain, by name, in dependency order.

    Each declared collection `x` brings `x.conflicts`, after all that are declared.

    Attributes:
        declared: the collections of the domain itself.

    Raises:
        ValueError: a name twice, or a parent that is declared after its child.
        UnknownCollection: (on look-up) no collection has this name.
    """

    def __init__(self, collections: Iterable[Collection]) -> None:
        self._by_name: dict[str, Collection] = {}
        for collection in collections:
            if collection.name in self._by_name:
                raise ValueError(f"collection {collection.name!r} is declared twice")
            for parent in collection.parents.values():
                if parent != collection.name and parent not in self._by_name:
                    raise ValueError(f"{collection.name!r}: parent {parent!r} is not declared yet")
            self._by_name[collection.name] = collection
        self.declared: Final = tuple(self._by_name.values())
        for collection in self.declared:
            self._by_name[conflicts_of(collection.name)] = _conflicts_collection(collection)

    def __getitem__(self, name: str) -> Collection:
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownCollection(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name


def _field_error(message: str) -> FieldError:
    """Split msgspec's "reason - at `$.path`" into the field and the reason."""
    reason, _, path = message.partition(" - at `$")
    if not path and "missing required field" in reason:
        return FieldError(field=reason.rsplit("`", 2)[1], reason="is missing")
    name = path.rstrip("`").lstrip(".")
    if "missing required field" in reason:
        missing = reason.rsplit("`", 2)[1]
        return FieldError(field=f"{name}.{missing}" if name else missing, reason="is missing")
    return FieldError(field=name, reason=reason[:1].lower() + reason[1:])
