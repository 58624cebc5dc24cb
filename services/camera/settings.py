"""The camera room's settings: environment variables `CAMERA_<GROUP>__<NAME>`."""

from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.capture import SpoolPolicy
from services.runtime.settings import HealthSettings, KafkaSettings, SettingsGroup

MIB: Final = 1 << 20
_LARGEST_FRAME_BYTES: Final = 4 * MIB
_SMALLEST_SPOOL_IN_FRAMES: Final = 4


class LineSettings(SettingsGroup):
    """Where the line is described; a machine that only has cameras may do without."""

    file: Path | None = Field(
        default=None, description="The line file; None: cameras are named in the source group"
    )


class FaultSettings(SettingsGroup):
    """A machine of the simulated line that fails between two moments."""

    machine_id: str
    defect_class: str
    rate_per_100m: float = Field(default=0.0, ge=0, le=1000)
    pitch_m: float | None = Field(default=None, gt=0)
    lateral: float | None = Field(default=None, ge=0, le=1)
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _does_something(self) -> "FaultSettings":
        if self.pitch_m is None and self.rate_per_100m == 0:
            raise ValueError("give a rate_per_100m above 0 or a pitch_m")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self


class DirtyLensSettings(SettingsGroup):
    """A simulated camera whose lens carries a blemish, from a moment on or since ever."""

    camera_id: str
    starts_at: AwareDatetime | None = None


class SourceSettings(SettingsGroup):
    """Where images come from: `simulated`, `folder:DIR`, `video:FILE`, `rtsp://...` or `usb:NUMBER`."""

    spec: SecretStr = Field(
        default=SecretStr("simulated"), description="Source of every camera not in `per_camera`"
    )
    per_camera: dict[str, SecretStr] = Field(
        default={}, description='JSON: {"cam-1": "rtsp://user:password@host/"}'
    )
    cameras: tuple[str, ...] = Field(
        default=(), description="JSON list of camera ids; empty: all of the line file"
    )
    csv: Path | None = Field(default=None, description="CSV with a column image_path, for folder sources")
    frames_per_second: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Per camera; default 2 for folder and simulated, else as delivered",
    )
    loop: bool = Field(default=True, description="Folder and video start over at their end")
    seed: int = Field(default=7, ge=0, description="Of the simulated strip, and of the order a folder is dealt in")
    width_px: int = Field(default=224, ge=32, le=8192, description="Of simulated frames")
    height_px: int = Field(default=224, ge=32, le=8192, description="Of simulated frames")
    jpeg_quality: int = Field(default=90, ge=1, le=100, description="Of frames that the room encodes itself")
    max_image_bytes: int = Field(
        default=_LARGEST_FRAME_BYTES, ge=1024, le=_LARGEST_FRAME_BYTES, description="Larger frames are refused"
    )
    fail_fast: bool = Field(default=False, description="Stop at the start when a live camera cannot be opened")
    faults: tuple[FaultSettings, ...] | None = Field(
        default=None,
        description="JSON list for the simulated line, instead of faults drawn from the seed; `[]`: healthy;"
        ' [{"machine_id": "washer-1", "defect_class": "water_spot", "rate_per_100m": 12,'
        ' "starts_at": "2026-03-01T06:00:00+01:00", "ends_at": null}]; also `pitch_m` and `lateral`',
    )
    dirty: tuple[DirtyLensSettings, ...] = Field(
        default=(),
        description="JSON list of simulated cameras whose lens has a blemish:"
        ' ["cam-2"] or [{"camera_id": "cam-2", "starts_at": "2026-03-01T06:00:00+01:00"}]',
    )
    coil_length_m: float = Field(default=240.0, ge=20, le=20_000, description="Mean length of simulated coils")
    learns_from: AwareDatetime | None = Field(
        default=None,
        description="When the monitor begins to learn from the simulated line: no drawn fault touches the coils"
        " that it learns from; the local stack gives the time of its first start",
    )

    @field_validator("dirty", mode="before")
    @classmethod
    def _plain_names(cls, given: object) -> object:
        if not isinstance(given, (list, tuple)):
            return given
        return [{"camera_id": each} if isinstance(each, str) else each for each in given]


class SpoolSettings(SettingsGroup):
    """Where frames wait for the broker, and how many; each camera has its own directory under `dir`."""

    dir: Path = Field(description="Directory on a local disk")
    max_bytes: int = Field(default=2048 * MIB, ge=MIB, description="Per camera")
    min_free_bytes: int = Field(default=1024 * MIB, ge=0, description="Free space of the disk that is left alone")
    policy: SpoolPolicy = Field(default=SpoolPolicy.BLOCK, description="What gives way when the spool is full")


class CameraSettings(BaseSettings):
    """All settings of the room."""

    model_config = SettingsConfigDict(env_prefix="CAMERA_", env_nested_delimiter="__", frozen=True, extra="forbid")

    kafka: KafkaSettings
    spool: SpoolSettings
    line: LineSettings = LineSettings()
    source: SourceSettings = SourceSettings()
    health: HealthSettings = HealthSettings()

    @model_validator(mode="after")
    def _spool_holds_frames(self) -> "CameraSettings":
        smallest = _SMALLEST_SPOOL_IN_FRAMES * self.source.max_image_bytes
        if self.spool.max_bytes < smallest:
            raise ValueError(
                f"spool.max_bytes must hold {_SMALLEST_SPOOL_IN_FRAMES} of the largest frames"
                f" (source.max_image_bytes): at least {smallest}"
            )
        return self
