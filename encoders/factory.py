"""Settings to loaded encoders."""

import importlib

from encoders.base import Encoder, ImageEncoder
from encoders.device import use_threads
from encoders.hash import HashEncoder
from encoders.image import OpenClipEncoder
from encoders.settings import EncoderSettings
from encoders.text import SentenceTransformerEncoder

_HASH = "hash"


def create_text_encoder(settings: EncoderSettings) -> Encoder:
    """Load the text model: seconds, and about 1 GB of memory for the libraries. Raises EncoderError."""
    if settings.text.model == _HASH:
        return _create_hash_encoder(settings.text.batch_size)
    use_threads(settings.threads)
    return SentenceTransformerEncoder(settings.text)


def create_image_encoder(settings: EncoderSettings) -> ImageEncoder:
    """Load the image model: seconds, and about 1 GB of memory for the libraries. Raises EncoderError."""
    if settings.image.model == _HASH:
        return _create_hash_encoder(settings.image.batch_size)
    use_threads(settings.threads)
    return OpenClipEncoder(settings.image)


def import_libraries(settings: EncoderSettings) -> None:
    """What the constructors would import, seconds of work; no model is loaded and no thread started."""
    if settings.text.model != _HASH:
        importlib.import_module("sentence_transformers")
    if settings.image.model != _HASH:
        importlib.import_module("open_clip")


def _create_hash_encoder(batch_size: int) -> HashEncoder:
    return HashEncoder(batch_size=batch_size) if batch_size else HashEncoder()
