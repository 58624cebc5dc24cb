"""Reads and checks the line file (`line.yaml`): the customer's description of lines, machines and cameras."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.contracts.errors import ConfigurationError
from services.contracts.topics import check_camera_id
from services.domain.topology import (
    DEFAULT_MATERIAL,
    DEFAULT_MODEL,
    UNASSIGNED,
    CameraStation,
    Line,
    Machine,
    Roll,
    Topology,
)

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Roll(_Entry):
    id: Id
    diameter_mm: float = Field(gt=0, le=5000)


class _Machine(_Entry):
    id: Id
    name: Name | None = None
    kind: Id
    position_m: float = Field(ge=0)
    rolls: tuple[_Roll, ...] = ()


class _Camera(_Entry):
    id: Id
    position_m: float = Field(ge=0)
    behind: Id = Field(description="The machine the camera stands behind")
    material: Id = DEFAULT_MATERIAL
    model: Id = DEFAULT_MODEL


class _Line(_Entry):
    id: Id
    name: Name | None = None
    speed_m_s: float = Field(default=3.0, gt=0, le=50)
    machines: tuple[_Machine, ...] = Field(min_length=1)
    cameras: tuple[_Camera, ...] = ()

    @model_validator(mode="after")
    def _in_strip_order(self) -> Self:
        _refuse_repeats("roll", (roll.id for machine in self.machines for roll in machine.rolls))
        for before, after in zip(self.machines, self.machines[1:], strict=False):
            if after.position_m <= before.position_m:
                raise ValueError(
                    f"machine {after.id!r} at {after.position_m} m must stand after {before.id!r} at"
                    f" {before.position_m} m: list the machines in strip order, no two at one place"
                )
        for camera in self.cameras:
            self._check_camera(camera)
        return self

    def _check_camera(self, camera: _Camera) -> None:
        passed = [machine for machine in self.machines if machine.position_m <= camera.position_m]
        if not passed:
            raise ValueError(f"camera {camera.id!r} at {camera.position_m} m stands before the first machine")
        if camera.behind != passed[-1].id:
            raise ValueError(
                f"camera {camera.id!r} at {camera.position_m} m stands behind {passed[-1].id!r},"
                f" not behind {camera.behind!r}"
            )


class _LineFile(_Entry):
    lines: tuple[_Line, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        _refuse_repeats("line", (line.id for line in self.lines))
        _refuse_repeats("machine", (machine.id for line in self.lines for machine in line.machines))
        _refuse_repeats("camera", (camera.id for line in self.lines for camera in line.cameras))
        if any(UNASSIGNED in (line.id, *(m.id for m in line.machines)) for line in self.lines):
            raise ValueError(f"the id {UNASSIGNED!r} is reserved for cameras that no line names")
        return self


def _refuse_repeats(what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise ValueError(f"{what} id {each!r} is used twice: ids must differ")
        seen.add(each)


def load_topology(path: Path) -> Topology:
    """Read a line file.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML, or breaks a rule; the sentence names the field.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"line file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"line file {path} is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"line file {path} is not valid YAML: {_one_line(error)}") from error
    try:
        parsed = _LineFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"line file {path}, {where}: {message}") from error
    return Topology(lines=tuple(_line(line) for line in parsed.lines))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _line(line: _Line) -> Line:
    machines = tuple(
        Machine(m.id, m.name or m.id, m.kind, m.position_m, tuple(Roll(r.id, r.diameter_mm) for r in m.rolls))
        for m in line.machines
    )
    cameras = tuple(
        CameraStation(check_camera_id(c.id), line.id, c.behind, c.position_m, c.material, c.model)
        for c in sorted(line.cameras, key=lambda camera: camera.position_m)
    )
    return Line(line.id, line.name or line.id, line.speed_m_s, machines, cameras)
