"""A claimed collection: made with its owner's name, opened by it again, and refused to everybody else."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pymilvus import MilvusClient

from index.base import IndexRefused, VectorSpace
from index.embedded_milvus import EmbeddedMilvus
from index.milvus import MilvusIndex
from index.settings import CollectionClaim, IndexSettings

pytestmark = pytest.mark.services

TEXT = VectorSpace("text@1", 8)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMilvus]:
    with EmbeddedMilvus(tmp_path_factory.mktemp("milvus")) as milvus:
        yield milvus


@pytest.fixture
def live(milvus: EmbeddedMilvus) -> IndexSettings:
    settings = IndexSettings(uri=milvus.uri, alias=f"live_{uuid4().hex}")
    MilvusIndex(settings, TEXT, create=True).close()
    return settings


@pytest.fixture
def client(milvus: EmbeddedMilvus) -> Iterator[MilvusClient]:
    client = MilvusClient(uri=milvus.uri)
    yield client
    client.close()


def fill(live: IndexSettings, alias: str, owner: str = "group.next") -> None:
    settings = live.model_copy(update={"alias": alias})
    MilvusIndex(settings, TEXT, create=True, claim=CollectionClaim(owner, live.alias)).close()


def test_its_owner_makes_it_and_comes_back(live: IndexSettings, client: MilvusClient) -> None:
    alias = f"next_{uuid4().hex}"
    fill(live, alias)
    fill(live, alias)

    description = client.describe_collection(alias)
    assert description["collection_name"] == f"{alias}_v1"
    assert description["properties"]["millrace.owner"] == "group.next"


def test_nobody_fills_what_another_owner_filled(live: IndexSettings) -> None:
    alias = f"next_{uuid4().hex}"
    fill(live, alias)

    with pytest.raises(IndexRefused, match=r"group\.next filled and not group\.other"):
        fill(live, alias, "group.other")


def test_nobody_fills_what_live_workers_filled_under_another_alias(live: IndexSettings) -> None:
    beside = live.model_copy(update={"alias": f"beside_{uuid4().hex}"})
    MilvusIndex(beside, TEXT, create=True).close()

    with pytest.raises(IndexRefused, match="which the live workers filled"):
        fill(live, beside.alias)


def test_the_live_collection_is_refused_by_its_own_name(live: IndexSettings) -> None:
    with pytest.raises(IndexRefused, match="shoppers search it"):
        fill(live, live.alias)


@pytest.mark.parametrize("forgotten", [False, True])
def test_after_the_switch_it_is_the_live_one(live: IndexSettings, client: MilvusClient, forgotten: bool) -> None:
    """Also where its own alias was dropped and only its name is left."""
    alias = f"next_{uuid4().hex}"
    fill(live, alias)
    client.alter_alias(f"{alias}_v1", live.alias)
    if forgotten:
        client.drop_alias(alias)

    with pytest.raises(IndexRefused, match="shoppers search it"):
        fill(live, alias)
    assert client.has_collection(alias) != forgotten
    MilvusIndex(live, TEXT).close()  # the live worker opens it as its own
