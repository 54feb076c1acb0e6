"""What every suite shares: no display, unhurried property tests, the time that each took."""

import os
from collections import Counter, defaultdict
from operator import itemgetter

import pytest
from hypothesis import settings

# Set before any test imports Qt: windows are drawn into memory.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A deadline an example would measure how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_seconds: defaultdict[str, float] = defaultdict(float)
_tests: Counter[str] = Counter()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    # Packed bytes may carry the time of their packing: workers must agree on a test's name.
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    suite = report.nodeid.split("/")[1] if report.nodeid.count("/") > 1 else "tests"
    _seconds[suite] += report.duration
    _tests[suite] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _tests:
        return
    terminalreporter.section("time by suite")
    for suite, seconds in sorted(_seconds.items(), key=itemgetter(1), reverse=True):
        terminalreporter.write_line(f"{suite:<14}{_tests[suite]:>6} tests{seconds:>9.1f} s")
