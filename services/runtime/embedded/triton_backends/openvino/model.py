"""Triton backend `openvino`: runs OpenVINO models inside the python backend of the embedded server.

The folder's name makes `backend: "openvino"` in a config.pbtxt work here as it does with the native backend of the
container. It is executed by Triton's own interpreter, apart from the application: it imports nothing of Millsight.

Requests do not wait for each other: `execute` cuts each into chunks of a few images, hands these to OpenVINO infer
requests and returns; the answer is sent from the last chunk's callback. So transport of one batch overlaps with
the computation of another, and a lone batch is computed on all cores.
Parameters of the config.pbtxt, named as in the native backend: PERFORMANCE_HINT (THROUGHPUT, LATENCY),
INFERENCE_NUM_THREADS, NUM_STREAMS.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import triton_python_backend_utils as pb_utils

_Json = dict[str, Any]

_PASSED_ON: Final = ("PERFORMANCE_HINT", "INFERENCE_NUM_THREADS", "NUM_STREAMS")
_ELEMENT_TYPES: Final = {
    "TYPE_UINT8": ov.Type.u8,
    "TYPE_INT32": ov.Type.i32,
    "TYPE_INT64": ov.Type.i64,
    "TYPE_FP16": ov.Type.f16,
    "TYPE_FP32": ov.Type.f32,
}


_CHUNK_IMAGES: Final = 4
"""Images that one infer request takes: as fast per image as a whole batch, and a batch uses all cores."""


@dataclass(slots=True)
class _Pending:
    """A request in computation. It owns the memory that its pixels lie in, so it must outlive its chunks."""

    request: Any
    sender: Any
    chunks: list[ov.Tensor]
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, number: int, answer: dict[str, Any]) -> bool:
        """Keep the answer of a chunk; say whether it was the last."""
        with self.lock:
            self.answers[number] = answer
            return len(self.answers) == len(self.chunks)


class TritonPythonModel:
    """One instance of a model: a process of its own, with its own compiled network."""

    def initialize(self, args: dict[str, str]) -> None:
        """Verify, read and compile the model, and check it against its configuration."""
        config: _Json = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        verify_checksums(folder)
        check_labels(config, folder.parent)
        model = read_model(folder / (config.get("default_model_filename") or "model.xml"))
        check_signature(config, model)
        self._input: str = config["input"][0]["name"]
        self._outputs: list[str] = [output["name"] for output in config["output"]]
        self._queue = ov.AsyncInferQueue(ov.Core().compile_model(model, "CPU", compile_options(config)))
        self._queue.set_callback(self._answer)
        pb_utils.Logger.log_info(f"{args['model_instance_name']}: {len(self._queue)} OpenVINO infer requests")

    def execute(self, requests: list[Any]) -> None:
        """Start every request; each is answered by its own callback, not by a return value."""
        for request in requests:
            pixels = pb_utils.get_input_tensor_by_name(request, self._input).as_numpy()
            starts = range(0, len(pixels), _CHUNK_IMAGES)
            chunks = [ov.Tensor(pixels[start : start + _CHUNK_IMAGES], shared_memory=True) for start in starts]
            pending = _Pending(request, request.get_response_sender(), chunks)
            for number, chunk in enumerate(chunks):
                self._queue.start_async({self._input: chunk}, (pending, number))

    def finalize(self) -> None:
        """Let the requests in flight finish."""
        self._queue.wait_all()

    def _answer(self, infer_request: ov.InferRequest, chunk: tuple[_Pending, int]) -> None:
        pending, number = chunk
        wanted = set(pending.request.requested_output_names())
        names = [name for name in self._outputs if name in wanted]
        if not pending.add(number, {name: infer_request.get_tensor(name).data.copy() for name in names}):
            return
        answers = [pending.answers[each] for each in range(len(pending.chunks))]
        outputs = [pb_utils.Tensor(name, np.concatenate([answer[name] for answer in answers])) for name in names]
        response = pb_utils.InferenceResponse(output_tensors=outputs)
        pending.sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def verify_checksums(folder: Path) -> None:
    """Refuse a model whose files differ from the checksums of the model card beside them; no card, no check."""
    card = folder / "model_card.json"
    if not card.exists():
        return
    try:
        expected: dict[str, str] = json.loads(card.read_text(encoding="utf-8")).get("sha256", {})
    except (OSError, ValueError) as error:
        raise pb_utils.TritonModelException(f"the model card {card} cannot be read: {error}") from error
    for name, digest in expected.items():
        _verify_checksum(folder / name, digest)


def _verify_checksum(file: Path, expected: str) -> None:
    try:
        with file.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise pb_utils.TritonModelException(
            f"the model file {file}, which its model card names, cannot be read: {error.strerror}"
        ) from error
    if actual != expected:
        raise pb_utils.TritonModelException(
            f"the model file {file} has SHA-256 {actual[:12]}..., its model card says {expected[:12]}...: "
            "it is damaged or not genuine and will not be served"
        )


def check_labels(config: _Json, folder: Path) -> None:
    """Refuse a label file that is missing, or whose length differs from the output it names."""
    for output in config["output"]:
        name, classes = output.get("label_filename"), int(output["dims"][-1])
        if not name:
            continue
        try:
            labels = (folder / name).read_text(encoding="utf-8").split()
        except OSError as error:
            raise pb_utils.TritonModelException(
                f"the label file {folder / name} cannot be read: {error.strerror}"
            ) from error
        if len(labels) != classes:
            raise pb_utils.TritonModelException(
                f"the label file {folder / name} holds {len(labels)} labels, output {output['name']} has {classes}"
            )


def read_model(file: Path) -> ov.Model:
    """Read the network, telling which file is broken when it is."""
    if not file.is_file():
        raise pb_utils.TritonModelException(f"the model file {file} is missing")
    try:
        return ov.Core().read_model(file)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise pb_utils.TritonModelException(f"the model file {file} cannot be read: {reason}") from error


def check_signature(config: _Json, model: ov.Model) -> None:
    """Refuse a network whose tensors differ from the configuration in name, type or shape."""
    for kind, ports in (("input", model.inputs), ("output", model.outputs)):
        by_name = {name: port for port in ports for name in port.get_names()}
        for described in config[kind]:
            if described["name"] not in by_name:
                raise pb_utils.TritonModelException(
                    f"config.pbtxt names the {kind} {described['name']}, the network has {sorted(by_name)}"
                )
            said, found = _said(config, described), _found(by_name[described["name"]])
            if not _agree(said, found):
                what = f"{kind} {described['name']}"
                raise pb_utils.TritonModelException(
                    f"config.pbtxt says {what} is {_words(said)}, the network has {_words(found)}"
                )


_Signature = tuple[ov.Type | None, list[int]]


def _said(config: _Json, described: _Json) -> _Signature:
    batch = [-1] if int(config["max_batch_size"]) > 0 else []
    return _ELEMENT_TYPES.get(described["data_type"]), batch + [int(size) for size in described["dims"]]


def _found(port: Any) -> _Signature:  # noqa: ANN401 - an input or an output, which share no base class
    sizes = [size.get_length() if size.is_static else -1 for size in port.get_partial_shape()]
    return port.get_element_type(), sizes


def _agree(said: _Signature, found: _Signature) -> bool:
    if said[0] != found[0] or len(said[1]) != len(found[1]):
        return False
    return all(-1 in pair or pair[0] == pair[1] for pair in zip(said[1], found[1], strict=True))


def _words(signature: _Signature) -> str:
    kind, sizes = signature
    return f"{'of an unknown type' if kind is None else kind.get_type_name()} {sizes}"


def compile_options(config: _Json) -> dict[str, str]:
    """Return the OpenVINO properties that the configuration's parameters ask for.

    What is not INT8 is computed in float32: on a processor with bfloat16 OpenVINO would round it without being
    asked, and a frame would get another answer than elsewhere.
    """
    parameters = config.get("parameters", {})
    given = {name: str(parameters[name]["string_value"]) for name in _PASSED_ON if name in parameters}
    return {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"} | given
