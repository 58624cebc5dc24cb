"""Worker: publishes frames to Kafka as cameras would, all at once or with Poisson arrivals."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np

from services.adapters.kafka.config import producer_config
from services.adapters.kafka.producer import OutgoingRecord, RecordPublisher
from services.bench.images import frame_of, saved_images
from services.bench.worker import Answer, Message, number, serve, text
from services.contracts.codec import encode_frame
from services.contracts.errors import DeliveryFailed
from services.contracts.topics import frame_topic
from services.runtime.clock import utc_now
from services.runtime.deadline import Deadline
from services.runtime.settings import KafkaSettings

_FLUSH_S: Final = 60.0


class LoadGenerator:
    """Frames of several cameras in turn, numbered as their spools would."""

    def __init__(self, publisher: RecordPublisher, images: list[bytes], cameras: list[str]) -> None:
        """Publish these images, over and over, from these cameras."""
        self._publisher = publisher
        self._images = images
        self._cameras = cameras
        self._session_id = uuid4()
        self._sequence = 0
        self._failed: list[DeliveryFailed] = []

    def preload(self, count: int) -> datetime:
        """Publish this many frames as fast as the broker takes them; return when the first was captured."""
        started_at = utc_now()
        for _ in range(count):
            self._publish(utc_now())
        self._flush()
        return started_at

    def arrive(self, rate: float, seconds: float, rng: np.random.Generator) -> tuple[datetime, int, float]:
        """Publish with Poisson arrivals, whether or not anybody keeps up.

        A frame counts as captured when its arrival was due: a late generator makes latency larger, not smaller.

        Returns:
            When the first second began, how many frames were published, and how late the latest was in ms.
        """
        started_at, started_s = utc_now(), time.monotonic()
        due_s, count, latest_s = float(rng.exponential(1 / rate)), 0, 0.0
        while due_s < seconds:
            while (wait_s := started_s + due_s - time.monotonic()) > 0:
                self._publisher.poll(wait_s)
            latest_s = max(latest_s, -wait_s)
            self._publish(started_at + timedelta(seconds=due_s))
            due_s += float(rng.exponential(1 / rate))
            count += 1
        self._flush()
        return started_at, count, latest_s * 1000

    def _publish(self, captured_at: datetime) -> None:
        camera_id = self._cameras[self._sequence % len(self._cameras)]
        image = self._images[self._sequence % len(self._images)]
        frame = frame_of(image, camera_id, self._session_id, self._sequence, captured_at)
        self._sequence += 1
        record = OutgoingRecord(frame_topic(camera_id), camera_id.encode(), encode_frame(frame))
        while True:
            try:
                self._publisher.publish(record, self._settle)
            except DeliveryFailed:
                self._publisher.poll(0.05)
            else:
                return

    def _settle(self, failure: DeliveryFailed | None) -> None:
        if failure is not None:
            self._failed.append(failure)

    def _flush(self) -> None:
        if self._publisher.flush(Deadline.after(_FLUSH_S)) or self._failed:
            raise self._failed[0] if self._failed else DeliveryFailed("the broker did not take all frames in time")


def prepare(arguments: Message) -> Callable[[Message], Answer]:
    """Connect to the broker."""
    kafka = KafkaSettings(bootstrap_servers=text(arguments, "bootstrap_servers"))
    images = saved_images(Path(text(arguments, "images")))
    cameras = text(arguments, "cameras").split(",")
    load = LoadGenerator(RecordPublisher(producer_config(kafka, "millsight-bench")), images, cameras)

    def handle(request: Message) -> Answer:
        if request["do"] == "preload":
            count, late_ms = int(number(request, "frames")), 0.0
            started_at = load.preload(count)
        else:
            rng = np.random.default_rng(int(number(request, "seed")))
            started_at, count, late_ms = load.arrive(number(request, "rate"), number(request, "seconds"), rng)
        span = {"since": started_at.isoformat(), "until": utc_now().isoformat()}
        return {"frames": count, "late_ms": late_ms, **span}

    return handle


if __name__ == "__main__":
    serve(prepare)
