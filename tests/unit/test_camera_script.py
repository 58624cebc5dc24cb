"""A scripted demo line: faults begin and end when they should, cameras agree, and mistakes are named."""

import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from services.adapters.cameras.demo_script import DemoScript, DirtyLens, ScriptedFault, mark_at
from services.adapters.cameras.lens import blemish
from services.adapters.cameras.renderer import render
from services.adapters.cameras.simulated import STRETCH_M, SimulatedSource, SimulationOptions, fault_of_stretch
from services.adapters.cameras.sources import SourceFactory, SourceOptions
from services.camera.settings import CameraSettings, FaultSettings, SourceSettings
from services.camera.wiring import source_options
from services.contracts.capture import CapturedImage
from services.contracts.errors import ConfigurationError
from services.domain.strip import weak_spots
from services.domain.topology import CameraStation, Line, Machine, MonitoringPlan, Roll, Topology
from services.runtime.settings import load_settings

MACHINES = (
    Machine("washer-1", "Washer", "washer", 40.0),
    Machine("mill-1", "Skin-pass mill", "skin_pass_mill", 85.0, (Roll("top", 480.0),)),
)
STATIONS = (CameraStation("cam-1", "strip-1", "washer-1", 46.0), CameraStation("cam-2", "strip-1", "mill-1", 90.0))
LINE = Line("strip-1", "Strip 1", 3.0, MACHINES, STATIONS)
OTHER_LINE = Line(
    "strip-2",
    "Strip 2",
    1.0,
    (Machine("welder-2", "Welder", "welder", 5.0),),
    (CameraStation("cam-9", "strip-2", "welder-2", 9.0),),
)
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
END = START + timedelta(minutes=4)
WASHER = ScriptedFault("washer-1", "oil_spot", START, END, rate_per_100m=40.0)
ROLL = ScriptedFault("mill-1", "rolled_pit", START, pitch_m=1.5, lateral=0.25)

Seen = tuple[datetime, float, str, int]


def source(station: CameraStation, script: DemoScript, line: Line = LINE, **options: Any) -> SimulatedSource:
    made = SimulationOptions(script=script, **options)
    return SimulatedSource(line, station, made, render, lambda: START, threading.Event())


