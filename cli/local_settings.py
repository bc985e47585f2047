"""Settings of a stack on this machine."""

import secrets
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cli.settings import Settings, changed_settings


def embedded_settings(settings: Settings, folder: Path) -> Settings:
    """What embedded parts need: free ports, pictures below `folder`, and an import that the small broker can hold."""
    changes: dict[str, Any] = {
        "kafka": {
            "partitions": 4,
            "security_protocol": "PLAINTEXT",
            **dict.fromkeys(("sasl_username", "ca_file", "certificate_file", "key_file"), ""),
            **dict.fromkeys(("sasl_password", "key_password"), SecretStr("")),
            "max_backlog_bytes_per_partition": 2 * 1024 * 1024,
        },
        "index": {"kind": "milvus", "token": ""},
        "profiles": {"kind": "sqlite", "path": (folder / "profiles.sqlite").resolve()},
        # The embedded broker holds an empty fetch for as long as it may, even when a record comes.
        "worker": {"fetch_max_wait_seconds": 0.05, "metrics_port": 0},
        "click_loop": {"metrics_port": 0, "examples": {"url": str((folder / "examples").resolve())}},
        "server": {"host": "127.0.0.1"},
        "encoders": {"image_sources": {"file_root": str((folder / "pictures").resolve())}},
    }
    return changed_settings(settings, changes)


def local_settings(settings: Settings, folder: Path, port: int) -> Settings:
    """For embedded parts below `folder`, with a key for pseudonyms that outlives a process."""
    key = settings.server.pseudonym_key.get_secret_value() or secrets.token_hex(16)
    changes = {"server": {"port": port, "pseudonym_key": key}}
    return changed_settings(embedded_settings(settings, folder), changes)
