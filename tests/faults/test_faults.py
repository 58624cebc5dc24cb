"""Nothing is lost and nothing is doubled, whatever is killed, frozen or taken away while frames flow.

Every run: one camera room with four cameras plays 1,000 frames through the real line (Kafka, Triton, PostgreSQL,
all owned by the real supervisor) while something happens to it. `tests/faults/oracle.py` holds what must be true.
"""

import os
import signal
import time
from pathlib import Path
from random import Random

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer

from services.adapters.kafka.resend import header_pairs
from services.contracts.topics import DEAD_LETTER_TOPIC, frame_topic
from tests.faults.conftest import FRAMES, Images, report
from tests.faults.oracle import settle, wrong_verdicts
from tests.faults.payloads import bad_payloads
from tests.line import Line, cameras_of, wait_for

pytestmark = pytest.mark.timeout(400)
FRAMES_PER_SECOND = 12.0  # of each of four cameras
SESSION_TIMEOUT_S = 10.0


def begin(line: Line, images: Images, run: str, frames_per_second: float = FRAMES_PER_SECOND) -> None:
    """Start the cameras and wait until a fifth of their frames is stored: the line is in full swing."""
    line.start_cameras(run, images.folder, frames_per_second)
    wait_for(f"the first rows of {run}", lambda: line.rows_of(run) >= FRAMES // 5, 90)


def prove(line: Line, images: Images, run: str, remark: str = "", *, rejected: int = 0) -> None:
    """Hold the run to account."""
    account = settle(line, run, FRAMES)
    report(run, account, remark)
    assert (account.captured, account.dropped) == (FRAMES, 0)
    assert account.lost == -rejected, account  # what a test sent itself was captured by no camera
    assert account.doubled == 0, account
    assert account.rejected == rejected, account
    assert wrong_verdicts(line, run, images.expected) == []


def test_a_calm_run_accounts_for_every_frame(line: Line, images: Images) -> None:
    begin(line, images, "calm")
    prove(line, images, "calm", "no fault: the reference")


def test_kill_9_of_the_classifier_again_and_again(line: Line, images: Images) -> None:
    random = Random(20261123)
    begin(line, images, "kills")
    recoveries_s = []
    for _ in range(3):
        pid = line.kill("classifier-1")
        recoveries_s.append(line.wait_restarted("classifier-1", pid))
        time.sleep(random.uniform(0.5, 2.0))
    prove(line, images, "kills", f"3 x kill -9, each running again after at most {max(recoveries_s):.1f} s")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_9_of_a_classifier_around_its_database_commit(line: Line, images: Images, moment: str) -> None:
    begin(line, images, moment, frames_per_second=8.0)
    with line.supervisor_frozen():  # or it would start the classifier again, and the doomed one get no frame
        pid = line.kill("classifier-1")
        doomed = line.start_doomed_worker(moment, batches=3)
        assert doomed.wait(timeout=60) == -signal.SIGKILL
    line.wait_restarted("classifier-1", pid)
    prove(line, images, moment, f"a worker killed {moment} COMMIT")
    if moment == "after":
        repeats = line.classifier_metric("millsight_frames_processed_total", 'result="duplicate"')
        assert repeats > 0, "a batch that was stored but not committed must have been read again"


def test_kill_9_of_the_broker(line: Line, images: Images) -> None:
    begin(line, images, "broker")
    recovery_s = line.wait_restarted("kafka", line.kill("kafka"))
    prove(line, images, "broker", f"broker runs again after {recovery_s:.1f} s")


def test_kill_9_of_postgres(line: Line, images: Images) -> None:
    begin(line, images, "postgres")
    recovery_s = line.wait_restarted("postgres", line.kill("postgres"))
    prove(line, images, "postgres", f"PostgreSQL runs again after {recovery_s:.1f} s")


def test_kill_9_of_triton(line: Line, images: Images) -> None:
    begin(line, images, "triton")
    recovery_s = line.wait_restarted("triton", line.kill("triton"))
    prove(line, images, "triton", f"Triton runs again after {recovery_s:.1f} s")


def test_kill_9_of_tritons_python_stub(line: Line, images: Images) -> None:
    begin(line, images, "stub")
    stubs = [
        child
        for child in psutil.Process(int(line.service("triton")["pid"])).children(recursive=True)
        if "stub" in child.name()
    ]
    assert stubs, "the stub that holds the model is a child of Triton"
    rows = line.rows_of("stub")
    for stub in stubs:
        stub.kill()
    recovery_s = wait_for("rows flow again", lambda: line.rows_of("stub") > rows + 50, 60)
    prove(line, images, "stub", f"50 more rows after {recovery_s:.1f} s")


def test_a_frozen_classifier_wakes_up_as_a_zombie(line: Line, images: Images) -> None:
    worker = line.start_worker("frozen-worker")
    begin(line, images, "frozen")
    worker.send_signal(signal.SIGSTOP)
    time.sleep(1.5 * SESSION_TIMEOUT_S)
    worker.send_signal(signal.SIGCONT)
    prove(line, images, "frozen", f"frozen for {1.5 * SESSION_TIMEOUT_S:.0f} s, then woken")


def test_a_rebalance_storm(line: Line, images: Images) -> None:
    begin(line, images, "storm")
    until = time.monotonic() + 30
    rebalances = 0
    while time.monotonic() < until:
        worker = line.start_worker("storm-worker")
        time.sleep(3.0)
        worker.send_signal(Random(rebalances).choice([signal.SIGTERM, signal.SIGKILL]))
        worker.wait(timeout=30)
        rebalances += 2
    prove(line, images, "storm", f"{rebalances} joins and departures in 30 s")


def test_the_broker_is_away_for_a_minute_while_the_spool_grows(line: Line, images: Images) -> None:
    begin(line, images, "outage", frames_per_second=3.0)
    with line.supervisor_frozen():  # or it would start the broker again at once
        kafka = line.kill("kafka")
        time.sleep(60)
        waiting = line.spooled_frames("outage")
    line.wait_restarted("kafka", kafka)
    prove(line, images, "outage", f"{waiting} frames spooled while the broker was away for 60 s")
    assert waiting >= 60 * 4 * 3.0 * 0.8, "capture must go on at its own pace while the broker is away"


def test_postgres_holds_its_table_locked(line: Line, images: Images) -> None:
    begin(line, images, "locked")
    url = (line.home / "secrets" / "millsight_owner.url").read_text().strip()
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE millsight.inspections IN ACCESS EXCLUSIVE MODE")
        time.sleep(12)
        connection.rollback()
    prove(line, images, "locked", "table locked for 12 s")


def test_bad_payloads_become_dead_letters_and_hurt_no_neighbour(line: Line, images: Images) -> None:
    begin(line, images, "payloads")
    camera = cameras_of("payloads")[0]
    payloads = bad_payloads(camera)
    producer = Producer({"bootstrap.servers": line.broker, "message.max.bytes": 4_400_000})
    for payload in payloads.values():
        producer.produce(frame_topic(camera), payload, key=camera)
        producer.flush(10)
    prove(line, images, "payloads", f"{len(payloads)} kinds of bad payloads", rejected=len(payloads))
    letters = _dead_letters(line, camera)
    assert sorted(letters.values(), key=len) == sorted(payloads.values(), key=len), "original bytes, unchanged"


def _dead_letters(line: Line, camera: str) -> dict[int, bytes]:
    """Offset to payload of this camera's letters in `frames.dlq`."""
    consumer = Consumer(
        {"bootstrap.servers": line.broker, "group.id": "fault-suite", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([DEAD_LETTER_TOPIC])
    letters: dict[int, bytes] = {}
    quiet_until = time.monotonic() + 15
    while time.monotonic() < quiet_until:
        for message in consumer.consume(100, 1.0):
            headers = dict(header_pairs(message))
            if headers["dlq.origin.topic"].decode() == frame_topic(camera):
                letters[int(headers["dlq.origin.offset"])] = message.value() or b""
    consumer.close()
    return letters


def test_kill_9_of_the_supervisor_leaves_no_orphan_and_loses_nothing(line: Line, images: Images) -> None:
    begin(line, images, "supervisor", frames_per_second=6.0)
    state = line.state()
    family = [psutil.Process(int(service["pid"])) for service in state["services"]]
    family += [child for each in family for child in each.children(recursive=True)]
    os.kill(int(state["supervisor"]["pid"]), signal.SIGKILL)
    gone_s = wait_for("every process of the stack is gone", lambda: not any(map(_runs, family)), 30)
    began = time.monotonic()
    line.up()
    again_s = time.monotonic() - began
    prove(line, images, "supervisor", f"no orphan after {gone_s:.1f} s, line up again after {again_s:.1f} s")


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_stack_is_well_after_all_this(line: Line) -> None:
    assert line.status()["problems"] == []
    leftovers = [Path(each).name for each in line.home.glob("logs/*.log") if _has_traceback(Path(each))]
    assert leftovers == [], "a traceback in a log is a bug"


def _has_traceback(log: Path) -> bool:
    return "Traceback (most recent call last)" in log.read_text(encoding="utf-8", errors="replace")
