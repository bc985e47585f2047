"""A writer in a process of its own: adds one to some states so many times, and tells each time that it is done."""

import sys
from collections.abc import Mapping

from feedback.factory import create_store
from feedback.settings import ProfileSettings
from feedback.store import Kept, ProfileStore

FOREVER = 4e9


def add_one(store: ProfileStore, keys: list[str]) -> None:
    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept]:
        return {key: Kept(b"%d" % (int(held.get(key, b"0")) + 1), FOREVER) for key in keys}

    store.update(keys, change)


def main() -> None:
    settings, keys, times = sys.argv[1:]
    store = create_store(ProfileSettings.model_validate_json(settings))
    for number in range(int(times)):
        add_one(store, keys.split(","))
        sys.stdout.write(f"{number + 1}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
