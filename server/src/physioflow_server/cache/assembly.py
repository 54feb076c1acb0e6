"""The caches that a server may have.

- one process: `cache_in_memory`
- several, with Redis: `cache_in_redis` (or one process that shall find it warm)
- several, without: `nothing.NothingCached`
"""

from __future__ import annotations

from physioflow_server.cache.degrading import DegradingStore
from physioflow_server.cache.filling import FillingCache, heard_by_nobody
from physioflow_server.cache.memory import MemoryStore
from physioflow_server.cache.ports import Cache, CacheHeard
from physioflow_server.cache.redis import MAX_CONNECTIONS, NAMESPACE, RedisStore
from physioflow_server.resilience.circuit import StateHeard


def cache_in_memory(*, heard: CacheHeard = heard_by_nobody) -> Cache:
    """Return a cache for a server of one process."""
    return FillingCache(MemoryStore(), heard=heard)


def cache_in_redis(
    url: str,
    *,
    namespace: str = NAMESPACE,
    max_connections: int = MAX_CONNECTIONS,
    heard: CacheHeard = heard_by_nobody,
    state_heard: StateHeard | None = None,
) -> Cache:
    """Return a cache that all processes with this Redis and namespace share.

    Nothing is connected yet: a Redis that is away delays no start.

    Args:
        namespace: other for servers that encode answers differently, as another version may.
        max_connections: at least as many as there are worker threads.
        state_heard: hears when the circuit opens and closes.

    Raises:
        ValueError: the address is none.
    """
    store = RedisStore(url, namespace=namespace, max_connections=max_connections)
    return FillingCache(DegradingStore(store, heard=state_heard), heard=heard)
