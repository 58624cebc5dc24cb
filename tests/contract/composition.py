"""Reads compose.yaml as `docker compose` would: merges resolved, variables replaced from an environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<text>[^}]*))?\})")
MADE_BY_THE_SCRIPT = {"MILLSIGHT_UID": "1000", "MILLSIGHT_GID": "1000", "MILLSIGHT_KAFKA_CLUSTER_ID": "x" * 22}


class UnsetVariable(Exception):
    """A variable that must be given is not."""


@dataclass(frozen=True, slots=True)
class Composition:
    """The file as text, and as a document with its variables replaced."""

    root: Path
    text: str
    document: dict[str, Any]

    @classmethod
    def load(cls, root: Path, environment: Mapping[str, str] = MADE_BY_THE_SCRIPT) -> "Composition":
        text = (root / "compose.yaml").read_text(encoding="utf-8")
        return cls(root, text, _replace(yaml.safe_load(text), environment))

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        return dict(self.document["services"])

    def environment(self, service: str) -> dict[str, str]:
        return {key: str(value) for key, value in self.services[service].get("environment", {}).items()}

    def bind_mounts(self) -> list[tuple[str, str, str, str]]:
        """Return service, source, target and mode of what is mounted from the checkout."""
        found = []
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                source, target, *mode = volume.split(":")
                if source.startswith("."):
                    found.append((name, source, target, mode[0] if mode else "rw"))
        return found


def _replace(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replace(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [_replace(each, environment) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, environment), value)
    return value


def _value(match: "re.Match[str]", environment: Mapping[str, str]) -> str:
    name = match["name"]
    if name is None:
        return "$"
    if environment.get(name):
        return environment[name]
    if match["how"] == ":-":
        return match["text"]
    raise UnsetVariable(f"{name}: {match['text']}")
