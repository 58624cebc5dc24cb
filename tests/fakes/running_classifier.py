"""The classifier with everything in memory, running in a thread of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from services.classifier.app import Classifier
from services.classifier.looking import Decoder, Looker
from services.classifier.pipeline import PipelineParts
from services.classifier.ports import ImageScorer
from services.classifier.rejection_limit import RejectionLimit
from services.classifier.retry import Hold
from services.classifier.sequence_watch import SequenceWatch
from services.classifier.settings import ClassifierSettings
from services.classifier.unwrap import FileReferences, FrameUnwrapper
from services.contracts.codec import FRAME_CODEC
from services.domain.topology import DEFAULT_MODEL, CameraStation, Line, Machine, Topology
from services.runtime.clock import utc_now
from services.runtime.settings import KafkaSettings, PostgresSettings, TritonSettings
from tests.fakes.broker import MemoryBroker, MemorySource
from tests.fakes.scorers import BrightnessScorer
from tests.fakes.stores import MemoryDeadLetters, MemoryRepository

TOPOLOGY = Topology(
    (
        Line(
            "strip-1",
            "Strip line 1",
            3.0,
            (Machine("welder-1", "Welder", "welder", 12.0), Machine("washer-1", "Washer", "washer", 40.0)),
            (
                CameraStation("cam-1", "strip-1", "welder-1", 15.0),
                CameraStation("cam-2", "strip-1", "washer-1", 46.0),
            ),
        ),
    )
)


def memory_settings(**groups: Mapping[str, object]) -> ClassifierSettings:
    """Settings for a room without servers; groups may be given in part."""
    return ClassifierSettings.model_validate(
        {
            "kafka": KafkaSettings(bootstrap_servers="nowhere:1"),
            "postgres": PostgresSettings.model_validate({"url": "postgresql://nowhere"}),
            "triton": TritonSettings(url="nowhere:1"),
            "intake": {"poll_wait_s": 0.01, "linger_s": 0.0, "commit_interval_s": 0.0},
            **groups,
        }
    )


class RunningClassifier:
    """Runs while the block runs; leaving the block stops it, and raises what `run` has raised."""

    def __init__(
        self,
        broker: MemoryBroker,
        repository: MemoryRepository | None = None,
        scorer: ImageScorer | None = None,
        dead_letters: MemoryDeadLetters | None = None,
        settings: ClassifierSettings | None = None,
    ) -> None:
        self.settings = settings or memory_settings()
        self.source = MemorySource(broker)
        self.broker = broker
        self.repository = repository or MemoryRepository()
        self.dead_letters = dead_letters or MemoryDeadLetters()
        self.scorer = scorer or BrightnessScorer()
        self.watch = SequenceWatch()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._decoder = Decoder(
            FrameUnwrapper(FRAME_CODEC, FileReferences(None), self.watch), lambda _camera: DEFAULT_MODEL, 2
        )
        parts = PipelineParts(
            topology=TOPOLOGY,
            decoder=self._decoder,
            looker=Looker({DEFAULT_MODEL: self.scorer}),
            repository=self.repository,
            dead_letters=self.dead_letters,
            limit=RejectionLimit(self.settings.dead_letters),
            hold=Hold(self._stop, first_s=0.01, longest_s=0.05),
            clock=utc_now,
            watch=self.watch,
            evidence_max_bytes=self.settings.images.evidence_max_bytes,
        )
        self.room = Classifier(self.settings, self.source, parts, self._stop)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._decoder.close()
        if self._error is not None and error is None:
            raise self._error

    def stop(self) -> None:
        """Ask the room to stop, as SIGTERM does, and wait for it."""
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the room does not stop"

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            assert self._thread.is_alive() or condition(), f"the room has ended: {self._error!r}"
            time.sleep(0.005)

    def until_drained(self) -> None:
        """Wait until everything in the broker is committed."""
        self.until(lambda: self.broker.lag == 0)

    def _run(self) -> None:
        try:
            self.room.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test that waits
            self._error = error
