"""What monitoring reads: counts and times, by route's template and never by record or person.

One registry an application, so that several can live in one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from physioflow_server.database.database import Engines
from physioflow_server.services.events import Crowd
from physioflow_sync.core.breaker import Circuit as State

_LATENCY_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STATES: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class Metrics:
    """The numbers of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "physioflow_requests",
            "Answered requests",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "physioflow_request_seconds",
            "Time from a request's header to the end of its answer",
            ("method", "route"),
            buckets=_LATENCY_S,
            registry=self._registry,
        )
        self._database = Histogram(
            "physioflow_request_database_seconds",
            "Time that a request's statements took",
            ("method", "route"),
            buckets=_LATENCY_S,
            registry=self._registry,
        )
        self._results = Counter(
            "physioflow_push_results",
            "Answers to pushed operations",
            ("result",),
            registry=self._registry,
        )
        self._circuits = Gauge(
            "physioflow_circuit_state",
            "0 closed, 1 half-open, 2 open",
            ("service",),
            registry=self._registry,
        )

    def request(
        self, *, method: str, route: str, status: int, duration_s: float, db_s: float
    ) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(duration_s)
        self._database.labels(method, route).observe(db_s)

    def push_results(self, kinds: Iterable[str]) -> None:
        """Count the answers to a batch, by kind."""
        for kind in kinds:
            self._results.labels(kind).inc()

    def circuit(self, service: str, state: State) -> None:
        """Take note of a circuit's state."""
        self._circuits.labels(service).set(_STATES[state])

    def watch_pools(self, engines: Engines) -> None:
        """Read the connection pools whenever the numbers are asked for."""
        self._registry.register(_Pools(engines))

    def watch_streams(self, crowd: Crowd) -> None:
        """Read how many streams are open whenever the numbers are asked for."""
        streams = Gauge(
            "physioflow_event_streams", "Open streams of events", registry=self._registry
        )
        streams.set_function(lambda: crowd.size)

    def text(self) -> bytes:
        """Return the numbers in Prometheus's text format."""
        return generate_latest(self._registry)


class _Pools(Collector):
    def __init__(self, engines: Engines) -> None:
        self._pools = {"writer": engines.writer.pool, "reader": engines.reader.pool}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the pools' present numbers."""
        family = GaugeMetricFamily(
            "physioflow_pool_connections",
            "Database connections",
            labels=("pool", "state"),
        )
        for name, pool in self._pools.items():
            assert isinstance(pool, QueuePool)
            family.add_metric((name, "acquired"), pool.checkedout())
            family.add_metric((name, "idle"), pool.checkedin())
            family.add_metric((name, "kept"), pool.size())
        yield family
