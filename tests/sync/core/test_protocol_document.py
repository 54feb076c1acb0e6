"""The examples in docs/PROTOCOL.md are what the code understands."""

import re
from pathlib import Path

import msgspec
import pytest

from physioflow_sync.core import protocol

DOCUMENT = Path(__file__).parents[3] / "docs" / "PROTOCOL.md"
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def test_the_document_has_an_example_of_each_message() -> None:
    assert {"PushRequest", "PushResponse", "ChangesPage", "Problem"} <= {
        name for name, _ in EXAMPLES
    }


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_decodes_and_uses_only_known_fields(name: str, example: str) -> None:
    decoded = msgspec.json.decode(example, type=getattr(protocol, name))
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == msgspec.json.decode(example)
