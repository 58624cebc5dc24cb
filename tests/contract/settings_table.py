"""Writes docs/settings.md from the settings classes: `python -m tests.contract.settings_table`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from typing_extensions import override

from dashboard.settings import DashboardSettings
from services.camera.settings import CameraSettings
from services.classifier.settings import ClassifierSettings
from services.process_monitor.settings import MonitorSettings
from services.simulator.settings import SimulatorSettings
from services.trainer.settings import TrainerSettings

ROOMS: Final[dict[str, type[BaseSettings]]] = {
    "camera": CameraSettings,
    "classifier": ClassifierSettings,
    "process_monitor": MonitorSettings,
    "dashboard": DashboardSettings,
    "trainer": TrainerSettings,
    "simulator": SimulatorSettings,
}
_TITLES: Final = {"dashboard": "Dashboard", "process_monitor": "Process monitor", "simulator": "Simulator"}
"""What the page calls a room that is not called `<Name> room`."""

_HEAD: Final = """\
# Settings

Every room reads its settings from environment variables, `<ROOM>_<GROUP>__<NAME>`. A misspelt name inside a group,
a missing value or one out of bounds stops the room at the start with a line that names the variable (exit code 2).
Secrets are never on a command line: database URLs are given as the path of a file (`..._URL_FILE`), passwords of
Kafka stand in the file of `..._KAFKA__CONFIG_FILE`, and values marked "secret text" are not logged. Lists and
mappings are JSON. `millsight up` sets what the local line needs; `compose.yaml` shows a full set for containers.

This page is written from the code: `python -m tests.contract.settings_table > docs/settings.md`; a test compares.
"""

_MEANINGS: Final = {
    "health.host": "Address of `/livez`, `/readyz` and `/metrics`; loopback unless the network is private",
    "health.port": "Port of the health and metrics endpoints; 0 picks a free one",
    "postgres.connect_timeout_s": "How long one attempt to connect may take",
    "postgres.statement_timeout_s": "How long one statement may run before it is cancelled",
    "triton.inference_timeout_s": "How long one request may take before it is tried again",
    "group.group_id": "Workers of one group share the cameras' topics; another group sees every frame again",
    "group.max_poll_interval_s": "A worker that has not polled for this long loses its topics",
    "intake.decode_threads": "Threads that decode images; more than there are cores does not help",
    "intake.poll_wait_s": "How long one poll waits for messages",
    "dead_letters.limit_ratio": "Rejected share of a topic's messages above which it is set aside",
    "dead_letters.window_s": "Over how long the share is counted",
    "source.max_image_bytes": "Larger images are refused at the camera and counted",
    "pool.size": "Connections that all open pages share",
    "pool.wait_s": "How long a page waits for a free connection",
    "run.epochs": "Rounds of training; a checkpoint ends each",
    "run.steps_per_epoch": "Batches in a round",
    "run.batch_size": "Images in a batch",
    "run.seed": "Of everything that is drawn: split, order, augmentation, first weights",
    "repository.directory": "Triton's model repository that the new version is written to",
    "repository.model_name": "Name of the model in it",
}
"""What a setting means whose class does not say it in its description."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as a reader meets it."""

    variable: str
    kind: str
    default: str
    bounds: str
    meaning: str

    @override
    def __str__(self) -> str:
        name = f"`{self.variable}`"
        return f"| {name} | {self.kind} | {self.default} | {self.bounds} | {self.meaning} |"


def settings_of(settings_class: type[BaseSettings]) -> Iterator[Setting]:
    """Yield every setting of a room, in the order of its class."""
    prefix = str(settings_class.model_config["env_prefix"])
    for group_name, group in settings_class.model_fields.items():
        group_class = group.annotation
        assert isinstance(group_class, type), f"{group_name} is no group"
        assert issubclass(group_class, BaseModel), f"{group_name} is no group"
        for name, field in group_class.model_fields.items():
            yield Setting(
                variable=f"{prefix}{group_name}__{name}".upper(),
                kind=_kind(field.annotation),
                default="**required**" if field.is_required() else _default(field.default),
                bounds=_bounds(field),
                meaning=field.description or _MEANINGS.get(f"{group_name}.{name}", ""),
            )


def render() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for room, settings_class in ROOMS.items():
        parts.append(f"\n## {_TITLES.get(room, f'{room.capitalize()} room')}\n")
        parts.append("\n| variable | type | default | bounds | meaning |\n|---|---|---|---|---|\n")
        parts.extend(f"{setting}\n" for setting in settings_of(settings_class))
    return "".join(parts)


def _kind(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_kind(each) for each in arguments if each is not NoneType)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if origin in (tuple, list):
        return "JSON list"
    if origin is dict:
        return "JSON mapping"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    names = {
        str: "text",
        int: "integer",
        float: "number",
        bool: "true or false",
        Path: "path",
        SecretStr: "secret text",
    }
    return names.get(annotation, "text") if isinstance(annotation, type) else "text"


def _default(value: object) -> str:
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join(found)


if __name__ == "__main__":
    sys.stdout.write(render())
