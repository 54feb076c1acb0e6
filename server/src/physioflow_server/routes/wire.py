"""The wire structs in the framework: decoded by msgspec alone, described in OpenAPI.

The framework would decode JSON into dictionaries first and lose the bodies that
are carried unparsed; and it cannot describe a struct with such a field.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.dto._backend import DTOBackend

from physioflow_server.middleware.problems import MEDIA_TYPE as PROBLEM_MEDIA_TYPE
from physioflow_server.services.refusals import Refused, invalid_request
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import Problem

T = TypeVar("T", bound=msgspec.Struct)


def problem(description: str) -> ResponseSpec:
    """Describe one problem that a route may answer with."""
    return ResponseSpec(
        Problem,
        description=description,
        media_type=PROBLEM_MEDIA_TYPE,
        generate_examples=False,
    )


class WireStruct(AbstractDTO[T]):
    """Decodes a request's body into its struct; `wire_struct` makes one a type."""

    decoder: ClassVar[msgspec.json.Decoder[Any]]

    def decode_bytes(self, value: bytes) -> T:
        body: T = decoded(value, self.decoder)
        return body

    @classmethod
    def create_for_field_definition(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        backend_cls: type[DTOBackend] | None = None,
    ) -> None:
        """Nothing is generated: the struct is the data."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003  the framework calls it so
        schema_creator: SchemaCreator,
    ) -> Reference | Schema:
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(
        cls,
        model_type: type[Any],  # noqa: ARG003  likewise
    ) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(
        cls,
        field_definition: FieldDefinition,  # noqa: ARG003  likewise
    ) -> bool:
        return False


def wire_struct(struct: type[T]) -> type[WireStruct[T]]:
    """Return the data-transfer type of a wire struct."""
    return type(f"Wire{struct.__name__}", (WireStruct,), {"decoder": msgspec.json.Decoder(struct)})


def decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a request's body.

    Raises:
        Refused: 400, naming the field.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid_request(title="The request is not valid JSON") from error
    except RecursionError as error:
        raise invalid_request(title="The request is nested too deeply") from error


def _named(message: str) -> Refused:
    """Split msgspec's "reason - at `$.path`" into the field and the reason."""
    reason, _, path = message.partition(" - at `$")
    names = [path.rstrip("`").lstrip(".")]
    if "missing required field" in reason:
        names.append(reason.rsplit("`", 2)[1])
        reason = "is missing"
    field = ".".join(name for name in names if name)
    return invalid_request(FieldError(field=field, reason=reason[:1].lower() + reason[1:]))


class WireSchemas(OpenAPISchemaPlugin):
    """Describes structs; a body that is carried unparsed is any JSON object."""

    @staticmethod
    def is_plugin_supported_type(value: object) -> bool:
        return isinstance(value, type) and issubclass(value, msgspec.Struct)

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        struct = field_definition.annotation
        info = msgspec.structs.fields(struct)
        properties = {
            field.encode_name: FieldDefinition.from_annotation(
                dict[str, object] if field.type is msgspec.Raw else field.type
            )
            for field in info
        }
        tag = msgspec.inspect.type_info(struct)
        assert isinstance(tag, msgspec.inspect.StructType)
        required = [field.encode_name for field in info if field.required]
        schema = schema_creator.create_component_schema(
            field_definition, required=required, property_fields=properties
        )
        if tag.tag_field is not None and schema.properties is not None:
            schema.properties = {
                tag.tag_field: Schema(const=tag.tag),
                **schema.properties,
            }
            schema.required = [tag.tag_field, *required]
        return schema
