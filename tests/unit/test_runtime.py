"""Settings, health, logs, back-off, deadlines."""

import itertools
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from prometheus_client import CollectorRegistry, Counter
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.errors import ConfigurationError
from services.runtime.backoff import backoff_delays_s
from services.runtime.deadline import Deadline
from services.runtime.health import Health, HealthServer
from services.runtime.logs import JsonFormatter
from services.runtime.settings import KafkaSettings, PostgresSettings, load_settings


class RoomSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROOM_", env_nested_delimiter="__", frozen=True)
    kafka: KafkaSettings


def test_a_misspelt_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOM_KAFKA__BOOTSTRAP_SERVERS", "localhost:9092")
    assert load_settings(RoomSettings).kafka.bootstrap_servers == "localhost:9092"
    monkeypatch.setenv("ROOM_KAFKA__BOOTSTRAP", "localhost:9092")
    with pytest.raises(ConfigurationError, match="ROOM_KAFKA__BOOTSTRAP:"):
        load_settings(RoomSettings)


def test_a_misspelt_group_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOM_KAFKA__BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("ROOM_KAFKAA__POLL", "1")
    with pytest.raises(
        ConfigurationError, match="ROOM_KAFKAA__POLL: there is no group KAFKAA; the groups are KAFKA"
    ):
        load_settings(RoomSettings)


def test_a_missing_group_is_named() -> None:
    with pytest.raises(ConfigurationError, match="ROOM_KAFKA: "):
        load_settings(RoomSettings)


def test_the_database_url_comes_from_a_file_and_never_shows(tmp_path: Path) -> None:
    url_file = tmp_path / "url"
    url_file.write_text("postgresql://u:secret@h/db\n")
    settings = PostgresSettings(url_file=url_file)
    assert settings.read_url() == "postgresql://u:secret@h/db"
    assert "secret" not in repr(PostgresSettings.model_validate({"url": "postgresql://u:secret@h/db"}))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PostgresSettings(url_file=tmp_path / "none").read_url()


def test_backoff_doubles_up_to_its_bound_with_jitter() -> None:
    delays = list(itertools.islice(backoff_delays_s(0.2, 5.0, Random(1)), 12))
    assert 0.1 <= delays[0] <= 0.2
    assert all(2.5 <= delay <= 5.0 for delay in delays[6:])
    assert len(set(delays)) == len(delays)


def test_a_deadline_runs_out() -> None:
    assert Deadline.after(0.0).expired
    assert 9.0 < Deadline.after(10.0).remaining_s <= 10.0


def test_a_log_line_is_json_with_the_extra_fields() -> None:
    record = logging.makeLogRecord({"msg": "stored %d", "args": (3,), "name": "x", "levelno": 20, "frame_id": "f"})
    fields = json.loads(JsonFormatter("classifier").format(record))
    assert (fields["message"], fields["room"], fields["frame_id"]) == ("stored 3", "classifier", "f")


@pytest.fixture
def health() -> Health:
    return Health(checks={"database": lambda: None})


@pytest.fixture
def address(health: Health) -> Iterator[str]:
    registry = CollectorRegistry()
    Counter("seen_total", "Seen", registry=registry).inc()
    server = HealthServer(health, "127.0.0.1", 0, registry)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_readiness_names_what_is_broken_and_liveness_does_not_depend_on_it(health: Health, address: str) -> None:
    assert _get(f"{address}/readyz")[0] == 200
    health.checks["database"] = lambda: "PostgreSQL does not answer"
    status, body = _get(f"{address}/readyz")
    assert status == 503
    assert json.loads(body)["problems"] == {"database": "PostgreSQL does not answer"}
    assert _get(f"{address}/livez")[0] == 200


def test_a_loop_that_stands_still_is_not_alive(health: Health, address: str) -> None:
    health._ticked_at_s -= 11
    assert _get(f"{address}/livez")[0] == 503
    health.tick()
    assert _get(f"{address}/livez")[0] == 200


def test_metrics_are_served(address: str) -> None:
    assert "seen_total 1.0" in _get(f"{address}/metrics")[1]
    assert _get(f"{address}/elsewhere")[0] == 404
