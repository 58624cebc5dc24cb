"""The production line as the customer knows it: lines, machines in strip order, rolls, cameras."""

from dataclasses import dataclass, field
from typing import Final

UNASSIGNED: Final = "unassigned"
"""Line and machine of frames whose camera stands in no line file: kept, shown, never guessed."""

DEFAULT_MATERIAL: Final = "steel_strip"
DEFAULT_MODEL: Final = "surface_defects"


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll that touches the strip; a fault on it repeats every pi x diameter."""

    id: str
    diameter_mm: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the line. `position_m` is the distance from the line's entry, measured along the strip."""

    id: str
    name: str
    kind: str
    position_m: float
    rolls: tuple[Roll, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraStation:
    """A camera at its place. It sees the strip right after `machine_id`; `position_m` counts from the entry."""

    camera_id: str
    line_id: str
    machine_id: str
    position_m: float
    material: str = DEFAULT_MATERIAL
    model: str = DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Line:
    """One strip line: machines and cameras in strip order, nominal strip speed in metres per second."""

    id: str
    name: str
    speed_m_s: float
    machines: tuple[Machine, ...]
    cameras: tuple[CameraStation, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """All lines of a plant, with a look-up of cameras."""

    lines: tuple[Line, ...]
    _stations: dict[str, CameraStation] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the cameras by id."""
        stations = {camera.camera_id: camera for line in self.lines for camera in line.cameras}
        object.__setattr__(self, "_stations", stations)

    def station(self, camera_id: str) -> CameraStation | None:
        """Return where a camera stands, or None when no line names it."""
        return self._stations.get(camera_id)

    @property
    def cameras(self) -> tuple[CameraStation, ...]:
        """All cameras of all lines."""
        return tuple(self._stations.values())

    @property
    def models(self) -> frozenset[str]:
        """Names of all models that the cameras ask for."""
        return frozenset(camera.model for camera in self._stations.values())
