"""From a source's name (`folder:DIR`, `rtsp://...`) to the source."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.adapters.cameras.demo_script import DemoScript
from services.adapters.cameras.folder import FolderSource, ListedImage, Playback, deal, list_images
from services.adapters.cameras.opencv import LiveSource, StreamOptions, VideoSource, redacted
from services.adapters.cameras.renderer import render
from services.adapters.cameras.simulated import SimulatedSource, SimulationOptions
from services.contracts.errors import ConfigurationError
from services.contracts.image_header import ImageLimits
from services.domain.topology import CameraStation, Line, Topology
from services.runtime.clock import Clock, utc_now

DEFAULT_FPS: Final = 2.0
_KINDS: Final = "simulated, folder:DIR, video:FILE, rtsp://... or usb:NUMBER"

Source = FolderSource | VideoSource | LiveSource | SimulatedSource


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What applies to all sources of a room; see the room's settings for each."""

    stop: threading.Event
    frames_per_second: float | None = None
    loop: bool = True
    seed: int = 7
    size_px: tuple[int, int] = (224, 224)
    jpeg_quality: int = 90
    max_image_bytes: int = 4 << 20
    csv: Path | None = None
    fail_fast: bool = False
    script: DemoScript = field(default_factory=DemoScript)
    clock: Clock = field(default=utc_now)


class SourceFactory:
    """Makes the sources of one room; cameras that share a folder share out its images."""

    def __init__(self, topology: Topology | None, options: SourceOptions) -> None:
        """Use `topology`, when there is one, to place simulated cameras.

        Raises:
            ConfigurationError: The script names a machine, class or camera that is not there.
        """
        if topology is not None:
            options.script.check(topology)
        self._topology = topology
        self._options = options

    def sources(self, specs: Mapping[str, str]) -> dict[str, Source]:
        """Make a source for each camera, by camera id.

        Raises:
            ConfigurationError: A source's name is wrong, or a file, folder or device cannot be used.
        """
        shares = self._folder_shares(specs)
        return {
            camera_id: self._source(camera_id, spec, shares.get(camera_id, ()))
            for camera_id, spec in specs.items()
        }

    def _source(self, camera_id: str, spec: str, images: Sequence[ListedImage]) -> Source:
        kind, _, rest = spec.partition(":")
        match kind:
            case "simulated" if not rest:
                return self._simulated(camera_id)
            case "folder" if rest:
                limits = ImageLimits(max_bytes=self._options.max_image_bytes)
                playback = Playback(self._options.frames_per_second or DEFAULT_FPS, self._options.loop, limits)
                return FolderSource(images, playback, self._options.clock, self._options.stop)
            case "video" if rest:
                return VideoSource(Path(rest), self._stream, self._options.clock, self._options.stop)
            case "rtsp" | "rtsps" if rest.startswith("//"):
                return self._live(spec)
            case "usb" if rest.isdecimal():
                return self._live(int(rest))
        raise ConfigurationError(f"camera {camera_id}: source {redacted(spec)!r} is not known: use {_KINDS}")

    def _simulated(self, camera_id: str) -> SimulatedSource:
        placed = self._place(camera_id)
        if placed is None:
            raise ConfigurationError(
                f"camera {camera_id}: a simulated camera needs its place: name it in the line file"
            )
        width_px, height_px = self._options.size_px
        options = SimulationOptions(
            self._options.frames_per_second or DEFAULT_FPS,
            self._options.seed,
            width_px,
            height_px,
            self._options.jpeg_quality,
            self._options.script,
        )
        line, station = placed
        return SimulatedSource(line, station, options, render, self._options.clock, self._options.stop)

    def _live(self, device: str | int) -> LiveSource:
        source = LiveSource(device, self._stream, self._options.clock, self._options.stop)
        if self._options.fail_fast:
            source.probe()
        return source

    @property
    def _stream(self) -> StreamOptions:
        options = self._options
        return StreamOptions(options.frames_per_second, options.jpeg_quality, options.loop)

    def _place(self, camera_id: str) -> tuple[Line, CameraStation] | None:
        for line in () if self._topology is None else self._topology.lines:
            for station in line.cameras:
                if station.camera_id == camera_id:
                    return line, station
        return None

    def _folder_shares(self, specs: Mapping[str, str]) -> dict[str, Sequence[ListedImage]]:
        """One camera plays its folder in order; several cameras on one folder get a shuffled share each."""
        shares: dict[str, Sequence[ListedImage]] = {}
        for spec in {each for each in specs.values() if each.startswith("folder:") and each != "folder:"}:
            cameras = [camera_id for camera_id, each in specs.items() if each == spec]
            images = list_images(Path(spec.removeprefix("folder:")), self._options.csv)
            hands = (images,) if len(cameras) == 1 else deal(images, len(cameras), self._options.seed)
            shares |= dict(zip(cameras, hands, strict=True))
        return shares
