"""The embedded servers themselves: data survives, doors are locked, nothing listens beyond loopback."""

import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg
import pytest
import tritonclient.grpc as grpcclient
from confluent_kafka import Consumer, Producer
from tritonclient.utils import InferenceServerException

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.kafka import EmbeddedKafka
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.server import EmbeddedServer
from services.runtime.embedded.tansu import EmbeddedTansu
from services.runtime.embedded.triton import EmbeddedTriton
from tests.processes import listening

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where the kernel keeps it

_CONFIG = """
name: "mean"
backend: "openvino"
max_batch_size: 8
input [ { name: "image" data_type: TYPE_UINT8 dims: [ 4, 4, 3 ] } ]
output [ { name: "means" data_type: TYPE_FP32 dims: [ 3 ] }, { name: "largest" data_type: TYPE_FP32 dims: [ 1 ] } ]
"""


@pytest.fixture
def home(stack_home: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory of this test alone, that PostgreSQL's user can enter."""
    made = stack_home / request.node.name
    made.mkdir()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def mean_repository(tmp_path: Path) -> Path:
    """A model that answers with the mean of each channel, and the largest of them: wrong wiring shows."""
    ov = pytest.importorskip("openvino")
    ops = pytest.importorskip("openvino.opset13")
    image = ops.parameter([-1, 4, 4, 3], ov.Type.u8, name="image")
    means = ops.reduce_mean(ops.convert(image, "f32"), ops.constant([1, 2]), keep_dims=False)
    largest = ops.reduce_max(means, ops.constant([1]), keep_dims=True)
    model = ov.Model([means, largest], [image], "mean")
    model.inputs[0].get_tensor().set_names({"image"})
    for output, name in zip(model.outputs, ("means", "largest"), strict=True):
        output.get_tensor().set_names({name})
    folder = tmp_path / "repository" / "mean"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(_CONFIG)
    ov.save_model(model, folder / "1" / "model.xml", compress_to_fp16=False)
    return folder.parent


@pytest.fixture
def triton(stack_home: Path, mean_repository: Path) -> Iterator[EmbeddedTriton]:
    server = EmbeddedTriton(stack_home, mean_repository, (free_port(), free_port()))
    server.start()
    yield server
    server.stop()


def assert_loopback_only(server: EmbeddedServer) -> None:
    assert server.pid is not None
    addresses = {address for _, address in listening(server.pid)}
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def consume(bootstrap_servers: str, topic: str) -> list[bytes | None]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "test",
            "session.timeout.ms": 6000,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    consumer.subscribe([topic])
    try:
        return [message.value() for message in consumer.consume(1, timeout=20)]
    finally:
        consumer.close()


def infer(url: str, image: "np.ndarray[Any, Any]", timeout_s: float = 5) -> Any:
    given = grpcclient.InferInput("image", list(image.shape), "UINT8")
    given.set_data_from_numpy(image)
    with grpcclient.InferenceServerClient(url) as client:
        return client.infer("mean", [given], client_timeout=timeout_s)


def test_kafka_keeps_frames_and_cluster_id_when_killed_and_listens_on_loopback_only(home: Path) -> None:
    server = EmbeddedKafka(home, free_port())
    server.start()
    try:
        producer = Producer(
            {"bootstrap.servers": server.bootstrap_servers, "message.max.bytes": 4_200_000, "log_level": 0}
        )
        producer.produce("frames.cam-7", b"\xff\xd8" + bytes(4_000_000))
        assert producer.flush(20) == 0
        cluster_id = producer.list_topics(timeout=10).cluster_id
        assert_loopback_only(server)
        server.kill()
        server.start()
        assert len(consume(server.bootstrap_servers, "frames.cam-7")[0] or b"") == 4_000_002
        assert (
            Producer({"bootstrap.servers": server.bootstrap_servers}).list_topics(timeout=10).cluster_id
            == cluster_id
        )
    finally:
        server.stop()


def test_postgres_asks_everyone_for_a_password_keeps_rows_when_killed_and_listens_on_loopback_only(
    home: Path,
) -> None:
    server = EmbeddedPostgres(home, free_port())
    server.start()
    try:
        with psycopg.connect(server.admin_url, autocommit=True) as session:
            session.execute("CREATE TABLE kept AS SELECT 7 AS seven")
            settings = {
                name: session.execute("SELECT current_setting(%s)", (name,)).fetchone()
                for name in ("fsync", "data_checksums", "server_encoding")
            }
        assert settings == {"fsync": ("on",), "data_checksums": ("on",), "server_encoding": ("UTF8",)}
        for user in ("millsight_admin", "postgres"):
            with pytest.raises(psycopg.OperationalError, match=r"password|no password supplied"):
                psycopg.connect(
                    f"postgresql://{user}:wrong@127.0.0.1:{server.address.rpartition(':')[2]}/postgres"
                )
        assert_loopback_only(server)
        server.kill()
        server.start()
        with psycopg.connect(server.admin_url) as session:
            assert session.execute("SELECT seven FROM kept").fetchone() == (7,)
        assert psutil.Process(server.pid).uids().effective != 0 or "namespace" in str(server.spec().identity)
    finally:
        server.stop()


def test_triton_answers_each_of_many_requests_in_flight_with_its_own_result(triton: EmbeddedTriton) -> None:
    offsets = np.array([0, 10, 20], dtype=np.uint8)
    images = [np.full((1 + number % 8, 4, 4, 3), number, dtype=np.uint8) + offsets for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda image: infer(triton.grpc_url, image, 20), images))
    for number, answer in enumerate(answers):
        batch = 1 + number % 8
        assert answer.as_numpy("means").tolist() == [[number, number + 10, number + 20]] * batch
        assert answer.as_numpy("largest").tolist() == [[number + 20]] * batch


