"""`physioflow-server run`: serve a data folder."""

from __future__ import annotations

import argparse

from physioflow_server.cli.words import add_data_option, failures_in_words
from physioflow_server.settings import DEFAULT_HOST, DEFAULT_PORT, Settings


def describe(parser: argparse.ArgumentParser) -> None:
    """Describe `run`."""
    parser.epilog = "Example: physioflow-server run --data /srv/physioflow --port 8470"
    add_data_option(parser)
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 lets the system choose")
    parser.set_defaults(perform=_perform)


def _perform(options: argparse.Namespace) -> None:
    # Loaded here alone: no other command needs the web server.
    from physioflow_server.serving import run_server

    with failures_in_words():
        run_server(Settings(data_dir=options.data, host=options.host, port=options.port))
