"""What the wizard "plug in a camera" tells: the command to run, and the entry of the line file, checked."""

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from dashboard.cameras_rows import CameraNow
from dashboard.rows import MachineRow
from services.contracts.errors import ConfigurationError
from services.contracts.line_file import load_topology
from services.contracts.topics import check_camera_id, frame_topic

SOURCES: Final = {
    "rtsp": "",
    "usb": "usb:0",
    "folder": "folder:/data/images",
    "video": "video:/data/strip.mp4",
}
UNKNOWN_BROKER: Final = "HOST:9092"
_RTSP: Final = "rtsp://USER:PASSWORD@ADDRESS/stream"
_STEP_M: Final = 5.0


def topic_of(camera_id: str) -> str:
    """Return the topic the camera publishes to.

    Raises:
        ConfigurationError: The id cannot name a camera; the sentence says what may.
    """
    return frame_topic(camera_id)


def command(camera_id: str, source: str, broker: str) -> str:
    """Return the shell command that runs the camera; an address with a password goes into the environment.

    Raises:
        ConfigurationError: The id cannot name a camera.
    """
    parts = ["millsight", "camera", "run", "--camera-id", check_camera_id(camera_id)]
    if source == "rtsp":
        return f"MILLSIGHT_CAMERA_SOURCE={shlex.quote(_RTSP)} \\\n  {shlex.join([*parts, '--broker', broker])}"
    return shlex.join([*parts, "--source", SOURCES[source], "--broker", broker])


def usual_position_m(machine: MachineRow, machines: Sequence[MachineRow]) -> float:
    """Return a place behind the machine, metres: five on, or half way to the next machine where that is nearer."""
    further = [
        each.position_m
        for each in machines
        if each.line_id == machine.line_id and each.position_m > machine.position_m
    ]
    half_way = (min(further) - machine.position_m) / 2 if further else _STEP_M
    return machine.position_m + min(_STEP_M, half_way)


def line_entry(camera_id: str, position_m: float, machine: MachineRow) -> str:
    """Return the entry to put under `cameras:` of the machine's line."""
    return f"- {{ id: {_scalar(camera_id)}, position_m: {position_m:g}, behind: {_scalar(machine.machine_id)} }}"


def _scalar(text: str) -> str:
    # As YAML reads it back: an id such as `12` or `on` needs quotes.
    return text if yaml.safe_load(text) == text else f'"{text}"'


def check_entry(
    entry: str, machine: MachineRow, machines: Sequence[MachineRow], cameras: Sequence[CameraNow]
) -> None:
    """Read the entry as the line file's reader will, among the machines and cameras of its line.

    Raises:
        ConfigurationError: The line file would be refused; the sentence says why.
    """
    new = yaml.safe_load(entry)
    known = [
        {"id": each.camera_id, "position_m": each.position_m, "behind": each.machine_id}
        for each in cameras
        if each.assigned and each.line_id == machine.line_id
    ]
    placed = [
        {"id": each.machine_id, "kind": each.kind, "position_m": each.position_m}
        for each in machines
        if each.line_id == machine.line_id
    ]
    document = {"lines": [{"id": machine.line_id, "machines": placed, "cameras": [*known, *new]}]}
    with tempfile.TemporaryDirectory(prefix="millsight-entry-") as directory:
        file = Path(directory) / "line.yaml"
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            load_topology(file)
        except ConfigurationError as refused:
            raise ConfigurationError(str(refused).replace(str(file), "line.yaml")) from refused


def placed_elsewhere(camera_id: str, cameras: Sequence[CameraNow]) -> CameraNow | None:
    """Return the camera of that id which the line file names already, None when it names none."""
    return next((each for each in cameras if each.camera_id == camera_id and each.assigned), None)
