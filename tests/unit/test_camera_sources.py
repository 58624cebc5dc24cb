"""Sources deliver frames, refuse what is none, come back after trouble, and name a user's mistake."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from typing_extensions import override

from services.adapters.cameras.folder import FolderSource, ListedImage, Playback, deal, list_images
from services.adapters.cameras.opencv import LiveSource, StreamOptions, VideoSource, redacted
from services.adapters.cameras.pacing import Pacer
from services.adapters.cameras.simulated import (
    STRETCH_M,
    SimulatedSource,
    SimulationOptions,
    fault_of_stretch,
)
from services.adapters.cameras.sources import SourceFactory, SourceOptions
from services.contracts.capture import CapturedImage, RefusedImage
from services.contracts.errors import ConfigurationError
from services.contracts.image_header import ImageLimits, check_image
from services.contracts.messages import ImageEncoding
from services.domain.topology import CameraStation, Line, Machine, Roll, Topology

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
FAST = Playback(frames_per_second=1000, loop=False, limits=ImageLimits())
MACHINES = (
    Machine("washer-1", "Washer", "washer", 40.0),
    Machine("mill-1", "Skin-pass mill", "skin_pass_mill", 85.0, (Roll("top", 480.0),)),
)
STATIONS = (CameraStation("cam-1", "strip-1", "washer-1", 46.0), CameraStation("cam-2", "strip-1", "mill-1", 90.0))
LINE = Line("strip-1", "Strip 1", 3.0, MACHINES, STATIONS)


def clock() -> datetime:
    return NOW


def write_image(path: Path, number: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((64, 96), number, np.uint8))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.png", "sub/c.jpeg"):
        write_image(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def play(images: tuple[ListedImage, ...], playback: Playback = FAST) -> list[CapturedImage | RefusedImage]:
    return list(FolderSource(images, playback, clock, threading.Event()).frames())


def test_a_folder_is_played_in_name_order_with_its_bytes_unchanged(folder: Path) -> None:
    images = list_images(folder)
    assert [image.path.name for image in images] == ["a.png", "b.jpg", "c.jpeg"]
    first, second, _ = play(images)
    assert isinstance(first, CapturedImage)
    assert isinstance(second, CapturedImage)
    assert (first.encoding, second.encoding) == (ImageEncoding.PNG, ImageEncoding.JPEG)
    assert first.image == images[0].path.read_bytes()
    assert (first.width_px, first.height_px, first.captured_at) == (96, 64, NOW)


def test_a_csv_decides_which_images_are_played_and_in_which_order(folder: Path) -> None:
    (folder / "log.csv").write_text("image_path,target\nsub/c.jpeg,3\na.png,1\n")
    assert [image.path.name for image in list_images(folder, folder / "log.csv")] == ["c.jpeg", "a.png"]


def test_a_csv_in_the_folder_is_found_and_tells_the_coils(folder: Path) -> None:
    (folder / "a_notes.csv").write_text("when,what\n1,2\n")
    (folder / "frames.csv").write_text("image_path,label,coil\nb.jpg,crease,C-17\na.png,crease,\n")
    images = list_images(folder)
    assert [(image.path.name, image.coil_id) for image in images] == [("b.jpg", "C-17"), ("a.png", None)]
    frame = play(images)[0]
    assert isinstance(frame, CapturedImage)
    assert frame.coil_id == "C-17"


def test_unreadable_images_are_refused_and_the_others_played(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"no image at all")
    (folder / "b.jpg").write_bytes((folder / "b.jpg").read_bytes()[:-40])
    played = play((*list_images(folder), ListedImage(folder / "gone.jpg")))
    assert [type(frame) for frame in played] == [RefusedImage, RefusedImage, CapturedImage, RefusedImage]
    assert [frame.reason for frame in played if isinstance(frame, RefusedImage)] == [
        "not_an_image",
        "truncated_image",
        "unreadable",
    ]


def test_a_looping_folder_starts_over(folder: Path) -> None:
    source = FolderSource(list_images(folder), Playback(1000, True, ImageLimits()), clock, threading.Event())
    assert len(list(islice(source.frames(), 7))) == 7


def test_images_are_dealt_out_completely_and_the_same_way_for_the_same_seed() -> None:
    images = [ListedImage(Path(f"{number:02}.jpg")) for number in range(10)]
    hands = deal(images, 3, seed=5)
    assert sorted((image for hand in hands for image in hand), key=lambda image: image.path) == images
    assert hands == deal(images, 3, seed=5) != deal(images, 3, seed=6)
    assert all(len(hand) == 3 for hand in deal(images[:3], 5, seed=5))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("path,target\na.png,1\n", "needs a header line with a column 'image_path'", id="no column"),
        pytest.param("image_path,target\n", "lists no image", id="no rows"),
        pytest.param("image_path\nx.png\ny.png\n", "none of the images", id="all files missing"),
        pytest.param("", "needs a header line", id="empty file"),
    ],
)
def test_a_csv_that_cannot_be_used_is_named(folder: Path, text: str, says: str) -> None:
    (folder / "log.csv").write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        list_images(folder, folder / "log.csv")


def test_a_csv_that_is_no_text_is_named(folder: Path) -> None:
    (folder / "log.csv").write_bytes(b"\xff\xfe\x00image")
    with pytest.raises(ConfigurationError, match="not UTF-8 text"):
        list_images(folder, folder / "log.csv")


def factory(**options: Any) -> SourceFactory:
    made = SourceOptions(stop=threading.Event(), **options)
    return SourceFactory(Topology((LINE,)), made)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("folder:/not/there", "image folder /not/there is not there"),
        ("folder:", "'folder:' is not known: use simulated, folder:DIR"),
        ("video:/not/there.mp4", "video file /not/there.mp4 is not there"),
        ("http://user:secret@host/", r"'http://\*\*\*@host/' is not known"),
        ("usb:one", "'usb:one' is not known"),
        ("simulate", "'simulate' is not known"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(spec: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        factory().sources({"cam-1": spec})


def test_a_simulated_camera_must_stand_in_the_line_file() -> None:
    with pytest.raises(ConfigurationError, match="camera cam-9: a simulated camera needs its place"):
        factory().sources({"cam-9": "simulated"})


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no \.jpg, \.jpeg or \.png file"):
        factory().sources({"cam-1": f"folder:{tmp_path}"})


def test_a_usb_camera_that_is_not_there_is_named_at_once_when_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="camera usb:77 cannot be opened: is it plugged in"):
        factory(fail_fast=True).sources({"cam-1": "usb:77"})


def test_cameras_on_one_folder_share_its_images(folder: Path) -> None:
    sources = factory(frames_per_second=1000.0, loop=False).sources(
        {"cam-1": f"folder:{folder}", "cam-2": f"folder:{folder}"}
    )
    counts = [len(list(source.frames())) for source in sources.values()]
    assert sorted(counts) == [1, 2]


def test_addresses_lose_their_password() -> None:
    assert redacted("rtsp://admin:secret@10.0.0.5:554/s") == "rtsp://***@10.0.0.5:554/s"
    assert redacted("rtsp://10.0.0.5/s") == "rtsp://10.0.0.5/s"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "strip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 50.0, (160, 120))
    for number in range(5):
        writer.write(np.full((120, 160, 3), 40 * number, np.uint8))
    writer.release()
    return path


def test_a_video_is_played_frame_by_frame_as_jpeg(video: Path) -> None:
    frames = list(VideoSource(video, StreamOptions(loop=False), clock, threading.Event()).frames())
    assert len(frames) == 5
    for frame in frames:
        assert isinstance(frame, CapturedImage)
        header = check_image(frame.image)
        assert (header.encoding, header.width_px, header.height_px) == (ImageEncoding.JPEG, 160, 120)


def test_a_looping_video_starts_over(video: Path) -> None:
    source = VideoSource(video, StreamOptions(frames_per_second=1000), clock, threading.Event())
    assert len(list(islice(source.frames(), 12))) == 12


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("not a video")
    with pytest.raises(ConfigurationError, match=r"text\.mp4 cannot be decoded: is it a video"):
        VideoSource(path, StreamOptions(), clock, threading.Event())


class FlakyCapture:
    """A device that delivers two pictures each time it is opened, and cannot be opened the first time."""

    openings = 0

    def __init__(self, device: str | int) -> None:
        type(self).openings += 1
        self._left = 2
        self._opened = type(self).openings > 1

    def isOpened(self) -> bool:  # noqa: N802 - named by OpenCV
        return self._opened

    def grab(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def retrieve(self) -> tuple[bool, npt.NDArray[np.uint8]]:
        return True, np.zeros((64, 64, 3), np.uint8)

    def release(self) -> None:
        pass


def test_a_live_camera_is_opened_again_after_it_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_delay(*_: object) -> Iterator[float]:
        while True:
            yield 0.0

    monkeypatch.setattr("services.adapters.cameras.opencv.backoff_delays_s", no_delay)
    monkeypatch.setattr(FlakyCapture, "openings", 0)
    source = LiveSource("rtsp://u:secret@cam/", StreamOptions(), clock, threading.Event(), FlakyCapture)  # type: ignore[arg-type] # a double
    with caplog.at_level(logging.WARNING):
        frames = list(islice(source.frames(), 5))
    assert len(frames) == 5
    assert FlakyCapture.openings == 4
    assert "secret" not in caplog.text
    assert "rtsp://***@cam/ cannot be opened" in caplog.text


def test_the_pacer_keeps_its_rate_without_drift_and_does_not_make_up_for_a_pause() -> None:
    now_s = 100.0
    waits: list[float] = []

    class RecordedStop(threading.Event):
        @override
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now_s
            waits.append(timeout or 0.0)
            now_s += (timeout or 0.0) + 0.01  # every wait oversleeps by 10 ms
            return False

    pacer = Pacer(10.0, RecordedStop(), lambda: now_s)
    for _ in range(20):
        pacer.wait()
    assert now_s == pytest.approx(100.0 + 1.9 + 0.01)
    now_s += 5.0
    waits.clear()
    for _ in range(3):
        pacer.wait()
    assert waits == pytest.approx([0.0, 0.09, 0.09])


def rendered_classes(station: CameraStation, moments: list[datetime]) -> list[tuple[float | None, str, int]]:
    """What a camera saw: strip position, class and seed of each picture."""
    drawn: list[tuple[str, int]] = []

    def render(defect_class: str, seed: int, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
        drawn.append((defect_class, seed))
        return np.zeros((height_px, width_px), np.uint8)

    source = SimulatedSource(LINE, station, SimulationOptions(), render, clock, threading.Event())
    frames = [source.frame_at(moment) for moment in moments]
    return [
        (frame.strip_position_m, *seen)
        for frame, seen in zip(frames, drawn, strict=True)
        if isinstance(frame, CapturedImage)
    ]


def test_a_later_camera_sees_what_an_earlier_one_saw_when_the_strip_has_come_that_far() -> None:
    first = [NOW + timedelta(seconds=0.5 * step) for step in range(1200)]
    travel = timedelta(seconds=(STATIONS[1].position_m - STATIONS[0].position_m) / LINE.speed_m_s)
    upstream = rendered_classes(STATIONS[0], first)
    downstream = rendered_classes(STATIONS[1], [moment + travel for moment in first])
    assert [p for p, *_ in upstream] == pytest.approx([p for p, *_ in downstream])
    washed = [(p, c, s) for p, c, s in upstream if c not in {"no_defect"}]
    seen_again = {(c, s) for _, c, s in downstream}
    assert washed
    overlaid = {"rolled_pit"}  # the mill's own marks may lie on top
    missing = [c for _, c, s in washed if (c, s) not in seen_again and c not in overlaid]
    assert len(missing) <= len(washed) // 2


def test_a_camera_never_sees_a_machine_that_stands_behind_it() -> None:
    moments = [NOW + timedelta(seconds=2 * step) for step in range(1500)]
    assert "rolled_pit" not in {c for _, c, _ in rendered_classes(STATIONS[0], moments)}
    assert "rolled_pit" in {c for _, c, _ in rendered_classes(STATIONS[1], moments)}


def test_every_machine_fails_once_before_any_fails_twice() -> None:
    faults = [fault_of_stretch(LINE, 7, stretch) for stretch in range(10)]
    for lap in range(5):
        assert {fault.machine_id for fault in faults[2 * lap : 2 * lap + 2]} == {"washer-1", "mill-1"}
    assert all(
        0 <= f.from_m - k * STRETCH_M < (f.until_m or 0) - k * STRETCH_M <= STRETCH_M for k, f in enumerate(faults)
    )
    pitches = [f.pitch_m for f in faults if f.machine_id == "mill-1"]
    assert pitches == [pytest.approx(np.pi * 0.48)] * 5


def test_the_coil_follows_from_the_strip_position() -> None:
    source = SimulatedSource(
        LINE, STATIONS[0], SimulationOptions(), lambda *_: np.zeros((64, 64), np.uint8), clock, threading.Event()
    )
    coils = []
    for step in range(400):
        frame = source.frame_at(NOW + timedelta(seconds=step))
        assert isinstance(frame, CapturedImage)
        coils.append(frame.coil_id)
    assert 4 <= len(set(coils)) <= 7  # 1200 m in coils of 240 m
    assert coils == sorted(coils, key=lambda coil: coil or "")
