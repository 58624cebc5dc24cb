"""The stack's commands when the user is wrong, or nothing runs: one line, the right exit code, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parents[2]


def millsight(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=_PROJECT,
        timeout=60,
        env=os.environ | {"MILLSIGHT_HOME": str(home)} | settings,
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("up", "--frames", "/nowhere"), {}, "--frames /nowhere is not a directory"),
        (("up", "--line", "/nowhere.yaml"), {}, "/nowhere.yaml"),
        (("up",), {"KAFKA_BOOTSTRAP_SERVERS": "no-port"}, "KAFKA_BOOTSTRAP_SERVERS: 'no-port' is not host:port"),
        (("up",), {"DATABASE_URL": "geheim"}, "DATABASE_URL is not of the form"),
        (("logs", "nobody"), {}, "there is no log of 'nobody'"),
    ],
)
def test_a_mistake_ends_in_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    external = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"} if arguments == ("up",) else {}
    ended = millsight(tmp_path, *arguments, **(external | settings))
    assert ended.returncode == 2
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "geheim" not in ended.stderr + ended.stdout


def test_the_status_of_nothing_is_exit_code_1_and_says_how_to_start(tmp_path: Path) -> None:
    ended = millsight(tmp_path, "status")
    assert ended.returncode == 1
    assert "start it with 'millsight up'" in ended.stdout


def test_stopping_nothing_is_no_error(tmp_path: Path) -> None:
    ended = millsight(tmp_path, "down")
    assert ended.returncode == 0
    assert ended.stdout == "nothing runs\n"


def test_external_servers_that_do_not_answer_end_the_start_and_leave_nothing_behind(tmp_path: Path) -> None:
    nobody = "127.0.0.1:1"
    url = f"postgresql://admin:geheim@{nobody}/postgres"
    ended = millsight(tmp_path, "up", KAFKA_BOOTSTRAP_SERVERS=nobody, TRITON_GRPC_URL=nobody, DATABASE_URL=url)
    assert ended.returncode == 2
    assert "does not answer: connection refused" in ended.stderr
    assert "geheim" not in ended.stderr + ended.stdout
    assert ended.stdout.splitlines()[-1].endswith(" stopped")
    assert millsight(tmp_path, "status").returncode == 1
