"""The profile store that the settings name."""

from feedback.memory_store import MemoryStore
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore


def create_store(settings: ProfileSettings) -> ProfileStore:
    """Open it, or make it where there is none. Raises StoreUnavailable."""
    if settings.kind == "memory":
        return MemoryStore()
    if settings.kind == "sqlite":
        from feedback.sqlite_store import SqliteStore

        return SqliteStore(settings.path, settings.timeout_seconds)
    from feedback.redis_store import RedisStore

    return RedisStore(settings.url.get_secret_value(), settings.key_prefix, settings.timeout_seconds)
