"""A plant that exists only in the database: a line, cameras, and rows as the classifier writes them."""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID, uuid4

import cv2
import psycopg
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from services.adapters.cameras.renderer import render
from services.adapters.postgres import roles
from services.adapters.postgres.line import apply_topology
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.schema import migrate
from services.contracts.line_file import load_topology
from services.contracts.monitor_records import CoilResult
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.runtime.settings import PostgresSettings
from tests.fakes.coil_facts import GROUPS

SCRIPT: Final = "<script>alert('x')</script> **bold** [link](http://example.org) :red[word] $x^2$"
ODD_CAMERA: Final = "__-odd_-CAM_"
DELIVERING: Final = ("cam-1", "cam-2", "cam-4", ODD_CAMERA)

LINE_FILE: Final = f"""
lines:
  - id: strip-1
    name: {SCRIPT!r}
    machines:
      - {{id: uncoiler-1, name: Pay-off reel, kind: uncoiler, position_m: 2.0}}
      - {{id: welder-1, name: Welder with notcher and hole punch, kind: welder, position_m: 12.0}}
      - {{id: washer-1, name: {SCRIPT!r}, kind: washer, position_m: 40.0}}
      - {{id: skinpass-1, name: Skin-pass mill, kind: skin_pass_mill, position_m: 85.0}}
      - {{id: leveller-1, name: Tension leveller with bridles, kind: tension_leveller, position_m: 102.0}}
      - {{id: trimmer-1, name: Side trimmer, kind: side_trimmer, position_m: 125.0}}
    cameras:
      - {{id: cam-1, position_m: 15.0, behind: welder-1}}
      - {{id: cam-2, position_m: 46.0, behind: washer-1}}
      - {{id: cam-3, position_m: 90.0, behind: skinpass-1}}
      - {{id: cam-4, position_m: 130.0, behind: trimmer-1}}
"""

MACHINE_OF: Final = {"cam-1": "welder-1", "cam-2": "washer-1", "cam-3": "skinpass-1", "cam-4": "trimmer-1"}

