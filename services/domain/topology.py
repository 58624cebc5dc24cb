"""The production line as the customer knows it: machines in strip order, rolls, cameras, and their history."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import prod
from typing import Final

UNASSIGNED: Final = "unassigned"
"""Line and machine of frames whose camera stands in no line file: kept, shown, never guessed."""

DEFAULT_MATERIAL: Final = "steel_strip"
DEFAULT_MODEL: Final = "surface_defects"

UNKNOWN_SLIP_RANGE: Final = (-0.005, 0.06)
"""Forward slip where nobody measured it: from a roll that drags a little to a mill stand with strong reduction."""

MILL_SLIP: Final = 0.03
"""Expected forward slip of a mill's rolls when it is not known: a few percent."""


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll that touches the strip; a fault on it repeats every pi x diameter x (1 + forward slip).

    Attributes:
        id: Differs from the ids of all other rolls of the line.
        diameter_mm: As ground; a new grinding is a new dated version of the line.
        forward_slip: (strip speed behind the roll - roll speed) / roll speed; None: not known.
        forward_slip_tolerance: How far the slip may be off `forward_slip`, either way.
    """

    id: str
    diameter_mm: float
    forward_slip: float | None = None
    forward_slip_tolerance: float = 0.02

    @property
    def slip_range(self) -> tuple[float, float]:
        """Lowest and highest forward slip to expect; `UNKNOWN_SLIP_RANGE` when none is given."""
        if self.forward_slip is None:
            return UNKNOWN_SLIP_RANGE
        return (
            self.forward_slip - self.forward_slip_tolerance,
            self.forward_slip + self.forward_slip_tolerance,
        )


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the line.

    Attributes:
        id: Differs from the ids of all other machines of all lines.
        name: Shown to people.
        kind: What it is, as in `skin_pass_mill`; material packs speak of kinds.
        position_m: Distance from the line's entry, measured along the strip.
        rolls: Rolls that touch the strip.
        elongation: Relative lengthening of the strip by this machine; 0.01: 100 m become 101 m.
    """

    id: str
    name: str
    kind: str
    position_m: float
    rolls: tuple[Roll, ...] = ()
    elongation: float = 0.0

    def slip_expected(self, roll: Roll) -> float:
        """Return the forward slip to expect of one of its rolls: the given one, or a mill's few percent, or 0.

        It stands here since only the machine knows whether its rolls reduce the strip or merely carry it.
        """
        if roll.forward_slip is not None:
            return roll.forward_slip
        return MILL_SLIP if "mill" in self.kind else 0.0


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
class MonitoringPlan:
    """How the process monitor watches a line.

    Attributes:
        learning_coils: Coils from which the normal defect rates are learnt before anything is flagged.
        arl0_coils: Promised mean number of coils between false alarms of the whole line.
        mean_coils_between_faults: How often something really breaks on this line, in coils.
        close_after_s: A coil without news for this long is taken as complete; None: derived from the line's speed.
    """

    learning_coils: int = 20
    arl0_coils: float = 500.0
    mean_coils_between_faults: float = 200.0
    close_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One strip line as it stood from `valid_from` on: machines and cameras in strip order.

    Attributes:
        id: Name of the line; all its dated versions carry the same.
        name: Shown to people.
        speed_m_s: Nominal strip speed at the entry.
        machines: In strip order.
        cameras: In strip order.
        valid_from: When this version began (with time zone); None: since ever.
        monitoring: How the process monitor watches it.
    """

    id: str
    name: str
    speed_m_s: float
    machines: tuple[Machine, ...]
    cameras: tuple[CameraStation, ...]
    valid_from: datetime | None = None
    monitoring: MonitoringPlan = MonitoringPlan()

    def stretch_between(self, camera_a: str, camera_b: str) -> float:
        """Return how much longer a length of strip is at camera b than at camera a: prod(1 + elongation).

        The machines that count stand behind camera a and not behind camera b. With a downstream of b the
        factor is the inverse.

        Raises:
            KeyError: This version of the line has no such camera.
        """
        return self._stretch_at(self._camera(camera_b).position_m) / self._stretch_at(
            self._camera(camera_a).position_m
        )

    def stretch_after(self, machine_id: str, camera_id: str) -> float:
        """Return how much longer a length is at a camera than right behind a machine (its own elongation done).

        The pitch of a roll's marks at the camera is pi x diameter x (1 + forward slip) x this factor.

        Raises:
            KeyError: This version of the line has no such machine or camera.
        """
        for machine in self.machines:
            if machine.id == machine_id:
                return self._stretch_at(self._camera(camera_id).position_m) / self._stretch_at(machine.position_m)
        raise KeyError(f"line {self.id!r} has no machine {machine_id!r}")

    def _camera(self, camera_id: str) -> CameraStation:
        for camera in self.cameras:
            if camera.camera_id == camera_id:
                return camera
        raise KeyError(f"line {self.id!r} has no camera {camera_id!r}")

    def _stretch_at(self, position_m: float) -> float:
        return prod(1.0 + each.elongation for each in self.machines if each.position_m <= position_m)


@dataclass(frozen=True, slots=True)
class LineVersion:
    """A line as it stood in a span of time: `valid_from` included, `valid_until` not; None: open at that end."""

    line: Line
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Topology:
    """All lines of a plant, with a look-up of cameras.

    Attributes:
        lines: The newest version of every line.
        older: All earlier versions, in any order (see `of`).
    """

    lines: tuple[Line, ...]
    older: tuple[Line, ...] = ()
    _stations: dict[str, CameraStation] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the newest cameras by id."""
        stations = {camera.camera_id: camera for line in self.lines for camera in line.cameras}
        object.__setattr__(self, "_stations", stations)

    @classmethod
    def of(cls, versions: Iterable[Line]) -> "Topology":
        """Sort dated versions, in any order, into the newest of each line (in order of mention) and the rest."""
        given = tuple(versions)
        in_time = sorted(given, key=_began)
        newest = {line.id: line for line in given}
        newest.update((line.id, line) for line in in_time)
        return cls(tuple(newest.values()), tuple(line for line in in_time if line is not newest[line.id]))

    def history(self, line_id: str) -> tuple[LineVersion, ...]:
        """Return all versions of a line, oldest first, each with the span in which it held.

        Raises:
            KeyError: There is no such line.
        """
        lines = sorted((each for each in (*self.older, *self.lines) if each.id == line_id), key=_began)
        if not lines:
            raise KeyError(f"no line {line_id!r}")
        ends = [later.valid_from for later in lines[1:]]
        return tuple(
            LineVersion(line, line.valid_from, end) for line, end in zip(lines, [*ends, None], strict=True)
        )

    def line_at(self, line_id: str, moment: datetime) -> Line:
        """Return the line as it stood at a moment; before its first date, the oldest version there is.

        Raises:
            KeyError: There is no such line.
            ValueError: `moment` has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"moment {moment.isoformat()} has no time zone")
        versions = self.history(line_id)
        begun = [each.line for each in versions if each.valid_from is None or each.valid_from <= moment]
        return begun[-1] if begun else versions[0].line

    def station(self, camera_id: str) -> CameraStation | None:
        """Return where a camera stands now, or None when no line names it."""
        return self._stations.get(camera_id)

    @property
    def cameras(self) -> tuple[CameraStation, ...]:
        """All cameras of all lines as they stand now."""
        return tuple(self._stations.values())

    @property
    def models(self) -> frozenset[str]:
        """Names of all models that the cameras ask for."""
        return frozenset(camera.model for camera in self._stations.values())


def _began(line: Line) -> tuple[bool, float]:
    """Sort key: undated first, then by moment."""
    return (False, 0.0) if line.valid_from is None else (True, line.valid_from.timestamp())
