"""Reads and checks the line file (`line.yaml`): the customer's description of lines, machines and cameras."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from services.contracts.errors import ConfigurationError
from services.contracts.topics import check_camera_id
from services.contracts.yaml_file import Entry, Id, read_entry
from services.domain.topology import (
    DEFAULT_MATERIAL,
    DEFAULT_MODEL,
    UNASSIGNED,
    CameraStation,
    Line,
    Machine,
    MonitoringPlan,
    Roll,
    Topology,
)

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_EXAMPLE: Final = "2026-03-01T06:00:00+01:00"


class _Roll(Entry):
    id: Id
    diameter_mm: float = Field(gt=0, le=5000)
    forward_slip: float | None = Field(default=None, ge=-0.1, le=0.3)
    forward_slip_tolerance: float = Field(default=0.02, ge=0, le=0.2)


class _Machine(Entry):
    id: Id
    name: Name | None = None
    kind: Id
    position_m: float = Field(ge=0)
    rolls: tuple[_Roll, ...] = ()
    elongation: float = Field(default=0.0, ge=-0.05, le=1.5)


class _Camera(Entry):
    id: Id
    position_m: float = Field(ge=0)
    behind: Id = Field(description="The machine the camera stands behind")
    material: Id = DEFAULT_MATERIAL
    model: Id = DEFAULT_MODEL


class _Monitoring(Entry):
    learning_coils: int = Field(default=20, ge=2, le=1000)
    arl0_coils: float = Field(default=500.0, ge=50, le=100_000)
    mean_coils_between_faults: float = Field(default=200.0, ge=1, le=1_000_000)
    close_after_s: float | None = Field(default=None, gt=0, le=7 * 86_400)


class _Line(Entry):
    id: Id
    name: Name | None = None
    speed_m_s: float = Field(default=3.0, gt=0, le=50)
    valid_from: datetime | None = None
    monitoring: _Monitoring = _Monitoring()
    machines: tuple[_Machine, ...] = Field(min_length=1)
    cameras: tuple[_Camera, ...] = ()

    @field_validator("valid_from", mode="before")
    @classmethod
    def _with_time_zone(cls, value: object) -> object:
        moment = _moment(value)
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{value} has no time zone: write it as in {_EXAMPLE}")
        return moment

    @field_validator("machines")
    @classmethod
    def _in_strip_order(cls, machines: tuple[_Machine, ...]) -> tuple[_Machine, ...]:
        _refuse_repeats("machine", [machine.id for machine in machines])
        _refuse_repeats("roll", [roll.id for machine in machines for roll in machine.rolls])
        for before, after in pairwise(machines):
            if after.position_m <= before.position_m:
                wrong = (
                    "no two machines at one place"
                    if after.position_m == before.position_m
                    else "positions must not run backwards"
                )
                raise ValueError(
                    f"machine {after.id!r} at {after.position_m} m must stand after {before.id!r} at"
                    f" {before.position_m} m: list the machines in strip order, {wrong}"
                )
        return machines

    @field_validator("cameras")
    @classmethod
    def _behind_their_machines(cls, cameras: tuple[_Camera, ...], info: ValidationInfo) -> tuple[_Camera, ...]:
        _refuse_repeats("camera", [camera.id for camera in cameras])
        for camera in cameras:
            _check_topic(camera.id)
            _check_camera(camera, info.data.get("machines", ()))
        return cameras


class _LineFile(Entry):
    lines: tuple[_Line, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _refuse_reserved(self.lines)
        _refuse_undated_versions(self.lines)
        _refuse_shared_ids(self.lines, "machine")
        _refuse_shared_ids(self.lines, "camera")
        return self


def load_topology(path: Path) -> Topology:
    """Read a line file.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML, or breaks a rule; the sentence names the line and
            the field.
    """
    parsed = read_entry(path, "line file", _LineFile)
    return Topology.of(_line(line) for line in parsed.lines)


def _moment(value: object) -> datetime | None:
    """Read what YAML made of a point in time; a bare number is no point in time."""
    match value:
        case None:
            return None
        case datetime():
            return value
        case date():
            raise ValueError(f"{value} has no time of day and no time zone: write it as in {_EXAMPLE}")
        case str():
            try:
                return datetime.fromisoformat(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is no point in time: write it as in {_EXAMPLE}") from error
        case _:
            raise ValueError(f"{value!r} is no point in time: write it as in {_EXAMPLE}")


def _check_topic(camera_id: str) -> None:
    try:
        check_camera_id(camera_id)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


def _check_camera(camera: _Camera, machines: tuple[_Machine, ...]) -> None:
    passed = [machine for machine in machines if machine.position_m <= camera.position_m]
    if machines and not passed:
        raise ValueError(
            f"camera {camera.id!r} at {camera.position_m} m stands before the first machine, {machines[0].id!r}"
            f" at {machines[0].position_m} m: correct one of the two positions"
        )
    if passed and camera.behind != passed[-1].id:
        raise ValueError(
            f"camera {camera.id!r} at {camera.position_m} m stands behind {passed[-1].id!r},"
            f" not behind {camera.behind!r}: correct its position_m or behind"
        )


def _refuse_repeats(what: str, ids: list[str]) -> None:
    for each, times in Counter(ids).items():
        if times > 1:
            raise ValueError(f"{what} id {each!r} is used twice: ids must differ")


def _refuse_reserved(lines: tuple[_Line, ...]) -> None:
    for line in lines:
        if UNASSIGNED in (line.id, *(machine.id for machine in line.machines)):
            field = "id" if line.id == UNASSIGNED else "machines"
            raise ValueError(
                f"line {line.id!r}, {field}: the id {UNASSIGNED!r} is reserved for cameras that no line names"
            )


def _refuse_undated_versions(lines: tuple[_Line, ...]) -> None:
    for (line_id, moment), times in Counter((line.id, line.valid_from) for line in lines).items():
        if times > 1 and moment is None:
            raise ValueError(
                f"line {line_id!r}, valid_from: the line stands {times} times without a date: only its oldest"
                " version may; say from when on each newer one holds"
            )
        if times > 1 and moment is not None:
            raise ValueError(
                f"line {line_id!r}, valid_from: {times} versions begin at {moment.isoformat()}: keep one of them"
            )


def _refuse_shared_ids(lines: tuple[_Line, ...], what: str) -> None:
    """Versions of one line repeat their ids; two lines never share one."""
    owner: dict[str, str] = {}
    for line in lines:
        for each in _ids(line, what):
            first = owner.setdefault(each, line.id)
            if first != line.id:
                raise ValueError(
                    f"line {line.id!r}, {what}s: {what} id {each!r} is used twice, in line {first!r} too: ids must"
                    " differ"
                )


def _ids(line: _Line, what: str) -> Iterator[str]:
    yield from (each.id for each in (line.machines if what == "machine" else line.cameras))


def _line(line: _Line) -> Line:
    machines = tuple(
        Machine(m.id, m.name or m.id, m.kind, m.position_m, tuple(_roll(r) for r in m.rolls), m.elongation)
        for m in line.machines
    )
    cameras = tuple(
        CameraStation(c.id, line.id, c.behind, c.position_m, c.material, c.model)
        for c in sorted(line.cameras, key=lambda camera: camera.position_m)
    )
    plan = MonitoringPlan(**line.monitoring.model_dump())
    return Line(line.id, line.name or line.id, line.speed_m_s, machines, cameras, line.valid_from, plan)


def _roll(roll: _Roll) -> Roll:
    return Roll(roll.id, roll.diameter_mm, roll.forward_slip, roll.forward_slip_tolerance)
