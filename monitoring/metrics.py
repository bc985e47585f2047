"""Every metric of Millrace, with its unit and labels. Nothing else in the project creates one."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitoring.bulk_histogram import BulkHistogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The catalogue. Durations are seconds; a counter's name ends in `_total`."""

    freshness_seconds: BulkHistogram  # outcome
    events: Counter  # topic, outcome
    dead_letters: Counter  # topic, reason
    image_failures: Counter  # reason
    retries: Counter  # operation, reason
    stage_seconds: Histogram  # stage
    batch_size: Histogram  # stage
    encoder_busy_seconds: Counter  # role
    encoded_inputs: Counter  # role
    encodings_saved: Counter  # role, reason
    batches_in_flight: Gauge
    partitions_assigned: Gauge
    last_progress_timestamp_seconds: Gauge
    search_seconds: Histogram  # step
    searches: Counter  # kind, outcome
    rerankings: Counter  # outcome
    http_request_seconds: Histogram  # method, route, status
    published: Counter  # topic, outcome
    followed_topic_connected: Gauge  # topic
    followed_topic_behind: Gauge  # topic
    follower_failures: Counter  # topic, reason
    announcement_streams: Gauge
    announcements: Counter  # outcome
    trending_events: Counter  # outcome
    suspect_shoppers: Counter  # reason
    example_rows: Counter  # outcome
    example_files: Counter  # outcome
    rate_limited: Counter  # kind, outcome
    counted_lists: Counter  # outcome
    left_out_actions: Counter  # reason
    profile_store_seconds: Histogram  # operation
    purged_states: Counter  # kind
    erased_states: Counter  # kind


@dataclass(frozen=True, slots=True)
class LagExporterMetrics:
    """What the lag exporter tells of itself. The metrics of Kafka are in `monitoring.kafka_families`."""

    last_success_timestamp_seconds: Gauge
    collection_seconds: Gauge
    errors: Counter  # operation, reason


def create_lag_exporter_metrics(registry: CollectorRegistry) -> LagExporterMetrics:
    """A second call with the same registry raises ValueError."""
    name = "millrace_lag_exporter_"
    return LagExporterMetrics(
        last_success_timestamp_seconds=Gauge(
            f"{name}last_success_timestamp_seconds",
            "When the broker last told all lags, seconds since 1970; 0: never",
            registry=registry,
        ),
        collection_seconds=Gauge(f"{name}collection_seconds", "How long the broker took for that", registry=registry),
        errors=Counter(
            f"{name}errors_total",
            "Lags that the broker did not tell: of the whole cluster, or of one group",
            ("operation", "reason"),
            registry=registry,
        ),
    )


def create_metrics(registry: CollectorRegistry) -> Metrics:
    """The catalogue, registered. A second call with the same registry raises ValueError."""

    def histogram(
        name: str, text: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = _SECONDS
    ) -> Histogram:
        return Histogram(f"millrace_{name}", text, labels, buckets=buckets, registry=registry)

    def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"millrace_{name}", text, labels, registry=registry)

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"millrace_{name}", text, labels, registry=registry)

    return Metrics(
        freshness_seconds=BulkHistogram(
            "millrace_freshness_seconds",
            "From the broker's time on a product event to the product being searchable",
            "outcome",
            _SECONDS,
            registry,
        ),
        events=counter("events_total", "Events taken from a topic, by what became of them", ("topic", "outcome")),
        dead_letters=counter("dead_letters_total", "Messages put aside with their reason", ("topic", "reason")),
        image_failures=counter(
            "image_failures_total", "Pictures that could not be read; the text is indexed", ("reason",)
        ),
        retries=counter("retries_total", "Operations tried again", ("operation", "reason")),
        stage_seconds=histogram("stage_seconds", "Time of one batch in one stage of indexing", ("stage",)),
        batch_size=histogram("batch_size", "Events in one batch of one stage", ("stage",), _SIZES),
        encoder_busy_seconds=counter("encoder_busy_seconds_total", "Time an encoder spent encoding", ("role",)),
        encoded_inputs=counter("encoded_inputs_total", "Texts and pictures that went through an encoder", ("role",)),
        encodings_saved=counter(
            "encodings_saved_total", "Encodings not done because nothing changed", ("role", "reason")
        ),
        batches_in_flight=gauge("batches_in_flight", "Batches read from Kafka and not yet acknowledged"),
        partitions_assigned=gauge("partitions_assigned", "Partitions that this process reads"),
        last_progress_timestamp_seconds=gauge(
            "last_progress_timestamp_seconds", "When this worker last acknowledged a batch, seconds since 1970"
        ),
        search_seconds=histogram("search_seconds", "Time of one step of a search", ("step",)),
        searches=counter("searches_total", "Searches answered", ("kind", "outcome")),
        rerankings=counter(
            "rerankings_total", "Lists put in order for a shopper, or left as they were found", ("outcome",)
        ),
        http_request_seconds=histogram("http_request_seconds", "HTTP requests", ("method", "route", "status")),
        rate_limited=counter(
            "rate_limited_total",
            "Requests over a limit, refused; or unchecked, since the store of the limits did not answer",
            ("kind", "outcome"),
        ),
        published=counter("published_total", "Messages handed to the broker", ("topic", "outcome")),
        followed_topic_connected=gauge(
            "followed_topic_connected", "1 while this process hears of what comes on a topic, else 0", ("topic",)
        ),
        followed_topic_behind=gauge(
            "followed_topic_behind", "Records of a followed topic that this process has yet to read", ("topic",)
        ),
        follower_failures=counter(
            "follower_failures_total",
            "Tries at a followed topic that failed, records that could not be read, batches a listener lost",
            ("topic", "reason"),
        ),
        announcement_streams=gauge("announcement_streams", "Clients that follow which products become searchable"),
        trending_events=counter(
            "trending_events_total", "Events of shoppers, counted for what trends or left out", ("outcome",)
        ),
        suspect_shoppers=counter(
            "suspect_shoppers_total", "Suspicions that somebody is a bot or floods with clicks", ("reason",)
        ),
        example_rows=counter("example_rows_total", "Rows of the example log, repeats included", ("outcome",)),
        example_files=counter("example_files_total", "Files of the example log, by what became of them", ("outcome",)),
        announcements=counter(
            "announcements_total", "Products told to such clients, each on its own, and those it lost", ("outcome",)
        ),
        counted_lists=counter(
            "counted_lists_total",
            "Joined lists for profiles and statistics, by what became of them",
            ("outcome",),
        ),
        left_out_actions=counter(
            "left_out_actions_total", "Queries and actions in them that no profile and no count takes", ("reason",)
        ),
        profile_store_seconds=histogram(
            "profile_store_seconds",
            "Time of a batch of lists, or of a purge, in the profile store",
            ("operation",),
        ),
        purged_states=counter("purged_states_total", "States of the profile store that had expired", ("kind",)),
        erased_states=counter(
            "erased_states_total",
            "States of the profile store, open lists and rows of the example log that an erasure removed or cut",
            ("kind",),
        ),
    )