_INSPECTION: Final = """
insert into millsight.inspections (frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at,
    received_at, stored_at, strip_position_m, sequence, defect_class, confidence, probabilities, model_name,
    model_version, topic, kafka_partition, kafka_offset, cluster_id, width_px, height_px)
values (%(frame_id)s, %(line_id)s, %(machine_id)s, %(camera_id)s, %(coil_id)s, 'steel_strip', %(captured_at)s,
    %(received_at)s, %(received_at)s, %(metre)s, %(sequence)s, %(defect_class)s, %(confidence)s, %(probabilities)s,
    'surface_defects', '1', %(topic)s, 0, %(sequence)s, 'test', 224, 224)
"""
_IMAGE: Final = """
insert into millsight.inspection_images (frame_id, model_name, model_version, captured_at, camera_id, defect_class,
    content_type, image, evidence)
values (%s, 'surface_defects', '1', %s, %s, %s, %s, %s, %s)
"""
_SEEN: Final = "select millsight.note_cameras(%s, %s, %s)"
_REJECTED: Final = """
insert into millsight.rejected_frames (frame_id, camera_id, reason, detail, rejected_at, payload_bytes, topic,
    kafka_partition, kafka_offset, cluster_id, picture)
values (%s, %s, %s, %s, %s, %s, %s, 0, 0, 'test', %s)
"""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame as a camera saw it; `image` None leaves the picture out."""

    camera_id: str
    captured_at: datetime
    defect_class: str = NO_DEFECT
    confidence: float = 0.97
    coil_id: str | None = "coil-4711"
    metre: float | None = 120.5
    delay_s: float = 0.08
    image: bytes | None = None
    content_type: str = "image/jpeg"
    frame_id: UUID = field(default_factory=uuid4)


def drawn_jpeg(defect_class: str, seed: int) -> bytes:
    """Return a JPEG of rendered strip."""
    encoded = cv2.imencode(".jpg", render(defect_class, seed))[1]
    return bytes(encoded)


class PlantInDatabase:
    """Prepares a real, empty server and fills it; `dashboard_url` is the read-only role's."""

    def __init__(self, admin_url: str, database: str = roles.DATABASE) -> None:
        self._admin_url = admin_url
        self._database = database
        self._passwords = {name: uuid4().hex for name in roles.ROLE_NAMES}
        self._sequence = 0

    def beside(self, database: str) -> "PlantInDatabase":
        """Return another database on the same server, with the same passwords."""
        other = PlantInDatabase(self._admin_url, database)
        other._passwords = self._passwords
        return other

    @property
    def owner_url(self) -> str:
        return self.url_of(roles.OWNER)

    @property
    def dashboard_url(self) -> str:
        return self.url_of(roles.DASHBOARD)

    def url_of(self, role: str) -> str:
        return roles.role_url(self._admin_url, role, self._passwords[role], self._database)

    def prepare_roles(self) -> None:
        roles.ensure_roles(self._admin_url, self._passwords, self._database)

    def migrate(self) -> None:
        migrate(self.owner_url)

    def apply_line(self, directory: Path) -> None:
        file = directory / "line.yaml"
        file.write_text(LINE_FILE, encoding="utf-8")
        apply_topology(self.owner_url, load_topology(file))

    def see(self, frames: Sequence[SeenFrame]) -> None:
        with psycopg.connect(self.owner_url) as connection:
            cursor = connection.cursor()
            cursor.executemany(_INSPECTION, [self._row(frame) for frame in frames])
            pictured = [frame for frame in frames if frame.image is not None]
            cursor.executemany(_IMAGE, [_image_row(frame) for frame in pictured])
            ids = [frame.camera_id for frame in frames]
            captured = [frame.captured_at for frame in frames]
            received = [_received_at(frame) for frame in frames]
            connection.execute(_SEEN, (ids, captured, received))

    def judge(self, results: Sequence[CoilResult]) -> None:
        """Keep what the process monitor says of coils, as it does."""
        store = PostgresMonitorStore(PostgresSettings(url=SecretStr(self.url_of(roles.MONITOR))))
        store.save_groups("strip-1", GROUPS)
        for result in results:
            store.save_coil(result)
        store.close()

    def refuse(
        self, camera_id: str, reason: str, detail: str, rejected_at: datetime, picture: bytes | None = None
    ) -> None:
        with psycopg.connect(self.owner_url) as connection:
            row = (uuid4(), camera_id, reason, detail, rejected_at, 1234, f"frames.{camera_id}", picture)
            connection.execute(_REJECTED, row)

    def report_status(self, camera_id: str, reported_at: datetime, **values: object) -> None:
        status: dict[str, object] = {
            "camera_id": camera_id, "session_id": str(uuid4()), "reported_at": reported_at.isoformat(),
            "state": "running", "reason": None, "captured_total": 100, "published_total": 100, "dropped_total": 0,
            "spooled_frames": 0, "spool_bytes": 0, "oldest_spooled_at": None, **values,
        }  # fmt: skip
        with psycopg.connect(self.owner_url) as connection:
            connection.execute("select millsight.note_camera_status(%s)", (Jsonb(status),))

    def cut_dashboard_connections(self) -> None:
        with psycopg.connect(self._admin_url) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (roles.DASHBOARD,)
            )

    def ask(self, query: LiteralString) -> list[tuple[object, ...]]:
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query).fetchall()

    def register_model(self, card: str = "{}") -> None:
        with psycopg.connect(self.owner_url) as connection:
            connection.execute(
                "insert into millsight.model_versions (name, version, sha256, labels, card)"
                " values ('surface_defects', '1', %s, %s, %s)",
                ("ab" * 32, list(SURFACE_LABELS), card),
            )

    def _row(self, frame: SeenFrame) -> Mapping[str, object]:
        self._sequence += 1
        machine = MACHINE_OF.get(frame.camera_id, "unassigned")
        return {
            "frame_id": frame.frame_id, "line_id": "unassigned" if machine == "unassigned" else "strip-1",
            "machine_id": machine, "camera_id": frame.camera_id, "coil_id": frame.coil_id,
            "captured_at": frame.captured_at, "received_at": _received_at(frame),
            "metre": frame.metre, "sequence": self._sequence, "defect_class": frame.defect_class,
            "confidence": frame.confidence, "topic": f"frames.{frame.camera_id}",
            "probabilities": Jsonb({frame.defect_class: frame.confidence}),
        }  # fmt: skip


def _received_at(frame: SeenFrame) -> datetime:
    """Return when the classifier got the frame: never later than now, whatever the camera's clock says."""
    return min(frame.captured_at + timedelta(seconds=frame.delay_s), datetime.now(UTC))


def _image_row(frame: SeenFrame) -> tuple[object, ...]:
    evidence = [[max(0.0, 3.0 - abs(row - 3) - abs(column - 4)) for column in range(7)] for row in range(7)]
    key = (frame.frame_id, frame.captured_at, frame.camera_id, frame.defect_class)
    return (*key, frame.content_type, frame.image, Jsonb(evidence))


class LivePlant:
    """Lets cameras deliver a frame every half second until stopped; a silent camera delivers none."""

    def __init__(self, plant: PlantInDatabase, cameras: Sequence[str], *, defect_every: int = 0) -> None:
        self._plant = plant
        self._cameras = cameras
        self._defect_every = defect_every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._random = random.Random(7)

    def __enter__(self) -> "LivePlant":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        beat = 0
        while not self._stopped.wait(0.5):
            beat += 1
            now = datetime.now(UTC)
            frames = [self._frame(camera, now, beat) for camera in self._cameras]
            try:
                self._plant.see(frames)
            except psycopg.OperationalError:
                continue

    def _frame(self, camera_id: str, now: datetime, beat: int) -> SeenFrame:
        if self._defect_every == 0 or beat % self._defect_every:
            return SeenFrame(camera_id, now, metre=beat * 1.5)
        defect_class = self._random.choice(SURFACE_LABELS[:-1])
        image = drawn_jpeg(defect_class, beat)
        return SeenFrame(
            camera_id, now, defect_class, round(self._random.uniform(0.5, 1), 3), metre=beat * 1.5, image=image
        )
