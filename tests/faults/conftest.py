"""One real line for the whole fault suite, a thousand images, and the table of what each fault cost."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from services.adapters.cameras.renderer import render
from services.adapters.triton import TritonClassifier
from services.contracts.image_path import decode_for_model
from services.domain.classes import SURFACE_LABELS
from services.runtime.settings import TritonSettings
from tests.faults.oracle import Account, Probabilities
from tests.images import jpeg_bytes
from tests.line import Line, write_line_file

FRAMES = 1000
RUNS = (
    "calm", "kills", "before", "after", "broker", "postgres", "triton", "stub", "frozen", "storm", "outage",
    "payloads", "supervisor", "locked",
)  # fmt: skip
_RESULTS: list[tuple[str, Account, str]] = []


@dataclass(frozen=True)
class Images:
    """A thousand rendered frames on disk, each of its own size, and what the served model says about each."""

    folder: Path
    expected: dict[tuple[int, int], Probabilities]


@pytest.fixture(scope="session")
def line() -> Iterator[Line]:
    home = Path(tempfile.mkdtemp(prefix="millsight-faults-"))
    home.chmod(0o755)
    line_file = home / "line.yaml"
    write_line_file(line_file, RUNS)
    line = Line(home / "state", line_file)
    line.up()
    yield line
    line.end_children()
    line.down()
    if os.environ.get("MILLSIGHT_KEEP_FAULT_LOGS") is None:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_process_is_left(line: Line) -> Iterator[None]:
    yield
    line.end_children()


@pytest.fixture(scope="session")
def images(line: Line, tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("images")
    sizes = list(islice(product(range(200, 232), range(200, 232)), FRAMES))
    classifier = TritonClassifier(TritonSettings(url=str(line.state()["triton"]["grpc_url"])), "surface_defects")
    input_px = classifier.input_px
    expected: dict[tuple[int, int], Probabilities] = {}
    for start in range(0, FRAMES, 16):
        batch = sizes[start : start + 16]
        pixels = []
        for number, (width_px, height_px) in enumerate(batch, start):
            label = SURFACE_LABELS[number % len(SURFACE_LABELS)]
            data = jpeg_bytes(render(label, number, width_px, height_px))
            (folder / f"{number:04}.jpg").write_bytes(data)
            pixels.append(decode_for_model(data, input_px))
        for size, verdict in zip(batch, classifier.score(np.stack(pixels)).verdicts(), strict=True):
            expected[size] = dict(verdict.probabilities)
    classifier.close()
    return Images(folder, expected)


def report(fault: str, account: Account, remark: str) -> None:
    """Remember what a fault cost, for the table at the end of the run."""
    _RESULTS.append((fault, account, remark))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _RESULTS:
        return
    terminalreporter.section("faults: where the frames went")
    head = ("fault", "captured", "rows", "rejected", "dropped", "lost", "doubled", "longest stall", "remark")
    lines = [
        (
            fault, str(account.captured), str(account.distinct_rows), str(account.rejected), str(account.dropped),
            str(account.lost), str(account.doubled), f"{account.longest_stall_s:.1f} s", remark,
        )
        for fault, account, remark in _RESULTS
    ]  # fmt: skip
    for cells in (head, tuple("---" for _ in head), *lines):
        terminalreporter.write_line("| " + " | ".join(cells) + " |")
