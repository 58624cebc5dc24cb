"""When and where a fault began and was noticed: kept with the fault, since coils are forgotten after a while."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.domain.monitoring.causes import Onset
from services.domain.monitoring.state import HISTORY_COILS, MonitorState


@dataclass(frozen=True, slots=True)
class Beginning:
    """Names and places of the coils of a fault's beginning, as they were at its alarm.

    Attributes:
        onset_coil: First coil of the excess; `low_coil` to `high_coil` its 95 % interval.
        alarm_coil: Coil of the alarm.
        onset_m: First place of the onset coil, metres.
        onset_s: First capture of the onset coil, seconds since 1970; `alarm_s` of the coil of the alarm.
    """

    onset_coil: str
    low_coil: str
    high_coil: str
    alarm_coil: str
    onset_m: float
    onset_s: float
    alarm_s: float

    @property
    def onset_at(self) -> datetime:
        """First capture of the onset coil."""
        return datetime.fromtimestamp(self.onset_s, UTC)

    @property
    def alarm_at(self) -> datetime:
        """First capture of the coil of the alarm."""
        return datetime.fromtimestamp(self.alarm_s, UTC)


def beginning_of(state: MonitorState, onset: Onset, alarm: int) -> Beginning:
    """Look up the coils of an onset and an alarm; all of them are remembered when the alarm is new."""
    names, times = state.ring_coils, state.ring_times
    return Beginning(
        onset_coil=names[onset.best % HISTORY_COILS],
        low_coil=names[onset.low % HISTORY_COILS],
        high_coil=names[onset.high % HISTORY_COILS],
        alarm_coil=names[alarm % HISTORY_COILS],
        onset_m=float(times[onset.best % HISTORY_COILS, 1]),
        onset_s=float(times[onset.best % HISTORY_COILS, 0]),
        alarm_s=float(times[alarm % HISTORY_COILS, 0]),
    )
