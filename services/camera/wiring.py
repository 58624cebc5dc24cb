"""Joins the camera room to its adapters; `python -m services.camera` and `millsight camera run` use it."""

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from services.adapters.cameras.demo_script import DemoScript, DirtyLens, ScriptedFault
from services.adapters.cameras.sources import SourceFactory, SourceOptions
from services.adapters.kafka.broker_probe import BrokerProbe
from services.adapters.kafka.config import producer_config
from services.adapters.kafka.frame_sink import KafkaFrameSink, KafkaStatusSink
from services.adapters.kafka.producer import RecordPublisher
from services.adapters.kafka.registry import RegistryFrameCodec
from services.adapters.kafka.topics import CAMERA_STATUS_PLAN, frame_topic_plan
from services.adapters.spool.frame_spool import FrameSpool
from services.adapters.spool.inflow import SpoolLimits
from services.camera.app import CameraRoom, Station
from services.camera.capture import CaptureLimits
from services.camera.ports import ImageSource
from services.camera.settings import CameraSettings, SourceSettings
from services.contracts.capture import CameraIdentity
from services.contracts.codec import encode_camera_status, encode_frame
from services.contracts.errors import ConfigurationError
from services.contracts.line_file import load_topology
from services.contracts.messages import Frame
from services.contracts.topics import check_camera_id
from services.domain.topology import DEFAULT_MATERIAL, Topology
from services.runtime.clock import utc_now
from services.runtime.health import Health, HealthServer

_STATUS_TIMEOUT_S: Final = 10.0

logger = logging.getLogger(__name__)


def run(settings: CameraSettings) -> None:
    """Run the room until SIGTERM, SIGINT or the end of all sources.

    Raises:
        ConfigurationError: A setting, file, folder or device cannot be used.
    """
    stop = threading.Event()
    topology = None if settings.line.file is None else load_topology(settings.line.file)
    specs = _specs(settings, topology)
    sources = SourceFactory(topology, source_options(settings, stop)).sources(specs)
    url = settings.kafka.schema_registry_url
    encode = encode_frame if url is None else RegistryFrameCodec(url).encode
    plans = tuple(frame_topic_plan(camera_id) for camera_id in specs)
    probe = BrokerProbe(settings.kafka, (*plans, CAMERA_STATUS_PLAN))
    stations = [_station(settings, topology, probe, each, sources[each], encode) for each in specs]
    status_publisher = RecordPublisher(producer_config(settings.kafka, "millsight-status", _STATUS_TIMEOUT_S))
    health = Health()
    room = CameraRoom(
        stations, KafkaStatusSink(status_publisher, encode_camera_status), utc_now, stop, health.tick
    )
    health.checks = {"cameras": room.problems, "broker": lambda: probe.problem}
    server = _serve(settings, health)
    _stop_on_signals(stop)
    logger.info("camera room runs", extra={"cameras": list(specs), "health_port": server.port})
    probe.start()
    try:
        room.run()
    finally:
        probe.stop()
        server.stop()


def _station(
    settings: CameraSettings,
    topology: Topology | None,
    probe: BrokerProbe,
    camera_id: str,
    source: ImageSource,
    encode: Callable[[Frame], bytes],
) -> Station:
    place = None if topology is None else topology.station(camera_id)
    identity = CameraIdentity(
        camera_id,
        None if place is None else place.line_id,
        DEFAULT_MATERIAL if place is None else place.material,
    )
    if topology is not None and place is None:
        logger.warning("the line file does not name this camera", extra={"camera": camera_id})
    spool = settings.spool
    limits = SpoolLimits(spool.max_bytes, spool.min_free_bytes, spool.policy)
    properties = producer_config(settings.kafka, camera_id)
    sink = KafkaFrameSink(
        new_publisher=lambda: RecordPublisher(properties),
        encode=encode,
        broker_problem=lambda: None if probe.topics_ready else probe.problem,
        broker_answers_for_s=lambda: probe.reachable_for_s,
    )
    period_s = 1.0 / (settings.source.frames_per_second or 1.0)
    return Station(
        camera_id,
        source,
        FrameSpool(spool.dir / camera_id, identity, limits),
        sink,
        CaptureLimits(settings.source.max_image_bytes, period_s),
    )


def _specs(settings: CameraSettings, topology: Topology | None) -> Mapping[str, str]:
    """Return which source each camera plays, by camera id."""
    wanted = settings.source
    cameras = wanted.cameras or tuple(wanted.per_camera)
    if not cameras and topology is not None:
        cameras = tuple(station.camera_id for station in topology.cameras)
    if not cameras:
        raise ConfigurationError(
            "no camera to run: name cameras in CAMERA_SOURCE__CAMERAS or give a line file in CAMERA_LINE__FILE"
        )
    return {
        check_camera_id(camera_id): wanted.per_camera.get(camera_id, wanted.spec).get_secret_value()
        for camera_id in cameras
    }


def source_options(settings: CameraSettings, stop: threading.Event) -> SourceOptions:
    """Return what the settings say about all sources of the room; `stop` ends them."""
    source = settings.source
    return SourceOptions(
        stop=stop,
        frames_per_second=source.frames_per_second,
        loop=source.loop,
        seed=source.seed,
        size_px=(source.width_px, source.height_px),
        jpeg_quality=source.jpeg_quality,
        max_image_bytes=source.max_image_bytes,
        csv=source.csv,
        fail_fast=source.fail_fast,
        script=_script(source),
    )


def _script(source: SourceSettings) -> DemoScript:
    faults = source.faults
    return DemoScript(
        faults=None if faults is None else tuple(ScriptedFault(**each.model_dump()) for each in faults),
        dirty=tuple(DirtyLens(each.camera_id, each.starts_at) for each in source.dirty),
        coil_length_m=source.coil_length_m,
        learns_from=source.learns_from,
    )


def _serve(settings: CameraSettings, health: Health) -> HealthServer:
    host, port = settings.health.host, settings.health.port
    try:
        server = HealthServer(health, host, port)
    except OSError as error:
        raise ConfigurationError(
            f"health port {host}:{port} cannot be opened: {error.strerror}; set CAMERA_HEALTH__PORT"
        ) from error
    server.start()
    return server


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
