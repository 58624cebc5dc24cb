"""The line as the cameras divide it: cameras in strip order, and groups of machines that no camera separates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from services.domain.monitoring.facts import MachineGroup
from services.domain.topology import CameraStation, Line, Machine


@dataclass(frozen=True, slots=True)
class LineLayout:
    """One line with J cameras and G groups that at least one camera sees.

    Attributes:
        cameras: In strip order; ties by name.
        groups: Machine groups with a camera behind them, in strip order (G); the index is the source's number.
        unseen: Machines behind the last camera: nothing is known of them.
        first_camera: (G,) index of the first camera behind each group, ascending.
        stages: (J,) machines between camera j - 1 and camera j.
        stretch: (J,) length of the strip at camera j relative to its length at the first camera.
        station_m: (J,) places of the cameras, metres from the line's entry.
    """

    line: Line
    cameras: tuple[str, ...]
    groups: tuple[MachineGroup, ...]
    unseen: MachineGroup | None
    first_camera: npt.NDArray[np.int64]
    stages: npt.NDArray[np.int64]
    stretch: npt.NDArray[np.float64]
    station_m: npt.NDArray[np.float64]

    @classmethod
    def of(cls, line: Line) -> Self:
        """Divide a line by its cameras."""
        stations = sorted(line.cameras, key=lambda each: (each.position_m, each.camera_id))
        members: dict[int, list[Machine]] = {}
        for machine in line.machines:
            members.setdefault(_first_behind(machine, stations), []).append(machine)
        unseen = members.pop(len(stations), None)
        stages = [len(members.get(camera, ())) for camera in range(len(stations))]
        lengths = [
            float(np.prod([1 + machine.elongation for machine in members.get(camera, ())]))
            for camera in range(len(stations))
        ]
        if lengths:
            lengths[0] = 1.0
        names = tuple(station.camera_id for station in stations)
        return cls(
            line=line,
            cameras=names,
            groups=tuple(_group(line, members[camera], names[camera]) for camera in sorted(members)),
            unseen=None if unseen is None else _group(line, unseen, None),
            first_camera=np.array(sorted(members), dtype=np.int64),
            stages=np.array(stages, dtype=np.int64),
            stretch=np.cumprod(np.array(lengths, dtype=np.float64), dtype=np.float64),
            station_m=np.array([station.position_m for station in stations], dtype=np.float64),
        )

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All machines of the line in strip order."""
        return self.line.machines


def _first_behind(machine: Machine, stations: Sequence[CameraStation]) -> int:
    behind = (index for index, station in enumerate(stations) if station.position_m >= machine.position_m)
    return next(behind, len(stations))


def _group(line: Line, machines: Sequence[Machine], first_camera: str | None) -> MachineGroup:
    ids = tuple(machine.id for machine in machines)
    return MachineGroup(line.id, "+".join(ids), ids, first_camera)
