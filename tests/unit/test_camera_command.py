"""`millsight camera`: which broker it takes, and one line for a user's mistake."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.commands.camera import _address_of, app
from services.contracts.errors import ConfigurationError


def test_the_broker_is_the_one_named_else_the_running_lines_else_the_usual(tmp_path: Path) -> None:
    assert _address_of("kafka-1:9093", tmp_path) == "kafka-1:9093"
    assert _address_of(None, tmp_path) == "127.0.0.1:9092"
    (tmp_path / "state.json").write_text(
        json.dumps({"services": [], "broker": {"bootstrap_servers": "127.0.0.1:19092"}})
    )
    assert _address_of(None, tmp_path) == "127.0.0.1:19092"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--camera-id", "a b", "--source", "simulated"], "camera id 'a b' cannot name a topic"),
        (["run", "--camera-id", "cam-1", "--source", "webcam"], "source 'webcam' is not known"),
        (["run", "--camera-id", "cam-1", "--source", "folder:/gone"], "image folder /gone is not there"),
        (["send", "/gone.jpg", "--camera-id", "cam-1"], "image /gone.jpg cannot be read"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(tmp_path: Path, arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, [*arguments, "--home", str(tmp_path)])
    assert isinstance(result.exception, ConfigurationError) or result.exit_code == 2
    assert says in (str(result.exception) + result.output)
