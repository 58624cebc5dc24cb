"""What machines do to the strip: faults with a rate or a pitch, and each kind's usual weak spots."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.domain.topology import Machine

_WEAK_SPOTS: dict[str, tuple[tuple[str, float], ...]] = {
    "uncoiler": (("crease", 0.10), ("waist_folding", 0.15)),
    "welder": (("inclusion", 0.10),),
    "washer": (("water_spot", 0.25),),
    "skin_pass_mill": (("silk_spot", 0.20), ("rolled_pit", 0.05)),
    "tension_leveller": (("oil_spot", 0.20),),
    "side_trimmer": (("crescent_gap", 0.10),),
}
_OTHER_WEAK_SPOTS = (("inclusion", 0.10),)


@dataclass(frozen=True, slots=True)
class MachineFault:
    """A machine that leaves defects of one class.

    Attributes:
        machine_id: The machine that makes them.
        defect_class: What it makes.
        rate_per_100m: Mean number per 100 m of strip, at random places (Poisson).
        pitch_m: When set, one defect every pitch exactly, as a damaged roll leaves them; the rate is unused.
        lateral: Fixed place across the strip, 0 (left) to 1; None: anywhere.
        from_m: Strip position where the fault begins.
        until_m: Strip position where it ends; None: never.
    """

    machine_id: str
    defect_class: str
    rate_per_100m: float = 0.0
    pitch_m: float | None = None
    lateral: float | None = None
    from_m: float = float("-inf")
    until_m: float | None = None

    def active(self, position_m: float) -> bool:
        """Tell whether the machine is broken when this mark on the strip passes it."""
        return position_m >= self.from_m and (self.until_m is None or position_m < self.until_m)

    def check(self, machine_positions_m: Mapping[str, float]) -> None:
        """Refuse what is not possible on a line with these machines.

        Raises:
            ValueError: The machine is not there, the rate is negative or the pitch not positive.
        """
        if self.machine_id not in machine_positions_m:
            raise ValueError(f"a fault names machine {self.machine_id!r}, which is not on the line")
        if self.rate_per_100m < 0 or (self.pitch_m is not None and self.pitch_m <= 0):
            raise ValueError(f"the fault of {self.machine_id!r} needs a rate >= 0 and a pitch > 0")


def weak_spots(machines: Iterable[Machine], *, scale: float = 1.0) -> tuple[MachineFault, ...]:
    """Return the low background of defects that machines of each kind leave when nothing is broken.

    Args:
        machines: The machines of a line.
        scale: Factor on all rates; 1 gives 0.05 to 0.25 defects per 100 m and class.
    """
    return tuple(
        MachineFault(machine.id, defect_class, rate_per_100m=scale * rate)
        for machine in machines
        for defect_class, rate in _WEAK_SPOTS.get(machine.kind, _OTHER_WEAK_SPOTS)
    )
