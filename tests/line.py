"""The real line under test: `millsight up` in a directory of its own, and what a test does to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg

from services.runtime.embedded.ports import free_port

PROJECT_ROOT = Path(__file__).resolve().parents[1]
CAMERAS_PER_RUN = 4


def wait_for(what: str, holds: Callable[[], object], timeout_s: float, every_s: float = 0.2) -> float:
    """Wait until `holds()` is true; return how long it took in seconds, or fail with `what`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > timeout_s:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(every_s)
    return time.monotonic() - began


def write_line_file(path: Path, runs: Sequence[str]) -> None:
    """One machine, and four cameras behind it for each run of the suite."""
    cameras = [
        {"id": camera, "position_m": 10.0, "behind": "skinpass-1"} for run in runs for camera in cameras_of(run)
    ]
    machines = [{"id": "skinpass-1", "kind": "skin_pass_mill", "position_m": 5.0}]
    document = {"lines": [{"id": "fault-line", "machines": machines, "cameras": cameras}]}
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML


def cameras_of(run: str) -> list[str]:
    return [f"{run}-{number}" for number in range(1, CAMERAS_PER_RUN + 1)]


@dataclass
class Line:
    """A stack in `home`, with a line file of the test's own."""

    home: Path
    line_file: Path
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    camera_ports: dict[str, int] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "MILLSIGHT_HOME": str(self.home)}

    def millsight(self, *arguments: str, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def up(self, *arguments: str) -> None:
        """`millsight up --detach`, without the demo's cameras unless `--demo` is among the arguments."""
        demo = () if "--demo" in arguments else ("--no-demo",)
        done = self.millsight("up", "--detach", "--line", str(self.line_file), *demo, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        done = self.millsight("down")
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.millsight("status", "--json").stdout)
        return document

    def state(self) -> dict[str, Any]:
        """What the supervisor wrote last; cheaper than asking `millsight status`."""
        document: dict[str, Any] = json.loads((self.home / "state.json").read_text(encoding="utf-8"))
        return document

    def service(self, name: str) -> dict[str, Any]:
        return next(dict(each) for each in self.state()["services"] if each["name"] == name)

    def kill(self, name: str) -> int:
        """SIGKILL a service; return the process id it had."""
        pid = int(self.service(name)["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def supervisor_frozen(self) -> Iterator[None]:
        """Keep the supervisor from mending what the test breaks, for a while."""
        supervisor = int(self.state()["supervisor"]["pid"])
        os.kill(supervisor, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)

    def wait_restarted(self, name: str, old_pid: int, timeout_s: float = 60) -> float:
        """Wait until the supervisor runs the service anew; return the seconds it took."""

        def runs_anew() -> bool:
            service = self.service(name)
            return service["pid"] not in (None, old_pid) and service["state"] == "running"

        return wait_for(f"{name} runs again", runs_anew, timeout_s)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database as the reports role."""
        url = (self.home / "secrets" / "millsight_reports.url").read_text(encoding="utf-8").strip()
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def rows_of(self, run: str) -> int:
        return int(self.query("SELECT count(*) FROM inspections WHERE camera_id = ANY(%s)", cameras_of(run))[0][0])

    @property
    def broker(self) -> str:
        return str(self.state()["broker"]["bootstrap_servers"])

    @property
    def classifier_environment(self) -> dict[str, str]:
        """What the supervisor gives its classifier, for workers of a test's own."""
        return {
            **os.environ,
            "CLASSIFIER_KAFKA__BOOTSTRAP_SERVERS": self.broker,
            "CLASSIFIER_POSTGRES__URL_FILE": str(self.home / "secrets" / "millsight_classifier.url"),
            "CLASSIFIER_TRITON__URL": str(self.state()["triton"]["grpc_url"]),
            "CLASSIFIER_LINE__FILE": str(self.line_file),
        }

    def start(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        """Start a process of the test's own, with a log beside the stack's."""
        with (self.home / "logs" / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *arguments], cwd=PROJECT_ROOT, env=dict(environment), stdout=log, stderr=log
            )
        self.children.append(child)
        return child

    def start_worker(self, name: str) -> "subprocess.Popen[bytes]":
        return self.start(name, ["-m", "services.classifier"], self.classifier_environment)

    def start_doomed_worker(self, moment: str, batches: int) -> "subprocess.Popen[bytes]":
        arguments = ["-m", "tests.faults.doomed_classifier", moment, str(batches)]
        return self.start(f"doomed-{moment}", arguments, self.classifier_environment)

    def start_cameras(self, run: str, images: Path, frames_per_second: float) -> "subprocess.Popen[bytes]":
        """A real camera room that plays every image once, dealt out over the run's cameras, then ends."""
        self.camera_ports[run] = free_port()
        environment = {
            **os.environ,
            "CAMERA_KAFKA__BOOTSTRAP_SERVERS": self.broker,
            "CAMERA_LINE__FILE": str(self.line_file),
            "CAMERA_SPOOL__DIR": str(self.home / "spools" / run),
            "CAMERA_SPOOL__MIN_FREE_BYTES": "0",
            "CAMERA_SOURCE__SPEC": f"folder:{images}",
            "CAMERA_SOURCE__CAMERAS": json.dumps(cameras_of(run)),
            "CAMERA_SOURCE__LOOP": "false",
            "CAMERA_SOURCE__FRAMES_PER_SECOND": str(frames_per_second),
            "CAMERA_HEALTH__PORT": str(self.camera_ports[run]),
        }
        return self.start(f"cameras-{run}", ["-m", "services.camera"], environment)

    def metric(self, url: str, name: str, label: str = "") -> float:
        """Sum of a metric's samples, of those alone that carry `label` where one is given."""
        with urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(each.rsplit(" ", 1)[1])
            for each in lines
            if each.startswith((name + "{", name + " ")) and label in each
        )

    def classifier_metric(self, name: str, label: str = "") -> float:
        return self.metric(self.state()["metrics"]["classifier-1"], name, label)

    def spooled_frames(self, run: str) -> int:
        """Frames of a run that wait on disk, as the camera room exports it."""
        url = f"http://127.0.0.1:{self.camera_ports[run]}/metrics"
        return int(self.metric(url, "millsight_spool_frames"))

    def end_children(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.wait(timeout=10)
        self.children.clear()
