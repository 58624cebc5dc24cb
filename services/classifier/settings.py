"""The classifier's settings: environment variables `CLASSIFIER_<GROUP>__<NAME>`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import (
    HealthSettings,
    KafkaSettings,
    LineSettings,
    PostgresSettings,
    SettingsGroup,
    TritonSettings,
)


class GroupSettings(SettingsGroup):
    """How this worker belongs to the consumer group that shares the cameras' topics."""

    group_id: str = Field(default="millsight-classifier", min_length=1)
    session_timeout_s: float = Field(default=10.0, ge=6, le=300, description="A dead worker is noticed after this")
    max_poll_interval_s: float = Field(default=300.0, ge=30, le=3600)


class IntakeSettings(SettingsGroup):
    """How much is taken at a time; all of it is held in memory until it is committed."""

    batch_size: int = Field(default=16, ge=1, le=32, description="Frames in one inference request at most")
    linger_s: float = Field(default=0.004, ge=0, le=0.1, description="How long a frame waits for company")
    batches_in_flight: int = Field(default=3, ge=1, le=16, description="Batches between broker and database")
    decode_threads: int = Field(default=2, ge=1, le=64)
    poll_wait_s: float = Field(default=0.1, gt=0, le=1)
    commit_interval_s: float = Field(default=0.1, ge=0, le=10, description="Offsets are committed this often")


class ImageSettings(SettingsGroup):
    """What images may be, and where referenced ones may lie."""

    references_dir: Path | None = Field(
        default=None, description="Directory of file:// references; None refuses them"
    )
    evidence_max_bytes: int = Field(default=65536, ge=0, description="Larger defect frames are kept as thumbnails")


class DeadLetterSettings(SettingsGroup):
    """When a topic is set aside because too many of its messages are rejected."""

    limit_ratio: float = Field(default=0.05, gt=0, le=1)
    min_messages: int = Field(default=50, ge=1, description="Fewer messages in the window say nothing")
    window_s: float = Field(default=60.0, gt=0)
    pause_s: float = Field(default=60.0, gt=0, description="How long the topic is set aside")


class ClassifierSettings(BaseSettings):
    """All settings of the room."""

    model_config = SettingsConfigDict(
        env_prefix="CLASSIFIER_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    kafka: KafkaSettings
    postgres: PostgresSettings
    triton: TritonSettings
    line: LineSettings = LineSettings()
    health: HealthSettings = HealthSettings()
    group: GroupSettings = GroupSettings()
    intake: IntakeSettings = IntakeSettings()
    images: ImageSettings = ImageSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
