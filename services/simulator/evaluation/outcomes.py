"""What one simulated run of the monitor came to, as values that survive a JSON file."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

MACHINE = "machine"
"""Detector of a flag that points at a machine; a camera's flag names the kind of camera fault."""


@dataclass(slots=True)
class FlagSeen:
    """A flag as it was raised.

    Attributes:
        cause: Group id, or `camera:<camera_id>`.
        defect_class: None for a camera.
        detector: `MACHINE`, or the kind of a camera fault.
        alarm: Number of the coil of the alarm; `onset` of the estimated first coil, `onset_low` to `onset_high`
            its 95 % interval; `cleared` of the coil after which it was over.
        posterior: Cause to probability at the alarm.
    """

    cause: str
    defect_class: str | None
    detector: str
    alarm: int
    onset: int
    onset_low: int
    onset_high: int
    posterior: dict[str, float]
    cleared: int | None = None


@dataclass(slots=True)
class TrueFault:
    """A fault that the simulator made.

    Attributes:
        machine: Its machine; `group` the group of machines that the cameras can tell from others; `members` how
            many machines this group has.
        onset: First coil.
    """

    machine: str
    group: str
    members: int
    defect_class: str
    onset: int


@dataclass(slots=True)
class RunOutcome:
    """One run.

    Attributes:
        study: What it belongs to, as in `in_control/known`.
        seed: Of the simulated line.
        coils: Coils that the monitor took.
        learning: Coils that it learnt from before it could flag.
        flags: In the order in which they were raised.
        truth: Faults that were there.
        facts: Anything else that a study needs.
    """

    study: str
    seed: int
    coils: int
    learning: int
    flags: list[FlagSeen] = field(default_factory=list)
    truth: list[TrueFault] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> FlagSeen | None:
        """The first flag of any kind."""
        return self.flags[0] if self.flags else None

    def document(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what `document` gave."""
        flags = [FlagSeen(**each) for each in document["flags"]]
        truth = [TrueFault(**each) for each in document["truth"]]
        return cls(**(document | {"flags": flags, "truth": truth}))
