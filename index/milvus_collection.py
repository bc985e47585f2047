"""The collection behind the alias: created where it is missing and wanted, checked, and loaded."""

from collections.abc import Callable

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from index.base import TEXT_FIELD, IndexRefused
from index.milvus_schema import Spaces, check_schema, create_index_params, create_properties, create_schema
from index.milvus_vectors import VectorIndexKind, wanted_kind
from index.settings import CollectionClaim, IndexSettings

_OWNER_PROPERTY = "millrace.owner"


def open_collection(
    client: MilvusClient, settings: IndexSettings, spaces: Spaces, create: bool, claim: CollectionClaim | None = None
) -> VectorIndexKind:
    """How it keeps its vectors, which may be otherwise than a new one would.

    Raises IndexRefused where the alias names none that can hold these vectors, or one that is not the claimed one.

    Every step tolerates that another process does the same now, or died between two steps.
    """
    if claim is not None:
        _check_claim(client, settings.alias, claim)
    if not client.has_collection(settings.alias):
        if not create:
            raise IndexRefused(
                f"there is no collection {settings.alias!r} at {settings.uri}: start `millrace worker`, which makes "
                "it, or correct index.alias"
            )
        _create(client, settings, spaces, claim)
    check_schema(settings.alias, client.describe_collection(settings.alias), spaces)
    client.load_collection(settings.alias, timeout=settings.load_timeout_seconds)
    held = client.describe_index(settings.alias, TEXT_FIELD)
    return VectorIndexKind(str(held["index_type"]), str(held["metric_type"]))


def _check_claim(client: MilvusClient, alias: str, claim: CollectionClaim) -> None:
    """Raises IndexRefused for a collection that shoppers search, or that others fill."""
    held = next((name for name in (alias, _first_name(alias)) if client.has_collection(name)), None)
    if held is None:
        return
    description = client.describe_collection(held)
    name = description["collection_name"]
    live = claim.live_alias
    if client.has_collection(live) and client.describe_collection(live)["collection_name"] == name:
        raise IndexRefused(
            f"{alias!r} is the collection {name!r} that {live!r} names, too, and shoppers search it: run `millrace "
            "worker` without --from-beginning for it, or choose another --alias"
        )
    owner = description["properties"].get(_OWNER_PROPERTY, "the live workers")
    if owner != claim.owner:
        raise IndexRefused(
            f"{alias!r} is the collection {name!r}, which {owner} filled and not {claim.owner}: choose another "
            "--alias, or drop that collection"
        )


def _first_name(alias: str) -> str:
    return f"{alias}_v1"


def _create(client: MilvusClient, settings: IndexSettings, spaces: Spaces, claim: CollectionClaim | None) -> None:
    name = _first_name(settings.alias)
    properties = create_properties(spaces) | ({_OWNER_PROPERTY: claim.owner} if claim is not None else {})
    _ensure(
        lambda: client.create_collection(name, schema=create_schema(spaces), properties=properties),
        lambda: client.has_collection(name),
    )
    kind = wanted_kind(settings, client.get_server_version())
    for field, params in create_index_params(settings, spaces, kind).items():
        _ensure(
            lambda params=params: client.create_index(name, params, sync=False),  # type: ignore[misc]
            lambda field=field: field in client.list_indexes(name),  # type: ignore[misc]
        )
    client.load_collection(name, timeout=settings.load_timeout_seconds)
    _ensure(lambda: client.create_alias(name, settings.alias), lambda: client.has_collection(settings.alias))


def _ensure(step: Callable[[], object], done: Callable[[], bool]) -> None:
    if done():
        return
    try:
        step()
    except MilvusException:
        if not done():
            raise
