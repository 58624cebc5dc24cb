"""What the line page says of machines that are not ok, and of cameras that the monitor does not trust."""

from collections.abc import Sequence

from dashboard.maintenance_rows import MachineHealthRow, OrderRow
from dashboard.maintenance_view import CAMERA_PREFIX
from dashboard.reasons import camera_why, why
from dashboard.words import health_word, say

OK = "ok"


def not_ok(machines: Sequence[MachineHealthRow]) -> list[MachineHealthRow]:
    """Return the machines that are not ok, in strip order."""
    return [row for row in machines if row.state != OK]


def sentence(row: MachineHealthRow) -> str:
    """Return why a machine is not ok, as Markdown with everything from the database escaped."""
    return say("health.line.reason", machine=row.machine_id, state=health_word(row.state), reason=why(row.reason))


def of_cameras(orders: Sequence[OrderRow]) -> list[OrderRow]:
    """Return the open work orders that are about a camera."""
    return [order for order in orders if order.group_id.startswith(CAMERA_PREFIX)]


def camera_sentence(order: OrderRow) -> str:
    """Return what is wrong with a camera, as Markdown with everything from the database escaped."""
    camera = order.group_id.removeprefix(CAMERA_PREFIX)
    return say("health.line.camera", camera=camera, reason=camera_why(order.reason))
