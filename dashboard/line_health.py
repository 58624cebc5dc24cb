"""What the line page says of machines that are not ok."""

from collections.abc import Sequence

from dashboard.language import strings
from dashboard.maintenance_rows import MachineHealthRow
from dashboard.reasons import why
from dashboard.words import clean, plain, say

OK = "ok"


def state_word(state: str) -> str:
    """Return a machine's state in words; a state unknown here is shown as it is stored."""
    return plain(f"health.{state}") if f"health.{state}" in strings() else clean(state)


def not_ok(machines: Sequence[MachineHealthRow]) -> list[MachineHealthRow]:
    """Return the machines that are not ok, in strip order."""
    return [row for row in machines if row.state != OK]


def sentence(row: MachineHealthRow) -> str:
    """Return why a machine is not ok, as Markdown with everything from the database escaped."""
    return say("health.line.reason", machine=row.machine_id, state=state_word(row.state), reason=why(row.reason))
