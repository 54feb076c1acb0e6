"""The desktop app for the treatment room."""

from typing import Final

__version__: Final = "0.1.0"
