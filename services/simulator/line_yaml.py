"""The line file of a simulated line: what a customer would have written."""

from typing import Any

import yaml

from services.domain.topology import CameraStation, Line, Machine


def line_yaml(line: Line, about: str) -> str:
    """Return the text of a line file.

    Args:
        line: The line; dated versions are not told.
        about: A sentence for its first line.
    """
    document = {
        "lines": [
            {
                "id": line.id,
                "name": line.name,
                "speed_m_s": line.speed_m_s,
                "machines": [_machine(machine) for machine in line.machines],
                "cameras": [_camera(camera) for camera in line.cameras],
            }
        ]
    }
    return f"# {about}\n" + yaml.safe_dump(document, sort_keys=False)


def _machine(machine: Machine) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": machine.id, "kind": machine.kind, "position_m": machine.position_m}
    if machine.elongation:
        entry["elongation"] = machine.elongation
    if machine.rolls:
        entry["rolls"] = [
            {"id": roll.id, "diameter_mm": roll.diameter_mm}
            | ({} if roll.forward_slip is None else {"forward_slip": roll.forward_slip})
            | {"forward_slip_tolerance": roll.forward_slip_tolerance}
            for roll in machine.rolls
        ]
    return entry


def _camera(camera: CameraStation) -> dict[str, Any]:
    return {
        "id": camera.camera_id,
        "position_m": camera.position_m,
        "behind": camera.machine_id,
        "material": camera.material,
        "model": camera.model,
    }