def test_triton_gives_only_the_outputs_asked_for(triton: EmbeddedTriton) -> None:
    given = grpcclient.InferInput("image", [1, 4, 4, 3], "UINT8")
    given.set_data_from_numpy(np.zeros((1, 4, 4, 3), dtype=np.uint8))
    with grpcclient.InferenceServerClient(triton.grpc_url) as client:
        answer = client.infer("mean", [given], outputs=[grpcclient.InferRequestedOutput("largest")])
    assert answer.as_numpy("means") is None
    assert answer.as_numpy("largest").shape == (1, 1)


def test_triton_listens_on_loopback_only_and_its_control_interfaces_are_locked(triton: EmbeddedTriton) -> None:
    assert_loopback_only(triton)
    with grpcclient.InferenceServerClient(triton.grpc_url) as client:
        for ask in (
            client.get_model_repository_index,
            client.get_system_shared_memory_status,
            client.get_log_settings,
        ):
            with pytest.raises(InferenceServerException, match="restricted"):
                ask()
        with pytest.raises(InferenceServerException):
            client.load_model("mean")


def test_triton_notices_that_its_python_stub_was_killed_and_recovers_by_a_restart(triton: EmbeddedTriton) -> None:
    assert triton.pid is not None
    (stub,) = psutil.Process(triton.pid).children()
    stub.send_signal(signal.SIGKILL)
    until = time.monotonic() + 5
    while triton.problem() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert triton.problem() == "Triton's python stub has died"
    triton.kill()
    triton.start()
    assert (infer(triton.grpc_url, np.full((2, 4, 4, 3), 9, dtype=np.uint8)).as_numpy("means") == 9).all()


def test_triton_leaves_no_shared_memory_behind_after_a_kill_and_a_restart(triton: EmbeddedTriton) -> None:
    prefix = triton._shared_memory_prefix
    triton.kill()
    left = len(list(SHARED_MEMORY.glob(f"{prefix}*")))
    triton.start()
    assert left >= 1
    assert len(list(SHARED_MEMORY.glob(f"{prefix}*"))) == left
    triton.stop()
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))


def test_triton_leaves_no_shared_memory_behind_when_its_stub_died_before_it(triton: EmbeddedTriton) -> None:
    assert triton.pid is not None
    (stub,) = psutil.Process(triton.pid).children()
    stub.kill()
    triton.stop()
    assert not list(SHARED_MEMORY.glob(f"{triton._shared_memory_prefix}*"))


def test_a_broken_model_is_told_by_its_file(stack_home: Path, mean_repository: Path) -> None:
    (mean_repository / "mean" / "1" / "model.xml").write_text("<net broken")
    server = EmbeddedTriton(stack_home, mean_repository, (free_port(), free_port()))
    with pytest.raises(TransientError, match=r"mean/1/model\.xml cannot be read"):
        server.start()


def test_an_empty_model_repository_is_refused_in_words(stack_home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no model"):
        EmbeddedTriton(stack_home, tmp_path, (free_port(), free_port())).start()


def test_tansu_takes_kafkas_place_on_loopback_only(home: Path) -> None:
    server = EmbeddedTansu(home, free_port())
    server.start()
    try:
        producer = Producer({"bootstrap.servers": server.bootstrap_servers, "log_level": 0})
        producer.produce("frames.cam-7", b"\xff\xd8frame")
        assert producer.flush(20) == 0
        assert consume(server.bootstrap_servers, "frames.cam-7") == [b"\xff\xd8frame"]
        assert_loopback_only(server)
    finally:
        server.stop()
