"""The profile store on a Redis that goes away."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Lost

from feedback.redis_store import RedisStore
from feedback.store import Kept, StoreUnavailable
from tests.redis_server import RedisServer

pytestmark = pytest.mark.services


def add_one(store: RedisStore) -> None:
    store.update(["a"], lambda held: {"a": Kept(b"%d" % (int(held.get("a", b"0")) + 1), 4e9)})


def test_where_no_server_answers_it_is_named_and_its_password_is_not() -> None:
    store = RedisStore("redis://me:hush@127.0.0.1:1/0", "", 1.0)
    with pytest.raises(StoreUnavailable, match=r"Redis at 127\.0\.0\.1:1 cannot be used") as refused:
        store.read(["a"])
    assert "hush" not in str(refused.value)


def test_an_address_that_is_none_of_redis_is_refused() -> None:
    with pytest.raises(StoreUnavailable, match="url of the profile store is none of Redis"):
        RedisStore("http://127.0.0.1", "", 1.0)


def test_a_server_that_went_away_is_told_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        store = RedisStore(server.url, "", 1.0)
        add_one(store)
        server.kill()
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            store.read(["a"])
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            add_one(store)
        server.start()
        add_one(store)
        assert store.read(["a"]) == [b"1"]
        store.close()


@pytest.mark.parametrize("done", [True, False])
def test_an_update_whose_answer_is_lost_is_done_once(
    redis_url: str, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(redis_url, f"{uuid4().hex}:", 1.0)
    add_one(store)
    answer = Redis._send_command_parse_response
    losses = iter([True])

    def lose_the_first(client: Redis, connection: Any, command: str, *arguments: Any, **options: Any) -> Any:
        lost = command == "EVALSHA" and next(losses, False)
        answered = answer(client, connection, command, *arguments, **options) if done or not lost else None
        if lost:
            raise Lost("reset by peer")
        return answered

    monkeypatch.setattr(Redis, "_send_command_parse_response", lose_the_first)
    add_one(store)
    assert next(losses, None) is None
    assert store.read(["a"]) == [b"2"]
    store.close()


def test_an_update_gives_up_when_others_always_come_between(redis_url: str) -> None:
    store = RedisStore(redis_url, f"{uuid4().hex}:", 1.0, pause=lambda seconds: None)

    def change(held: Any) -> dict[str, Kept]:
        add_one(store)
        return {"a": Kept(b"mine", 4e9)}

    with pytest.raises(StoreUnavailable, match="other writers came between"):
        store.update(["a"], change)
    assert store.read(["a"]) != [b"mine"]
    store.close()
