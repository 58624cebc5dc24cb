"""Every metric Millsight exports, defined once (Prometheus; base units; prefix `millsight_`).

docs/metrics.md lists them; a test holds the two together.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_S: Final = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)
_STAGE_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

# Camera room
FRAMES_CAPTURED: Final = Counter("millsight_frames_captured_total", "Frames taken from a source", ["camera"])
FRAMES_PUBLISHED: Final = Counter(
    "millsight_frames_published_total", "Frames that the broker has acknowledged", ["camera"]
)
FRAMES_REFUSED: Final = Counter(
    "millsight_frames_refused_total",
    "Frames refused at the camera before they were spooled",
    ["camera", "reason"],
)
SPOOL_FRAMES: Final = Gauge("millsight_spool_frames", "Frames on disk that wait for the broker", ["camera"])
SPOOL_BYTES: Final = Gauge("millsight_spool_bytes", "Bytes on disk that wait for the broker", ["camera"])
SPOOL_OLDEST_AGE: Final = Gauge(
    "millsight_spool_oldest_age_seconds", "Age of the oldest spooled frame", ["camera"]
)
SPOOL_DROPPED: Final = Counter("millsight_spool_dropped_total", "Frames dropped by the spool's policy", ["camera"])
DELIVERY_LATENCY: Final = Histogram(
    "millsight_delivery_latency_seconds",
    "From hand-over to the client until the broker's acknowledgement",
    ["camera"],
    buckets=_LATENCY_S,
)

# Classifier room
FRAMES_CONSUMED: Final = Counter("millsight_frames_consumed_total", "Messages read from frame topics")
FRAMES_PROCESSED: Final = Counter(
    "millsight_frames_processed_total", "Messages whose fate is committed", ["result"]
)  # result: inspected | rejected | duplicate
DEAD_LETTERS: Final = Counter("millsight_dlq_total", "Messages dead-lettered", ["reason"])
SEQUENCE_GAPS: Final = Counter("millsight_sequence_gaps_total", "Missing sequence numbers seen", ["camera"])
BATCH_SIZE: Final = Histogram("millsight_batch_size", "Messages in a batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128))
STAGE_DURATION: Final = Histogram(
    "millsight_stage_duration_seconds",
    "Time a batch spends in a stage: decode, infer, store, commit",
    ["stage"],
    buckets=_STAGE_S,
)
END_TO_END_LATENCY: Final = Histogram(
    "millsight_end_to_end_latency_seconds",
    "From capture (device clock) to the committed row",
    buckets=_LATENCY_S,
)
CLOCK_SKEW: Final = Counter(
    "millsight_clock_skew_total",
    "Frames captured in the future or over a day ago, left out of latency",
    ["camera"],
)
CONSUMER_LAG_RECORDS: Final = Gauge(
    "millsight_consumer_lag_records", "Records behind the end of the topic", ["topic", "partition"]
)
CONSUMER_LAG_SECONDS: Final = Gauge(
    "millsight_consumer_lag_seconds", "Age of the newest record that was stored", ["topic"]
)
REBALANCES: Final = Counter("millsight_rebalances_total", "Partition movements", ["type"])  # assigned|revoked|lost
CONSUMER_PAUSED: Final = Gauge("millsight_consumer_paused", "1 while intake is held back")
INFLIGHT_FRAMES: Final = Gauge("millsight_inflight_frames", "Frames read and not yet committed")
TRANSIENT_ERRORS: Final = Counter(
    "millsight_transient_errors_total", "Attempts that failed for infrastructure reasons", ["stage"]
)
LAST_COMMIT: Final = Gauge("millsight_last_commit_timestamp_seconds", "When offsets were last committed")

# Process monitor
MONITOR_ROWS: Final = Counter("millsight_monitor_rows_total", "Inspections that were judged", ["line"])
MONITOR_COILS: Final = Counter("millsight_monitor_coils_total", "Coils that were judged", ["line"])
MONITOR_LATE_COILS: Final = Counter(
    "millsight_monitor_late_coils_total", "Coils that were judged again because rows came late", ["line"]
)
MONITOR_ROWS_TOO_LATE: Final = Counter(
    "millsight_monitor_rows_too_late_total", "Inspections that came too late to be judged", ["line"]
)
MONITOR_OPEN_COILS: Final = Gauge("millsight_monitor_open_coils", "Coils that still pass the cameras")
MONITOR_NEWEST: Final = Gauge(
    "millsight_monitor_newest_capture_timestamp_seconds", "Newest capture that was judged", ["line"]
)
FLAGS_OPEN: Final = Gauge(
    "millsight_flags_open", "Flags of machines and cameras that are not over", ["line", "severity"]
)
ALERTS: Final = Counter(
    "millsight_alerts_total", "Alerts by receiver and what became of them", ["receiver", "result"]
)
