"""What the routes work with; made once, where everything is wired."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from index.base import VectorIndex
from monitoring.metrics import Metrics
from ranking.recommendations import Recommender
from ranking.reranking import Reranker
from ranking.search import Search
from ranking.trending_products import TrendingProducts
from serving.announcements import Announcements
from serving.media_routes import MediaLinks
from topics.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the HTTP API.

    `clock` gives the time with its zone; `render_metrics` the metrics of this process and their content type;
    `images` fetches what shoppers link to, `product_images` what products link to, as the workers do. `links`
    makes addresses of the links of products' pictures.
    """

    search: Search
    reranker: Reranker
    index: VectorIndex
    publisher: Publisher
    images: ImageSource
    product_images: ImageSource
    image_limits: ImageLimits
    metrics: Metrics
    announcements: Announcements
    trending: TrendingProducts
    recommender: Recommender
    profiles: ProfileStore
    profile_settings: ProfileSettings
    render_metrics: Callable[[], tuple[bytes, str]]
    clock: Callable[[], datetime]
    links: MediaLinks
