"""What goes wrong on the simulated line and when, as somebody scripted it; times become marks on the strip."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from services.contracts.errors import ConfigurationError
from services.domain.classes import DEFECT_CLASSES
from services.domain.strip import DEFAULT_COIL_LENGTH_M, MachineFault, strip_position
from services.domain.topology import Line, Topology

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the mark 0 of every simulated strip stood at its line's entry."""

_FAULTS: Final = "CAMERA_SOURCE__FAULTS"
_DIRTY: Final = "CAMERA_SOURCE__DIRTY"
_START_UP_S: Final = 60.0
"""What a line takes at most until its first frame is judged."""
_COILS_CUT: Final = 1.0
"""The first coil is met somewhere in its middle, and coils differ in length: together less than this."""


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """A machine that fails between two moments.

    Attributes:
        machine_id: The machine; ids differ between lines, so it names the line as well.
        defect_class: What it leaves.
        starts_at: The strip that stands at the machine then is the first to be marked; aware.
        ends_at: The strip that stands at the machine then is spared again; aware. None: it goes on for ever.
        rate_per_100m: Mean number per 100 m of strip, at random places.
        pitch_m: When set, one defect every pitch instead, as a damaged roll leaves them.
        lateral: Fixed place across the strip, 0 (left) to 1; None: anywhere.
    """

    machine_id: str
    defect_class: str
    starts_at: datetime
    ends_at: datetime | None = None
    rate_per_100m: float = 0.0
    pitch_m: float | None = None
    lateral: float | None = None

    def on_strip(self, line: Line) -> MachineFault:
        """Return the fault between marks on the strip instead of moments.

        Raises:
            StopIteration: The line has no such machine.
        """
        machine_m = next(each.position_m for each in line.machines if each.id == self.machine_id)
        return MachineFault(
            machine_id=self.machine_id,
            defect_class=self.defect_class,
            rate_per_100m=self.rate_per_100m,
            pitch_m=self.pitch_m,
            lateral=self.lateral,
            from_m=mark_at(line, machine_m, self.starts_at),
            until_m=None if self.ends_at is None else mark_at(line, machine_m, self.ends_at),
        )


@dataclass(frozen=True, slots=True)
class DirtyLens:
    """A camera whose lens carries a blemish from a moment (aware) on; None: since ever."""

    camera_id: str
    starts_at: datetime | None = None

    def is_dirty(self, moment: datetime) -> bool:
        """Tell whether the blemish is there at a moment."""
        return self.starts_at is None or moment >= self.starts_at


@dataclass(frozen=True, slots=True)
class DemoScript:
    """What the simulated line goes through. All cameras must be given the same, to agree on the strip.

    Attributes:
        faults: Replace the faults that are drawn from the seed; empty: the line is healthy, apart from the low
            background that every machine leaves. None: drawn.
        dirty: Lenses with a blemish.
        coil_length_m: Mean length of a coil.
        learns_from: When somebody begins to learn from the line what is normal on it (aware): no drawn fault
            touches the coils that are learnt from. None: faults are drawn whenever they come.
    """

    faults: tuple[ScriptedFault, ...] | None = None
    dirty: tuple[DirtyLens, ...] = ()
    coil_length_m: float = DEFAULT_COIL_LENGTH_M
    learns_from: datetime | None = None

    def spare(self, line: Line, fault: MachineFault) -> MachineFault:
        """Return a drawn fault without the part that would be learnt as normal."""
        if self.learns_from is None:
            return fault
        first_m = mark_at(line, 0.0, self.learns_from)
        learnt_m = (line.monitoring.learning_coils + _COILS_CUT) * self.coil_length_m
        return replace(fault, from_m=max(fault.from_m, first_m + _START_UP_S * line.speed_m_s + learnt_m))

    def faults_of(self, line: Line) -> tuple[MachineFault, ...] | None:
        """Return the scripted faults of one line's machines, in the script's order; None: nothing is scripted."""
        if self.faults is None:
            return None
        machines = {machine.id for machine in line.machines}
        return tuple(fault.on_strip(line) for fault in self.faults if fault.machine_id in machines)

    def lens_of(self, camera_id: str) -> DirtyLens | None:
        """Return the blemish of a camera's lens, or None."""
        return next((each for each in self.dirty if each.camera_id == camera_id), None)

    def check(self, topology: Topology) -> None:
        """Refuse what names something that is not there.

        Raises:
            ConfigurationError: A machine or camera is in no line, or a class is not known.
        """
        machines = {machine.id for line in topology.lines for machine in line.machines}
        for fault in self.faults or ():
            _refuse_unknown(_FAULTS, "machine", fault.machine_id, machines)
            _refuse_unknown(_FAULTS, "defect class", fault.defect_class, set(DEFECT_CLASSES))
        cameras = {station.camera_id for station in topology.cameras}
        for lens in self.dirty:
            _refuse_unknown(_DIRTY, "camera", lens.camera_id, cameras)


def mark_at(line: Line, position_m: float, moment: datetime) -> float:
    """Return the mark on the strip (m) that stands at a place of the line at a moment."""
    return strip_position(line.speed_m_s, (moment - EPOCH).total_seconds(), position_m)


def _refuse_unknown(setting: str, what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ConfigurationError(
            f"setting {setting}: there is no {what} {name!r}; there are {', '.join(sorted(known))}"
        )