def seen_by(station: CameraStation, script: DemoScript, begin: datetime, seconds: float) -> list[Seen]:
    """When, where, which class and which seed a camera drew, twice a second."""
    drawn: list[tuple[str, int]] = []

    def note(defect_class: str, seed: int, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
        drawn.append((defect_class, seed))
        return np.zeros((height_px, width_px), np.uint8)

    camera = SimulatedSource(
        LINE, station, SimulationOptions(script=script), note, lambda: START, threading.Event()
    )
    seen = []
    for step in range(int(2 * seconds)):
        moment = begin + timedelta(seconds=step / 2)
        frame = camera.frame_at(moment)
        assert isinstance(frame, CapturedImage)
        assert frame.strip_position_m is not None
        seen.append((moment, frame.strip_position_m, *drawn[-1]))
    return seen


def travel(machine: Machine, station: CameraStation) -> timedelta:
    return timedelta(seconds=(station.position_m - machine.position_m) / LINE.speed_m_s)


@pytest.mark.parametrize("station", STATIONS, ids=lambda each: each.camera_id)
def test_a_scripted_fault_begins_and_ends_when_its_strip_passes_the_camera(station: CameraStation) -> None:
    seen = seen_by(station, DemoScript(faults=(WASHER,)), START - timedelta(minutes=3), 600)
    spots = [moment for moment, _, defect_class, _ in seen if defect_class == "oil_spot"]
    first, last = START + travel(MACHINES[0], station), END + travel(MACHINES[0], station)
    frame = timedelta(seconds=0.5)
    assert len(spots) > 100
    assert first - frame <= spots[0] <= first + 20 * frame
    assert last - 20 * frame <= spots[-1] <= last + frame


def test_a_fault_without_an_end_goes_on_and_leaves_its_marks_at_its_pitch() -> None:
    seen = seen_by(STATIONS[1], DemoScript(faults=(ROLL,)), START + timedelta(days=3), 200)
    marks = [position for _, position, defect_class, _ in seen if defect_class == "rolled_pit"]
    assert len(marks) > 0.95 * len(seen), "one turn is as long as one frame"


def test_two_cameras_agree_on_what_was_scripted() -> None:
    script = DemoScript(faults=(WASHER, ROLL), coil_length_m=100.0)
    shift = timedelta(seconds=(STATIONS[1].position_m - STATIONS[0].position_m) / LINE.speed_m_s)
    upstream = seen_by(STATIONS[0], script, START, 120)
    downstream = seen_by(STATIONS[1], script, START + shift, 120)
    assert [p for _, p, *_ in upstream] == pytest.approx([p for _, p, *_ in downstream])
    spots = {seed for _, _, defect_class, seed in upstream if defect_class == "oil_spot"}
    again = {seed for _, _, defect_class, seed in downstream if defect_class == "oil_spot"}
    assert len(spots) > 50
    assert again <= spots, "the mill hides some, and adds none"
    assert again


def test_the_same_script_gives_the_same_pictures_in_another_process() -> None:
    script = DemoScript(faults=(WASHER,), dirty=(DirtyLens("cam-1"),))
    moments = [START + timedelta(seconds=step) for step in range(20)]
    first, second = source(STATIONS[0], script), source(STATIONS[0], script)
    assert [first.frame_at(each) for each in moments] == [second.frame_at(each) for each in reversed(moments)][
        ::-1
    ]


def test_a_healthy_line_shows_weak_spots_and_coil_changes_only() -> None:
    usual = {fault.defect_class for fault in weak_spots(MACHINES)} | {"welding_line", "punching_hole", "no_defect"}
    seen = seen_by(STATIONS[1], DemoScript(faults=()), START, 600)
    classes = [defect_class for *_, defect_class, _ in seen]
    assert set(classes) <= usual
    assert sum(each not in {"no_defect", "welding_line", "punching_hole"} for each in classes) < 0.02 * len(
        classes
    )


def test_without_a_script_faults_are_drawn_from_the_seed() -> None:
    """1500 m: a stretch in which one machine fails on 675 m."""
    drawn = [defect_class for *_, defect_class, _ in seen_by(STATIONS[1], DemoScript(), START, 500)]
    healthy = [defect_class for *_, defect_class, _ in seen_by(STATIONS[1], DemoScript(faults=()), START, 500)]
    assert drawn.count("no_defect") < healthy.count("no_defect") - 20


def test_the_moment_of_a_script_may_be_told_in_any_time_zone() -> None:
    there = timezone(timedelta(hours=9))
    moved = ScriptedFault("washer-1", "oil_spot", START.astimezone(there), END.astimezone(there), 40.0)
    assert moved.on_strip(LINE) == WASHER.on_strip(LINE)


def test_each_line_gets_the_faults_of_its_machines() -> None:
    script = DemoScript(faults=(WASHER, ScriptedFault("welder-2", "inclusion", START, rate_per_100m=1.0)))
    assert [fault.machine_id for fault in script.faults_of(LINE) or ()] == ["washer-1"]
    assert [fault.machine_id for fault in script.faults_of(OTHER_LINE) or ()] == ["welder-2"]


def test_the_mean_length_of_coils_is_set() -> None:
    camera = source(STATIONS[0], DemoScript(faults=(), coil_length_m=60.0))
    frames = [camera.frame_at(START + timedelta(seconds=step)) for step in range(0, 400, 5)]
    coils = {frame.coil_id for frame in frames if isinstance(frame, CapturedImage)}
    assert 19 <= len(coils) <= 22  # 1200 m


def pixels(camera: SimulatedSource, moment: datetime) -> npt.NDArray[np.float64]:
    frame = camera.frame_at(moment)
    assert isinstance(frame, CapturedImage)
    decoded = cv2.imdecode(np.frombuffer(frame.image, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return decoded.astype(np.float64)


def test_a_dirty_lens_darkens_one_place_of_every_picture_from_its_moment_on() -> None:
    dirty = source(STATIONS[0], DemoScript(faults=(), dirty=(DirtyLens("cam-1", START),)), jpeg_quality=100)
    clean = source(STATIONS[0], DemoScript(faults=()), jpeg_quality=100)
    lens = blemish(224, 224)
    drop, clear = lens < 0.45, lens > 0.999
    before = START - timedelta(seconds=0.5)
    assert np.array_equal(pixels(dirty, before), pixels(clean, before))
    for step in range(10):
        moment = START + timedelta(seconds=step)
        seen, real = pixels(dirty, moment), pixels(clean, moment)
        assert seen[drop].mean() == pytest.approx(0.4 * real[drop].mean(), rel=0.05)
        assert np.abs(seen - real)[clear].mean() < 1.0


def test_the_lens_of_another_camera_stays_clean() -> None:
    script = DemoScript(faults=(), dirty=(DirtyLens("cam-1"),))
    moment = START + timedelta(seconds=3)
    clean = pixels(source(STATIONS[1], DemoScript(faults=())), moment)
    assert np.array_equal(pixels(source(STATIONS[1], script), moment), clean)


def test_the_blemish_is_one_small_drop_at_any_size() -> None:
    for width_px, height_px in ((224, 224), (640, 480), (64, 64)):
        lens = blemish(width_px, height_px)
        assert lens.shape == (height_px, width_px)
        assert 0.35 < lens.min() < 0.45
        assert 0.005 < (lens < 0.7).mean() < 0.05
        rows, columns = np.nonzero(lens < 0.7)
        assert columns.mean() / width_px == pytest.approx(0.45, abs=0.03)
        assert rows.mean() / height_px == pytest.approx(0.62, abs=0.03)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param(
            DemoScript(faults=(ScriptedFault("washer-7", "oil_spot", START, rate_per_100m=1.0),)),
            "setting CAMERA_SOURCE__FAULTS: there is no machine 'washer-7'; there are mill-1, washer-1, welder-2",
            id="machine",
        ),
        pytest.param(
            DemoScript(faults=(ScriptedFault("washer-1", "rust", START, rate_per_100m=1.0),)),
            "setting CAMERA_SOURCE__FAULTS: there is no defect class 'rust'; there are crease, ",
            id="class",
        ),
        pytest.param(
            DemoScript(dirty=(DirtyLens("cam-7"),)),
            "setting CAMERA_SOURCE__DIRTY: there is no camera 'cam-7'; there are cam-1, cam-2, cam-9",
            id="camera",
        ),
    ],
)
def test_a_script_that_names_what_is_not_there_is_refused(script: DemoScript, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SourceFactory(Topology((LINE, OTHER_LINE)), SourceOptions(threading.Event(), script=script))
    assert str(caught.value).startswith(says)


def test_a_room_hands_its_script_to_its_simulated_cameras() -> None:
    script = DemoScript(faults=(), dirty=(DirtyLens("cam-1"),), coil_length_m=60.0)
    options = SourceOptions(threading.Event(), script=script)
    made = SourceFactory(Topology((LINE,)), options).sources({"cam-1": "simulated"})["cam-1"]
    assert isinstance(made, SimulatedSource)
    assert made.frame_at(START) == source(STATIONS[0], script).frame_at(START)
    assert made.frame_at(START) != source(STATIONS[0], DemoScript(faults=(), coil_length_m=60.0)).frame_at(START)


def set_environment(monkeypatch: pytest.MonkeyPatch, **source_variables: str) -> None:
    monkeypatch.setenv("CAMERA_KAFKA__BOOTSTRAP_SERVERS", "nowhere:1")
    monkeypatch.setenv("CAMERA_SPOOL__DIR", "spool")
    for name, value in source_variables.items():
        monkeypatch.setenv(f"CAMERA_SOURCE__{name.upper()}", value)


FAULT = {
    "machine_id": "washer-1",
    "defect_class": "oil_spot",
    "rate_per_100m": 40,
    "starts_at": "2026-03-01T07:00:00+01:00",
    "ends_at": "2026-03-01T06:04:00Z",
}


def test_the_script_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    roll = {"machine_id": "mill-1", "defect_class": "rolled_pit", "pitch_m": 1.5, "lateral": 0.25}
    set_environment(
        monkeypatch,
        faults=json.dumps([FAULT, {**roll, "starts_at": START.isoformat(), "ends_at": None}]),
        dirty=json.dumps(["cam-1", {"camera_id": "cam-2", "starts_at": START.isoformat()}]),
        coil_length_m="120",
    )
    options = source_options(load_settings(CameraSettings), threading.Event())
    assert options.script == DemoScript((WASHER, ROLL), (DirtyLens("cam-1"), DirtyLens("cam-2", START)), 120.0)


@pytest.mark.parametrize(
    ("variables", "faults"),
    [
        pytest.param({}, None, id="nothing is said: drawn from the seed"),
        pytest.param({"faults": "[]"}, (), id="an empty list: a healthy line"),
    ],
)
def test_an_empty_list_of_faults_is_not_the_same_as_none(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], faults: tuple[FaultSettings, ...] | None
) -> None:
    set_environment(monkeypatch, **variables)
    assert load_settings(CameraSettings).source.faults == faults
    assert source_options(load_settings(CameraSettings), threading.Event()).script == DemoScript(faults=faults)  # type: ignore[arg-type] # None or empty


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        pytest.param(
            {"faults": json.dumps([{**FAULT, "starts_at": "2026-03-01T06:00:00"}])},
            "setting CAMERA_SOURCE__FAULTS__0__STARTS_AT: Input should have timezone info",
            id="naive time",
        ),
        pytest.param(
            {"faults": json.dumps([{**FAULT, "ends_at": "2026-03-01T06:00:00Z"}])},
            "setting CAMERA_SOURCE__FAULTS__0: Value error, ends_at must be later than starts_at",
            id="ends before it starts",
        ),
        pytest.param(
            {"faults": json.dumps([{**FAULT, "rate_per_100m": 0}])},
            "setting CAMERA_SOURCE__FAULTS__0: Value error, give a rate_per_100m above 0 or a pitch_m",
            id="does nothing",
        ),
        pytest.param(
            {"faults": json.dumps([{**FAULT, "lateral": 2}])},
            "setting CAMERA_SOURCE__FAULTS__0__LATERAL: Input should be less than or equal to 1",
            id="beside the strip",
        ),
        pytest.param(
            {"faults": json.dumps([{**FAULT, "machine": "x"}])},
            "setting CAMERA_SOURCE__FAULTS__0__MACHINE: Extra inputs are not permitted",
            id="misspelt key",
        ),
        pytest.param({"dirty": "[7]"}, "setting CAMERA_SOURCE__DIRTY__0: ", id="camera that is no name"),
        pytest.param(
            {"dirty": json.dumps([{"camera_id": "cam-1", "starts_at": "2026-03-01T06:00:00"}])},
            "setting CAMERA_SOURCE__DIRTY__0__STARTS_AT: Input should have timezone info",
            id="naive time of a blemish",
        ),
        pytest.param({"coil_length_m": "5"}, "setting CAMERA_SOURCE__COIL_LENGTH_M: ", id="coils too short"),
    ],
)
def test_a_mistake_in_the_script_names_its_setting(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    set_environment(monkeypatch, **variables)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(CameraSettings)
    assert str(caught.value).startswith(says)


def test_the_settings_default_to_what_the_simulation_defaults_to() -> None:
    assert SourceSettings().coil_length_m == DemoScript().coil_length_m


def test_no_drawn_fault_touches_the_coils_that_the_line_is_learnt_from() -> None:
    plan = MonitoringPlan(learning_coils=3)
    line = replace(LINE, monitoring=plan)
    script = DemoScript(coil_length_m=200.0, learns_from=START)
    first_m, longest_m = mark_at(line, 0.0, START), 60.0 * line.speed_m_s + 4 * 200.0
    drawn = [fault_of_stretch(line, 7, int(first_m // STRETCH_M) + turn) for turn in range(8)]
    spared = [script.spare(line, fault) for fault in drawn]
    assert all(not fault.active(mark) for fault in spared for mark in np.arange(first_m, first_m + longest_m, 5.0))
    assert any(fault.active(mark) for fault in drawn for mark in np.arange(first_m, first_m + longest_m, 5.0))
    later = [fault for fault in drawn if fault.from_m > first_m + longest_m]
    assert later
    assert set(later) <= set(spared)
    assert [replace(script, learns_from=None).spare(line, fault) for fault in drawn] == drawn


def test_a_camera_spares_the_coils_that_are_learnt_from() -> None:
    world = source(STATIONS[1], DemoScript(learns_from=START))._world
    first_m = mark_at(LINE, 0.0, START)
    rates = Counter(
        int(world(int(mark // STRETCH_M)).defect_at(90.0, mark, mark + 2.0) is not None)
        for mark in np.arange(first_m, first_m + 20 * 240.0, 2.0)
    )
    plain = source(STATIONS[1], DemoScript())._world
    usual = Counter(
        int(plain(int(mark // STRETCH_M)).defect_at(90.0, mark, mark + 2.0) is not None)
        for mark in np.arange(first_m, first_m + 20 * 240.0, 2.0)
    )
    assert rates[1] < usual[1] / 3
